use std::path::Path;

use misario_core::authn::RouteWord;

use super::*;
use crate::failure;

const GOOD: &str = r#"
issuer = "https://auth.example.com"
leeway = "2s"
[listen]
http = "0.0.0.0:8420"
[storage]
records = "sqlite:misario.db"
[changes]
lease = "2s"
[app.web]
mode = "session"
transports = ["cookie"]
origins = ["https://app.example.com"]
access_ttl = "5m"
cookie = "sessionid"
max_logins = 3
[app.my-api]
mode = "jwt"
transports = ["bearer"]
signing_alg = "EdDSA"
[policy.payroll]
app = "web"
roles = ["hr"]
check = "fresh(5m)"
"#;

fn environment(variables: &[(&str, &str)]) -> Environment {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn load_text(text: &str, variables: &[(&str, &str)]) -> Result<Settings, ConfigErrors> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("misario.toml");
    std::fs::write(&path, text).unwrap();
    load(Some(&path), &environment(variables), &Defaults::default())
}

/// The first line of each complaint, without the folder.
fn complaints(text: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let errors = load_text(text, variables).unwrap_err();
    let reports = failure::reports(&anyhow::Error::new(errors));
    assert!(reports.iter().all(|report| report.exit == 2));
    reports
        .iter()
        .map(|report| {
            let what = report.what.find("misario.toml").map_or(report.what.as_str(), |at| &report.what[at..]);
            format!("{} | {} | {}", report.code, what, report.fix.as_deref().unwrap_or("-"))
        })
        .collect()
}

#[test]
fn every_setting_of_the_documentation_is_read() {
    let settings = load_text(GOOD, &[]).unwrap();
    assert_eq!(settings.issuer.as_deref(), Some("https://auth.example.com"));
    assert_eq!((settings.leeway, settings.lease.as_secs()), (2, 2));
    let [api, web] = &settings.apps[..] else { panic!("two apps") };
    assert_eq!((web.0.lifetimes.access, web.0.cookies.refresh.as_str()), (300, "__Host-sessionid-refresh"));
    assert_eq!((web.0.max_logins, api.0.signing_alg.name()), (Some(3), "EdDSA"));
    assert_eq!(settings.policies["payroll"].word, RouteWord::Fresh { max_age: 300 });
}

#[test]
fn the_environment_stands_above_the_file() {
    let variables = [
        ("MISARIO_CHANGES__LEASE", "5s"),
        ("MISARIO_APP__MY_API__ACCESS_TTL", "1m"),
        ("MISARIO_APP__WEB__ORIGINS", "https://a.example.com, https://b.example.com"),
        ("MISARIO_LOG", "debug"),
        ("MISARIO_ISSUER", "https://other.example.com"),
    ];
    let settings = load_text(GOOD, &variables).unwrap();
    assert_eq!(settings.lease.as_secs(), 5);
    assert_eq!(settings.apps[0].0.lifetimes.access, 60);
    assert_eq!(settings.apps[1].0.origins.len(), 2);
    let shown = settings.shown.iter().find(|shown| shown.key == "changes.lease").unwrap();
    assert_eq!((shown.value.as_str(), shown.origin.as_str()), ("5s", "MISARIO_CHANGES__LEASE"));
    assert_eq!(settings.issuer.as_deref(), Some("https://other.example.com"));
}

