//! Cross-site requests: what proves that the app itself sent a request, at the routes where it matters.

use misario_core::app::Transport;

use crate::support::{Answer, Call, Held, Host, PASSWORD, origin};

const TRUSTED: &str = "https://partner.example.net";

async fn host() -> Host {
    Host::with(|setup| setup.app("web").trusted_origins = vec![TRUSTED.parse().unwrap()]).await
}

/// A state-changing call with a cookie and these headers.
fn call(held: &Held, lines: &[(&str, &str)]) -> Call {
    let call = held.shows(Call::post("/v1/refresh")).without("origin").without("sec-fetch-site");
    lines.iter().fold(call, |call, (name, value)| call.header(name, value))
}

async fn passes(host: &Host, call: Call) -> bool {
    let answer = call.send(host).await;
    match answer.status {
        200 => true,
        403 => {
            assert_eq!(answer.json()["code"], "csrf_required");
            false
        }
        _ => panic!("{} {}", answer.status, answer.text()),
    }
}

/// X04, X05, X06: `Sec-Fetch-Site` × `Origin` × token, against the rules as they are written.
#[tokio::test]
async fn the_matrix_of_fetch_metadata_origin_and_token() {
    let host = host().await;
    let mut held = host.login("web", Transport::Cookie, "s1").await;
    let right = held.csrf(&host).await;
    let wrong = host.login("web", Transport::Cookie, "s2").await.csrf(&host).await;
    let own = origin("web");
    for site in ["same-origin", "same-site", "cross-site", "none", "from-the-future", ""] {
        for from in [own.as_str(), TRUSTED, "https://evil.example", "null", ""] {
            for (token, is_right) in [("", None), (wrong.as_str(), Some(false)), (right.as_str(), Some(true))] {
                let known = ["same-origin", "same-site", "cross-site", "none"].contains(&site);
                let expected = match (site, from) {
                    ("same-origin", _) => true,
                    (_, TRUSTED) => is_right == Some(true),
                    _ if known => false,
                    (_, "") => is_right == Some(true),
                    (_, from) => from == own,
                };
                let lines = [("sec-fetch-site", site), ("origin", from), ("x-csrf-token", token)];
                let lines: Vec<_> = lines.into_iter().filter(|(_, value)| !value.is_empty()).collect();
                assert_eq!(passes(&host, call(&held, &lines)).await, expected, "{lines:?}");
            }
        }
    }
}

#[tokio::test]
async fn an_origin_is_compared_whole() {
    let host = host().await;
    let held = host.login("web", Transport::Cookie, "s1").await;
    let hostile = [
        "https://web.example.test.evil.example",
        "https://evil.example/web.example.test",
        "https://user@web.example.test",
        "http://web.example.test",
        "https://web.example.test:8443",
        "https://web.example.test.",
        "https://example.test",
        "web.example.test",
        "file://",
    ];
    for origin in hostile {
        assert!(!passes(&host, call(&held, &[("origin", origin)])).await, "{origin}");
        assert!(!passes(&host, call(&held, &[("referer", &format!("{origin}/page"))])).await, "{origin}");
    }
    assert!(passes(&host, call(&held, &[("referer", "https://web.example.test/page?q")])).await);
}

/// A cookie that a browser sends by itself is never proof, and neither is a token in a cookie (X03).
#[tokio::test]
async fn a_token_counts_in_a_header_or_a_form_only() {
    let host = host().await;
    let mut held = host.login("web", Transport::Cookie, "s1").await;
    let token = held.csrf(&host).await;
    let in_cookie = call(&held, &[("cookie", &format!("csrf={token}; _csrf={token}; X-CSRF-Token={token}"))]);
    assert!(!passes(&host, in_cookie).await);
    let in_query = Call { path: format!("/v1/refresh?_csrf={token}&csrf_token={token}"), ..call(&held, &[]) };
    assert!(!passes(&host, in_query).await);
    let in_form = call(&held, &[]).form(&[("_csrf", &token)]);
    assert!(passes(&host, in_form).await);
}

/// A page without script has no other place for it, and some routes ask for it before their handler reads the form.
#[tokio::test]
async fn a_form_proves_itself_on_routes_behind_a_policy_too() {
    let host = host().await;
    let alice = host.user("alice").await;
    let mut held = host.login("web", Transport::Cookie, &alice).await;
    let token = held.csrf(&host).await;
    let foreign = host.login("web", Transport::Cookie, "s2").await.csrf(&host).await;
    for (path, field) in [("/v1/reauth", ("password", PASSWORD)), ("/v1/logout-all", ("x", "y"))] {
        let post = |held: &Held, token: &str| {
            let call = held.shows(Call::post(path)).without("origin").without("sec-fetch-site");
            call.form(&[field, ("_csrf", token)])
        };
        for wrong in ["", "mct_x", foreign.as_str()] {
            assert!(!passes(&host, post(&held, wrong)).await, "{path}");
        }
        let twice = held.shows(Call::post(path)).without("origin").without("sec-fetch-site");
        assert!(!passes(&host, twice.form(&[field, ("_csrf", &token), ("_csrf", &token)])).await, "{path}");
        let answer = post(&held, &token).send(&host).await.expect(200);
        held.keep(&answer);
    }
}

