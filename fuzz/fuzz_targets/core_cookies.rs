//! Cookie headers: whatever stands around it, a cookie is read only if there is one of its name.
//!
//! The input is the `Cookie` headers of a request, one per line.

#![no_main]

use libfuzzer_sys::fuzz_target;
use misario_core::authn::{CookieError, Headers, read_cookie};

const NAME: &str = "__Host-misario-web";

struct Lines<'a>(Vec<&'a [u8]>);

impl Headers for Lines<'_> {
    fn each<'h>(&'h self, name: &'static str, each: &mut dyn FnMut(&'h [u8])) {
        if name == "cookie" {
            for line in &self.0 {
                each(line);
            }
        }
    }
}

fuzz_target!(|input: &[u8]| {
    let lines = Lines(input.split(|octet| *octet == b'\n').collect());
    match read_cookie(&lines, NAME) {
        Ok(Some(value)) => {
            assert!(!value.contains(';') && !value.contains('\n'));
            assert!(occurrences(input) >= 1);
            // With the same headers once more it would be somebody's second cookie.
            let twice = Lines([lines.0.as_slice(), lines.0.as_slice()].concat());
            assert_eq!(read_cookie(&twice, NAME), Err(CookieError::Duplicate));
        }
        Ok(None) => {}
        Err(CookieError::Duplicate) => assert!(occurrences(input) >= 2),
    }
});

fn occurrences(input: &[u8]) -> usize {
    input.windows(NAME.len()).filter(|window| *window == NAME.as_bytes()).count()
}