#[test]
fn mistakes_are_named_with_place_key_value_and_reason() {
    let base = "issuer = \"https://auth.example.com\"\n";
    let cases = [
        (
            "[app.web]\nmdoe = \"session\"\nmode = \"session\"\ntransports = [\"bearer\"]\n",
            "config_unknown_key | misario.toml:3: there is no setting app.web.mdoe | did you mean app.web.mode?",
        ),
        (
            "[chagnes]\nlease = \"2s\"\n",
            "config_unknown_key | misario.toml:3: there is no setting chagnes.lease | did you mean changes?",
        ),
        (
            "[changes]\nlease = 2\n",
            "config_wrong_type | misario.toml:3: changes.lease = 2 is a number, and the setting takes a duration such as \"15m\", \"12h\", \"2s\" or \"30d\" | -",
        ),
        (
            "[changes]\nlease = \"1h\"\n",
            "config_invalid | misario.toml:3: changes.lease = \"1h\" cannot work | a lease lives 200ms to 60s: shorter ones are lost to every hiccup, and a revoke waits for a dead replica's",
        ),
        (
            "[storage]\nrecords = \"postgres://db/misario\"\n",
            "config_not_available | misario.toml:3: storage.records = \"postgres://db/misario\" is not available in this version | this version has the embedded store: records = \"sqlite:misario.db\", and no `live`",
        ),
        (
            "[app.web]\nmode = \"session\"\ntransports = [\"cookie\"]\n",
            "app_no_origin | misario.toml:3: app web uses cookies but lists no origins, so no form or script could ever prove that it is the app's own | -",
        ),
        (
            "[app.web]\ntransports = [\"bearer\"]\n",
            "config_missing | misario.toml:3: app.web.mode is missing | the mode decides what a sign-in hands out: session, jwt or hybrid",
        ),
        (
            "[app.misario]\nmode = \"jwt\"\ntransports = [\"bearer\"]\n",
            "config_invalid | misario.toml:3: app = \"misario\" cannot work | this app is built in: it is the administration; give yours another name",
        ),
        (
            "[policy.p]\ncheck = \"stateless\"\n",
            "config_not_available | misario.toml:3: policy.p.check = \"stateless\" is not available in this version | this version has: leased, authoritative, fresh(5m)",
        ),
        (
            "[policy.p]\ncheck = \"laesed\"\n",
            "config_invalid | misario.toml:3: policy.p.check = \"laesed\" cannot work | did you mean leased? the words are: leased, leased(or: 60s), bounded(10s), authoritative, fresh(5m), stateless",
        ),
        (
            "[policy.p]\napp = \"wbe\"\n[app.web]\nmode = \"jwt\"\ntransports = [\"bearer\"]\n",
            "config_invalid | misario.toml:3: policy.p.app = \"wbe\" cannot work | there is no such app; did you mean \"web\"?",
        ),
        (
            "[bootstrap]\nsecret = \"0123456789abcdef\"\n",
            "config_unsafe | misario.toml:3: bootstrap.secret = (not shown) is unsafe | the file is copied and checked in; use secret_file, or MISARIO_BOOTSTRAP__SECRET_FILE",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(complaints(&format!("{base}{text}"), &[]), [expected], "{text}");
    }
}

#[test]
fn what_would_cross_the_network_unprotected_is_unsafe() {
    let [only] = complaints("issuer = \"http://auth.example.com\"\n", &[]).try_into().unwrap();
    assert!(only.starts_with("config_unsafe | misario.toml:1: issuer = "), "{only}");
    let [only] =
        complaints("issuer = \"http://localhost:8420\"\n[listen]\nhttp = \"0.0.0.0:8420\"\n", &[]).try_into().unwrap();
    assert!(only.starts_with("config_unsafe | misario.toml:3: listen.http = "), "{only}");
}

#[test]
fn whoever_names_the_address_it_is_held_to_the_same_rule() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("misario.toml");
    let codes = |issuer: &str, listen: &str| {
        std::fs::write(&path, format!("issuer = \"{issuer}\"\n")).unwrap();
        let http = Some((listen.to_owned(), Origin::Argument { name: "--listen" }));
        match load(Some(&path), &environment(&[]), &Defaults { http, own_apps: false }) {
            Ok(settings) => vec![settings.http.to_string()],
            Err(errors) => failure::reports(&errors.into()).into_iter().map(|report| report.what).collect(),
        }
    };
    let refused = ["--listen: listen.http = \"0.0.0.0:1\" is unsafe"];
    assert_eq!(codes("http://localhost:8420", "0.0.0.0:1"), refused);
    assert_eq!(codes("HTTP://LocalHost:8420", "0.0.0.0:1"), refused);
    assert_eq!(codes("http://localhost:8420", "127.0.0.1:1"), ["127.0.0.1:1"]);
    assert_eq!(codes("https://auth.example.com", "0.0.0.0:1"), ["0.0.0.0:1"]);
    let [only] =
        complaints("issuer = \"HTTP://localhost:8420\"\n[listen]\nhttp = \"0.0.0.0:1\"\n", &[]).try_into().unwrap();
    assert!(only.starts_with("config_unsafe | misario.toml:3: listen.http = "), "{only}");
}

