//! Secrets on their way in: from files, standard input or a prompt, never from arguments, which every user of the
//! machine can read.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use misario_core::secret::SecretText;
use zeroize::Zeroizing;

use crate::environment::Environment;
use crate::failure::CliError;
use crate::prompt;

/// No secret or token of ours is longer.
const LIMIT: u64 = 64 * 1024;

/// Where a password comes from.
#[derive(Debug, Clone, clap::Args)]
#[group(multiple = false)]
pub(crate) struct PasswordSource {
    /// Read the password from this file (its first line)
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Read the password from standard input (its first line)
    #[arg(long)]
    password_stdin: bool,
    /// Ask for the password on the terminal
    #[arg(long)]
    ask_password: bool,
}

impl PasswordSource {
    /// The password; `None` when the server is to generate one. `MISARIO_PASSWORD_FILE` counts when nothing was said.
    pub(crate) fn read(&self, environment: &Environment) -> anyhow::Result<Option<SecretText>> {
        if self.password_stdin {
            return Ok(Some(first_line(io::stdin().lock())?));
        }
        if self.ask_password {
            return prompt::ask().map(Some);
        }
        let from_environment = environment.get("MISARIO_PASSWORD_FILE").map(PathBuf::from);
        match self.password_file.clone().or(from_environment) {
            Some(path) => {
                let read = fs::File::open(&path).and_then(first_line);
                Ok(Some(read.map_err(|source| CliError::FileUnreadable { path, source })?))
            }
            None => Ok(None),
        }
    }
}

/// The text of a file that holds a secret, without the white space around it.
pub(crate) fn read_file(path: &Path) -> Result<SecretText, CliError> {
    let unreadable = |source| CliError::FileUnreadable { path: path.to_owned(), source };
    let mut text = Zeroizing::new(String::new());
    fs::File::open(path).and_then(|file| file.take(LIMIT).read_to_string(&mut text)).map_err(unreadable)?;
    Ok(SecretText::new(text.trim().to_owned()))
}

/// What standard input holds, without the white space around it.
pub(crate) fn read_stdin() -> anyhow::Result<SecretText> {
    let mut text = Zeroizing::new(String::new());
    io::stdin().lock().take(LIMIT).read_to_string(&mut text)?;
    Ok(SecretText::new(text.trim().to_owned()))
}

/// What comes from a file as a password, or a line of standard input: nothing is cut off but the end of the line.
fn first_line(text: impl Read) -> io::Result<SecretText> {
    let mut all = Zeroizing::new(String::new());
    text.take(LIMIT).read_to_string(&mut all)?;
    Ok(SecretText::new(all.lines().next().unwrap_or_default().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_keeps_its_spaces() {
        let read = |text: &str| first_line(text.as_bytes()).unwrap().expose().to_owned();
        assert_eq!(read(" two words \r\nnot this\n"), " two words ");
        assert_eq!(read("\tonly line "), "\tonly line ");
        assert_eq!((read(""), read("\n \n")), (String::new(), String::new()));
    }
}
