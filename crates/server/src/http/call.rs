//! A request, taken apart once: body within its limit, headers with the cookies as they came, app, client, address.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, FromRequest, Request};
use base64_simd::STANDARD;
use http::header::{CONTENT_TYPE, HeaderMap};
use http::request::Parts;
use http_body_util::{BodyExt as _, Limited};
use misario_core::app::App;
use misario_core::authn::{AppHint, Headers as _, Permit, resolve_app};
use misario_core::client::{Client, Right};
use misario_core::session::Device;
use misario_tower::{Gate, HeaderView};
use serde::de::DeserializeOwned;

use super::policy::Caller;
use super::problem::Fail;
use crate::device;
use crate::error::{Error, InputFault};
use crate::instance::Instance;

/// The largest body that any route takes, in octets.
pub(crate) const MAX_BODY: usize = 64 * 1024;

/// A request with its body.
pub(super) struct Call {
    pub(super) parts: Parts,
    body: Bytes,
}

impl<S: Send + Sync> FromRequest<S> for Call {
    type Rejection = Fail;

    async fn from_request(request: Request, _: &S) -> Result<Self, Fail> {
        let (parts, body) = request.into_parts();
        let too_large = || Fail(InputFault::TooLarge { limit: MAX_BODY }.into());
        // What says that it is too large is not read.
        let said = parts.headers.get(http::header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        if said.is_some_and(|length: u64| length > MAX_BODY as u64) {
            return Err(too_large());
        }
        match Limited::new(body, MAX_BODY).collect().await {
            Ok(body) => Ok(Self { parts, body: body.to_bytes() }),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(too_large()),
            Err(_) => Err(Fail(InputFault::Body { why: "it ended too early".to_owned() }.into())),
        }
    }
}

/// What a body is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    UrlEncoded,
    Absent,
}

impl Call {
    /// The headers, with the cookies that the layer hides from handlers.
    pub(super) fn headers(&self) -> HeaderView<'_> {
        headers_of(&self.parts)
    }

    /// The parameters of the query.
    pub(super) fn query<T: DeserializeOwned>(&self) -> Result<T, Error> {
        query_of(&self.parts)
    }

    /// What the body is written in. A simple content type that a form on any site could send is no JSON.
    pub(super) fn form(&self) -> Form {
        form_of(&self.parts.headers)
    }

    /// The body as JSON.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        match self.form() {
            Form::Json => read_json(&self.body),
            _ => Err(InputFault::MediaType { form: false }.into()),
        }
    }

    /// The body as JSON, or nothing.
    pub(super) fn json_or_default<T: DeserializeOwned + Default>(&self) -> Result<T, Error> {
        if self.body.is_empty() { Ok(T::default()) } else { self.json() }
    }

    /// The body as JSON or as a form.
    pub(super) fn json_or_form<T: DeserializeOwned>(&self) -> Result<T, Error> {
        match self.form() {
            Form::Json => read_json(&self.body),
            Form::UrlEncoded => serde_urlencoded::from_bytes(&self.body)
                .map_err(|error| InputFault::Body { why: error.to_string() }.into()),
            Form::Absent => Err(InputFault::MediaType { form: true }.into()),
        }
    }

    /// The body as JSON or as a form, or nothing.
    pub(super) fn json_form_or_default<T: DeserializeOwned + Default>(&self) -> Result<T, Error> {
        if self.body.is_empty() { Ok(T::default()) } else { self.json_or_form() }
    }

    /// The CSRF token that a form has in its field `_csrf`; a form that has two has none.
    pub(super) fn form_token(&self) -> Option<String> {
        #[derive(serde::Deserialize)]
        struct Field {
            #[serde(rename = "_csrf")]
            token: Option<String>,
        }
        serde_urlencoded::from_bytes::<Field>(&self.body).ok().and_then(|field| field.token)
    }

    /// The request, whole again.
    pub(super) fn into_request(self) -> Request {
        Request::from_parts(self.parts, self.body.into())
    }

    /// The app of the request.
    pub(super) fn app(&self, instance: &Instance, parameter: Option<&str>) -> Result<Arc<App>, Error> {
        app_of(instance, &self.parts, parameter)
    }

    /// Whom the route's policy let through.
    pub(super) fn permit(&self) -> Result<&Permit, Error> {
        match self.parts.extensions.get::<Caller>() {
            Some(Caller::Login(permit)) => Ok(permit),
            _ => Err(InputFault::InvalidClient.into()),
        }
    }

    /// The client that the route's policy let through, if it was one.
    pub(super) fn calling_client(&self) -> Option<&Client> {
        match self.parts.extensions.get::<Caller>() {
            Some(Caller::Client(client)) => Some(client),
            _ => None,
        }
    }

    /// The network address of whoever is at the other end; a connected app says so for its own callers. `None` where
    /// only a machine in between is known: all who come through it would count as one.
    pub(super) async fn address(&self, instance: &Instance) -> Result<Option<IpAddr>, Error> {
        // On this machine is a proxy that ends TLS, or whoever could do worse than guess passwords.
        let elsewhere = |address: &IpAddr| !address.to_canonical().is_loopback();
        let forwarded =
            self.parts.headers.get("misario-forwarded-for").and_then(|value| value.to_str().ok()?.parse().ok());
        let peer = self.parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        if forwarded.is_none() && !self.parts.headers.contains_key("misario-client") {
            return Ok(peer.filter(elsewhere));
        }
        // Anybody can write the header; only a client that may forward is believed.
        let client = client_of(instance, &self.parts).await?;
        let may = client.is_some_and(|client| client.may(Right::Feed, client.app.as_ref()));
        Ok(if may { forwarded } else { peer }.filter(elsewhere))
    }

    /// What the request is made from.
    pub(super) async fn device(&self, instance: &Instance) -> Result<Device, Error> {
        let agent = self.parts.headers.get(http::header::USER_AGENT).and_then(|value| value.to_str().ok());
        Ok(device::describe(agent.unwrap_or_default(), self.address(instance).await?))
    }
}

