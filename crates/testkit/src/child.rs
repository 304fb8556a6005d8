//! Tests that need a second process: the test's own program, started again with a role.
//!
//! ```text
//! #[test]
//! fn a_killed_writer_loses_nothing() {
//!     if let Some(folder) = child::role() {
//!         return write_for_ever(&folder);
//!     }
//!     let mut child = Again::test("a_killed_writer_loses_nothing").role("/some/folder").start();
//!     let acknowledged = child.line();
//!     let rest = child.kill();
//! }
//! ```

use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

/// Set for the child and nobody else.
const ROLE: &str = "MISARIO_TEST_ROLE";

/// What every line that is meant for the parent begins with; the test harness prints lines of its own.
const MARK: &str = "child: ";

/// What this process was started for, if it is such a child.
#[expect(clippy::disallowed_methods, reason = "a role has to get past the test harness, which reads the arguments")]
pub fn role() -> Option<String> {
    std::env::var(ROLE).ok()
}

/// Whether what a test needs from its machine has to be there: on a build machine (`CI` is set) nothing is skipped.
#[expect(clippy::disallowed_methods, reason = "the one place where tests ask whether they may skip something")]
pub fn nothing_may_be_skipped() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false" && value != "0")
}

/// Tells the parent something. It has left this process when the call returns, and survives it.
#[expect(clippy::print_stdout, reason = "it is how the child speaks")]
pub fn tell(line: &str) {
    println!("\n{MARK}{line}");
}

/// A second run of this program that is about to start.
#[derive(Debug)]
pub struct Again(Command);

impl Again {
    /// Only the test of this name.
    pub fn test(name: &str) -> Self {
        Self::program(&this_program(), name)
    }

    /// Only the test of this name, in a copy of this program.
    pub fn program(program: &Path, name: &str) -> Self {
        Self::only(name, Command::new(program))
    }

    /// Only the test of this name, started by `outer`, a command that runs its last arguments.
    pub fn test_under(outer: &[&str], name: &str) -> Self {
        let (first, rest) = outer.split_first().unwrap();
        let mut command = Command::new(first);
        command.args(rest).arg(this_program());
        Self::only(name, command)
    }

    fn only(name: &str, mut command: Command) -> Self {
        command.args(["--exact", name, "--nocapture", "--test-threads=1"]);
        Self(command)
    }

    /// What the child finds as its [`role`].
    pub fn role(mut self, role: &str) -> Self {
        self.0.env(ROLE, role);
        self
    }

    /// Changes the command before it starts.
    pub fn with(mut self, change: impl FnOnce(&mut Command)) -> Self {
        change(&mut self.0);
        self
    }

    /// Starts it.
    pub fn start(mut self) -> Running {
        let mut child = self.0.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Running { child, lines }
    }
}

fn this_program() -> PathBuf {
    std::env::current_exe().unwrap()
}

/// A child that runs. It is killed when this is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    /// The next thing the child tells; `None` when it has ended.
    pub fn line(&mut self) -> Option<String> {
        let mut lines = self.lines.by_ref().map_while(Result::ok);
        lines.find_map(|line| line.strip_prefix(MARK).map(str::to_owned))
    }

    /// Ends the child without asking it (SIGKILL); what it had told by then.
    pub fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        std::iter::from_fn(|| self.line()).collect()
    }

    /// What it still tells, and whether it ended well.
    pub fn wait(mut self) -> (Vec<String>, bool) {
        let told = std::iter::from_fn(|| self.line()).collect();
        (told, self.child.wait().unwrap().success())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail if it has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
