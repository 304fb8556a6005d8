use misario_jose::{Algorithm, VerifiedJwt};

fn main() {
    let _ = VerifiedJwt { algorithm: Algorithm::Es256, kid: None };
}