/// What the body of a request with these headers is written in.
pub(super) fn form_of(headers: &HeaderMap) -> Form {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "application/json" => Form::Json,
        "application/x-www-form-urlencoded" => Form::UrlEncoded,
        _ => Form::Absent,
    }
}

/// The headers of a request, with the cookies that the layer hides from handlers.
pub(super) fn headers_of(parts: &Parts) -> HeaderView<'_> {
    HeaderView::with_cookies(&parts.headers, Gate::of(parts).and_then(|gate| gate.cookies()))
}

/// The app of a request: a parameter of the body, else of the query, beside what headers say.
pub(super) fn app_of(instance: &Instance, parts: &Parts, parameter: Option<&str>) -> Result<Arc<App>, Error> {
    let of_query = query_app(parts)?;
    let hint = AppHint { own: None, parameter: parameter.or(of_query.as_deref()) };
    let memory = instance.memory().read();
    Ok(Arc::clone(resolve_app(memory.apps(), hint, &headers_of(parts)).map_err(misario_core::authn::Rejection::from)?))
}

/// A query that names two apps names none, and nobody guesses which of them is meant.
fn query_app(parts: &Parts) -> Result<Option<String>, Error> {
    #[derive(serde::Deserialize)]
    struct Query {
        app: Option<String>,
    }
    query_of::<Query>(parts).map(|query| query.app)
}

fn query_of<T: DeserializeOwned>(parts: &Parts) -> Result<T, Error> {
    axum::extract::Query::try_from_uri(&parts.uri)
        .map(|axum::extract::Query(query)| query)
        .map_err(|error| InputFault::Body { why: format!("query: {error}") }.into())
}

/// The client that authenticates itself; `None` if none does. One that fails is an error, never nobody.
pub(super) async fn client_of(instance: &Instance, parts: &Parts) -> Result<Option<Client>, Error> {
    let Some((id, secret)) = basic(&parts.headers)? else { return Ok(None) };
    instance.authenticate_client(&id, secret.expose()).await.map(Some)
}

/// RFC 7617. In `Misario-Client` where a user's own credential is in `Authorization`.
fn basic(headers: &HeaderMap) -> Result<Option<(String, misario_core::secret::SecretText)>, Error> {
    let (mut count, mut found) = (0, None);
    for name in ["misario-client", "authorization"] {
        HeaderView::new(headers).each(name, &mut |value| {
            let text = std::str::from_utf8(value).unwrap_or_default();
            if let Some((scheme, encoded)) = text.split_once(' ')
                && scheme.eq_ignore_ascii_case("basic")
            {
                count += 1;
                found = Some(encoded.trim().to_owned());
            }
        });
    }
    let malformed = || Error::from(InputFault::InvalidClient);
    match (count, found) {
        (0, _) => Ok(None),
        (1, Some(encoded)) => {
            let octets = STANDARD.decode_to_vec(encoded).map_err(|_| malformed())?;
            let text = String::from_utf8(octets).map_err(|_| malformed())?;
            let (id, secret) = text.split_once(':').ok_or_else(malformed)?;
            Ok(Some((id.to_owned(), misario_core::secret::SecretText::new(secret.to_owned()))))
        }
        _ => Err(malformed()),
    }
}

/// What a reader says of a body, without its values: they may be secrets.
pub(super) fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|error| {
        let place = format!("line {} column {}", error.line(), error.column());
        let why = match error.classify() {
            serde_json::error::Category::Data => format!("a field is missing, unknown or of the wrong type at {place}"),
            _ => format!("no valid JSON at {place}"),
        };
        InputFault::Body { why }.into()
    })
}
