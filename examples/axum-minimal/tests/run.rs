//! The example does what its README says.

#![expect(clippy::unwrap_used, reason = "a step that fails here panics; that is the test's answer")]

mod support;

use support::{Program, signs_in_and_out};

#[tokio::test]
async fn whoever_was_given_the_first_password_gets_in_and_out() {
    let folder = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_axum-minimal");
    let (minimal, mut said) = Program::start(program, folder.path(), &[]).await;
    let line = said.next_line().await.unwrap().unwrap();
    let password = line.strip_prefix("alice's password: ").unwrap().to_owned();
    signs_in_and_out(&minimal, &password).await;
    minimal.stop().await;
    // Started again, it has its user, and says no password.
    let (again, _said) = Program::start(program, folder.path(), &[]).await;
    signs_in_and_out(&again, &password).await;
    again.stop().await;
}