#[test]
fn all_mistakes_are_told_at_once() {
    let found =
        complaints("[changes]\nlease = 2\n[app.web]\nmode = \"x\"\ntransports = [\"cookie\", \"pigeon\"]\n", &[]);
    assert_eq!(found.len(), 4, "{found:#?}");
}

#[test]
fn a_misspelt_variable_is_named() {
    let [only] =
        complaints("issuer = \"https://a.example.com\"\n", &[("MISARIO_CHANGES__LEESE", "2s")]).try_into().unwrap();
    assert_eq!(
        only,
        "config_unknown_key | MISARIO_CHANGES__LEESE: there is no setting changes.leese | did you mean changes.lease?"
    );
    let [only] = complaints("issuer = \"https://a.example.com\"\n", &[("MISARIO_ISUER", "x")]).try_into().unwrap();
    assert!(only.ends_with("did you mean MISARIO_ISSUER?"), "{only}");
    assert!(load_text("issuer = \"https://a.example.com\"\n", &[("MISARIO_HOME", "/x")]).is_ok(), "somebody else's");
}

#[test]
fn a_secret_comes_from_a_file_and_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "canary-canary-canary\n").unwrap();
    let path = secret.to_str().unwrap();
    let settings =
        load_text("issuer = \"https://a.example.com\"\n", &[("MISARIO_BOOTSTRAP__SECRET_FILE", path)]).unwrap();
    assert_eq!(settings.bootstrap_secret.unwrap().expose(), "canary-canary-canary");
    assert!(!format!("{:?}", settings.shown).contains("canary"));
    let [only] = complaints("issuer = \"https://a.example.com\"\n", &[("MISARIO_BOOTSTRAP__SECRET", "short-canary")])
        .try_into()
        .unwrap();
    assert!(only.starts_with("config_invalid") && !only.contains("canary"), "{only}");
}

/// Leads whoever adds a variant to the list below.
const fn has_own_code(error: &ConfigError) -> bool {
    match error {
        ConfigError::Unreadable { .. }
        | ConfigError::Syntax { .. }
        | ConfigError::UnknownKey { .. }
        | ConfigError::WrongType { .. }
        | ConfigError::Invalid { .. }
        | ConfigError::Missing { .. }
        | ConfigError::NotAvailable { .. }
        | ConfigError::Unsafe { .. }
        | ConfigError::SecretUnreadable { .. } => true,
        // It has the code of the app's mistake.
        ConfigError::App { .. } => false,
    }
}

#[test]
fn every_mistake_has_its_code_in_the_list() {
    let (at, key, value) = (|| Origin::Default, String::new, String::new);
    let source = || std::io::Error::other("x");
    let one_of_each = [
        ConfigError::Unreadable { path: "f".into(), source: source() },
        ConfigError::Syntax { at: at(), problem: value() },
        ConfigError::UnknownKey { at: at(), key: key(), near: None, known: value() },
        ConfigError::WrongType { at: at(), key: key(), value: value(), found: "", expected: "" },
        ConfigError::Invalid { at: at(), key: key(), value: value(), why: value() },
        ConfigError::Missing { at: at(), key: key(), why: "" },
        ConfigError::NotAvailable { at: at(), key: key(), value: value(), available: "" },
        ConfigError::Unsafe { at: at(), key: key(), value: value(), why: "" },
        ConfigError::SecretUnreadable { at: at(), key: key(), path: "f".into(), source: source() },
    ];
    assert!(one_of_each.iter().all(has_own_code));
    let codes: Vec<&str> = one_of_each.iter().map(ConfigError::code).collect();
    let listed: Vec<&str> = ConfigError::CODES.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes, listed);
}

#[test]
fn what_is_no_toml_is_named_with_its_line() {
    let [only] = complaints("issuer = \"https://a.example.com\"\n[app\n", &[]).try_into().unwrap();
    assert!(only.starts_with("config_syntax | misario.toml:2:"), "{only}");
    let errors =
        load(Some(Path::new("/nonexistent/misario.toml")), &environment(&[]), &Defaults::default()).unwrap_err();
    assert_eq!(errors.0[0].code(), "config_unreadable");
}
