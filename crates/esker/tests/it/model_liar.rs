//! A publisher that lies in what it publishes and in what it answers: replicas in processes of their own take little memory by that, and are in step
//! once it is honest.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use bytes::Bytes;
use esker_bus::bus::{Binds, Bus};
use esker_bus::server::Server;
use esker_bus::service::{Frames, Outcome, Service};
use esker_replica::ask::{Answer, Ask};
use esker_replica::digest::Digest;
use esker_replica::frame::{BODY_MAX, Frame, Header, Type};
use esker_replica::op::{self, Op};
use esker_replica::path::{self, path};
use esker_replica::publisher::{Now, Options, Publication, Publisher};
use esker_wire::message::Message;

use crate::live_model::Lines;
use crate::model_hostile::most_memory_kb;
use crate::sync_clients::{Client, MODEL, Model};

/// What there is to lie about in what is published.
const LIES: usize = 8;

/// What the test tells the publisher, and the other way round.
#[derive(Default)]
struct Told {
    /// The answers that are still to be lies.
    answers: AtomicUsize,
    /// The events that are still to be lies, of each kind in turn.
    events: AtomicUsize,
    /// What is to be changed, honestly.
    changes: Mutex<Vec<Vec<Op>>>,
    digest: Mutex<Option<Digest>>,
}

struct Liar {
    publisher: Publisher,
    told: Arc<Told>,
    begun: Instant,
}

impl Liar {
    fn now(&self) -> Now {
        Now { since: self.begun.elapsed(), wall: 0 }
    }

    /// A frame as it would come next.
    fn next(&self) -> Header {
        let model = self.publisher.model().clone();
        let mut other = Publisher::with(Options::new(MODEL, self.publisher.epoch()), model);
        let change = other.change(&[Op::set(path(["a", "lie"]), 1_i64)], self.now());
        let header = Header::from_bytes(&change.expect("it is small")[0][1]).expect("it is ours");
        Header { seq: self.publisher.seq() + 1, ..header }
    }

    /// A lie, of each kind in turn.
    fn lie(&self, number: usize) -> Publication {
        let header = self.next();
        let small = op::encode(&[Op::set(path(["a", "lie"]), number as u64)]);
        let zeros = vec![0; BODY_MAX];
        let (header, body) = match number % LIES {
            0 => (Header { ops: u32::MAX, ..header }, small),
            1 => (Header { after: Digest(7), ..header }, small),
            2 => (Header { ops: 65_536, ..header }, zeros),
            3 => (Header { seq: u64::MAX - 1, ..header }, small),
            4 => (Header { kind: Type::Heartbeat, epoch: u64::MAX, ..header }, small),
            5 => (Header { seq: header.seq + number as u64, ..header }, vec![1; BODY_MAX]),
            6 => (Header { parts: 60_000, part: 59_999, ..header }, vec![1; 1024 * 1024]),
            _ => return [topic(), vec![number as u8; 72].into(), small.into()],
        };
        if number % LIES == 2 {
            // It says that it has sixteen megabytes, and is small.
            let one = Frame { header, body: body.into() }.to_one(true);
            return [topic(), one.slice(..72), one.slice(72..)];
        }
        [topic(), Bytes::copy_from_slice(&header.to_bytes()), body.into()]
    }

    fn spoil(answer: &mut Answer, number: usize) {
        let frame = match answer {
            Answer::Frame(frame) => frame,
            Answer::Page(page) => &mut page.frame,
            Answer::Cut(cut) => {
                (cut.digest, cut.nodes) = (Digest(7), u64::MAX);
                return;
            }
            Answer::Hello(hello) => {
                (hello.digest, hello.nodes) = (Digest(7), u64::MAX);
                return;
            }
            _ => return,
        };
        let mut read = Frame::from_one(frame).expect("it is ours");
        *frame = match number % 5 {
            0 => Frame { body: vec![0; BODY_MAX].into(), ..read }.to_one(true),
            1 => frame.slice(..frame.len() / 2),
            2 => vec![0xff; 8 * 1024 * 1024].into(),
            3 => {
                read.header.ops = u32::MAX;
                read.to_one(false)
            }
            _ => {
                read.header.after = Digest(7);
                read.to_one(false)
            }
        };
    }
}

fn topic() -> Bytes {
    path::topic(MODEL, &path(["a"])).into()
}

/// One less, if there are any; how many there were.
fn take(left: &AtomicUsize) -> Option<usize> {
    left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).ok()
}

