//! Which headers go on to the authority, and which come back.

use std::net::IpAddr;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use misario_core::app::App;
use misario_core::id::AppId;

use crate::headers::only_cookies;

/// What the authority needs to judge a request. Everything else stays here: it would be a way around its checks (a
/// `Forwarded` that it trusts, an override of the method) or a secret that is none of its business.
const ON: [HeaderName; 7] = [
    header::ORIGIN,
    header::REFERER,
    HeaderName::from_static("sec-fetch-site"),
    HeaderName::from_static("x-csrf-token"),
    header::CONTENT_TYPE,
    header::ACCEPT,
    header::USER_AGENT,
];

/// What of the authority's answer the client gets.
const BACK: [HeaderName; 14] = [
    header::CONTENT_TYPE,
    header::SET_COOKIE,
    header::WWW_AUTHENTICATE,
    header::RETRY_AFTER,
    header::CACHE_CONTROL,
    header::VARY,
    header::LOCATION,
    // Of an answer that is a page, and of a logout: what protects it at the authority protects it here.
    header::CONTENT_SECURITY_POLICY,
    header::X_CONTENT_TYPE_OPTIONS,
    header::REFERRER_POLICY,
    HeaderName::from_static("clear-site-data"),
    HeaderName::from_static("cross-origin-opener-policy"),
    HeaderName::from_static("cross-origin-resource-policy"),
    HeaderName::from_static("cross-origin-embedder-policy"),
];

/// The name of the cookie of a visitor who is not signed in yet: what a CSRF token of the sign-in form is bound to.
pub fn visitor_cookie(app: &App) -> String {
    let prefix = if app.secure_cookies() { "__Host-" } else { "" };
    format!("{prefix}misario-{}-visitor", app.id)
}

/// The headers that go on. Repeated ones stay repeated: the authority refuses them, and so it should.
pub(super) fn on(headers: &HeaderMap, cookies: Option<&[HeaderValue]>, app: &App) -> HeaderMap {
    let mut kept = pick(headers, &ON);
    // Another scheme is meant for something else on this origin, and would be taken there for a client's credential.
    let bearer = headers.get_all(header::AUTHORIZATION).iter().filter(|value| is_bearer(value));
    bearer.for_each(|value| {
        kept.append(header::AUTHORIZATION, value.clone());
    });
    let visitor = visitor_cookie(app);
    let is_wanted = |name: &str| [&app.cookies.access, &app.cookies.refresh, &visitor].iter().any(|own| *own == name);
    let line = match cookies {
        Some(cookies) => only_cookies(cookies.iter(), is_wanted),
        None => only_cookies(headers.get_all(header::COOKIE).iter(), is_wanted),
    };
    if let Some(line) = line {
        kept.insert(header::COOKIE, line);
    }
    kept
}

/// Says who forwards, for which app, and for whom.
pub(super) fn introduce(headers: &mut HeaderMap, basic: &HeaderValue, app: &AppId, peer: Option<IpAddr>) {
    headers.insert(HeaderName::from_static("misario-client"), basic.clone());
    let value = |text: &str| HeaderValue::from_str(text).ok();
    if let Some(app) = value(app.as_str()) {
        headers.insert(HeaderName::from_static("misario-app"), app);
    }
    if let Some(peer) = peer.and_then(|peer| value(&peer.to_canonical().to_string())) {
        headers.insert(HeaderName::from_static("misario-forwarded-for"), peer);
    }
}

/// The headers that come back.
pub(super) fn back(headers: &HeaderMap) -> HeaderMap {
    pick(headers, &BACK)
}

fn pick(headers: &HeaderMap, names: &[HeaderName]) -> HeaderMap {
    let mut kept = HeaderMap::new();
    for name in names {
        for value in headers.get_all(name) {
            kept.append(name, value.clone());
        }
    }
    kept
}

fn is_bearer(value: &HeaderValue) -> bool {
    value.as_bytes().get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer "))
}
