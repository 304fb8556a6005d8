//! What can go wrong on the command line itself.

use std::path::PathBuf;

/// Why a command ends. Whatever is not listed here comes from a layer below and keeps that layer's code.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum CliError {
    /// Arguments that clap cannot judge.
    #[error("{what}")]
    Usage {
        /// What is wrong.
        what: String,
        /// What would be right.
        fix: &'static str,
    },
    /// A file named by the user cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    FileUnreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file named by the user, or made by us, cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    FileUnwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Something in the data folder is not what was written there.
    #[error("{} is damaged: {why}", path.display())]
    DataDamaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// `serve` was given a folder of `dev`'s.
    #[error("{} has the demo accounts of `misario dev` in it", data.display())]
    FolderOfDev {
        /// The data folder.
        data: PathBuf,
    },
    /// `dev` was given a folder that is not its own.
    #[error("{} has a store in it that `misario dev` did not make", data.display())]
    FolderOfServe {
        /// The data folder.
        data: PathBuf,
    },
    /// The data folder is another user's.
    #[error("{} is of the user with the id {owner}, and this is another one", data.display())]
    FolderOfAnother {
        /// The data folder.
        data: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// A file with secrets can be read by others.
    #[error("{} holds secrets and others may read it (mode {mode:03o})", path.display())]
    SecretExposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The listener cannot be opened.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// No server was named, none is running, and there is no store to work on.
    #[error("no server is running on {}, and there is no store in it", data.display())]
    NoServer {
        /// The data folder.
        data: PathBuf,
    },
    /// What was asked for needs a server, and only its store is there.
    #[error("no server is running on {}; there is a store in it, but this needs a server", data.display())]
    NotRunning {
        /// The data folder.
        data: PathBuf,
    },
    /// A server was named without a credential for it.
    #[error("--url needs an administrator's client")]
    NoAdminToken,
    /// The server does not answer.
    #[error("no answer from {url}: {why}")]
    Unreachable {
        /// Which server.
        url: String,
        /// What happened.
        why: String,
    },
    /// The server answered with something that is not its API.
    #[error("{url} answered {what}, which is not what a misario server answers")]
    NotOurServer {
        /// Which server.
        url: String,
        /// What it answered.
        what: String,
    },
    /// The server said no.
    #[error("{title}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The server's code.
        code: String,
        /// Its title.
        title: String,
        /// Its detail, if the caller may know it.
        detail: Option<String>,
    },
    /// A token or a key did not pass. What failed was printed as the command's result.
    #[error("{what}")]
    Rejected {
        /// What did not pass, with its code.
        what: String,
        /// The code.
        code: String,
    },
    /// Whoever started the command ended it.
    #[error("ended from the keyboard or by a signal")]
    Interrupted,
    /// A demonstration saw its promise broken.
    #[error("{violations} violations: the promise of `demo {demo}` does not hold")]
    PromiseBroken {
        /// Which one.
        demo: &'static str,
        /// How many.
        violations: u64,
    },
    /// A process started for a demonstration ended or said something else than it should.
    #[error("the second process of the demo {why}")]
    DemoProcess {
        /// What happened.
        why: String,
    },
}

