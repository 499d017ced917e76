//! The thread that keeps a worker announced: it registers, beats, registers again what an agent has forgotten, and
//! at the end takes it all back.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use esker_wire::fault::Fault;
use esker_wire::member::Member;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::announce::Check;
use crate::pace::{Backoff, jittered};

use super::fail::{Failure, of_status};
use super::health::meta;
use super::http::{Consul, Request, Verb};

/// How often what is free may be told.
const UPDATE_EVERY: Duration = Duration::from_secs(10);
/// A worker whose check fails for as long is taken off the list by Consul itself, which knows no shorter time.
const FORGOTTEN_AFTER: &str = "1m";
/// How long a beat may take, and how long taking back.
const DEADLINE: Duration = Duration::from_secs(2);

/// What the thread and those who hold the announcement share.
#[derive(Default)]
pub(crate) struct Desk {
    wish: Mutex<Wish>,
    changed: Condvar,
}

#[derive(Default)]
struct Wish {
    free: Option<u8>,
    leaves: bool,
    is_registered: bool,
    fault: Option<Fault>,
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, Wish> {
        self.wish.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn update(&self, free: u8) {
        self.lock().free = Some(free);
        self.changed.notify_all();
    }

    pub(crate) fn leave(&self) {
        self.lock().leaves = true;
        self.changed.notify_all();
    }

    /// Waits until the worker is registered; what keeps it from being where it is not in time.
    pub(crate) fn wait(&self, until: Instant) -> Result<(), Option<Fault>> {
        let left = until.saturating_duration_since(Instant::now());
        let waited = self.changed.wait_timeout_while(self.lock(), left, |wish| !wish.is_registered);
        let (wish, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if wish.is_registered { Ok(()) } else { Err(wish.fault.clone()) }
    }

    pub(crate) fn fault(&self) -> Option<Fault> {
        self.lock().fault.clone()
    }

    /// What came of the last attempt; each change is logged once.
    fn note(&self, id: &str, outcome: Result<(), Fault>) {
        let mut wish = self.lock();
        let was = (wish.is_registered, wish.fault.is_some());
        wish.is_registered = outcome.is_ok();
        wish.fault = outcome.err();
        match &wish.fault {
            Some(fault) if !was.1 => tracing::warn!(id, "{fault}; it is tried again"),
            None if !was.0 => tracing::info!(id, "announced"),
            _ => {}
        }
        drop(wish);
        self.changed.notify_all();
    }

    /// Sleeps until it is time, somebody leaves, or there is something to tell that may be told.
    fn sleep(&self, until: Instant, member: &Member, told: Option<Instant>) -> Woken {
        let may_tell = told.map_or_else(Instant::now, |told| told + UPDATE_EVERY);
        let mut wish = self.lock();
        loop {
            let now = Instant::now();
            if wish.leaves {
                return Woken::Leaves;
            }
            let news = wish.free.filter(|free| *free != member.free);
            match news {
                Some(free) if now >= may_tell => return Woken::Free(free),
                _ if now >= until => return Woken::Time,
                _ => {}
            }
            let until = if news.is_some() { until.min(may_tell) } else { until };
            let woken = self.changed.wait_timeout(wish, until.saturating_duration_since(now));
            wish = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

enum Woken {
    Leaves,
    Free(u8),
    Time,
}

/// What is announced, and where.
pub(crate) struct Register {
    pub(crate) consul: Arc<Consul>,
    pub(crate) desk: Arc<Desk>,
    pub(crate) member: Member,
    pub(crate) check: Check,
    pub(crate) version: String,
    /// Where the member takes small requests.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Register {
    fn id(&self) -> String {
        format!("{}-{}", self.consul.place.service, self.member.node)
    }

    fn rule(&self) -> String {
        format!("service \"{}\" {{ policy = \"write\" }}", self.consul.place.service)
    }

    /// Keeps it announced until somebody leaves.
    pub(crate) fn run(mut self) {
        let mut backoff = Backoff::default();
        let mut is_there = false;
        let mut told = None;
        let id = self.id();
        loop {
            let outcome = if is_there { self.beat() } else { self.register().map(|()| true) };
            let wait = match outcome {
                Ok(true) => {
                    is_there = true;
                    backoff.reset();
                    self.desk.note(&id, Ok(()));
                    jittered(self.check.beat())
                }
                Ok(false) => {
                    tracing::warn!(
                        id,
                        "Consul's agent has forgotten the worker; it is announced again"
                    );
                    is_there = false;
                    continue;
                }
                Err(failure) => {
                    // An agent that is away may come back without what it knew; the next beat tells.
                    self.desk.note(&id, Err(failure.fault));
                    backoff.next()
                }
            };
            match self.desk.sleep(Instant::now() + wait, &self.member, told) {
                Woken::Leaves => return self.take_back(),
                Woken::Free(free) => {
                    self.member.free = free;
                    told = Some(Instant::now());
                    is_there = false;
                }
                Woken::Time => {}
            }
        }
    }

    fn register(&self) -> Result<(), Failure> {
        let (service, id) = (&self.consul.place.service, self.id());
        // Where the agent is, workers need not say again; names in DNS then are those of nodes.
        let address = match self.agent_address() {
            Some(address) if address == self.host => "",
            _ => self.host.as_str(),
        };
        let body = json!({
            "ID": id,
            "Name": service,
            "Address": address,
            "Port": self.port,
            "Meta": meta(&self.member, &self.version),
            "Check": self.check(),
        });
        let what = format!("announce the worker {id}");
        let rule = self.rule();
        let path = "/v1/agent/service/register";
        let request = Request::new(Verb::Put, path, &what).rule(&rule);
        self.consul.done(&request.body(body.to_string().into_bytes())).map(drop)
    }

    fn check(&self) -> Value {
        let (id, name) = (format!("service:{}", self.id()), "the worker answers");
        let mut check = json!({
            "CheckID": id,
            "Name": name,
            // It has just said so itself.
            "Status": "passing",
            "DeregisterCriticalServiceAfter": FORGOTTEN_AFTER,
        });
        let milliseconds = |time: Duration| format!("{}ms", time.as_millis());
        match &self.check {
            Check::Ttl(ttl) => check["TTL"] = milliseconds(*ttl).into(),
            Check::Tcp { every } => {
                check["TCP"] = format!("{}:{}", self.host, self.port).into();
                check["Interval"] = milliseconds(*every).into();
                check["Timeout"] = milliseconds(*every).into();
            }
            Check::Http { url, every } => {
                check["HTTP"] = url.as_str().into();
                check["Interval"] = milliseconds(*every).into();
                check["Timeout"] = milliseconds(*every).into();
            }
        }
        check
    }

    /// Where the agent says it is, if it may be asked.
    fn agent_address(&self) -> Option<String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Own {
            member: OwnMember,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct OwnMember {
            addr: String,
        }
        let mut request =
            Request::new(Verb::Get, "/v1/agent/self", "ask the agent for its address");
        request.deadline = DEADLINE;
        let answer = self.consul.done(&request).ok()?;
        let own: Own = self.consul.read(&request, &answer).ok()?;
        Some(own.member.addr)
    }

    /// Says that the worker is well, or looks whether the agent still checks it; whether the agent knows it.
    fn beat(&self) -> Result<bool, Failure> {
        let id = self.id();
        let what = format!("say that the worker {id} is well");
        let rule = self.rule();
        let is_told = matches!(self.check, Check::Ttl(_));
        let (verb, path) = match is_told {
            true => (Verb::Put, format!("/v1/agent/check/pass/service:{id}")),
            false => (Verb::Get, format!("/v1/agent/service/{id}")),
        };
        let mut request = Request::new(verb, path, &what).rule(&rule);
        request.deadline = DEADLINE;
        let answer = self.consul.ask(&request)?;
        let said = String::from_utf8_lossy(&answer.body);
        // Agents before 1.9 answer 500 for a check that they do not know.
        let is_unknown = answer.status == 404
            || said.contains("does not have associated TTL")
            || said.contains("Unknown check");
        match answer.status {
            200 => Ok(true),
            _ if is_unknown => Ok(false),
            status => Err(of_status(&self.consul.asked(&request), status, &answer.body)),
        }
    }

    fn take_back(&self) {
        let id = self.id();
        let what = format!("take back the worker {id}");
        let rule = self.rule();
        let path = format!("/v1/agent/service/deregister/{id}");
        let mut request = Request::new(Verb::Put, path, &what).rule(&rule);
        request.deadline = DEADLINE;
        match self.consul.done(&request) {
            Ok(_) => tracing::info!(id, "taken back"),
            Err(failure) => {
                tracing::warn!(id, "{}; Consul does so itself after a minute", failure.fault);
            }
        }
    }
}
