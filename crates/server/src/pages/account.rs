//! Around a login: who is signed in, and the page after signing out.

use misario_jose::UnixTime;

use super::date::time;
use super::document::{Document, Page, fact, facts, form, hidden, link, paragraph, submit};
use super::html::{Attr, Element};
use super::local_path::LocalPath;

/// What the account page shows of a login.
#[derive(Debug, Clone)]
pub(crate) struct AccountPage<'a> {
    /// Who is signed in.
    pub(crate) username: &'a str,
    /// To which app.
    pub(crate) app: &'a str,
    /// How the app carries logins at present.
    pub(crate) mode: &'a str,
    /// When the login began.
    pub(crate) since: UnixTime,
    /// When it ends, however much it is used.
    pub(crate) ends: UnixTime,
    /// A CSRF token bound to the login.
    pub(crate) csrf_token: &'a str,
    /// The app's own page.
    pub(crate) app_path: Option<&'a LocalPath>,
}

impl AccountPage<'_> {
    /// The page. Its form posts `app` and `_csrf` to `/v1/logout`.
    pub(crate) fn render(&self) -> Page {
        let rows = [
            ("App", fact(self.app)),
            ("Mode", fact(self.mode)),
            ("Signed in", time(self.since)),
            ("Ends", time(self.ends)),
        ];
        let actions = Element::new("div")
            .attr(Attr::Class, "actions")
            .child(sign_out(self.app, self.csrf_token))
            .maybe(self.app_path.map(|path| link(path, &format!("Open {}", self.app))));
        let card = Element::new("div")
            .child(Element::new("h1").text(&format!("Signed in as {}", self.username)))
            .child(facts(rows))
            .child(actions);
        Document::new("Your account").page(card)
    }
}

/// The form that ends a login.
pub(super) fn sign_out(app: &str, csrf_token: &str) -> Element {
    form("/v1/logout", csrf_token).attr(Attr::Class, "inline").child(hidden("app", app)).child(submit("Sign out"))
}

/// The page after signing out.
#[derive(Debug, Clone)]
pub(crate) struct SignedOutPage<'a> {
    /// Of which app.
    pub(crate) app: &'a str,
}

impl SignedOutPage<'_> {
    /// The page.
    pub(crate) fn render(&self) -> Page {
        let card = Element::new("div")
            .child(Element::new("h1").text("Signed out"))
            .child(paragraph(
                "lead",
                &format!("Your login to {} has ended. From a moment on, nothing of it is accepted anywhere.", self.app),
            ))
            .child(Element::new("p").child(link(&LocalPath::sign_in(self.app, None), "Sign in again")));
        Document::new("Signed out").page(card)
    }
}
