//! Over real sockets: a publisher, replicas that come and go, and a publisher that is started anew.

use std::time::{Duration, Instant};

use esker_bus::bus::{Binds, Bus};
use esker_bus::endpoint::Endpoint;
use esker_bus::server::Server;
use esker_replica::ask::{Answer, Ask, Changed, Put};
use esker_replica::digest::Digest;
use esker_replica::follow::{self, Follow, News};
use esker_replica::frame::{Frame, Type};
use esker_replica::live::{self, Source};
use esker_replica::model::Model;
use esker_replica::op::Op;
use esker_replica::path::{path, topics};
use esker_replica::publisher::Options;
use esker_replica::replica::{self, State};
use esker_wire::fault::Code;

use crate::dice::Dice;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

struct Stage {
    bus: Bus,
    server: Server,
    source: Source,
}

impl Stage {
    fn new(options: &Options, model: Option<Model>) -> Self {
        Self::at(options, model, "tcp://127.0.0.1:0", "tcp://127.0.0.1:0")
    }

    fn at(options: &Options, model: Option<Model>, requests: &str, events: &str) -> Self {
        let bus = Bus::start().unwrap();
        let binds = Binds {
            requests: vec![requests.to_owned()],
            events: vec![events.to_owned()],
            ..Binds::default()
        };
        let (server, source) = live::serve(&bus, options, model, &binds).unwrap();
        Self { bus, server, source }
    }

    fn tcp(&self) -> Endpoint {
        Endpoint::Tcp {
            requests: self.server.requests()[0].clone(),
            events: self.server.events()[0].clone(),
        }
    }

    fn follow(&self, sections: Vec<esker_replica::path::Path>) -> Follow {
        let options = replica::Options { sections, seed: 1 };
        Follow::start(&self.bus, &self.tcp(), "m", options).unwrap()
    }

    fn ask(&self, question: Ask) -> Result<Answer, esker_wire::fault::Fault> {
        let caller = self.bus.caller(&self.tcp());
        let answered = self.bus.run(async move { follow::ask(&caller, "m", &question).await });
        answered.map(|(_, answer)| answer)
    }

    fn hello(&self) -> esker_replica::ask::Hello {
        match self.ask(Ask::Hello).unwrap() {
            Answer::Hello(hello) => hello,
            other => panic!("{other:?}"),
        }
    }
}

fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::yield_now();
    }
}

fn is_in_step(follow: &Follow, digest: Digest) -> bool {
    follow.state() == State::Live && follow.model().digest() == digest
}

fn fill(source: &Source, dice: &mut Dice, times: u32) {
    for _ in 0..times {
        source.push(dice.ops(20)).unwrap();
    }
}

#[test]
fn replicas_come_at_any_time_and_are_in_step() {
    let stage = Stage::new(&Options::new("m", 1), None);
    let mut dice = Dice::new(1);
    let early = stage.follow(Vec::new());
    fill(&stage.source, &mut dice, 200);
    let late = stage.follow(Vec::new());
    fill(&stage.source, &mut dice, 200);
    let here = Follow::start(&stage.bus, &stage.server.local(), "m", replica::Options::default());
    let here = here.unwrap();
    stage.source.change(dice.ops(20)).unwrap();
    let digest = stage.hello().digest;
    for follow in [&early, &late, &here] {
        wait_for("step", || is_in_step(follow, digest));
        assert_eq!(follow.model().recompute(), digest);
        assert_eq!(follow.counts().mismatches, 0);
    }
}

#[test]
fn a_publisher_with_the_same_model_sends_nothing_of_it() {
    let stage = Stage::new(&Options::new("m", 1), None);
    fill(&stage.source, &mut Dice::new(2), 100);
    stage.source.change(vec![Op::set(path(["last"]), 1_i64)]).unwrap();
    let digest = stage.hello().digest;
    let follow = stage.follow(Vec::new());
    wait_for("step", || is_in_step(&follow, digest));
    let model = follow.model();
    let (requests, events) = (stage.server.requests()[0].clone(), stage.server.events()[0].clone());
    let before = follow.counts();
    stage.server.shutdown();
    let next = Stage::at(&Options::new("m", 2), Some(model), &requests, &events);
    wait_for("the new epoch", || follow.last().is_some_and(|(epoch, _)| epoch == 2));
    wait_for("step", || is_in_step(&follow, digest));
    assert_eq!(follow.counts().fetched_bytes, before.fetched_bytes);
    next.source.change(vec![Op::set(path(["last"]), 2_i64)]).unwrap();
    let digest = next.hello().digest;
    wait_for("step", || is_in_step(&follow, digest));
}

#[test]
fn a_publisher_that_is_heard_elsewhere_is_heard_there() {
    let stage = Stage::new(&Options::new("m", 1), None);
    stage.source.change(vec![Op::set(path(["a"]), 1_i64)]).unwrap();
    let follow = stage.follow(Vec::new());
    let digest = stage.hello().digest;
    wait_for("step", || is_in_step(&follow, digest));
    let requests = stage.server.requests()[0].clone();
    stage.server.shutdown();
    let next = Stage::at(&Options::new("m", 2), None, &requests, "tcp://127.0.0.1:0");
    next.source.change(vec![Op::set(path(["a"]), 2_i64)]).unwrap();
    let digest = next.hello().digest;
    wait_for("step", || is_in_step(&follow, digest));
    // It hears it, and need not ask.
    let applied = follow.counts().applied;
    for number in 0..20_i64 {
        next.source.change(vec![Op::set(path(["b"]), number)]).unwrap();
    }
    let digest = next.hello().digest;
    wait_for("step", || is_in_step(&follow, digest));
    assert!(follow.counts().applied > applied);
}

