//! A login for somebody whom the app has authenticated itself.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::http::header::{COOKIE, HeaderMap, HeaderName, HeaderValue, ORIGIN, SET_COOKIE, USER_AGENT};
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use misario_core::app::{App, Transport};
use misario_core::authn::{CookieWriter, RequestFault, cookie_value};
use misario_core::id::{AppId, Subject};
use misario_tower::{AppSignIn, Gate, HeaderView, Problem, Replaced};

use crate::Misario;
use crate::handle::Kind;

/// A login to be made. Made by [`Misario::login`].
#[derive(Debug)]
#[must_use = "nobody is signed in before `into_response`"]
pub struct AppLogin<'m> {
    misario: &'m Misario,
    subject: String,
    app: Option<String>,
    amr: Vec<String>,
    roles: Option<Vec<String>>,
    permissions: Option<Vec<String>>,
    org: Option<String>,
    transport: Option<Transport>,
}

impl<'m> AppLogin<'m> {
    pub(crate) fn new(misario: &'m Misario, subject: &str) -> Self {
        let (amr, roles, permissions) = (Vec::new(), None, None);
        Self { misario, subject: subject.to_owned(), app: None, amr, roles, permissions, org: None, transport: None }
    }

    /// In this app. Needed only where the handle has several.
    pub fn app(mut self, app: &str) -> Self {
        self.app = Some(app.to_owned());
        self
    }

    /// With these roles, for as long as this login lives. Of a subject that is in misario's own directory, the roles
    /// there count instead.
    pub fn roles<R: Into<String>>(mut self, roles: impl IntoIterator<Item = R>) -> Self {
        self.roles = Some(roles.into_iter().map(Into::into).collect());
        self
    }

    /// With these permissions; as for roles.
    pub fn permissions<P: Into<String>>(mut self, permissions: impl IntoIterator<Item = P>) -> Self {
        self.permissions = Some(permissions.into_iter().map(Into::into).collect());
        self
    }

    /// How they proved who they are: `pwd`, `otp`, … (RFC 8176).
    pub fn amr<M: Into<String>>(mut self, methods: impl IntoIterator<Item = M>) -> Self {
        self.amr = methods.into_iter().map(Into::into).collect();
        self
    }

    /// In this organisation.
    pub fn org(mut self, org: &str) -> Self {
        self.org = Some(org.to_owned());
        self
    }

    /// With credentials that travel like this. Else a browser gets cookies and a program a bearer token, of what the
    /// app takes.
    pub fn transport(mut self, transport: Transport) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Makes the login, ends the one whose cookies it replaces, and answers like `POST /v1/login`: with cookies, tokens in
    /// a JSON body, or both. Or with a problem: 401 for a user who is disabled, 503 where the authority cannot be asked.
    ///
    /// Take the parts of the request as an argument of the handler. A page sends its own body and takes the
    /// `Set-Cookie` headers from here.
    ///
    /// # Security
    /// This asks for no password and no proof of origin. Whoever calls it has authenticated the user by *this* request,
    /// and made sure that no other site sent it (a `state` of OAuth, a one-time link, a CSRF token): else visitors can
    /// be signed in as somebody else.
    pub async fn into_response(self, request: &Parts) -> Response {
        let app = match self.resolved() {
            Ok(app) => app,
            Err(fault) => return self.refused(fault),
        };
        let Ok(subject) = Subject::new(&self.subject) else {
            tracing::error!("a subject to sign in is none: 1 to 128 visible characters");
            let entropy = self.misario.guard().entropy();
            return Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", entropy).into_response();
        };
        let shown = shown(request);
        let cookie = |name: &str| cookie_value(&shown, name);
        let agent = request.headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
        let sign_in = AppSignIn {
            app: &app.id,
            subject: &subject,
            amr: &self.amr,
            roles: self.roles.as_deref(),
            permissions: self.permissions.as_deref(),
            org: self.org.as_deref(),
            transport: self.transport.unwrap_or_else(|| usual(&app, &request.headers)),
            device: agent.unwrap_or_default(),
            replaces: Replaced { access: cookie(&app.cookies.access), refresh: cookie(&app.cookies.refresh) },
        };
        let mut response = match &self.misario.kind {
            #[cfg(feature = "embedded")]
            Kind::Embedded(hosted) => hosted.server.sign_in_by_app(&sign_in.to_json()).await,
            #[cfg(feature = "connect")]
            Kind::Connected(connection) => connection.sign_in(&sign_in).await,
        };
        misario_tower::keep_from_caches(response.headers_mut());
        if response.status().is_success() {
            forget_leftovers(&app, request, response.headers_mut());
        }
        response
    }

    fn resolved(&self) -> Result<Arc<App>, RequestFault> {
        let guard = self.misario.guard();
        let named = match &self.app {
            Some(name) => AppId::new(name).map_err(|_| RequestFault::AppUnknown)?,
            None => guard.app().cloned().ok_or(RequestFault::AppAmbiguous)?,
        };
        guard.memory().read().apps().get(&named).cloned().ok_or(RequestFault::AppUnknown)
    }

    fn refused(&self, fault: RequestFault) -> Response {
        Problem::rejected(&fault.into(), self.misario.guard().entropy()).into_response()
    }
}

/// Cookies for a browser, bearer for a program; of those that the app takes.
fn usual(app: &App, headers: &HeaderMap) -> Transport {
    let of_browsers = [HeaderName::from_static("sec-fetch-mode"), ORIGIN, COOKIE];
    let in_browser = of_browsers.iter().any(|name| headers.contains_key(name));
    let wish = if in_browser { Transport::Cookie } else { Transport::Bearer };
    if app.transports.contains(&wish) { wish } else { app.transports.first().copied().unwrap_or(wish) }
}

fn forget_leftovers(app: &App, request: &Parts, headers: &mut HeaderMap) {
    let shown = shown(request);
    let set: Vec<_> = headers.get_all(SET_COOKIE).iter().cloned().collect();
    let is_set = |name: &str| set.iter().any(|line| line.as_bytes().starts_with(format!("{name}=").as_bytes()));
    for line in CookieWriter::new(app).clear_leftovers(&shown, is_set) {
        if let Ok(line) = HeaderValue::from_str(&line) {
            headers.append(SET_COOKIE, line);
        }
    }
}

/// The headers with the cookies that a layer has hidden from handlers.
fn shown(request: &Parts) -> HeaderView<'_> {
    HeaderView::with_cookies(&request.headers, Gate::of(request).and_then(|gate| gate.cookies()))
}
