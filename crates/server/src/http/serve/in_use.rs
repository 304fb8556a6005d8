//! Whether a connection is used: requests that are under way, their responses' bodies included.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use tokio::sync::Notify;

/// The use that is made of one connection.
#[derive(Debug, Default)]
pub(super) struct Use {
    under_way: AtomicUsize,
    changed: Notify,
}

/// A request that is under way until this is dropped.
#[derive(Debug)]
pub(super) struct UnderWay(Arc<Use>);

impl Use {
    /// A request begins.
    pub(super) fn begin(self: &Arc<Self>) -> UnderWay {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        self.changed.notify_one();
        UnderWay(Arc::clone(self))
    }

    /// Ends when no request came within `first`, or none was under way for `idle` since.
    pub(super) async fn until_idle(&self, first: Duration, idle: Duration) {
        let mut patience = first;
        loop {
            if self.under_way.load(Ordering::Relaxed) > 0 {
                self.changed.notified().await;
            } else if tokio::time::timeout(patience, self.changed.notified()).await.is_err() {
                return;
            }
            patience = idle;
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
        self.0.changed.notify_one();
    }
}

/// A response's body: one that is made while it is sent keeps its request under way until then.
pub(super) fn counted(body: Body, under_way: UnderWay) -> Body {
    match body.size_hint().exact() {
        Some(_) => body,
        None => Body::new(Counted { body, _under_way: under_way }),
    }
}

struct Counted {
    body: Body,
    _under_way: UnderWay,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}
