//! A page rendered by the server, for whoever is signed in: no script at all.

use super::super::account::sign_out;
use super::super::document::{Document, Page, fact, facts, link, paragraph};
use super::super::html::{Attr, Element};
use super::super::local_path::LocalPath;

/// What the protected page of the app `web` shows.
#[derive(Debug, Clone)]
pub(crate) struct WebDemo<'a> {
    /// The app's name.
    pub(crate) app: &'a str,
    /// How the app carries logins at present.
    pub(crate) mode: &'a str,
    /// Who is signed in.
    pub(crate) username: &'a str,
    /// What they are in the app.
    pub(crate) roles: &'a [&'a str],
    /// A CSRF token bound to the login.
    pub(crate) csrf_token: &'a str,
}

impl WebDemo<'_> {
    /// The page.
    pub(crate) fn render(&self) -> Page {
        let roles = if self.roles.is_empty() { "none".to_owned() } else { self.roles.join(", ") };
        let rows = [
            ("You are", fact(self.username)),
            ("Roles", fact(&roles)),
            ("App", fact(self.app)),
            ("Mode", fact(self.mode)),
        ];
        let card = Element::new("div")
            .child(Element::new("h1").text("A protected page"))
            .child(paragraph("lead", "The server checked your cookie from local memory and rendered this. End the login here, or from another terminal, and reload."))
            .child(facts(rows))
            .child(
                Element::new("div")
                    .attr(Attr::Class, "actions")
                    .child(sign_out(self.app, self.csrf_token))
                    .child(link(&LocalPath::root(), "Your account")),
            );
        Document::new("A protected page").page(card)
    }
}
