//! What every answer of the server keeps to, whatever was asked.

use super::{Answer, Call, ISSUER};

const SECURITY_HEADERS: [&str; 6] = [
    "content-security-policy",
    "x-content-type-options",
    "referrer-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "permissions-policy",
];

/// Panics if the answer breaks one of the rules.
#[track_caller]
pub(super) fn hold(call: &Call, answer: &Answer) {
    let what = format!("{} {} -> {} {}", call.method, call.path, answer.status, answer.text());
    for name in SECURITY_HEADERS {
        assert!(answer.headers.get_all(name).iter().count() == 1, "{name}: {what}");
    }
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert!(ISSUER.starts_with("https:") && answer.header("strict-transport-security").contains("max-age="), "{what}");
    nothing_is_storable(answer, &what);
    cookies_are_protected(answer, &what);
    problems_are_told(call, answer, &what);
}

/// C10, X13: what may depend on a credential is kept by no shared cache.
fn nothing_is_storable(answer: &Answer, what: &str) {
    let cache = answer.header("cache-control");
    if cache.starts_with("public") {
        assert!(answer.cookies().is_empty(), "{what}");
        return;
    }
    assert_eq!(cache, "private, no-store", "{what}");
    for name in ["Cookie", "Authorization", "Sec-Fetch-Site", "Origin"] {
        assert!(answer.header("vary").contains(name), "Vary {:?}: {what}", answer.header("vary"));
    }
}

/// C01 to C06.
fn cookies_are_protected(answer: &Answer, what: &str) {
    let cookies = answer.cookies();
    for (nth, cookie) in cookies.iter().enumerate() {
        let others = cookies.iter().skip(nth + 1);
        assert!(others.clone().all(|other| other.name != cookie.name), "set twice: {cookie:?} {what}");
        let mut names: Vec<_> = cookie.attributes.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["HttpOnly", "Max-Age", "Path", "SameSite", "Secure"], "{cookie:?} {what}");
        assert_eq!((cookie.attribute("Path"), cookie.attribute("SameSite")), (Some("/"), Some("Lax")), "{what}");
        assert!(cookie.name.starts_with("__Host-misario-"), "{cookie:?}");
        assert!(cookie.value.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_.".contains(&c)), "{cookie:?}");
        assert!(cookie.name.len() + 1 + cookie.value.len() <= 4_096 && cookie.max_age() <= 400 * 86_400, "{cookie:?}");
        assert!(
            cookie.value.is_empty() || !answer.text().contains(&cookie.value),
            "a cookie's value in a body: {what}"
        );
    }
}

/// RFC 9457, and what RFC 9110 demands of 401, 405 and 503.
fn problems_are_told(call: &Call, answer: &Answer, what: &str) {
    // What a load balancer asks is answered in its own form.
    if answer.status < 400
        || call.path == "/readyz"
        || answer.header("content-type").starts_with("text/html")
        || call.method == "HEAD"
    {
        return;
    }
    assert_eq!(answer.header("content-type"), "application/problem+json", "{what}");
    let body = answer.json();
    assert_eq!(body["status"], answer.status, "{what}");
    assert!(body["code"].is_string() && body["title"].is_string() && body["type"] == "about:blank", "{what}");
    assert_eq!(body["ref"].as_str().unwrap().len(), 16, "{what}");
    let demanded = match answer.status {
        401 => "www-authenticate",
        405 => "allow",
        429 | 503 => "retry-after",
        _ => return,
    };
    assert!(!answer.header(demanded).is_empty(), "{demanded}: {what}");
}
