//! The project's own pages: the files of the folder that `[web] app` names, as `/app/`.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use esker_wire::fault::{Code, Fault};
use tower_http::services::ServeDir;
use tower_service::Service as _;

use crate::answer::Failed;
use crate::routes::{Part, Web};

/// Where they are.
pub(crate) const PATH: &str = "/app";

/// Serves one of the files; those whose names begin with a dot are nobody's business.
pub(crate) async fn serve(State(web): State<Web>, mut request: Request) -> Response {
    let path = request.uri().path().strip_prefix(PATH).unwrap_or_default();
    if path.is_empty() {
        return Redirect::permanent(&format!("{}{PATH}/", web.part.prefix())).into_response();
    }
    let Some(app) = web.project.borrow().app.clone() else {
        let hint = match web.part {
            Part::Below(_) => "say where they are: `app` in [web.hub.NAME]",
            Part::Whole | Part::Front => "name a folder: [web] app = \"app\"",
        };
        return absent("the project has no pages of its own", hint);
    };
    // No browser encodes these of itself; who does wants to get past a check.
    let lower = path.to_ascii_lowercase();
    let is_hidden = ["/.", "%2e", "%2f", "%5c"].iter().any(|part| lower.contains(part));
    let within = path.parse::<Uri>();
    let Some(within) = within.ok().filter(|_| !is_hidden) else {
        return absent(&format!("there is no {PATH}{path}"), "");
    };
    let path = path.to_owned();
    *request.uri_mut() = within;
    let mut files = ServeDir::new(web.dir.join(app));
    let Ok(answer) = files.call(request).await;
    if answer.status() == StatusCode::NOT_FOUND {
        return absent(&format!("there is no {PATH}{path}"), "");
    }
    let mut answer = answer.into_response();
    // They are changed while they are looked at.
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    answer
}

fn absent(what: &str, hint: &str) -> Response {
    Failed::from(Fault::new(Code::NotFound, what).hint(hint)).into_response()
}
