//! A peer: a key-value bucket of NATS, in memory, changed by one publisher and watched as its clients do.
//!
//! A watcher keeps a copy of all values, as a replica does. Nothing is verified, and nobody waits for the server to say
//! that it has a change.

mod wire;

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::{PATIENCE, made};
use crate::bench::process::Running;
use wire::{Delivered, Wire};

/// A stream with these names is a bucket called `bench`.
const STREAM: &str = "KV_bench";
const SUBJECTS: &str = "$KV.bench.>";

/// Where a watcher has changes delivered.
const CHANGES: &str = "_INBOX.changes";

/// How often to look whether the server is there.
const LOOK: Duration = Duration::from_millis(5);

/// A server with a bucket.
pub(super) struct Nats {
    /// Ends with it.
    _running: Running,
    address: String,
    publisher: Wire,
    /// The changes so far.
    changes: u64,
}

/// A change: the subject of the key, and the value.
pub(super) type Change = (String, String);

impl Nats {
    /// Starts a server in a folder of its own, and fills a bucket with a model.
    pub(super) fn start(program: &Path, dir: &Path, width: usize) -> Result<Self> {
        // One of another size may have been here before.
        let dir = dir.join(format!("nats-{width}"));
        fs::create_dir(&dir)?;
        let mut command = Command::new(program);
        command.args(["--jetstream", "--addr", "127.0.0.1", "--port", "-1", "--store_dir"]);
        command.arg(&dir).arg("--ports_file_dir").arg(&dir);
        let log = dir.join("nats.log");
        let mut running = Running::start(&mut command, &log)?;
        let begun = Instant::now();
        let address = loop {
            if let Some(address) = address(&dir)? {
                break address;
            }
            if running.has_ended() || begun.elapsed() > PATIENCE {
                bail!("nats-server does not start: {}", fs::read_to_string(log)?);
            }
            std::thread::sleep(LOOK);
        };
        let publisher = Wire::connect(&address)?;
        let mut nats = Self { _running: running, address, publisher, changes: 0 };
        nats.ask("STREAM.CREATE", &bucket())?;
        nats.put(&whole(width))?;
        Ok(nats)
    }

    /// The seconds until a watcher who comes late has all.
    pub(super) fn join(&mut self) -> Result<f64> {
        self.settle()?;
        let begun = Instant::now();
        let mut watcher = Watcher::start(&self.address, "last_per_subject")?;
        watcher.hear(|_, waiting| waiting == 0)?;
        let joined = begun.elapsed();
        watcher.end()?;
        Ok(joined.as_secs_f64())
    }

    /// Changes until a watcher has the last of them: how many a second.
    pub(super) fn change(&mut self, changes: &[Change]) -> Result<f64> {
        self.settle()?;
        let mut watcher = Watcher::start(&self.address, "new")?;
        let last = self.changes + changes.len() as u64;
        let begun = Instant::now();
        let heard = std::thread::scope(|scope| {
            let heard = scope.spawn(|| {
                watcher.hear(|change, _| change >= last)?;
                Ok(begun.elapsed())
            });
            self.put(changes)?;
            heard.join().unwrap_or_else(|_| bail!("the watcher has ended"))
        })?;
        watcher.end()?;
        Ok(changes.len() as f64 / heard.as_secs_f64())
    }

    /// Publishes changes one behind the other.
    fn put(&mut self, changes: &[Change]) -> Result<()> {
        for (subject, value) in changes {
            self.publisher.publish(subject, value.as_bytes())?;
        }
        self.changes += changes.len() as u64;
        self.publisher.flush()
    }

    /// Waits until the bucket has all that was published.
    fn settle(&mut self) -> Result<()> {
        let begun = Instant::now();
        while self.ask("STREAM.INFO", &Value::Null)?["state"]["last_seq"] != self.changes {
            if begun.elapsed() > PATIENCE {
                bail!("nats-server has not taken all changes after {PATIENCE:?}");
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    fn ask(&mut self, what: &str, question: &Value) -> Result<Value> {
        self.publisher.ask(&format!("$JS.API.{what}.{STREAM}"), question)
    }
}

/// Where the server is, once it has said so.
fn address(dir: &Path) -> Result<Option<String>> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "ports") {
            // It may be half written.
            let told: Value = serde_json::from_slice(&fs::read(path)?).unwrap_or_default();
            let url = told["nats"][0].as_str().unwrap_or_default();
            return Ok(url.strip_prefix("nats://").map(str::to_owned));
        }
    }
    Ok(None)
}

