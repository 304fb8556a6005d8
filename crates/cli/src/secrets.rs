//! Secrets on their way in: from files, standard input or a prompt, never from arguments, which every user of the
//! machine can read.

use std::fs;
use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};

use misario_core::secret::SecretText;
use zeroize::Zeroizing;

use crate::environment::Environment;
use crate::failure::CliError;

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
            return Ok(Some(first_line(&read_stdin()?)));
        }
        if self.ask_password {
            return ask().map(Some);
        }
        let from_environment = environment.get("MISARIO_PASSWORD_FILE").map(PathBuf::from);
        match self.password_file.clone().or(from_environment) {
            Some(path) => Ok(Some(first_line(&read_file(&path)?))),
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

fn first_line(text: &SecretText) -> SecretText {
    SecretText::new(text.expose().lines().next().unwrap_or_default().to_owned())
}

fn ask() -> anyhow::Result<SecretText> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        let what = "there is no terminal to ask on".to_owned();
        return Err(CliError::Usage { what, fix: "use --password-file or --password-stdin" }.into());
    }
    write!(anstream::stderr(), "password: ")?;
    let hidden = Hidden::on(&stdin)?;
    let mut line = Zeroizing::new(String::new());
    stdin.lock().read_line(&mut line)?;
    drop(hidden);
    writeln!(anstream::stderr())?;
    Ok(SecretText::new(line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// While it lives, the terminal does not show what is typed.
struct Hidden<'t> {
    terminal: &'t io::Stdin,
    before: rustix::termios::Termios,
}

impl<'t> Hidden<'t> {
    fn on(terminal: &'t io::Stdin) -> io::Result<Self> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(terminal, OptionalActions::Flush, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        let _ = rustix::termios::tcsetattr(self.terminal, rustix::termios::OptionalActions::Now, &self.before);
    }
}
