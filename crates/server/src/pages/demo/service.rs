//! The commands of a client without a browser.

use super::super::document::{Document, Page, paragraph};
use super::super::html::Element;

/// What the page of the app `service` shows.
#[derive(Debug, Clone)]
pub(crate) struct ServiceDemo<'a> {
    /// The app's name.
    pub(crate) app: &'a str,
    /// The server's own address from its configuration, never from a request: `http://127.0.0.1:8420`.
    pub(crate) base_url: &'a str,
}

impl ServiceDemo<'_> {
    /// The page.
    pub(crate) fn render(&self) -> Page {
        let steps = self.commands().into_iter().flat_map(|(what, command)| {
            [Element::new("h2").text(what), Element::new("pre").child(Element::new("code").text(&command))]
        });
        let card = Element::new("div")
            .child(Element::new("h1").text("A service without a browser"))
            .child(paragraph(
                "lead",
                "Signed tokens in the Authorization header. Paste these into a shell, one after the other.",
            ))
            .children(steps);
        Document::new("A service without a browser").wide().page(card)
    }

    /// What each command does, and the command. They need a POSIX shell, curl and sed.
    pub(crate) fn commands(&self) -> [(&'static str, String); 5] {
        let url = |path: &str| quote(&format!("{}{path}", self.base_url));
        let body = quote(&format!("{{\"app\":\"{}\",\"username\":\"alice\",\"password\":\"%s\"}}", self.app));
        // Several apps are at one origin here, so each request says which one it means.
        let app = quote(&format!("Misario-App: {}", self.app));
        let bearer = format!("-H {app} -H \"Authorization: Bearer $TOKEN\"");
        [
            ("The password that misario dev printed for alice", "printf 'Password: '; read -r PASSWORD".to_owned()),
            (
                "Sign in and keep the access token",
                format!(
                    "TOKEN=$(printf {body} \"$PASSWORD\" | curl -sS {} -H 'Content-Type: application/json' --data-binary @- \
                     | sed -n 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/p')",
                    url("/v1/login"),
                ),
            ),
            ("Ask who you are", format!("curl -sS {} {bearer}", url("/v1/me"))),
            ("Renew it without state", format!("curl -sS -X POST {} {bearer}", url("/v1/refresh"))),
            ("Sign out: the token is refused from here on", format!("curl -sS -X POST {} {bearer}", url("/v1/logout"))),
        ]
    }
}

/// One word of a POSIX shell, whatever it holds.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_one_word_of_the_shell() {
        assert_eq!(quote("a'b; rm $X `y`"), "'a'\\''b; rm $X `y`'");
    }

    #[test]
    fn the_password_is_in_no_command_line() {
        let demo = ServiceDemo { app: "service", base_url: "http://127.0.0.1:8420" };
        let commands = demo.commands();
        assert!(commands[1].1.starts_with(
            "TOKEN=$(printf '{\"app\":\"service\",\"username\":\"alice\",\"password\":\"%s\"}' \"$PASSWORD\" |"
        ));
        assert!(commands.iter().all(|(_, command)| !command.contains("-u ") && !command.contains("-d '")));
    }
}
