use misario_jose::Verifier;

fn main() {
    let _ = Verifier::builder().audience("a").issuer("i").build();
    let _ = Verifier::builder().dangerous_any_issuer().audience("a").build();
}
