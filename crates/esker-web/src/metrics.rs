//! What is counted, as Prometheus reads it: <https://prometheus.io/docs/instrumenting/exposition_formats/>.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::hubs::Hubs;
use crate::routes::Web;

/// The upper bounds of what durations are counted by, in seconds.
const BOUNDS: [f64; 9] = [0.001, 0.005, 0.02, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0];

/// The text's form.
const KIND: &str = "text/plain; version=0.0.4; charset=utf-8";

/// How long things took.
#[derive(Debug, Clone, Default)]
struct Durations {
    /// How many took no longer than each bound and longer than the one before.
    counts: [u64; BOUNDS.len()],
    all: u64,
    seconds: f64,
}

impl Durations {
    fn add(&mut self, took: Duration) {
        let seconds = took.as_secs_f64();
        if let Some(at) = BOUNDS.iter().position(|bound| seconds <= *bound) {
            self.counts[at] += 1;
        }
        self.all += 1;
        self.seconds += seconds;
    }
}

/// What is counted of routes: of each, how its answers went and how long they took.
#[derive(Debug, Default)]
struct Requests {
    answers: BTreeMap<(&'static str, u16), u64>,
    durations: BTreeMap<&'static str, Durations>,
}

/// Everything that is counted.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    requests: Mutex<Requests>,
    logins: Mutex<BTreeMap<&'static str, u64>>,
    hub: Mutex<BTreeMap<&'static str, Durations>>,
    connections: AtomicI64,
    sockets: AtomicI64,
    dropped: AtomicU64,
}

/// One more of something, until it is dropped.
#[derive(Debug)]
pub(crate) struct Counted {
    metrics: Arc<Metrics>,
    what: Gauge,
}

/// What is counted as long as it is there.
type Gauge = fn(&Metrics) -> &AtomicI64;

impl Drop for Counted {
    fn drop(&mut self) {
        (self.what)(&self.metrics).fetch_sub(1, Ordering::Relaxed);
    }
}

impl Metrics {
    /// Counts a connection.
    pub(crate) fn connection(self: &Arc<Self>) -> Counted {
        self.count(|metrics| &metrics.connections)
    }

    /// Counts a WebSocket that follows the model.
    pub(crate) fn socket(self: &Arc<Self>) -> Counted {
        self.count(|metrics| &metrics.sockets)
    }

    fn count(self: &Arc<Self>, what: Gauge) -> Counted {
        what(self).fetch_add(1, Ordering::Relaxed);
        Counted { metrics: Arc::clone(self), what }
    }

    /// A request was answered.
    pub(crate) fn request(&self, route: &'static str, status: StatusCode, took: Duration) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests.answers.entry((route, status.as_u16())).or_default() += 1;
        requests.durations.entry(route).or_default().add(took);
    }

    /// Somebody has tried to log in.
    pub(crate) fn login(&self, outcome: &'static str) {
        let mut logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
        *logins.entry(outcome).or_default() += 1;
    }

    /// The hub was asked something.
    pub(crate) fn hub(&self, is_answered: bool, took: Duration) {
        let outcome = if is_answered { "ok" } else { "fault" };
        let mut hub = self.hub.lock().unwrap_or_else(PoisonError::into_inner);
        hub.entry(outcome).or_default().add(took);
    }

