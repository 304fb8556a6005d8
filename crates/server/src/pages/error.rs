//! The page for what went wrong, with the reference that an operator can look up.

use super::document::{Document, Page, link};
use super::html::{Attr, Element};
use super::local_path::LocalPath;

/// What an error page says: no more than the problem document that a program would get.
#[derive(Debug, Clone)]
pub(crate) struct ErrorPage<'a> {
    /// What happened, in a few words.
    pub(crate) title: &'a str,
    /// What to do about it.
    pub(crate) message: &'a str,
    /// The reference id under which the exact reason is logged.
    pub(crate) reference: Option<&'a str>,
    /// Where to go on, and what the link says.
    pub(crate) next: Option<(&'a LocalPath, &'a str)>,
}

impl ErrorPage<'_> {
    /// The page.
    pub(crate) fn render(&self) -> Page {
        let reference = self.reference.map(|reference| {
            Element::new("p").attr(Attr::Class, "note").text("Reference: ").child(Element::new("code").text(reference))
        });
        let card = Element::new("div")
            .child(Element::new("h1").text(self.title))
            .child(Element::new("p").text(self.message))
            .maybe(self.next.map(|(path, text)| Element::new("p").child(link(path, text))))
            .maybe(reference);
        Document::new(self.title).page(card)
    }
}
