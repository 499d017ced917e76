//! Consul's keys and values.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use esker_wire::fault::{Code, Fault};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::belief::next_index;
use crate::kv::{Op, Pair, Target, WATCH_WAIT};
use crate::pace::{Backoff, Patience, Stop};

use super::fail::{Failure, of_nonsense, of_status};
use super::http::{Consul, Request, Verb, encoded};

/// The largest list of keys with their values.
const LIST_MAX: u64 = 64 << 20;
/// The largest body of several operations: what Consul takes unless it is told to take more.
const TXN_MAX: usize = 512 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    key: String,
    value: Option<String>,
    modify_index: u64,
    session: Option<String>,
}

fn full(consul: &Consul, key: &str) -> String {
    format!("{}/{key}", consul.place.prefix)
}

fn path(consul: &Consul, key: &str) -> String {
    format!("/v1/kv/{}", encoded(&full(consul, key)))
}

fn rule(consul: &Consul, policy: &str) -> String {
    format!("key_prefix \"{}/\" {{ policy = \"{policy}\" }}", consul.place.prefix)
}

fn pairs(consul: &Consul, entries: Vec<Entry>) -> Option<Vec<Pair>> {
    let pair = |entry: Entry| {
        let key = entry.key.strip_prefix(&consul.place.prefix)?.strip_prefix('/')?.to_owned();
        let value = STANDARD.decode(entry.value.unwrap_or_default()).ok()?;
        Some(Pair { key, value, index: entry.modify_index, session: entry.session })
    };
    entries.into_iter().map(pair).collect()
}

/// Asks once for what a target holds, or, after an index, waits as long for a change; with the index to ask after.
fn fetch(
    consul: &Consul,
    target: &Target,
    after: Option<(u64, Duration)>,
) -> Result<(Vec<Pair>, Option<u64>), Failure> {
    let (Target::Key(text) | Target::Prefix(text)) = target;
    let what = match target {
        Target::Key(_) => format!("read key {:?}", full(consul, text)),
        Target::Prefix(_) => format!("list keys {:?}", full(consul, text)),
    };
    let rule = rule(consul, "read");
    let mut request = Request::new(Verb::Get, path(consul, text), &what).rule(&rule);
    request.answer_max = LIST_MAX;
    if matches!(target, Target::Prefix(_)) {
        request = request.query("recurse", "");
    }
    let answer = match after {
        Some((index, wait)) => {
            request = request.after(index, wait);
            let answer = consul.ask(&request)?;
            // A key that is not there is waited for as well.
            if !matches!(answer.status, 200 | 404) {
                return Err(of_status(&consul.asked(&request), answer.status, &answer.body));
            }
            answer
        }
        None => consul.answered(&request, &[200, 404])?,
    };
    if answer.status == 404 {
        return Ok((Vec::new(), answer.index));
    }
    let entries: Vec<Entry> = consul.read(&request, &answer)?;
    let pairs = pairs(consul, entries)
        .ok_or_else(|| of_nonsense(&consul.asked(&request), "a value is not readable"))?;
    Ok((pairs, answer.index))
}

pub(crate) fn get(consul: &Consul, key: &str) -> Result<Option<Pair>, Fault> {
    let (pairs, _) =
        fetch(consul, &Target::Key(key.to_owned()), None).map_err(|failure| failure.fault)?;
    Ok(pairs.into_iter().next())
}

pub(crate) fn list(consul: &Consul, prefix: &str) -> Result<Vec<Pair>, Fault> {
    let (mut pairs, _) =
        fetch(consul, &Target::Prefix(prefix.to_owned()), None).map_err(|failure| failure.fault)?;
    pairs.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(pairs)
}