impl Service for Liar {
    fn handle(&mut self, requests: &[Frames]) -> Vec<Outcome> {
        let answered = |request: &Frames| {
            let ask = Ask::from_message(&Message::from_frames(request).expect("a question"));
            let (reply, _) = self.publisher.answer(&ask.expect("a question"), self.now());
            let mut answer = reply.now();
            if let (Ok(answer), Some(number)) = (&mut answer, take(&self.told.answers)) {
                Self::spoil(answer, number);
            }
            let message = match answer {
                Ok(answer) => answer.to_message(self.publisher.epoch()),
                Err(fault) => Message::error(&fault),
            };
            Outcome::reply(message.to_frames())
        };
        requests.iter().map(answered).collect()
    }

    fn wake(&mut self) -> Vec<Frames> {
        let now = self.now();
        let mut published = Vec::new();
        let changes = std::mem::take(&mut *self.told.changes.lock().expect("nobody panics"));
        for ops in changes {
            published.extend(self.publisher.change(&ops, now).expect("a good change"));
        }
        *self.told.digest.lock().expect("nobody panics") = Some(self.publisher.model().digest());
        // One at a time, so that there is room for each.
        if let Some(number) = take(&self.told.events) {
            published.push(self.lie(number));
        }
        published.into_iter().map(Publication::into).collect()
    }

    fn tick(&mut self) -> Vec<Frames> {
        self.publisher.tick(self.now()).into_iter().map(Publication::into).collect()
    }
}

/// A publisher at the addresses of a model, and how to tell it what to do.
struct Lying {
    model: Model,
    told: Arc<Told>,
    server: Server,
}

impl Lying {
    fn new() -> Self {
        let model = Model::new();
        let bus = Bus::start().expect("a bus");
        let told = Arc::new(Told::default());
        let [requests, events] = model.addresses();
        let mut publisher = Publisher::new(Options::new(MODEL, 1));
        publisher.at(events.clone());
        let liar = Liar { publisher, told: Arc::clone(&told), begun: Instant::now() };
        let binds = Binds { requests: vec![requests], events: vec![events], ..Binds::default() };
        let server = bus.serve("liar", liar, &binds).expect("it serves");
        Self { model, told, server }
    }

    /// Changes the model honestly; the digest it has then.
    fn change(&self, ops: Vec<Op>) -> String {
        *self.told.digest.lock().expect("nobody panics") = None;
        self.told.changes.lock().expect("nobody panics").push(ops);
        self.server.waker().wake();
        let digest = || *self.told.digest.lock().expect("nobody panics");
        self.model.world.wait_for("the change", || digest().is_some());
        digest().expect("just seen").to_string()
    }

    fn lie(&self, events: usize) {
        self.told.events.store(events, SeqCst);
        let is_over = || self.told.events.load(SeqCst) == 0;
        while !is_over() {
            self.server.waker().wake();
            std::thread::yield_now();
        }
    }
}

#[test]
fn a_publisher_that_lies_takes_no_memory_of_its_replicas() {
    let lying = Lying::new();
    let ops = (0..500).map(|at| Op::set(path(["a", &format!("{at}")]), at as u64));
    lying.change(ops.collect());
    let mut python = Client::follow(&lying.model, &[]);
    let at = lying.model.requests.clone();
    let watch = ["model", "watch", "--json", "--at", &at, "--model", MODEL];
    let watch = Lines::of(&lying.model.world, &watch);
    watch.wait_for("step", |line| line["state"] == "live");
    let pids = [python.pid().parse().expect("a number"), watch.pid()];
    let before = pids.map(most_memory_kb);
    lying.told.answers.store(5, SeqCst);
    lying.lie(20 * LIES);
    lying.model.world.wait_for("lies as answers", || lying.told.answers.load(SeqCst) == 0);
    let digest = lying.change(vec![Op::set(path(["a", "honest"]), 1_i64)]);
    lying.model.wait_for(&mut python, "the honest model", |here| {
        here["digest"] == digest[..] && here["state"] == "live"
    });
    watch.wait_for("an honest change", |line| {
        line["path"] == serde_json::json!(["a", "honest"]) || line["op"] == "renewed"
    });
    watch.wait_for("step", |line| line["state"] == "live");
    let last = lying.change(vec![Op::set(path(["a", "last"]), 1_i64)]);
    lying.model.wait_for(&mut python, "the last change", |here| here["digest"] == last[..]);
    watch.wait_for("the last change", |line| line["path"] == serde_json::json!(["a", "last"]));
    for (before, after) in before.into_iter().zip(pids.map(most_memory_kb)) {
        assert!(after < before + 200 * 1024, "memory went from {before} to {after} kB");
    }
}
