//! The outside of every page: head, header, and the policy it is sent with.

use super::html::{Address, Attr, Element, Html};
use super::local_path::LocalPath;
use super::style::STYLE_ROUTE;

/// A complete document and the policy it is written for.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    html: String,
    nonce: Option<Nonce>,
}

/// A value that lets one script of one response run. From 16 random octets, never used twice.
#[derive(Debug, Clone)]
pub(crate) struct Nonce(String);

impl Nonce {
    /// The nonce made of `random`.
    pub(crate) fn new(random: [u8; 16]) -> Self {
        use std::fmt::Write as _;
        let hex = random.iter().fold(String::with_capacity(32), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        Self(hex)
    }

    fn as_str(&self) -> &str {
        &self.0
    }
}

impl Page {
    /// The document: `text/html; charset=utf-8`.
    #[cfg(test)]
    pub(crate) fn html(&self) -> &str {
        &self.html
    }

    /// The document, without a copy.
    pub(crate) fn into_html(self) -> String {
        self.html
    }

    /// The `Content-Security-Policy` of the response. Without a nonce no script runs at all; nothing is loaded from or
    /// posted to another origin, and nobody frames the page.
    ///
    /// The response also needs `Referrer-Policy: same-origin`: with `no-referrer` browsers post the page's forms with
    /// `Origin: null`, which is no proof of anything.
    pub(crate) fn policy(&self) -> String {
        let scripts = match &self.nonce {
            Some(nonce) => format!("script-src 'nonce-{}'; connect-src 'self'; ", nonce.as_str()),
            None => String::new(),
        };
        format!(
            "default-src 'none'; {scripts}style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; \
             frame-ancestors 'none'; object-src 'none'"
        )
    }
}

/// What a page adds to the outside that all share.
pub(super) struct Document<'a> {
    title: &'a str,
    wide: bool,
    script: Option<(Nonce, &'static str)>,
}

impl<'a> Document<'a> {
    /// A document called `title`.
    pub(super) const fn new(title: &'a str) -> Self {
        Self { title, wide: false, script: None }
    }

    /// With room for commands and tables.
    pub(super) const fn wide(mut self) -> Self {
        self.wide = true;
        self
    }

    /// With a script that stands in this source.
    pub(super) fn script(mut self, nonce: Nonce, source: &'static str) -> Self {
        self.script = Some((nonce, source));
        self
    }

    /// The page with `content` in its one card.
    pub(super) fn page(self, content: Element) -> Page {
        let main = Element::new("main").child(content.attr(Attr::Class, "card"));
        let main = if self.wide { main.attr(Attr::Class, "wide") } else { main };
        let script = self
            .script
            .as_ref()
            .map(|(nonce, source)| Element::new("script").nonce(nonce.as_str()).html(&Html::literal(source)));
        let body = Element::new("body").child(Element::new("header").text("misario")).child(main).maybe(script);
        let document = Element::new("html").attr(Attr::Lang, "en").child(head(self.title)).child(body).build();
        Page { html: format!("<!doctype html>\n{}\n", document.as_str()), nonce: self.script.map(|(nonce, _)| nonce) }
    }
}

fn head(title: &str) -> Element {
    let meta = |name, content| Element::new("meta").attr(Attr::Name, name).attr(Attr::Content, content);
    Element::new("head")
        .child(Element::new("meta").fixed("charset", "utf-8"))
        .child(Element::new("title").text(&format!("{title} · misario")))
        .child(meta("viewport", "width=device-width, initial-scale=1"))
        .child(meta("color-scheme", "light dark"))
        .child(meta("robots", "noindex"))
        .child(
            Element::new("link").attr(Attr::Rel, "stylesheet").address(Address::Href, &LocalPath::fixed(STYLE_ROUTE)),
        )
        // An icon of its own, so that browsers do not ask for /favicon.ico.
        .child(Element::new("link").attr(Attr::Rel, "icon").fixed("href", ICON))
}

const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E\
                    %3Crect width='16' height='16' rx='4' fill='%231d5bb8'/%3E%3C/svg%3E";

/// A form that posts to `path` with the CSRF token of the login or visitor.
pub(super) fn form(path: &'static str, csrf_token: &str) -> Element {
    Element::new("form")
        .attr(Attr::Method, "post")
        .address(Address::Action, &LocalPath::fixed(path))
        .child(hidden("_csrf", csrf_token))
}

/// A form field that people do not see.
pub(super) fn hidden(name: &'static str, value: &str) -> Element {
    Element::new("input").attr(Attr::Type, "hidden").attr(Attr::Name, name).attr(Attr::Value, value)
}

/// A link to `path`.
pub(super) fn link(path: &LocalPath, text: &str) -> Element {
    Element::new("a").address(Address::Href, path).text(text)
}

/// A button that submits its form.
pub(super) fn submit(text: &str) -> Element {
    Element::new("button").attr(Attr::Type, "submit").text(text)
}

/// A paragraph of `class`.
pub(super) fn paragraph(class: &'static str, text: &str) -> Element {
    Element::new("p").attr(Attr::Class, class).text(text)
}

/// A list of names and values.
pub(super) fn facts(rows: impl IntoIterator<Item = (&'static str, Element)>) -> Element {
    rows.into_iter().fold(Element::new("dl"), |list, (name, value)| {
        list.child(Element::new("dt").text(name)).child(Element::new("dd").child(value))
    })
}

/// Text as a value of [`facts`].
pub(super) fn fact(text: &str) -> Element {
    Element::new("span").text(text)
}
