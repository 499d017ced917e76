//! A published model with very many replicas, and with one that is stopped while it changes.

use std::time::Instant;

use esker_bus::bus::Bus;
use esker_bus::caller::Caller;
use esker_bus::endpoint::Endpoint;
use esker_replica::ask::{Answer, Ask, Changed, Cut, Hello, Put};
use esker_replica::follow::{self, Follow};
use esker_replica::op::Op;
use esker_replica::path::path;
use esker_replica::replica::{Options, State};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::live_model::Lines;
use crate::sync_clients::{Client, MODEL, Model};
use crate::world::{PATIENCE, signal};

/// The changes that may be under way at once.
const WINDOW: usize = 100;

/// Who changes a model, and asks its publisher, from this process.
pub(crate) struct Writer {
    pub(crate) bus: Bus,
    pub(crate) to: Endpoint,
    caller: Caller,
}

impl Writer {
    pub(crate) fn new(to: &Endpoint) -> Self {
        let bus = Bus::start().expect("a bus");
        let caller = bus.caller(to);
        Self { bus, to: to.clone(), caller }
    }

    pub(crate) fn ask(&self, ask: Ask) -> Answer {
        self.ask_all(vec![ask]).pop().expect("one answer")
    }

    /// Asks all of these at once.
    fn ask_all(&self, asks: Vec<Ask>) -> Vec<Answer> {
        let asked = asks.into_iter().map(|ask| {
            let caller = self.caller.clone();
            tokio::spawn(async move { follow::ask(&caller, MODEL, &ask).await })
        });
        let answers = self.bus.block_on(async {
            let asked: Vec<_> = asked.collect();
            let mut answers = Vec::new();
            for one in asked {
                answers.push(one.await.expect("no panic"));
            }
            answers
        });
        answers.into_iter().map(|answer| answer.expect("an answer").1).collect()
    }

    pub(crate) fn hello(&self) -> Hello {
        match self.ask(Ask::Hello) {
            Answer::Hello(hello) => hello,
            other => panic!("{other:?}"),
        }
    }

    /// Puts transactions, many at once.
    pub(crate) fn put(&self, transactions: impl IntoIterator<Item = Vec<Op>>) {
        let mut puts = transactions.into_iter().map(|ops| Ask::Put(Put { ops, ..Put::default() }));
        loop {
            let some: Vec<Ask> = puts.by_ref().take(WINDOW).collect();
            if some.is_empty() {
                return;
            }
            for answer in self.ask_all(some) {
                assert!(matches!(answer, Answer::Changed(Changed::Done(_))), "{answer:?}");
            }
        }
    }

    pub(crate) fn follow(&self, seed: u64) -> Follow {
        self.follow_at(&self.to, seed)
    }

    pub(crate) fn follow_at(&self, to: &Endpoint, seed: u64) -> Follow {
        let options = Options { sections: Vec::new(), seed };
        Follow::start(&self.bus, to, MODEL, options).expect("a thread")
    }

    /// The number of a cut made for those who ask now.
    fn cut(&self) -> u64 {
        match self.ask(Ask::Cut(Cut { sections: Vec::new(), from: 0 })) {
            Answer::Cut(cut) => cut.cut,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn is_in_step(&self, follow: &Follow) -> bool {
        follow.state() == State::Live && follow.model().digest() == self.hello().digest
    }
}

pub(crate) fn wait_for(what: &str, instead: impl Fn() -> String, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}: {}", instead());
        std::thread::park_timeout(std::time::Duration::from_millis(5));
    }
}

fn set(number: usize, value: usize) -> Vec<Op> {
    vec![Op::set(path(["tasks", &format!("{}", number % 10), &format!("{number}")]), value as u64)]
}

/// A thousand replicas in one process need more files than a shell allows.
fn allow_files() {
    let limit = getrlimit(Resource::Nofile);
    let current = limit.maximum.map_or(16_384, |most| most.min(16_384));
    setrlimit(Resource::Nofile, Rlimit { current: Some(current), ..limit }).expect("it is allowed");
}

