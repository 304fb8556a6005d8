//! Which app a request belongs to.
//!
//! In this order: the layer's or route's own app; the `Misario-App` header or `app` parameter; the app that has the
//! request's origin among its own; the only app. Otherwise the request is ambiguous, and says so.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::rejection::RequestFault;
use super::{Headers, single};
use crate::app::{App, Origin};
use crate::id::AppId;

/// What tells the app, beside the request's headers.
#[derive(Debug, Clone, Copy, Default)]
pub struct AppHint<'a> {
    /// The layer's or route's own app.
    pub own: Option<&'a AppId>,
    /// The `app` parameter of query or body.
    pub parameter: Option<&'a str>,
}

/// The app of a request.
pub fn resolve_app<'v>(
    apps: &'v BTreeMap<AppId, Arc<App>>,
    hint: AppHint<'_>,
    headers: &dyn Headers,
) -> Result<&'v Arc<App>, RequestFault> {
    let by_name = |name: &str| AppId::new(name).ok().and_then(|id| apps.get(&id)).ok_or(RequestFault::AppUnknown);
    if let Some(own) = hint.own {
        return apps.get(own).ok_or(RequestFault::AppUnknown);
    }
    if let Some(name) = single(headers, "misario-app")?.or(hint.parameter) {
        return by_name(name);
    }
    if let Some(origin) = single(headers, "origin")?.and_then(|text| text.parse::<Origin>().ok()) {
        let mut of_origin = apps.values().filter(|app| app.origins.contains(&origin));
        if let (Some(app), None) = (of_origin.next(), of_origin.next()) {
            return Ok(app);
        }
    }
    // The built-in administration is never meant by saying nothing.
    let mut others = apps.values().filter(|app| app.id.as_str() != crate::app::BUILT_IN);
    match (others.next(), others.next()) {
        (Some(app), None) => Ok(app),
        _ => Err(RequestFault::AppAmbiguous),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authn::testing::{Lines, app};

    fn apps(names: &[&str]) -> BTreeMap<AppId, Arc<App>> {
        names.iter().map(|name| (AppId::new(name).unwrap(), Arc::new(app(name)))).collect()
    }

    fn resolved(names: &[&str], hint: AppHint<'_>, lines: &[(&'static str, &str)]) -> Result<String, RequestFault> {
        let headers = Lines(lines.iter().map(|(name, value)| (*name, value.as_bytes().to_vec())).collect());
        resolve_app(&apps(names), hint, &headers).map(|app| app.id.to_string())
    }

    #[test]
    fn the_order_of_what_tells_the_app() {
        let own = AppId::new("spa").unwrap();
        let all = ["web", "spa", "api"];
        let hint = AppHint { own: Some(&own), parameter: Some("api") };
        assert_eq!(resolved(&all, hint, &[("misario-app", "web")]), Ok("spa".to_owned()));
        let hint = AppHint { own: None, parameter: Some("api") };
        assert_eq!(resolved(&all, hint, &[("misario-app", "web")]), Ok("web".to_owned()));
        assert_eq!(resolved(&all, hint, &[("origin", "https://web.example.com")]), Ok("api".to_owned()));
        let none = AppHint::default();
        assert_eq!(resolved(&all, none, &[("origin", "https://web.example.com")]), Ok("web".to_owned()));
        assert_eq!(resolved(&["web"], none, &[]), Ok("web".to_owned()));
        assert_eq!(resolved(&["misario", "web"], none, &[]), Ok("web".to_owned()));
        assert_eq!(resolved(&all, none, &[]), Err(RequestFault::AppAmbiguous));
    }

    #[test]
    fn what_names_no_app_is_refused_not_guessed() {
        for name in ["nope", "Web", "../web", ""] {
            assert_eq!(resolved(&["web"], AppHint::default(), &[("misario-app", name)]), Err(RequestFault::AppUnknown));
        }
        let twice = [("misario-app", "web"), ("misario-app", "web")];
        assert!(matches!(
            resolved(&["web"], AppHint::default(), &twice),
            Err(RequestFault::HeaderRepeated { name: "misario-app" })
        ));
    }
}
