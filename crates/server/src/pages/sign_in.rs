//! The sign-in page: one form, made for keyboards, password managers and screen readers.

use super::document::{Document, Page, form, hidden, link, paragraph, submit};
use super::html::{Attr, Element, Flag};
use super::local_path::LocalPath;

/// What the sign-in page shows.
#[derive(Debug, Clone, Default)]
pub(crate) struct SignInPage<'a> {
    /// The app to sign in to.
    pub(crate) app: &'a str,
    /// Other apps that people can sign in to here.
    pub(crate) other_apps: &'a [&'a str],
    /// A CSRF token bound to the pre-login cookie that is sent with the page.
    pub(crate) csrf_token: &'a str,
    /// Why the last attempt failed.
    pub(crate) error: Option<SignInError>,
    /// The name that was typed at the last attempt; never the password.
    pub(crate) username: &'a str,
    /// Where to go afterwards.
    pub(crate) return_to: Option<&'a LocalPath>,
}

/// Why a sign-in failed, as far as a visitor is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignInError {
    /// No such user, a wrong password, a disabled user: all one, so that names cannot be tried out.
    InvalidCredentials,
    /// The account or address has to wait.
    TooManyAttempts {
        /// For how many seconds.
        seconds: u64,
    },
    /// All sign-in threads are at work, or the store does not answer.
    Busy,
    /// The form's token is missing, or of another visit.
    FormExpired,
}

impl SignInError {
    fn message(self) -> String {
        match self {
            Self::InvalidCredentials => "The username or the password is wrong.".to_owned(),
            Self::TooManyAttempts { seconds } => {
                format!("Too many attempts. Please wait {} and try again.", waiting_time(seconds))
            }
            Self::Busy => "Signing in is not possible at the moment. Please try again in a few seconds.".to_owned(),
            Self::FormExpired => {
                "This page was open for too long, or cookies are blocked. Please try again.".to_owned()
            }
        }
    }

    /// Whether what was typed is to be corrected.
    const fn blames_input(self) -> bool {
        matches!(self, Self::InvalidCredentials)
    }
}

fn waiting_time(seconds: u64) -> String {
    match seconds {
        0 | 1 => "a second".to_owned(),
        2..=90 => format!("{seconds} seconds"),
        _ => format!("{} minutes", seconds.div_ceil(60)),
    }
}

impl SignInPage<'_> {
    /// The page. Its form posts `app`, `username`, `password`, `_csrf` and `return_to` to `/v1/login`.
    pub(crate) fn render(&self) -> Page {
        let name = format!("Sign in to {}", self.app);
        // Screen readers read the title first: it says that something went wrong.
        let title = if self.error.is_some() { format!("Error: {name}") } else { name.clone() };
        let card =
            Element::new("div")
                .child(Element::new("h1").attr(Attr::Id, "heading").text(&name))
                .maybe(self.error.map(|error| {
                    paragraph("error", &error.message()).attr(Attr::Id, "error").attr(Attr::Role, "alert")
                }))
                .child(self.form())
                .maybe(self.other_apps());
        Document::new(&title).page(card)
    }

    fn form(&self) -> Element {
        form("/v1/login", self.csrf_token)
            .attr(Attr::Class, "sign-in")
            .attr(Attr::LabelledBy, "heading")
            .child(hidden("app", self.app))
            .maybe(self.return_to.map(|path| hidden("return_to", path.as_str())))
            .child(field("Username", self.username_input()))
            .child(field("Password", self.password_input()))
            .child(submit("Sign in"))
    }

    fn username_input(&self) -> Element {
        self.input("username", "text", "username")
            .attr(Attr::Value, self.username)
            .attr(Attr::Autocapitalize, "none")
            .attr(Attr::Spellcheck, "false")
            .flag_if(Flag::Autofocus, self.username.is_empty())
    }

    fn password_input(&self) -> Element {
        // Whoever comes back with a name only has the password to type again.
        self.input("password", "password", "current-password").flag_if(Flag::Autofocus, !self.username.is_empty())
    }

    fn input(&self, name: &'static str, kind: &'static str, autocomplete: &'static str) -> Element {
        let input = Element::new("input")
            .attr(Attr::Id, name)
            .attr(Attr::Name, name)
            .attr(Attr::Type, kind)
            .attr(Attr::Autocomplete, autocomplete)
            .flag(Flag::Required);
        match self.error {
            Some(error) if error.blames_input() => input.attr(Attr::DescribedBy, "error").attr(Attr::Invalid, "true"),
            Some(_) => input.attr(Attr::DescribedBy, "error"),
            None => input,
        }
    }

    fn other_apps(&self) -> Option<Element> {
        let links =
            self.other_apps.iter().map(|app| Element::new("li").child(link(&LocalPath::sign_in(app, None), app)));
        (!self.other_apps.is_empty()).then(|| {
            Element::new("nav")
                .attr(Attr::LabelledBy, "other-apps")
                .child(paragraph("note inline", "Sign in to another app").attr(Attr::Id, "other-apps"))
                .child(Element::new("ul").children(links))
        })
    }
}

