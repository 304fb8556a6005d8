//! Asking for a password on the terminal.
//!
//! While it is typed the terminal shows nothing, and gives each key as it comes, Ctrl-C too: as a signal it would end
//! this process at once and leave a terminal behind that shows nothing for good.

use std::io::{self, BufRead, IsTerminal as _, Write as _};

use misario_core::secret::SecretText;
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::failure::CliError;

/// Control characters as keys.
const CTRL_C: u8 = 0x03;
const CTRL_D: u8 = 0x04;
const BACKSPACE: [u8; 2] = [0x08, 0x7f];
const CTRL_U: u8 = 0x15;
const CTRL_W: u8 = 0x17;
const CTRL_BACKSLASH: u8 = 0x1c;

/// The password that somebody types.
pub(crate) fn ask() -> anyhow::Result<SecretText> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        let what = "there is no terminal to ask on".to_owned();
        return Err(CliError::Usage { what, fix: "use --password-file or --password-stdin" }.into());
    }
    let hidden = Hidden::on(&stdin)?;
    write!(anstream::stderr(), "password: ")?;
    let typed = read(stdin.lock());
    drop(hidden);
    writeln!(anstream::stderr())?;
    let Some(typed) = typed? else { return Err(CliError::Interrupted.into()) };
    let not_text = || CliError::Usage { what: "what was typed is not UTF-8".to_owned(), fix: "type it again" };
    let text = std::str::from_utf8(&typed).map_err(|_| not_text())?;
    if has_control(&typed) {
        // As an arrow key or Tab sends, which meant to edit and did not: nobody could type that password again.
        let what = "a key was pressed that is not a character (an arrow, Tab, or one with Ctrl)".to_owned();
        return Err(CliError::Usage { what, fix: "type it again; Backspace, Ctrl-W and Ctrl-U erase" }.into());
    }
    Ok(SecretText::new(text.to_owned()))
}

/// Judged at the end of the line and not key by key: what is typed on would else be left for the shell.
fn has_control(line: &[u8]) -> bool {
    line.iter().any(|octet| *octet < 0x20)
}

/// The keys of one line; `None` when whoever typed gave up.
fn read(keys: impl BufRead) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    let mut line = Zeroizing::new(Vec::with_capacity(1024));
    for key in keys.bytes() {
        match key? {
            CTRL_C | CTRL_BACKSLASH => return Ok(None),
            CTRL_D if line.is_empty() => return Ok(None),
            b'\n' | b'\r' | CTRL_D => break,
            CTRL_U => line.clear(),
            CTRL_W => remove_word(&mut line),
            key if BACKSPACE.contains(&key) => remove_last(&mut line),
            key => line.push(key),
        }
    }
    Ok(Some(line))
}

/// One character of UTF-8: its first octet is the one that is no continuation.
fn remove_last(line: &mut Vec<u8>) {
    while line.pop().is_some_and(|octet| octet & 0xc0 == 0x80) {}
}

/// The last word and the spaces behind it, as a terminal erases them.
fn remove_word(line: &mut Vec<u8>) {
    while line.pop_if(|octet| *octet == b' ').is_some() {}
    while line.pop_if(|octet| *octet != b' ').is_some() {}
}

/// While it lives, the terminal does not show what is typed.
struct Hidden<'t> {
    terminal: &'t io::Stdin,
    before: Termios,
}

impl<'t> Hidden<'t> {
    fn on(terminal: &'t io::Stdin) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        silent.special_codes[SpecialCodeIndex::VMIN] = 1;
        silent.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(terminal, OptionalActions::Flush, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_make_a_line() {
        let typed = |keys: &str| read(keys.as_bytes()).unwrap().map(|line| String::from_utf8(line.to_vec()).unwrap());
        assert_eq!(typed(" a b \nrest").as_deref(), Some(" a b "));
        assert_eq!(typed("wrong\u{15}ri\u{e9}\u{7f}ght\r").as_deref(), Some("right"));
        assert_eq!(typed("\u{7f}a\u{4}").as_deref(), Some("a"));
        assert_eq!((typed("half\u{3}"), typed("\u{4}"), typed("half\u{1c}\n")), (None, None, None));
        assert_eq!(typed("no end").as_deref(), Some("no end"));
        assert_eq!(typed("one wr\u{e9}ng \u{17}two\n").as_deref(), Some("one two"));
        assert_eq!(typed("\u{17}a\u{17}\u{17}b\n").as_deref(), Some("b"));
    }

    #[test]
    fn a_key_that_is_no_character_is_known_unless_it_was_erased() {
        let refused = |keys: &str| has_control(&read(keys.as_bytes()).unwrap().unwrap());
        for keys in ["a\tb\n", "a\u{1b}[Db\n", "a\u{1}\n", "a\u{c}", "\0\n", "\u{1f}\n"] {
            assert!(refused(keys), "{keys:?}");
        }
        for keys in ["a b\u{e9}\u{7f}\n", "a\t\u{7f}b\n", "\u{1b}[D\u{15}b\n", "a \u{1b}[D\u{17}b\n"] {
            assert!(!refused(keys), "{keys:?}");
        }
    }
}