/// A bucket as its clients make it, which keeps one value of each key.
fn bucket() -> Value {
    json!({
        "name": STREAM, "subjects": [SUBJECTS], "storage": "memory", "retention": "limits",
        "max_msgs_per_subject": 1, "max_msgs": -1, "max_bytes": -1, "max_consumers": -1, "max_age": 0,
        "max_msg_size": -1, "discard": "new", "num_replicas": 1, "allow_rollup_hdrs": true,
        "deny_delete": true, "allow_direct": true,
    })
}

/// All of a model.
fn whole(width: usize) -> Vec<Change> {
    (0..width.pow(3)).map(|number| (subject(number, width), made::value(number))).collect()
}

/// So many changes of leaves anywhere.
pub(super) fn changes(dice: &mut made::Dice, width: usize, count: usize) -> Vec<Change> {
    let mut change = || (subject(dice.below(width.pow(3)), width), made::other(dice));
    (0..count).map(|_| change()).collect()
}

/// The subject of a leaf: no key may have a space in it.
fn subject(number: usize, width: usize) -> String {
    let [a, b, c] = made::place(number, width);
    format!("$KV.bench.section-{a}.task-{b}.field-{c}")
}

/// Watches the bucket, and keeps what is in it.
struct Watcher {
    wire: Wire,
    consumer: String,
    values: HashMap<String, Vec<u8>>,
}

impl Watcher {
    /// Asks for all changes, in order; and before them for what the policy says.
    fn start(address: &str, policy: &str) -> Result<Self> {
        let mut wire = Wire::connect(address)?;
        let wish = json!({
            "stream_name": STREAM,
            "config": {
                "deliver_subject": CHANGES, "deliver_policy": policy, "ack_policy": "none",
                "filter_subject": SUBJECTS, "replay_policy": "instant", "max_deliver": 1,
                "flow_control": true, "idle_heartbeat": 5_000_000_000_u64,
                "num_replicas": 1, "mem_storage": true,
            },
        });
        let made = wire.ask(&format!("$JS.API.CONSUMER.CREATE.{STREAM}"), &wish)?;
        let consumer = made["name"].as_str().context("a consumer has no name")?.to_owned();
        // What comes before this is what the server keeps back until somebody hears it.
        wire.subscribe(CHANGES)?;
        wire.flush()?;
        Ok(Self { wire, consumer, values: HashMap::new() })
    }

    /// Takes what comes until it is enough: by the number of a change, and how many wait behind it.
    fn hear(&mut self, is_enough: impl Fn(u64, u64) -> bool) -> Result<()> {
        let mut delivered = Delivered::default();
        loop {
            self.wire.next(&mut delivered)?;
            if !delivered.header.is_empty() {
                self.go_on(&delivered)?;
                continue;
            }
            match self.values.get_mut(&delivered.subject) {
                Some(value) => value.clone_from(&delivered.body),
                None => drop(self.values.insert(delivered.subject.clone(), delivered.body.clone())),
            }
            // $JS.ACK.stream.consumer.times.change.number.time.waiting
            let mut numbers = delivered.reply.split('.').skip(5).map(str::parse::<u64>);
            match (numbers.next(), numbers.nth(2)) {
                (Some(Ok(change)), Some(Ok(waiting))) if is_enough(change, waiting) => {
                    return Ok(());
                }
                (Some(Ok(_)), Some(Ok(_))) => {}
                _ => bail!("nats-server delivers {:?}", delivered.reply),
            }
        }
    }

    /// Tells a server that waits for it that it may go on.
    fn go_on(&mut self, delivered: &Delivered) -> Result<()> {
        let header = String::from_utf8_lossy(&delivered.header);
        let stalled = header.lines().find_map(|line| line.strip_prefix("Nats-Consumer-Stalled: "));
        let to = stalled.unwrap_or(&delivered.reply);
        if !to.is_empty() {
            self.wire.publish(to, b"")?;
            self.wire.flush()?;
        }
        Ok(())
    }

    fn end(mut self) -> Result<()> {
        let subject = format!("$JS.API.CONSUMER.DELETE.{STREAM}.{}", self.consumer);
        self.wire.ask(&subject, &Value::Null).map(drop)
    }
}
