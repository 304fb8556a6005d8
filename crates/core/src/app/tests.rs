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
    assert_eq!(code(app(&["https://app.example.com", "http://localhost"])), "app_origin_insecure");
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

#[test]
fn every_error_has_its_code_documented() {
    for bad in [app(&[]), app(&["http://app.example.com"])] {
        let code = code(bad);
        assert!(InvalidApp::CODES.iter().any(|(known, _)| *known == code), "{code}");
    }
}