    /// An event of the model was not sent to a browser that is too slow.
    pub(crate) fn drop_event(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// All of it, as text; `sessions` is how many are logged in.
    fn text(&self, version: &str, sessions: usize, hubs: &Hubs) -> String {
        let mut out = Out(String::new());
        out.head("esker_build_info", "gauge", "What runs.");
        out.line("esker_build_info", &format!("version=\"{version}\""), 1);
        let each = || std::iter::once((None, self)).chain(hubs.each());
        told_of_requests(&mut out, each);
        out.head("esker_logins_total", "counter", "Passwords that were tried, by what came of it.");
        let logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (outcome, count) in logins {
            out.line("esker_logins_total", &format!("outcome=\"{outcome}\""), count);
        }
        told_of_hubs(&mut out, hubs, each);
        let name = "esker_http_connections";
        out.head(name, "gauge", "Connections of browsers and programs.");
        out.line(name, "", self.connections.load(Ordering::Relaxed));
        let name = "esker_websockets";
        out.head(name, "gauge", "WebSockets that follow the live model.");
        for (hub, metrics) in each() {
            out.line(name, &labels(hub, ""), metrics.sockets.load(Ordering::Relaxed));
        }
        let name = "esker_sync_dropped_events_total";
        out.head(name, "counter", "Events of the live model that browsers were too slow for.");
        for (hub, metrics) in each() {
            out.line(name, &labels(hub, ""), metrics.dropped.load(Ordering::Relaxed));
        }
        out.head("esker_sessions", "gauge", "Sessions of those who have logged in.");
        out.line("esker_sessions", "", sessions);
        out.0
    }
}

/// What is counted of one project, by its name if there are several.
type Each<'a> = (Option<&'a str>, &'a Metrics);

fn told_of_requests<'a, I: Iterator<Item = Each<'a>>>(out: &mut Out, each: impl Fn() -> I) {
    let name = "esker_http_requests_total";
    out.head(name, "counter", "Requests, by operation and status.");
    for (hub, metrics) in each() {
        let requests = metrics.requests.lock().unwrap_or_else(PoisonError::into_inner);
        for ((route, status), count) in &requests.answers {
            let of = format!("operation=\"{route}\",status=\"{status}\"");
            out.line(name, &labels(hub, &of), count);
        }
    }
    let name = "esker_http_request_duration_seconds";
    out.head(name, "histogram", "How long requests took, by operation.");
    for (hub, metrics) in each() {
        let requests = metrics.requests.lock().unwrap_or_else(PoisonError::into_inner);
        for (route, durations) in &requests.durations {
            out.durations(name, &labels(hub, &format!("operation=\"{route}\"")), durations);
        }
    }
}

fn told_of_hubs<'a, I: Iterator<Item = Each<'a>>>(
    out: &mut Out,
    hubs: &Hubs,
    each: impl Fn() -> I,
) {
    let name = "esker_hub_call_duration_seconds";
    out.head(name, "histogram", "How long the hub took to answer, by whether it did.");
    for (hub, metrics) in each() {
        let calls = metrics.hub.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (outcome, durations) in &calls {
            out.durations(name, &labels(hub, &format!("outcome=\"{outcome}\"")), durations);
        }
    }
    let standings = hubs.standings.borrow();
    if !standings.is_empty() {
        out.head("esker_hub_up", "gauge", "Whether a hub is heard.");
        for standing in standings.iter() {
            out.line("esker_hub_up", &labels(Some(&standing.name), ""), u8::from(standing.reached));
        }
    }
}

/// Labels with that of a hub, if there is one. Names of hubs need no escapes either.
fn labels(hub: Option<&str>, others: &str) -> String {
    match (hub, others) {
        (None, others) => others.to_owned(),
        (Some(hub), "") => format!("hub=\"{hub}\""),
        (Some(hub), others) => format!("hub=\"{hub}\",{others}"),
    }
}

/// The text as it is written. Labels are words of ours, and need no escapes.
struct Out(String);

impl Out {
    fn head(&mut self, name: &str, kind: &str, about: &str) {
        self.put(format_args!("# HELP {name} {about}\n# TYPE {name} {kind}\n"));
    }

    fn line(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        match labels {
            "" => self.put(format_args!("{name} {value}\n")),
            labels => self.put(format_args!("{name}{{{labels}}} {value}\n")),
        }
    }

    fn durations(&mut self, name: &str, labels: &str, durations: &Durations) {
        let mut sum = 0;
        for (bound, count) in BOUNDS.iter().zip(durations.counts) {
            sum += count;
            self.line(&format!("{name}_bucket"), &format!("{labels},le=\"{bound}\""), sum);
        }
        self.line(&format!("{name}_bucket"), &format!("{labels},le=\"+Inf\""), durations.all);
        self.line(&format!("{name}_sum"), labels, durations.seconds);
        self.line(&format!("{name}_count"), labels, durations.all);
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        self.0.write_fmt(text).expect("texts can be written to");
    }
}

/// `GET /metrics`.
pub(crate) async fn serve(State(web): State<Web>) -> Response {
    let version = web.project.borrow().version.clone();
    let text = web.metrics.text(&version, web.gate.sessions.count(), &web.hubs);
    ([(header::CONTENT_TYPE, KIND)], text).into_response()
}

#[cfg(test)]
mod tests;
