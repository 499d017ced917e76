//! Several projects behind one address: whose a request is, by what its path begins with.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use axum::response::Response;
use tower_service::Service as _;

/// What there is once, and what there is of each project.
pub(crate) struct Together {
    pub(crate) front: Router,
    /// By what they are called in a path.
    pub(crate) each: BTreeMap<String, Router>,
}

impl Together {
    /// All of it.
    pub(crate) fn router(self) -> Router {
        Router::new().fallback(pass).with_state(Arc::new(self))
    }

    /// Whose a path is, and what of it stands behind that.
    fn find(&self, uri: &Uri) -> Option<(&Router, Uri)> {
        let whole = uri.path_and_query()?.as_str().strip_prefix('/')?;
        let name = &whole[..whole.find(['/', '?'])?];
        let rest = &whole[name.len()..];
        let router = self.each.get(name).filter(|_| rest.starts_with('/'))?;
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(rest.parse::<PathAndQuery>().ok()?);
        Some((router, Uri::from_parts(parts).ok()?))
    }
}

/// Passes a request on to whose it is.
async fn pass(State(together): State<Arc<Together>>, mut request: Request) -> Response {
    let mut router = match together.find(request.uri()) {
        Some((router, within)) => {
            *request.uri_mut() = within;
            router.clone()
        }
        None => together.front.clone(),
    };
    router.call(request).await.unwrap_or_else(|never| match never {})
}

/// What a project is called in a path.
pub(crate) fn encoded(name: &str) -> String {
    crate::access::login::encoded(name)
}

#[cfg(test)]
mod tests;
