use misario_jose::Verifier;

fn main() {
    let _ = Verifier::builder().audience("api.test").build();
}
