//! The couriers of a definition: one for each of those who are told.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use esker_bus::caller::Caller;
use esker_wire::fault::Fault;
use esker_wire::name::Branch;
use esker_wire::snapshot::List;
use jiff::Timestamp;

use crate::definition::Definition;

use super::bell::Bell;
use super::courier::{Courier, Order};
use super::out::Destination;
use super::sent::{PREFIX, Sent};
use crate::commits::DEADLINE;

/// How long a courier may take to end; what it was about to tell is told again.
const END: Duration = Duration::from_secs(4);

/// A courier at work.
#[derive(Debug)]
struct Busy {
    end: Arc<AtomicBool>,
    /// Hears of its end.
    ended: Receiver<()>,
    thread: JoinHandle<()>,
}

/// All couriers of a project. Dropping it ends them.
#[derive(Debug)]
pub(crate) struct Couriers {
    dir: PathBuf,
    caller: Caller,
    bell: Arc<Bell>,
    busy: BTreeMap<String, Busy>,
    /// Those who are to end, and may be waiting for an answer still: who comes after them waits for that.
    leaving: BTreeMap<String, Receiver<()>>,
    /// The definition by which it was not yet looked who is told no more.
    untidy: Option<Arc<Definition>>,
}

impl Couriers {
    pub(crate) fn new(dir: &Path, caller: &Caller, bell: Arc<Bell>) -> Self {
        Self {
            dir: dir.to_owned(),
            caller: caller.clone(),
            bell,
            busy: BTreeMap::new(),
            leaving: BTreeMap::new(),
            untidy: None,
        }
    }

    /// Has those told whom the definition in force names, and no others.
    pub(crate) fn adopt(&mut self, definition: &Arc<Definition>) {
        // What is told of a run depends on all of the definition.
        for (name, busy) in std::mem::take(&mut self.busy) {
            busy.end.store(true, Ordering::Release);
            // Its end is told by mail, which its successor waits for, and a run does not.
            drop(busy.thread);
            self.leaving.insert(name, busy.ended);
        }
        self.bell.ring();
        for destination in Destination::all(definition) {
            self.start(definition, destination);
        }
        self.untidy = Some(Arc::clone(definition));
    }

    /// Forgets how far those have come who are told no more: they begin anew if they are ever told again.
    pub(crate) fn tidy(&mut self) {
        let Some(definition) = self.untidy.take() else {
            return;
        };
        if let Err(fault) = forget(&self.caller, &definition) {
            tracing::debug!(%fault, "cannot forget yet who is told no more");
            self.untidy = Some(definition);
        }
    }

    fn start(&mut self, definition: &Arc<Definition>, destination: Destination) {
        let end = Arc::new(AtomicBool::new(false));
        let name = destination.name.clone();
        let order = Order {
            dir: self.dir.clone(),
            caller: self.caller.clone(),
            definition: Arc::clone(definition),
            destination,
            bell: Arc::clone(&self.bell),
            end: Arc::clone(&end),
            since: Timestamp::now(),
        };
        let (done, ended) = channel();
        let before = self.leaving.remove(&name);
        let started = thread::Builder::new().name(name.clone()).spawn(move || {
            if let Some(before) = before {
                // Whoever has ended has said so, or has hung up.
                before.recv().unwrap_or_default();
            }
            Courier::new(order).work();
            // Whoever waits no longer has ended.
            done.send(()).unwrap_or_default();
        });
        match started {
            Ok(thread) => {
                let busy = Busy { end, ended, thread };
                self.busy.insert(name, busy);
            }
            Err(error) => {
                tracing::error!(%error, name, "cannot start a thread: nobody is told");
            }
        }
    }
}

impl Drop for Couriers {
    /// Asks all to end, at once, and waits a while.
    fn drop(&mut self) {
        self.busy.values().for_each(|busy| busy.end.store(true, Ordering::Release));
        self.bell.ring();
        let until = Instant::now() + END;
        for (name, busy) in std::mem::take(&mut self.busy) {
            match busy.ended.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(()) => {
                    if busy.thread.join().is_err() {
                        tracing::error!(name, "the thread that tells of events panicked");
                    }
                }
                Err(_) => {
                    tracing::warn!(name, "still waits for an answer; what it told is told again");
                }
            }
        }
    }
}

/// Forgets how far those have come who are told no more: they begin anew if they are ever told again.
fn forget(caller: &Caller, definition: &Definition) -> Result<(), Fault> {
    let list = List { prefix: PREFIX.to_owned(), ..List::all(Branch::records()) };
    let listed = caller.call_blocking(&list, DEADLINE)?;
    let known = Destination::all(definition);
    for entry in listed.entries {
        let name = entry.resource.as_str().trim_start_matches(PREFIX);
        if !known.iter().any(|destination| destination.name == name) {
            Sent::forget(caller, name)?;
        }
    }
    Ok(())
}