/// X02: bound to one login; it survives neither sign-in nor sign-out.
#[tokio::test]
async fn a_token_is_of_one_login() {
    let host = host().await;
    let mut held = host.login("web", Transport::Cookie, "s1").await;
    let visitor = Call::get("/v1/csrf").app("web").send(&host).await.expect(200);
    let of_visitor = visitor.json()["csrf_token"].as_str().unwrap().to_owned();
    assert!(!passes(&host, call(&held, &[("x-csrf-token", &of_visitor)])).await, "from before the sign-in");
    let token = held.csrf(&host).await;
    held.logout(&host).await.expect(204);
    let again = host.login("web", Transport::Cookie, "s1").await;
    assert!(!passes(&host, call(&again, &[("x-csrf-token", &token)])).await, "from before the sign-out");
}

/// A bearer token is put there by the client itself: no proof is asked for.
#[tokio::test]
async fn what_a_client_puts_into_a_header_needs_no_proof() {
    let host = host().await;
    let held = host.login("web", Transport::Bearer, "s1").await;
    for site in ["cross-site", "same-site", "none"] {
        let call = held.shows(Call::post("/v1/refresh")).header("sec-fetch-site", site);
        assert!(passes(&host, call.header("origin", "https://evil.example")).await);
    }
}

fn sign_in_form(token: &str) -> Call {
    let fields = [("app", "web"), ("username", "alice"), ("password", PASSWORD), ("_csrf", token)];
    Call::post("/v1/login").form(&fields)
}

/// X10: nobody is signed in as somebody else by another site.
#[tokio::test]
async fn a_sign_in_form_needs_the_token_of_its_own_page_or_proof_of_origin() {
    let host = host().await;
    host.user("alice").await;
    let page = Call::get("/?app=web").send(&host).await.expect(200);
    let visitor = &page.cookies()[0];
    let pair = format!("{}={}", visitor.name, visitor.value);
    let marker = "name=\"_csrf\" value=\"";
    let html = page.text();
    let at = html.find(marker).unwrap() + marker.len();
    let token = html[at..].split('"').next().unwrap();
    assert!(token.starts_with("mct_"));
    let signed_in = |answer: &Answer| answer.cookies().iter().any(|cookie| cookie.name == "__Host-misario-web");
    let with_both = sign_in_form(token).cookie(&pair).send(&host).await.expect(303);
    assert!(signed_in(&with_both));
    let forgotten = with_both.cookies().into_iter().find(|cookie| cookie.name == visitor.name).unwrap();
    assert_eq!(forgotten.max_age(), 0, "a token from before the sign-in counts no more");
    for refused in [
        sign_in_form(token),
        sign_in_form("").cookie(&pair),
        sign_in_form(token).cookie("__Host-misario-web-visitor=AAAAAAAAAAAAAAAAAAAAAA"),
        sign_in_form(token).cookie(&pair).header("sec-fetch-site", "cross-site"),
        sign_in_form(token).cookie(&pair).header("origin", "https://evil.example"),
    ] {
        let answer = refused.send(&host).await.expect(403);
        assert!(!signed_in(&answer));
    }
    assert!(signed_in(&sign_in_form("").same_origin("web").send(&host).await.expect(303)));
}

/// O20.
#[tokio::test]
async fn a_sign_in_leads_to_a_path_of_its_own_site_only() {
    let host = host().await;
    host.user("alice").await;
    for to in [
        "//evil.example",
        "/\\evil.example",
        "https:evil",
        "https://evil.example/",
        "javascript:alert(1)",
        "/%0d%0ax",
        "/\t/evil.example",
    ] {
        let fields = [("app", "web"), ("username", "alice"), ("password", PASSWORD), ("return_to", to)];
        let answer = Call::post("/v1/login").same_origin("web").form(&fields).send(&host).await.expect(303);
        let location = answer.header("location");
        assert!(location.starts_with("/v1/login?") || location == "/%0d%0ax", "{to} -> {location}");
    }
    let fields = [("app", "web"), ("username", "alice"), ("password", PASSWORD), ("return_to", "/demo/web?a=1")];
    let answer = Call::post("/v1/login").same_origin("web").form(&fields).send(&host).await.expect(303);
    assert_eq!(answer.header("location"), "/demo/web?a=1");
}
