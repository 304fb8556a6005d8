//! Shared by this module's tests.

use super::Headers;
use crate::app::{App, Mode, Transport};
use crate::id::AppId;

pub(crate) struct Lines(pub(crate) Vec<(&'static str, Vec<u8>)>);

impl Headers for Lines {
    fn each<'h>(&'h self, name: &'static str, each: &mut dyn FnMut(&'h [u8])) {
        self.0.iter().filter(|(own, _)| *own == name).for_each(|(_, value)| each(value));
    }
}

/// An app at `https://{name}.example.com` with every transport.
pub(crate) fn app(name: &str) -> App {
    App::new(
        AppId::new(name).unwrap(),
        Mode::Session,
        &[Transport::Cookie, Transport::Bearer, Transport::Split],
        vec![format!("https://{name}.example.com").parse().unwrap()],
    )
}
