//! Rules that hold for every page, whatever it is given.

use misario_jose::UnixTime;

use super::*;

const HOSTILE: &str =
    "\"><script>alert(1)</script><img src=x onerror=alert(1) style='color:red'>${{7*7}}&lt;`\u{0}\r\nx: y";

fn every_page(text: &str) -> Vec<(&'static str, Page)> {
    let at = UnixTime::from_secs(1_800_000_000);
    let path = LocalPath::sign_in(text, None);
    let errors = [SignInError::InvalidCredentials, SignInError::TooManyAttempts { seconds: 30 }, SignInError::Busy];
    let sign_in = |error| {
        SignInPage { app: text, other_apps: &[text], csrf_token: text, error, username: text, return_to: Some(&path) }
            .render()
    };
    let mut pages: Vec<_> = errors.into_iter().map(|error| ("sign-in, refused", sign_in(Some(error)))).collect();
    pages.push(("sign-in", sign_in(None)));
    pages.push(("account", {
        let (username, app, mode, csrf_token) = (text, text, text, text);
        AccountPage { username, app, mode, since: at, ends: at, csrf_token, app_path: Some(&path) }.render()
    }));
    pages.push(("signed out", SignedOutPage { app: text }.render()));
    pages.push((
        "error",
        ErrorPage { title: text, message: text, reference: Some(text), next: Some((&path, text)) }.render(),
    ));
    pages.push(("demo web", {
        let (app, mode, username, csrf_token) = (text, text, text, text);
        WebDemo { app, mode, username, roles: &[text], csrf_token }.render()
    }));
    pages.push(("demo spa", SpaDemo { app: text, nonce: &Nonce::new([7; 16]) }.render()));
    pages.push(("demo service", ServiceDemo { app: text, base_url: text }.render()));
    pages
}

/// What stands between `<` and `>`, without the content of the page's own script.
fn tags(html: &str) -> Vec<String> {
    let html = match html.split_once("<script nonce=") {
        Some((before, rest)) => format!("{before}<script nonce={}", rest.replace("=>", "").replace(" < ", "")),
        None => html.to_owned(),
    };
    html.split('<').skip(1).filter_map(|tag| tag.split_once('>').map(|(tag, _)| tag.to_owned())).collect()
}

#[test]
fn no_value_becomes_markup() {
    for ((name, hostile), (_, harmless)) in every_page(HOSTILE).into_iter().zip(every_page("x")) {
        let shape = |page: &Page| -> Vec<String> {
            let names =
                tags(page.html()).into_iter().map(|tag| tag.split([' ', '=']).next().unwrap_or_default().to_owned());
            names.collect()
        };
        assert_eq!(shape(&hostile), shape(&harmless), "{name}");
        assert!(!hostile.html().contains("<img") && !hostile.html().contains("alert(1)</script"), "{name}");
    }
}

#[test]
fn no_page_has_inline_code_but_under_its_nonce() {
    let nonce = "nonce=\"07070707070707070707070707070707\"";
    for (name, page) in every_page(HOSTILE) {
        for tag in tags(page.html()) {
            assert!(!tag.starts_with("style"), "{name}: {tag}");
            assert!(!tag.starts_with("script") || tag == format!("script {nonce}"), "{name}: {tag}");
            // Outside quotes there is no attribute for a style or a handler.
            for unquoted in tag.split('"').step_by(2) {
                let attribute = unquoted.trim().trim_end_matches('=');
                assert!(attribute != "style" && !attribute.starts_with("on"), "{name}: {tag}");
            }
            assert!(!tag.to_lowercase().contains("\"javascript:"), "{name}: {tag}");
        }
        let scripts = page.html().matches("<script").count();
        assert_eq!(page.policy().contains("script-src"), scripts == 1, "{name}");
        assert!(page.policy().starts_with("default-src 'none';") && !page.policy().contains("unsafe"), "{name}");
    }
}

#[test]
fn every_page_is_a_document_with_a_language_and_a_title() {
    for (name, page) in every_page("x") {
        let html = page.html();
        assert!(html.starts_with("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>"), "{name}");
        assert!(html.contains("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"), "{name}");
        assert!(html.contains(&format!("<link rel=\"stylesheet\" href=\"{STYLE_ROUTE}\">")), "{name}");
        assert_eq!(html.matches("<h1").count(), 1, "{name}");
        assert_eq!(html.matches("<main").count(), 1, "{name}");
    }
}

#[test]
fn every_form_posts_and_carries_its_token() {
    for (name, page) in every_page("x") {
        for form in page.html().split("<form").skip(1) {
            let form = form.split("</form>").next().unwrap_or_default();
            assert!(form.contains("method=\"post\""), "{name}");
            // The form of the single-page app is sent by its script.
            assert!(form.contains("name=\"_csrf\"") || name == "demo spa", "{name}");
        }
    }
}

#[test]
fn every_field_has_a_label_and_nothing_takes_the_keyboard_away() {
    for (name, page) in every_page("x") {
        let html = page.html();
        for input in html.split("<input ").skip(1).filter(|input| !input.starts_with("type=\"hidden\"")) {
            let id = input.split('"').nth(1).unwrap_or_default();
            assert!(html.contains(&format!("<label for=\"{id}\">")), "{name}: {id}");
        }
        assert!(!html.contains("tabindex") && !html.contains("accesskey"), "{name}");
    }
}

#[test]
fn a_nonce_is_hexadecimal() {
    let page = SpaDemo { app: "spa", nonce: &Nonce::new(*b"\x00\x0f\xf0\xff\"'><\n\r\t &;=/") }.render();
    assert!(page.policy().contains("script-src 'nonce-000ff0ff22273e3c0a0d0920263b3d2f';"));
}