impl CliError {
    /// Code and meaning of each error, for the operator's documentation.
    pub(crate) const CODES: &'static [(&'static str, &'static str)] = &[
        ("usage", "The arguments do not make a command (exit 2)."),
        ("file_unreadable", "A file that was named cannot be read (exit 2)."),
        ("file_unwritable", "A file or the data folder cannot be written."),
        ("data_damaged", "A file in the data folder is not what was written there."),
        ("folder_of_dev", "`serve` was given a folder with the demo accounts of `dev` (exit 2)."),
        ("folder_of_serve", "`dev` was given a folder whose store it did not make (exit 2)."),
        ("folder_of_another", "The data folder is of another user than the one that the command runs as (exit 2)."),
        ("secret_exposed", "A file with secrets can be read by others (exit 2)."),
        ("listen_failed", "The address cannot be listened on."),
        ("server_not_found", "No server was named, none is running, and there is no store to work on (exit 2)."),
        ("server_not_running", "A command that needs a running server found its store only (exit 2)."),
        ("admin_token_missing", "A server was named without MISARIO_ADMIN_TOKEN or MISARIO_ADMIN_TOKEN_FILE (exit 2)."),
        ("server_unreachable", "The server does not answer."),
        ("server_unknown_answer", "What answers is not a misario server, or one of another version."),
        ("interrupted", "The command was ended from the keyboard or by a signal."),
        ("demo_promise_broken", "A demonstration saw its promise broken."),
        ("demo_process_failed", "The process that a demonstration started did not do its part."),
        ("batch_line_malformed", "A line of `token verify --batch` is not the object that it has to be: a verdict."),
        ("internal", "A failure without a code of its own; the message tells."),
    ];

    pub(super) fn code(&self) -> &str {
        match self {
            Self::Usage { .. } => "usage",
            Self::FileUnreadable { .. } => "file_unreadable",
            Self::FileUnwritable { .. } => "file_unwritable",
            Self::DataDamaged { .. } => "data_damaged",
            Self::FolderOfDev { .. } => "folder_of_dev",
            Self::FolderOfServe { .. } => "folder_of_serve",
            Self::FolderOfAnother { .. } => "folder_of_another",
            Self::SecretExposed { .. } => "secret_exposed",
            Self::Listen { .. } => "listen_failed",
            Self::NoServer { .. } => "server_not_found",
            Self::NotRunning { .. } => "server_not_running",
            Self::NoAdminToken => "admin_token_missing",
            Self::Unreachable { .. } => "server_unreachable",
            Self::NotOurServer { .. } => "server_unknown_answer",
            Self::Refused { code, .. } | Self::Rejected { code, .. } => code,
            Self::Interrupted => "interrupted",
            Self::PromiseBroken { .. } => "demo_promise_broken",
            Self::DemoProcess { .. } => "demo_process_failed",
        }
    }

    pub(super) fn fix(&self) -> Option<String> {
        Some(match self {
            Self::Usage { fix, .. } => (*fix).to_owned(),
            Self::FileUnwritable { path, .. } => {
                format!("check the permissions and the free space of {}, or name another folder", parent(path))
            }
            Self::DataDamaged { .. } => {
                "restore it from a backup; misario does not overwrite what it cannot read".into()
            }
            Self::FolderOfDev { .. } => {
                "their passwords were printed: name another folder with --data, and leave this one to `misario dev`"
                    .into()
            }
            Self::FolderOfServe { .. } => {
                "demo users would be added to it: name another folder with --data, or run `misario serve`".into()
            }
            Self::FolderOfAnother { owner, data } => format!(
                "run it as that user (sudo -u '#{owner}'), or give all of {} to the user that shall have it (chown -R)",
                data.display()
            ),
            Self::SecretExposed { path, .. } => format!("chmod 600 {}", path.display()),
            Self::Listen { .. } => {
                "another program may have the address; choose one with --listen, port 0 for any".into()
            }
            Self::NoServer { .. } => "start one with `misario dev`, or name one with --url or --data".into(),
            Self::NotRunning { .. } => {
                "start it with `misario dev` or `misario serve`, whichever made the folder".into()
            }
            Self::NoAdminToken => {
                "set MISARIO_ADMIN_TOKEN_FILE to a file holding `client-id:secret` of a client with the right admin"
                    .into()
            }
            Self::Unreachable { .. } => "is it running, and is this its address?".into(),
            Self::Refused { detail, status, .. } => match (detail, status) {
                (Some(detail), _) => detail.clone(),
                (None, 401 | 403) => "the credential used is not an administrator's, or no longer counts".into(),
                (None, 503) => "the server cannot tell at the moment; try again".into(),
                (None, _) => return None,
            },
            _ => return None,
        })
    }

    pub(super) const fn exit(&self) -> u8 {
        match self {
            Self::Usage { .. }
            | Self::FileUnreadable { .. }
            | Self::FolderOfDev { .. }
            | Self::FolderOfServe { .. }
            | Self::FolderOfAnother { .. }
            | Self::SecretExposed { .. }
            | Self::NoServer { .. }
            | Self::NotRunning { .. }
            | Self::NoAdminToken => 2,
            _ => 1,
        }
    }
}

fn parent(path: &std::path::Path) -> String {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.display().to_string(),
        _ => "the current folder".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Leads whoever adds a variant to the list below.
    const fn has_own_code(error: &CliError) -> bool {
        match error {
            CliError::Usage { .. }
            | CliError::FileUnreadable { .. }
            | CliError::FileUnwritable { .. }
            | CliError::DataDamaged { .. }
            | CliError::FolderOfDev { .. }
            | CliError::FolderOfServe { .. }
            | CliError::FolderOfAnother { .. }
            | CliError::SecretExposed { .. }
            | CliError::Listen { .. }
            | CliError::NoServer { .. }
            | CliError::NotRunning { .. }
            | CliError::NoAdminToken
            | CliError::Unreachable { .. }
            | CliError::NotOurServer { .. }
            | CliError::Interrupted
            | CliError::PromiseBroken { .. }
            | CliError::DemoProcess { .. } => true,
            // They have the code of whoever refused.
            CliError::Refused { .. } | CliError::Rejected { .. } => false,
        }
    }

    fn one_of_each() -> Vec<CliError> {
        let (path, data, why) = (PathBuf::from("f"), PathBuf::from("d"), String::new);
        let source = || std::io::Error::other("x");
        vec![
            CliError::Usage { what: why(), fix: "" },
            CliError::FileUnreadable { path: path.clone(), source: source() },
            CliError::FileUnwritable { path: path.clone(), source: source() },
            CliError::DataDamaged { path: path.clone(), why: "" },
            CliError::FolderOfDev { data: data.clone() },
            CliError::FolderOfServe { data: data.clone() },
            CliError::FolderOfAnother { data: data.clone(), owner: 1 },
            CliError::SecretExposed { path, mode: 0o644 },
            CliError::Listen { address: why(), source: source() },
            CliError::NoServer { data: data.clone() },
            CliError::NotRunning { data },
            CliError::NoAdminToken,
            CliError::Unreachable { url: why(), why: why() },
            CliError::NotOurServer { url: why(), what: why() },
            CliError::Interrupted,
            CliError::PromiseBroken { demo: "", violations: 1 },
            CliError::DemoProcess { why: why() },
        ]
    }

    #[test]
    fn every_error_has_its_code_in_the_list_and_every_code_its_error() {
        let codes: Vec<String> = one_of_each().iter().map(|error| error.code().to_owned()).collect();
        assert!(one_of_each().iter().all(has_own_code));
        // A verdict, and what has no code of its own.
        let others = ["batch_line_malformed", "internal"].map(str::to_owned);
        let listed: Vec<String> = CliError::CODES.iter().map(|(code, _)| (*code).to_owned()).collect();
        assert!(codes.iter().all(|code| listed.contains(code)), "{codes:?}");
        assert!(listed.iter().all(|code| codes.contains(code) || others.contains(code)), "{listed:?}");
        assert_eq!(codes.len() + others.len(), listed.len());
    }
}
