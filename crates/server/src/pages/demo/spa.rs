//! A single-page app under a strict policy: the access token lives in a variable, the refresh token in a cookie that no
//! script can read.

use super::super::document::{Document, Nonce, Page, paragraph};
use super::super::html::{Attr, Element, Flag};
use super::super::sign_in::field;

/// What the page of the app `spa` needs.
#[derive(Debug, Clone)]
pub(crate) struct SpaDemo<'a> {
    /// The app's name.
    pub(crate) app: &'a str,
    /// Lets the page's script run.
    pub(crate) nonce: &'a Nonce,
}

impl SpaDemo<'_> {
    /// The page.
    pub(crate) fn render(&self) -> Page {
        let card = Element::new("div")
            .attr(Attr::Id, "spa")
            .attr(Attr::DataApp, self.app)
            .child(Element::new("h1").text("A single-page app"))
            .child(paragraph("lead", "The access token is in memory, the refresh token in an HttpOnly cookie. Reload, and you are still signed in."))
            .child(Element::new("noscript").child(Element::new("p").text("This demo is the one page that needs JavaScript.")))
            .child(Element::new("p").attr(Attr::Id, "problem").attr(Attr::Class, "error").attr(Attr::Role, "alert").flag(Flag::Hidden))
            .child(sign_in())
            .child(signed_in());
        Document::new("A single-page app").script(self.nonce.clone(), SCRIPT).page(card)
    }
}

const SCRIPT: &str = concat!("\n", include_str!("spa.js"));

fn sign_in() -> Element {
    let input = |name, kind, autocomplete| {
        Element::new("input")
            .attr(Attr::Id, name)
            .attr(Attr::Name, name)
            .attr(Attr::Type, kind)
            .attr(Attr::Autocomplete, autocomplete)
            .attr(Attr::DescribedBy, "problem")
            .flag(Flag::Required)
    };
    Element::new("form")
        .attr(Attr::Id, "sign-in")
        .attr(Attr::Class, "sign-in")
        .attr(Attr::Method, "post")
        .flag(Flag::Hidden)
        .child(field(
            "Username",
            input("username", "text", "username").attr(Attr::Autocapitalize, "none").attr(Attr::Spellcheck, "false"),
        ))
        .child(field("Password", input("password", "password", "current-password")))
        .child(Element::new("button").attr(Attr::Type, "submit").text("Sign in"))
}

fn signed_in() -> Element {
    let button = |id, class, text| {
        Element::new("button").attr(Attr::Id, id).attr(Attr::Type, "button").attr(Attr::Class, class).text(text)
    };
    Element::new("section")
        .attr(Attr::Id, "signed-in")
        .attr(Attr::Label, "Your login")
        .flag(Flag::Hidden)
        .child(Element::new("dl").attr(Attr::Id, "me"))
        .child(paragraph("note", "").attr(Attr::Id, "status").attr(Attr::Role, "status"))
        .child(
            Element::new("div")
                .attr(Attr::Class, "actions")
                .child(button("refresh", "strong", "Refresh"))
                .child(button("sign-out", "plain", "Sign out")),
        )
}
