//! Placeholder.
pub(super) async fn feed() -> http::StatusCode { http::StatusCode::NOT_IMPLEMENTED }
