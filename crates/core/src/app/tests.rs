use super::*;

fn app(origins: &[&str]) -> App {
    let origins = origins.iter().map(|o| o.parse().unwrap()).collect();
    App::new(AppId::new("web").unwrap(), Mode::Session, &[Transport::Cookie], origins)
}

fn code(app: App) -> &'static str {
    app.validated().map_or_else(|error| error.code(), |_| "valid")
}

#[test]
fn defaults_are_valid_and_secure() {
    let app = app(&["https://app.example.com"]).validated().unwrap();
    assert_eq!(app.cookies.access, "__Host-misario-web");
    assert!(app.secure_cookies());
    assert_eq!(app.lifetimes.access, 900);
}

#[test]
fn loopback_works_without_secure_cookies() {
    let app = app(&["http://localhost:8420", "http://127.0.0.1:8420"]).validated().unwrap();
    assert_eq!(app.cookies.access, "misario-web");
    assert!(!app.secure_cookies());
}

#[test]
fn settings_that_cannot_work_are_named() {
    assert_eq!(code(app(&[])), "app_no_origin");
    assert_eq!(code(app(&["http://app.example.com"])), "app_origin_insecure");
    assert_eq!(code(app(&["https://app.example.com", "http://localhost"])), "app_origins_mixed");
    let mut no_transport = app(&["https://a.example"]);
    no_transport.transports.clear();
    assert_eq!(code(no_transport), "app_no_transport");
    let mut endless = app(&["https://a.example"]);
    endless.lifetimes.idle = endless.lifetimes.absolute + 1;
    assert_eq!(code(endless), "app_lifetime_invalid");
    let mut renewed_for_ever = app(&["https://a.example"]);
    renewed_for_ever.lifetimes.renew_window = 400 * DAY + 1;
    assert_eq!(code(renewed_for_ever), "app_lifetime_invalid");
    let mut named = app(&["https://a.example"]);
    named.cookies.access = "session id".to_owned();
    assert_eq!(code(named), "app_cookie_name_invalid");
    let mut unprotected = app(&["https://a.example"]);
    unprotected.cookies.access = "sessionid".to_owned();
    assert_eq!(code(unprotected), "app_cookie_name_invalid");
    let mut same = app(&["https://a.example"]);
    same.cookies.refresh = same.cookies.access.clone();
    assert_eq!(code(same), "app_cookie_name_invalid");
    let mut nobody = app(&["https://a.example"]);
    nobody.audience = " ".to_owned();
    assert_eq!(code(nobody), "app_no_audience");
}

#[test]
fn an_app_survives_its_stored_form() {
    let app = app(&["https://app.example.com"]);
    let json = serde_json::to_string(&app).unwrap();
    assert_eq!(serde_json::from_str::<App>(&json).unwrap(), app);
}

/// One app's refresh cookie may bear the name of another's access cookie.
#[test]
fn two_apps_of_one_origin_have_cookies_of_their_own() {
    let one = app(&["https://a.example"]);
    let named = |id: &str, origin: &str| {
        let origins = vec![origin.parse().unwrap()];
        App::new(AppId::new(id).unwrap(), Mode::Hybrid, &[Transport::Cookie], origins)
    };
    let clash = named("web-refresh", "https://a.example");
    assert_eq!(clash.clone().beside([&one]).unwrap_err().code(), "app_cookie_shared");
    assert_eq!(one.clone().beside([&clash]).unwrap_err().code(), "app_cookie_shared");
    assert!(named("web-refresh", "https://b.example").beside([&one]).is_ok(), "browsers keep hosts apart");
    assert!(named("web-refresh", "https://a.example:8443").beside([&one]).is_err(), "but not ports");
    let mut without = named("web-refresh", "https://a.example");
    without.transports = [Transport::Bearer].into();
    assert!(without.beside([&one]).is_ok(), "it sets no cookies");
    assert!(named("spa", "https://a.example").beside([&one]).is_ok());
    assert!(one.clone().beside([&one]).is_ok(), "an app does not stand in its own way");
}

#[test]
fn every_error_has_its_code_documented() {
    let (id, other) = (AppId::new("web").unwrap(), AppId::new("spa").unwrap());
    let (app, origin, name) = (id.clone(), "http://a.example".parse().unwrap(), String::new());
    let errors = [
        InvalidApp::NoTransport { app: id.clone() },
        InvalidApp::NoOrigin { app: id.clone() },
        InvalidApp::Lifetime { app: id.clone(), key: "idle", seconds: 0, why: "" },
        InvalidApp::InsecureOrigin { app: id.clone(), origin },
        InvalidApp::MixedOrigins { app: id.clone(), origin: "http://localhost".parse().unwrap() },
        InvalidApp::CookieShared { app: id.clone(), other, name: name.clone() },
        InvalidApp::CookieName { app, name, why: "" },
        InvalidApp::NoAudience { app: id },
    ];
    let codes: BTreeSet<_> = errors.iter().map(InvalidApp::code).collect();
    assert_eq!(codes, InvalidApp::CODES.iter().map(|(code, _)| *code).collect());
}
