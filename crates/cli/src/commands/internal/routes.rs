//! The server's routes with what each asks of its caller.

use std::fmt::Write as _;

use misario_server::http::{Policy, Route, routes};

/// Every route.
pub(super) fn all() -> String {
    page("# Routes\n\nEvery route of the server, and what it asks of its caller.", routes())
}

/// The routes that anybody may call.
pub(super) fn public() -> String {
    let open = |route: &Route| matches!(route.policy, Policy::Public | Policy::SignIn | Policy::ShowsCredential);
    page(
        "# Public routes\n\nThe routes that ask for no live credential. Whatever is not here asks for one.",
        routes().into_iter().filter(open).collect(),
    )
}

fn page(head: &str, routes: Vec<Route>) -> String {
    let mut page = format!(
        "{head}\nMade by `cargo xtask gen` from the code; do not edit.\n\n| method | path | asks for |\n|---|---|---|\n"
    );
    for route in routes {
        // Writing to a String cannot fail.
        let _ = writeln!(page, "| {} | `{}` | {} |", route.method, route.path, words(route.policy));
    }
    page
}

fn words(policy: Policy) -> String {
    match policy {
        Policy::Public => "nothing".to_owned(),
        Policy::SignIn => "proof that no other site sent it".to_owned(),
        Policy::ShowsCredential => "a credential, dead or alive; proof of origin for cookies".to_owned(),
        Policy::Login => "a live login".to_owned(),
        Policy::LoginSensitive => "a live login; a CSRF token for cookies".to_owned(),
        Policy::Client(right) => format!("a client with the right `{}`", right.name()),
        Policy::AdminRead => "a client with the right `admin`, or the role `admin` or `auditor`".to_owned(),
        Policy::AdminWrite => {
            "a client with the right `admin`, or the role `admin`, signed in within 15 minutes, and a CSRF token"
                .to_owned()
        }
    }
}
