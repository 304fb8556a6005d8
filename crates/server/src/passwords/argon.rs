//! Argon2id in memory that is used again while there is work, and given back when there is none.

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use misario_jose::constant_time_eq;
use zeroize::Zeroizing;

/// The most octets that a stored hash has.
const MAX_OUTPUT: usize = 64;

/// Room for so many blocks of 1 KiB is asked for at least, used or not. Allocators keep what they got back for the next
/// who asks, up to 32 MiB of it per thread (glibc); what is larger goes back to the system at once. Room that is not used
/// costs nothing.
const ROOM: usize = 40 * 1024;

/// The memory of one hashing thread: 19 MiB while it has work, nothing otherwise.
#[derive(Default)]
pub(super) struct Memory(Vec<Block>);

impl Memory {
    fn blocks(&mut self, params: &Params) -> &mut [Block] {
        let count = params.block_count();
        if self.0.capacity() < count.max(ROOM) {
            self.0 = Vec::with_capacity(count.max(ROOM));
        }
        self.0.resize(count, Block::default());
        &mut self.0
    }

    /// Gives it back to the system.
    pub(super) fn release(&mut self) {
        self.0 = Vec::new();
    }

    /// The PHC string of a password.
    pub(super) fn hash(&mut self, password: &[u8], salt: &[u8]) -> Option<String> {
        // m = 19 MiB, t = 2, p = 1: the defaults, spelled out so that an update of the library does not change them.
        let params = Params::new(19_456, 2, 1, None).ok()?;
        let (algorithm, version) = (Algorithm::Argon2id, Version::V0x13);
        let mut output = Zeroizing::new([0; Params::DEFAULT_OUTPUT_LEN]);
        Argon2::new(algorithm, version, params.clone())
            .hash_password_into_with_memory(password, salt, &mut *output, self.blocks(&params))
            .ok()?;
        let hash = PasswordHash {
            algorithm: algorithm.ident(),
            version: Some(version.into()),
            params: ParamsString::try_from(&params).ok()?,
            salt: Some(Salt::new(salt).ok()?),
            hash: Some(Output::new(&*output).ok()?),
        };
        Some(hash.to_string())
    }

    /// Whether the password is the one behind the PHC string.
    pub(super) fn verify(&mut self, password: &[u8], hash: &str) -> bool {
        self.recomputed(password, hash).unwrap_or(false)
    }

    fn recomputed(&mut self, password: &[u8], hash: &str) -> Option<bool> {
        let known = PasswordHash::new(hash).ok()?;
        let algorithm = Algorithm::try_from(known.algorithm.as_str()).ok()?;
        let version = known.version.map_or(Ok(Version::default()), Version::try_from).ok()?;
        let params = Params::try_from(&known).ok()?;
        let (salt, expected) = (known.salt?, known.hash?);
        let mut output = Zeroizing::new([0; MAX_OUTPUT]);
        let output = output.get_mut(..expected.len())?;
        Argon2::new(algorithm, version, params.clone())
            .hash_password_into_with_memory(password, salt.as_ref(), output, self.blocks(&params))
            .ok()?;
        Some(constant_time_eq(output, expected.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9106, in the reference implementation's form: `argon2 somesalt -id -t 2 -m 16 -p 1` of "password".
    #[test]
    fn a_hash_of_the_reference_implementation_is_verified() {
        let known = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        let mut memory = Memory::default();
        assert!(memory.verify(b"password", known));
        assert!(!memory.verify(b"passwore", known));
        for broken in ["", "$argon2id$", &known.replace("m=65536", "m=x"), &known.replace("argon2id", "scrypt")] {
            assert!(!memory.verify(b"password", broken), "{broken}");
        }
    }

    #[test]
    fn memory_that_was_used_changes_no_hash() {
        let mut memory = Memory::default();
        let first = memory.hash(b"one password", &[1; 16]).unwrap();
        assert!(memory.hash(b"another one", &[2; 16]).is_some());
        assert_eq!(memory.hash(b"one password", &[1; 16]), Some(first.clone()));
        memory.release();
        assert!(memory.verify(b"one password", &first) && !memory.verify(b"another one", &first));
    }
}
