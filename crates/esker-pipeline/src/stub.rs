//! A store for tests: it holds nothing and answers every PUT to `main` as it is told.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use esker_bus::bus::{Binds, Bus};
use esker_bus::endpoint::Endpoint;
use esker_bus::server::Server;
use esker_bus::service::{Frames, Outcome, Service};
use esker_wire::fault::{Code, Fault};
use esker_wire::message::{Message, Request};
use esker_wire::name::Branch;
use esker_wire::revision::Revision;
use esker_wire::snapshot::{List, Listing, Put, Stored, StoredItem};

use crate::child::Mailbox;
use crate::definition::Definition;
use crate::key::Print;
use crate::plan::{Run, Task};
use crate::run::line::{Line, Tale};
use crate::run::{Bench, SCRATCH};

/// A served stub and what it is asked for.
pub(crate) struct Stub {
    pub(crate) bus: Bus,
    pub(crate) server: Server,
    /// Every PUT to `main`, as it comes.
    pub(crate) puts: Receiver<Put>,
}

struct Answers<F> {
    answer: F,
    asked: Sender<Put>,
    count: usize,
}

impl Stub {
    /// Serves; `answer` says why the Nth PUT is refused, or that it is not.
    pub(crate) fn serve(answer: impl Fn(usize) -> Option<Code> + Send + 'static) -> Self {
        let bus = Bus::start().unwrap();
        let (asked, puts) = channel();
        let answers = Answers { answer, asked, count: 0 };
        let server = bus.serve("stub", answers, &Binds::default()).unwrap();
        Self { bus, server, puts }
    }

    pub(crate) fn bench(&self, dir: &Path) -> Bench {
        bench(&self.bus, &self.server.local(), dir)
    }
}

impl<F: Fn(usize) -> Option<Code> + Send + 'static> Service for Answers<F> {
    fn handle(&mut self, requests: &[Frames]) -> Vec<Outcome> {
        requests
            .iter()
            .map(|frames| {
                let message = Message::from_frames(frames).unwrap();
                Outcome::reply(self.reply(&message).to_frames())
            })
            .collect()
    }

    fn tick(&mut self) -> Vec<Frames> {
        Vec::new()
    }
}

impl<F: Fn(usize) -> Option<Code>> Answers<F> {
    fn reply(&mut self, message: &Message) -> Message {
        match message.verb() {
            List::VERB => List::reply_to_message(&Listing {
                at: None,
                entries: Vec::new(),
                next: None,
                older: Vec::new(),
            }),
            Put::VERB => self.put(Put::from_message(message).unwrap()),
            verb => Message::error(&Fault::new(Code::NotFound, format!("no {verb} here"))),
        }
    }

    fn put(&mut self, put: Put) -> Message {
        let stored = |resource| StoredItem {
            resource,
            now: None,
            revision: Some(revision()),
            previous: None,
        };
        let items = put.items.iter().map(|item| stored(item.resource.clone())).collect();
        let reply = Stored { revision: revision(), items };
        if put.branch != Branch::main() {
            return Put::reply_to_message(&reply);
        }
        let refused = (self.answer)(self.count);
        self.count += 1;
        drop(self.asked.send(put));
        match refused {
            Some(code) => Message::error(&Fault::new(code, format!("the stub says {code:?}"))),
            None => Put::reply_to_message(&reply),
        }
    }
}

fn revision() -> Revision {
    Revision::from_bytes([7; 20])
}

/// The supervisor alone: `cargo test` builds the examples beside the tests.
pub(crate) fn supervisor() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().unwrap().parent().unwrap().join("examples/supervise");
    assert!(path.is_file(), "run `cargo test` without --lib, or build the examples first");
    path
}

/// An address that nobody serves.
pub(crate) fn nowhere() -> Endpoint {
    let address = "tcp://127.0.0.1:1".to_owned();
    Endpoint::Tcp { requests: address.clone(), events: address }
}

pub(crate) fn bench(bus: &Bus, store: &Endpoint, dir: &Path) -> Bench {
    Bench {
        dir: dir.to_owned(),
        branch: Branch::main(),
        guard: None,
        esker: "/bin/false".into(),
        caller: bus.caller(store),
        host: "here".to_owned(),
        scratch: dir.join(SCRATCH),
        memo: Arc::default(),
        load: Arc::default(),
        recall: Arc::default(),
    }
}

/// A line to a run, and where what the run waits for is told.
pub(crate) fn line() -> (Line, Receiver<Fault>) {
    let (post, mail) = channel();
    let (tell, told) = channel();
    let tells = Box::new(move |tale| {
        if let Tale::Waits(fault) = tale {
            drop(tell.send(fault));
        }
    });
    (Line::new(Mailbox { post, mail }, tells), told)
}

/// A run of the file `a.csv`.
pub(crate) fn file_run() -> Run {
    let text = "project.name = \"p\"\n[source.a]\nfile = \"a.csv\"\noutput = \"raw/a\"\n";
    let (definition, defects) = Definition::parse(text, jiff::Timestamp::now());
    let source = definition.unwrap_or_else(|| panic!("{defects:?}")).sources.remove(0);
    let output = source.output.clone();
    Run {
        task: Task::Source(source),
        run_key: "planned".to_owned(),
        print: Print::default(),
        at: None,
        inputs: Vec::new(),
        blobs: Vec::new(),
        outputs: vec![(output, None)],
        overrides: Vec::new(),
        beneath: Vec::new(),
        renamed: Vec::new(),
        failed: Some((3, jiff::Timestamp::UNIX_EPOCH)),
        again: false,
    }
}