#[test]
fn the_last_word_is_what_was_pushed_and_a_goodbye() {
    let stage = Stage::new(&Options::new("m", 1), None);
    let bus = Bus::start().unwrap();
    let mut hear = bus.hear(&stage.tcp(), vec![topics("m")]);
    let mut next = || {
        let frames =
            bus.block_on(async { tokio::time::timeout(PATIENCE, hear.next_many(1)).await });
        let frames = frames.unwrap();
        Frame::read(&frames[0][1], frames[0][2].clone()).unwrap().header
    };
    assert_eq!(next().kind, Type::Heartbeat);
    stage.source.push(vec![Op::set(path(["a"]), 1_i64)]).unwrap();
    stage.server.shutdown();
    let all: Vec<_> =
        std::iter::repeat_with(next).take_while(|one| one.kind != Type::Bye).collect();
    assert!(all.iter().any(|one| (one.kind, one.seq) == (Type::Delta, 1)), "{all:?}");
}

#[test]
fn a_section_can_be_followed_alone() {
    let stage = Stage::new(&Options::new("m", 1), None);
    let mut dice = Dice::new(3);
    fill(&stage.source, &mut dice, 50);
    let follow = stage.follow(vec![path(["a"]), path([""])]);
    fill(&stage.source, &mut dice, 200);
    stage.source.change(vec![Op::set(path(["a", "end"]), true)]).unwrap();
    wait_for("the end", || follow.model().get(&path(["a", "end"])).is_some());
    let whole = stage.follow(Vec::new());
    let digest = stage.hello().digest;
    wait_for("step", || is_in_step(&whole, digest));
    let (mut some, all) = (follow.model(), whole.model());
    for section in [path(["a"]), path([""])] {
        wait_for("the section", || {
            some = follow.model();
            some.digest_at(&section) == all.digest_at(&section)
        });
    }
    assert!(some.get(&path(["b"])).is_none());
}

#[test]
fn a_put_is_done_once_and_only_where_it_expects_to_be() {
    let options = Options { writable: true, ..Options::new("m", 1) };
    let stage = Stage::new(&options, None);
    let put = |ops: Vec<Op>, conditions, id: Option<&str>| {
        let put = Put { ops, conditions, request_id: id.map(str::to_owned) };
        match stage.ask(Ask::Put(put)).unwrap() {
            Answer::Changed(changed) => changed,
            other => panic!("{other:?}"),
        }
    };
    let set = |value: i64| vec![Op::set(path(["a"]), value)];
    let absent = vec![(path(["a"]), Digest::ZERO)];
    assert_eq!(put(set(1), absent.clone(), Some("one")), Changed::Done(1));
    assert_eq!(put(set(1), absent.clone(), Some("one")), Changed::Done(1), "asked again");
    let Changed::Conflict(paths, there) = put(set(2), absent, Some("two")) else {
        panic!("it is there");
    };
    assert_eq!(paths, [path(["a"])]);
    assert_eq!(Changed::there(&there).unwrap().header.ops, 1);
    let digest = Changed::there(&there).unwrap().header.after;
    assert_eq!(put(set(3), vec![(path(["a"]), digest)], None), Changed::Done(2));
}

#[test]
fn what_is_not_to_be_written_says_so() {
    let stage = Stage::new(&Options::new("m", 1), None);
    let put = Put { ops: vec![Op::set(path(["a"]), 1_i64)], ..Put::default() };
    assert_eq!(stage.ask(Ask::Put(put)).unwrap_err().code, Code::NotWritable);
    let caller = stage.bus.caller(&stage.tcp());
    let fault = follow::greet(&stage.bus, &caller, "n").unwrap_err();
    assert_eq!((fault.code, fault.candidates), (Code::NotFound, vec!["m".to_owned()]));
    assert_eq!(
        stage.ask(Ask::Audit),
        Ok(Answer::Audit(0, Model::default().digest(), Some(Model::default().digest())))
    );
}

#[test]
fn who_takes_no_news_is_told_to_look_though_nothing_comes_after() {
    let stage = Stage::new(&Options::new("m", 1), None);
    stage.source.change(vec![Op::set(path(["a", "x"]), 1_i64)]).unwrap();
    let mut follow = stage.follow(Vec::new());
    wait_for("step", || is_in_step(&follow, stage.hello().digest));
    // More than may wait, in two changes; the second is told to nobody.
    for round in 0..2_i64 {
        let ops = (0..60_000).map(|at| Op::set(path(["a".to_owned(), at.to_string()]), round + 7));
        stage.source.change(ops.collect()).unwrap();
        wait_for("step", || is_in_step(&follow, stage.hello().digest));
    }
    let mut told = 0;
    while told < 120_000 {
        match follow.recv_timeout(PATIENCE) {
            Some(News::Changed(ops)) => told += ops.len(),
            Some(News::Renewed) if told >= 60_000 => break,
            Some(_) => {}
            None => panic!("{told} operations were told, and nothing else"),
        }
    }
}