#[test]
fn a_thousand_join_at_once_and_half_of_them_leave_midway() {
    const REPLICAS: u64 = 1000;
    allow_files();
    let model = Model::new();
    let _publisher = model.serve();
    let writer = Writer::new(&model.endpoint());
    writer.put((0..100).map(|number| set(number, 0)));
    let first = writer.cut();
    let mut follows: Vec<Follow> = (0..REPLICAS).map(|seed| writer.follow(seed)).collect();
    let mut value = 0;
    let mut change = || {
        value += 1;
        writer.put([(0..10).flat_map(|number| set(number * 7, value)).collect()]);
    };
    let here = |follows: &[Follow]| follows.iter().filter(|one| one.last().is_some()).count();
    wait_for(
        "half of them",
        || here(&follows).to_string(),
        || {
            change();
            here(&follows) > 500
        },
    );
    // Some have their copy, others are on their way to it.
    let mut odd = false;
    follows.retain(|_| {
        odd = !odd;
        odd
    });
    wait_for("another cut", String::new, || {
        change();
        writer.cut() > first + 1
    });
    follows.extend((REPLICAS..REPLICAS + 100).map(|seed| writer.follow(seed)));
    change();
    let digest = writer.hello().digest;
    let told =
        |follow: &Follow| format!("{:?} {:?} {:?}", follow.state(), follow.last(), follow.counts());
    for follow in &follows {
        wait_for(
            "step",
            || told(follow),
            || follow.state() == State::Live && follow.model().digest() == digest,
        );
        assert_eq!(follow.counts().mismatches, 0, "{}", told(follow));
    }
    assert_eq!((follows.len(), follows[0].model().recompute()), (600, digest));
    let cuts = writer.cut() - first;
    assert!(cuts < 100, "{cuts} cuts for {} copies: they are shared", REPLICAS + 100);
}

#[test]
fn one_that_is_stopped_slows_nobody_and_is_told_what_differs() {
    let model = Model::new();
    let _publisher = model.serve();
    let writer = Writer::new(&model.endpoint());
    writer.put((0..300).map(|number| set(number, 0)));
    let mut stopped = Client::follow(&model, &[]);
    let watch = ["model", "watch", "--json", "--at", &model.requests, "--model", MODEL];
    let watch = Lines::of(&model.world, &watch);
    watch.wait_for("step", |line| line["state"] == "live");
    let others: Vec<Follow> = (0..3).map(|seed| writer.follow(seed)).collect();
    let told =
        || others.iter().map(|one| format!("{:?} {:?}\n", one.last(), one.counts())).collect();
    wait_for("the others", told, || others.iter().all(|one| writer.is_in_step(one)));
    let begun: Vec<u64> = others.iter().map(|one| one.counts().applied).collect();

    let pids = || [stopped.pid(), watch.pid().to_string()];
    pids().iter().for_each(|pid| signal(pid, "STOP"));
    let before = writer.hello().seq;
    // More frames than may wait for one, and then more bytes than are kept: nothing of what it misses can be replayed.
    let text = "x".repeat(1000);
    let small = |number: usize| {
        vec![Op::set(path(["a", &format!("{}", number % 50)]), format!("{number} {text}").as_str())]
    };
    let large = |number: usize| {
        let text = "y".repeat(1024 * 1024);
        vec![Op::set(path(["b", &format!("{}", number % 4)]), format!("{number} {text}").as_str())]
    };
    let all_have = |seq: u64| others.iter().all(|one| one.last().is_some_and(|last| last.1 >= seq));
    for thousand in 0..16 {
        writer.put((0..1000).map(|number| small(thousand * 1000 + number)));
        let seq = writer.hello().seq;
        wait_for("the others to have all", told, || all_have(seq));
    }
    for ten in 0..7 {
        writer.put((0..10).map(|number| large(ten * 10 + number)));
        let seq = writer.hello().seq;
        wait_for("the others to have all", told, || all_have(seq));
    }
    let hello = writer.hello();
    assert!(hello.first > before + 1, "what it misses is no longer kept: {hello:?}");
    for (other, begun) in others.iter().zip(begun) {
        let counts = other.counts();
        assert_eq!(counts.applied - begun, hello.seq - before, "each by itself: {counts:?}");
        assert_eq!((counts.losses, counts.copies, counts.mismatches), (0, 1, 0), "{counts:?}");
        assert!(writer.is_in_step(other));
    }

    pids().iter().for_each(|pid| signal(pid, "CONT"));
    let digest = hello.digest.to_string();
    model.wait_for(&mut stopped, "the stopped one", |here| {
        here["digest"] == digest[..] && here["state"] == "live"
    });
    let here = stopped.here();
    let [copies, repairs, refused] = ["copies", "repairs", "refused"].map(|one| here[one].as_u64());
    assert_eq!([copies, repairs, refused], [Some(0); 3], "DIFF suffices: {here}");
    assert!(here["losses"].as_u64() > Some(0), "{here}");
    writer.put([vec![Op::set(path(["end"]), true)]]);
    watch.wait_for("the end", |line| line["path"] == serde_json::json!(["end"]));
}