/// An input with its label.
pub(super) fn field(label: &str, input: Element) -> Element {
    Element::new("div")
        .attr(Attr::Class, "field")
        .child(Element::new("label").attr(Attr::For, &label.to_lowercase()).text(label))
        .child(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> SignInPage<'static> {
        SignInPage { app: "web", csrf_token: "mct_token", ..SignInPage::default() }
    }

    #[test]
    fn a_password_manager_finds_its_form() {
        let html = page().render().into_html();
        for part in [
            "<form method=\"post\" action=\"/v1/login\"",
            "<input type=\"hidden\" name=\"_csrf\" value=\"mct_token\">",
            "<input type=\"hidden\" name=\"app\" value=\"web\">",
            "name=\"username\" type=\"text\" autocomplete=\"username\" required",
            "name=\"password\" type=\"password\" autocomplete=\"current-password\" required",
            "<label for=\"username\">",
            "<label for=\"password\">",
            "<button type=\"submit\">",
        ] {
            assert!(html.contains(part), "{part}");
        }
        assert!(!html.contains("return_to") && !html.contains("role=\"alert\"") && !html.contains("<nav"));
    }

    #[test]
    fn the_first_thing_to_type_has_the_focus() {
        let focused = |page: &SignInPage<'_>| {
            let html = page.render().into_html();
            assert_eq!(html.matches(" autofocus").count(), 1);
            let before = html.split(" autofocus").next().unwrap().to_owned();
            before[before.rfind("name=\"").unwrap()..].split('"').nth(1).unwrap().to_owned()
        };
        assert_eq!(focused(&page()), "username");
        assert_eq!(focused(&SignInPage { username: "alice", ..page() }), "password");
    }

    #[test]
    fn an_error_is_tied_to_the_fields_and_the_title() {
        let failed = SignInPage { error: Some(SignInError::InvalidCredentials), username: "alice", ..page() };
        let html = failed.render().into_html();
        assert!(html.contains("<title>Error: Sign in to web"));
        assert!(html.contains("<p class=\"error\" id=\"error\" role=\"alert\">The username or the password is wrong."));
        assert_eq!(html.matches("aria-describedby=\"error\" aria-invalid=\"true\"").count(), 2);
        assert!(html.contains("value=\"alice\""));

        let busy = SignInPage { error: Some(SignInError::Busy), ..page() }.render().into_html();
        assert!(
            busy.contains("aria-describedby=\"error\"") && !busy.contains("aria-invalid"),
            "nobody typed anything wrong"
        );
    }

    #[test]
    fn waiting_times_are_said_in_words() {
        for (seconds, said) in [(0, "a second"), (30, "30 seconds"), (91, "2 minutes"), (900, "15 minutes")] {
            assert_eq!(waiting_time(seconds), said);
        }
    }

    #[test]
    fn the_way_back_and_the_other_apps_are_kept() {
        let back = LocalPath::parse("/demo/web?a=1&b=2").unwrap();
        let html = SignInPage { other_apps: &["spa"], return_to: Some(&back), ..page() }.render().into_html();
        assert!(html.contains("name=\"return_to\" value=\"/demo/web?a=1&amp;b=2\""));
        assert!(html.contains("<a href=\"/v1/login?app=spa\">spa</a>"));
    }
}
