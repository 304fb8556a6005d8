use misario_jose::Verifier;

fn main() {
    let _ = Verifier::builder().issuer("https://issuer.test").build();
}
