//! What is answered where something is wrong, in one form, and how what was asked is read.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use esker_wire::fault::{Code, Fault};
use serde::de::DeserializeOwned;
use serde_json::json;

/// Why there is no answer.
pub(crate) enum Failed {
    /// What was asked for cannot be had.
    Fault(Fault),
    /// It was not even looked at.
    Refused(Refused),
}

/// What is told of a request that was not even looked at.
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) hint: &'static str,
}

impl Refused {
    /// Nobody known has asked.
    pub(crate) fn unknown(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            code: "unauthorized",
            message: message.into(),
            hint: "log in at /login, or send a token as Authorization: Bearer",
        }
    }

    /// Whoever asks may not.
    pub(crate) fn forbidden(message: impl Into<String>, hint: &'static str) -> Self {
        let (status, code) = (StatusCode::FORBIDDEN, "forbidden");
        Self { status, code, message: message.into(), hint }
    }

    /// It is not asked for in this way.
    pub(crate) fn method() -> Self {
        Self {
            status: StatusCode::METHOD_NOT_ALLOWED,
            code: "method-not-allowed",
            message: "it is not asked for by this method".to_owned(),
            hint: "GET /api tells what there is",
        }
    }

    /// It takes too long.
    pub(crate) fn late() -> Self {
        Self {
            status: StatusCode::REQUEST_TIMEOUT,
            code: "timeout",
            message: "the request took too long".to_owned(),
            hint: "",
        }
    }
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Refused> for Failed {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self { status, code, message, hint } = self;
        let error = json!({ "code": code, "message": message, "hint": hint, "candidates": [] });
        let mut response = (status, Json(json!({ "error": error }))).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let bearer = HeaderValue::from_static("Bearer realm=\"esker\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, bearer);
        }
        response
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let fault = match self {
            Self::Fault(fault) => fault,
            Self::Refused(refused) => return refused.into_response(),
        };
        let error = json!({
            "code": fault.code.as_str(),
            "message": fault.message,
            "hint": fault.hint,
            "candidates": fault.candidates,
        });
        (status(fault.code), Json(json!({ "error": error }))).into_response()
    }
}

fn status(code: Code) -> StatusCode {
    match code {
        Code::BadRequest | Code::Ambiguous => StatusCode::BAD_REQUEST,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::Gone => StatusCode::GONE,
        Code::Conflict => StatusCode::CONFLICT,
        Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::Busy | Code::NotWritable | Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::Timeout => StatusCode::GATEWAY_TIMEOUT,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// What stands behind the question mark.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failed> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(asked)) => Ok(Self(asked)),
            Err(rejection) => Err(Fault::bad_request(rejection.body_text()).into()),
        }
    }
}

/// What stands in the path.
pub(crate) struct Named<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Named<T> {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failed> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(named)) => Ok(Self(named)),
            Err(rejection) => Err(Fault::bad_request(rejection.body_text()).into()),
        }
    }
}

/// A body that is JSON, and says so: a form of another site could not send it.
pub(crate) struct Said<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Said<T> {
    type Rejection = Failed;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failed> {
        match Json::from_request(request, state).await {
            Ok(Json(said)) => Ok(Self(said)),
            Err(rejection) => Err(unread(&rejection).into()),
        }
    }
}

fn unread(rejection: &JsonRejection) -> Fault {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Fault::new(Code::TooLarge, rejection.body_text()),
        _ => Fault::bad_request(rejection.body_text()),
    }
}