/// Sets a value, under a condition if there is one; whether it was met.
pub(crate) fn put(
    consul: &Consul,
    key: &str,
    value: &[u8],
    condition: Option<(&'static str, String)>,
) -> Result<bool, Fault> {
    let what = format!("write key {:?}", full(consul, key));
    let rule = rule(consul, "write");
    let mut request = Request::new(Verb::Put, path(consul, key), &what).rule(&rule);
    request.query.extend(condition);
    let request = request.body(value.to_vec());
    let done = consul.done(&request).and_then(|answer| consul.read(&request, &answer));
    done.map_err(|failure| failure.fault)
}

pub(crate) fn delete(consul: &Consul, key: &str) -> Result<(), Fault> {
    let what = format!("delete key {:?}", full(consul, key));
    let rule = rule(consul, "write");
    let request = Request::new(Verb::Delete, path(consul, key), &what).rule(&rule);
    consul.done(&request).map(drop).map_err(|failure| failure.fault)
}

fn operation(consul: &Consul, op: &Op) -> Value {
    let key = full(consul, op.key());
    let kv = match op {
        Op::Put { value, .. } => {
            json!({"Verb": "set", "Key": key, "Value": STANDARD.encode(value)})
        }
        Op::Cas { value, index, .. } => {
            json!({"Verb": "cas", "Key": key, "Value": STANDARD.encode(value), "Index": index})
        }
        Op::Delete { .. } => json!({"Verb": "delete", "Key": key}),
        Op::Expect { index: 0, .. } => json!({"Verb": "check-not-exists", "Key": key}),
        Op::Expect { index, .. } => json!({"Verb": "check-index", "Key": key, "Index": index}),
    };
    json!({ "KV": kv })
}

pub(crate) fn txn(consul: &Consul, ops: &[Op]) -> Result<Result<(), usize>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Refusal {
        errors: Option<Vec<Against>>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Against {
        op_index: usize,
        what: String,
    }
    let first = ops.first().map(|op| full(consul, op.key())).unwrap_or_default();
    let what = format!("change {} keys at once, from {first:?}", ops.len());
    let rule = rule(consul, "write");
    let body: Vec<Value> = ops.iter().map(|op| operation(consul, op)).collect();
    let body = Value::from(body).to_string().into_bytes();
    if body.len() > TXN_MAX {
        let message = format!("cannot {what}: {} bytes, {TXN_MAX} are allowed", body.len());
        return Err(Fault::new(Code::TooLarge, message)
            .hint("do them in parts; values count by a third more than their size"));
    }
    let mut request = Request::new(Verb::Put, "/v1/txn", &what).rule(&rule).body(body);
    request.answer_max = LIST_MAX;
    let answer = consul.answered(&request, &[200, 409]).map_err(|failure| failure.fault)?;
    if answer.status == 200 {
        return Ok(Ok(()));
    }
    let refusal: Refusal = consul.read(&request, &answer).map_err(|failure| failure.fault)?;
    let against = refusal.errors.unwrap_or_default().into_iter().next();
    let asked = consul.asked(&request);
    match against {
        Some(against) if against.what.contains("ermission denied") => {
            Err(of_status(&asked, 403, against.what.as_bytes()).fault)
        }
        Some(against) => Ok(Err(against.op_index)),
        None => Err(of_nonsense(&asked, "a refusal without a reason").fault),
    }
}

/// Tells what a target holds, now and after each change, until told to stop.
pub(crate) fn watch(consul: &Consul, target: &Target, tell: &dyn Fn(&[Pair]), stop: &Stop) {
    let mut index = 0;
    let mut told: Option<Vec<Pair>> = None;
    let mut backoff = Backoff::default();
    let mut patience = Patience::up_to(WATCH_WAIT);
    let mut is_failing = false;
    while !stop.is_stopped() {
        let asked = std::time::Instant::now();
        let had_index = index > 0;
        let wait = match fetch(consul, target, Some((index, patience.next()))) {
            Ok((pairs, next)) => {
                is_failing = false;
                index = next_index(index, next);
                let is_news = told.as_ref() != Some(&pairs);
                if is_news && !stop.is_stopped() {
                    tell(&pairs);
                    told = Some(pairs);
                }
                // Whatever answers at once without news is not to be asked as fast as it can.
                let is_hasty = had_index && !is_news && asked.elapsed().as_millis() < 50;
                is_hasty.then(|| backoff.next())
            }
            Err(failure) => {
                if !is_failing {
                    tracing::warn!("{}; it is watched again when it can be", failure.fault);
                }
                is_failing = true;
                index = 0;
                Some(backoff.next())
            }
        };
        match wait {
            Some(wait) => _ = stop.sleep(wait),
            None => backoff.reset(),
        }
    }
}
