use misario_jose::{KeySet, Scratch, UnixTime, Verifier};

fn both(verifier: &Verifier, keys: &KeySet, now: UnixTime) {
    let mut scratch = Scratch::new();
    let first = verifier.verify("a.b.c", keys, now, &mut scratch);
    let second = verifier.verify("d.e.f", keys, now, &mut scratch);
    drop((first, second));
}

fn main() {}
