//! What a host would bring.

use misario_jose::Entropy;

/// The machine's randomness.
pub struct Machine;

impl Entropy for Machine {
    fn fill(&self, dest: &mut [u8]) {
        aws_lc_rs::rand::fill(dest).expect("the machine has randomness");
    }
}
