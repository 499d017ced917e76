//! Consul's sessions, and the keys that they hold.

use std::time::Duration;

use esker_wire::fault::Fault;
use serde::Deserialize;
use serde_json::json;

use super::fail::{Failure, Kind};
use super::http::{Consul, Request, Verb};
use super::keys;

const RULE: &str = "session_prefix \"\" { policy = \"write\" }";

/// Begins a session; its identity.
pub(crate) fn create(
    consul: &Consul,
    name: &str,
    ttl: Duration,
    lock_delay: Duration,
) -> Result<String, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Created {
        #[serde(rename = "ID")]
        id: String,
    }
    let milliseconds = |time: Duration| format!("{}ms", time.as_millis());
    let body = json!({
        "Name": name,
        "TTL": milliseconds(ttl),
        "LockDelay": milliseconds(lock_delay),
        "Behavior": "release",
    });
    let what = format!("begin session {name:?}");
    let request = Request::new(Verb::Put, "/v1/session/create", &what).rule(RULE);
    let request = request.body(body.to_string().into_bytes());
    let created: Result<Created, Failure> =
        consul.done(&request).and_then(|answer| consul.read(&request, &answer));
    created.map(|created| created.id).map_err(|failure| failure.fault)
}

/// Says that a session goes on; whether it does.
pub(crate) fn renew(consul: &Consul, id: &str, deadline: Duration) -> Result<bool, Failure> {
    let what = format!("renew session {id}");
    let mut request = Request::new(Verb::Put, format!("/v1/session/renew/{id}"), &what).rule(RULE);
    request.deadline = deadline;
    match consul.done(&request) {
        Ok(_) => Ok(true),
        Err(failure) if failure.kind == Kind::Missing => Ok(false),
        Err(failure) => Err(failure),
    }
}

/// Ends a session, which frees what it holds.
pub(crate) fn destroy(consul: &Consul, id: &str, deadline: Duration) -> Result<(), Failure> {
    let what = format!("end session {id}");
    let path = format!("/v1/session/destroy/{id}");
    let mut request = Request::new(Verb::Put, path, &what).rule(RULE);
    request.deadline = deadline;
    consul.done(&request).map(drop)
}

/// Has a session hold a key; whether it does.
pub(crate) fn acquire(consul: &Consul, id: &str, key: &str, value: &[u8]) -> Result<bool, Fault> {
    keys::put(consul, key, value, Some(("acquire", id.to_owned())))
}

/// Lets go of a key, leaving its value; whether it was held.
pub(crate) fn release(consul: &Consul, id: &str, key: &str, value: &[u8]) -> Result<bool, Fault> {
    keys::put(consul, key, value, Some(("release", id.to_owned())))
}
