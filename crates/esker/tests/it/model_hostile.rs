//! Clients of a model that mean harm: its publisher's memory stays bounded, and whoever is honest is in step.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use bytes::Bytes;
use esker_bus::endpoint::Endpoint;
use esker_bus::service::Frames;
use esker_replica::ask::{Ask, Cut, Diff, Put, Replay};
use esker_replica::op::{self, Act, Op};
use esker_replica::path::path;
use esker_replica::replica::State;

use crate::model_network::noise;
use crate::model_storm::{Writer, wait_for};
use crate::proxy::{Proxy, Way};
use crate::sync_clients::{MODEL, Model};

/// How long a hostile client waits for an answer.
const DEADLINE: Duration = Duration::from_secs(20);

/// The most memory that a process has had, in kilobytes.
pub(crate) fn most_memory_kb(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("/proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// Sends all of these at once; what each is answered, in a word.
fn flood(writer: &Writer, to: &Endpoint, all: Vec<Frames>) -> Vec<String> {
    let caller = writer.bus.caller(to);
    writer.bus.block_on(async {
        let asked: Vec<_> = all
            .into_iter()
            .map(|frames| {
                let caller = caller.clone();
                tokio::spawn(async move { caller.exchange(frames, DEADLINE).await })
            })
            .collect();
        let mut answers = Vec::new();
        for one in asked {
            answers.push(match one.await.expect("no panic") {
                Ok(frames) => word(&frames),
                Err(fault) => fault.code.as_str().to_owned(),
            });
        }
        answers
    })
}

/// `OK`, or the code of an error.
fn word(answer: &Frames) -> String {
    let head = String::from_utf8_lossy(answer.first().expect("a head"));
    let code = head.lines().next().and_then(|line| line.strip_prefix("=====esker/1 "));
    code.unwrap_or("nonsense").trim_start_matches("ERROR ").to_owned()
}

fn ask(ask: &Ask) -> Frames {
    ask.to_message(MODEL).to_frames()
}

/// A PUT whose body is this.
fn put(body: Vec<u8>) -> Frames {
    let mut message = Ask::Put(Put::default()).to_message(MODEL);
    message.body = vec![body.into()];
    message.to_frames()
}

/// What may not be put.
fn beyond_limits() -> Vec<Frames> {
    let set = |keys: Vec<String>| op::encode(&[Op::set(path(&keys), 1_i64)]);
    let many = vec![Op { path: path(["a"]), act: Act::Dict }; 1_000_001];
    let list = |inner: Vec<u8>| [&[8, 1][..], &inner].concat();
    let deep = (0..100_000).fold(vec![0], |inner, _| list(inner));
    let value = |value: &[u8]| [&[1, 0, 1, 1, b'a'][..], value].concat();
    let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
    vec![
        put(op::encode(&many)),
        put(set(vec!["k".repeat(1025)])),
        put(set((0..513).map(|at| at.to_string()).collect())),
        put(value(&deep)),
        put(value(&[&[8][..], &huge].concat())),
        put(value(&[&[6][..], &huge].concat())),
        put([&[1, 0][..], &huge].concat()),
        put(vec![0xff; 60_000_000]),
    ]
}

#[test]
fn hostile_clients_take_no_memory_and_nobody_out_of_step() {
    let model = Model::new();
    let publisher = model.serve();
    let to = model.endpoint();
    let writer = Writer::new(&to);
    writer.put((0..50).map(|at| {
        let text = "x".repeat(100_000);
        vec![Op::set(path(["tasks", &format!("{at}"), "log"]), text.as_str())]
    }));
    let honest = writer.follow(1);
    let told = || format!("{:?} {:?}\n{}", honest.state(), honest.counts(), model.world.logs());
    wait_for("step", told, || writer.is_in_step(&honest));
    let before = most_memory_kb(publisher.pid());

    for (number, frames) in beyond_limits().into_iter().enumerate() {
        let answer = flood(&writer, &to, vec![frames]).remove(0);
        assert!(["too-large", "bad-request"].contains(&&*answer), "{number}: {answer}");
    }
    let head = format!("=====esker/1 HELLO {MODEL}\n{}", "\tx: y\n".repeat(3_500_000));
    let heads = flood(&writer, &to, vec![vec![Bytes::from(head)]; 5]);
    assert!(heads.iter().all(|answer| answer == "too-large"), "{heads:?}");
    // Cuts of every kind while the model changes, and none of them is fetched.
    for round in 0..10 {
        let cut = |at: u64| {
            let sections = vec![path(["tasks", &format!("{}", (at + round) % 50)]), path(["a"])];
            ask(&Ask::Cut(Cut { sections, from: 0 }))
        };
        let answers = flood(&writer, &to, (0..50).map(cut).collect());
        assert!(answers.iter().all(|answer| answer == "OK"), "{answers:?}");
        writer.put([vec![Op::set(path(["tasks", "1", "log"]), format!("{round}").as_str())]]);
    }
    // More than anybody may have under way, from some who read no answer.
    let Endpoint::Tcp { requests, events } = &to else { panic!("tcp") };
    let epoch = writer.hello().epoch;
    let proxies: Vec<Proxy> = (0..4).map(|_| Proxy::before(requests)).collect();
    let floods: Vec<_> = proxies
        .iter()
        .map(|proxy| {
            let caller = writer
                .bus
                .caller(&Endpoint::Tcp { requests: proxy.address(), events: events.clone() });
            let all = Ask::Replay(Replay {
                epoch,
                after: 0,
                sections: Vec::new(),
                bytes_max: usize::MAX,
            });
            let diff =
                Ask::Diff(Diff { epoch, from: 0, sections: Vec::new(), after: None, zstd: false });
            let all = [all, diff, Ask::Hello, Ask::Audit].map(|one| ask(&one));
            writer.bus.block_on(caller.exchange(ask(&Ask::Hello), DEADLINE)).expect("a connection");
            proxy.hold(Some(Way::Down));
            let asked = (0..1500).map(|at: usize| {
                let (caller, frames) = (caller.clone(), all[at % 4].clone());
                writer.bus.spawn(async move {
                    drop(caller.exchange(frames, DEADLINE).await);
                });
            });
            asked.count()
        })
        .collect();
    assert_eq!(floods, [1500; 4]);
    writer
        .put((0..20).map(|at| vec![Op::set(path(["tasks", "new", &format!("{at}")]), at as u64)]));
    let digest = writer.hello().digest;
    wait_for("step", told, || honest.state() == State::Live && honest.model().digest() == digest);
    let late = writer.follow(2);
    wait_for("step", told, || late.state() == State::Live && late.model().digest() == digest);
    drop(proxies);
    let after = most_memory_kb(publisher.pid());
    assert!(after < before + 300 * 1024, "memory went from {before} to {after} kB");
    assert_eq!((honest.counts().copies, honest.counts().mismatches), (1, 0), "{}", told());
}

#[test]
fn who_asks_for_cuts_without_end_keeps_nobody_from_a_copy() {
    let model = Model::new();
    let _publisher = model.serve();
    let to = model.endpoint();
    let writer = Writer::new(&to);
    writer.put((0..20).map(|at| {
        vec![Op::set(path(["tasks", &format!("{at}"), "log"]), noise(at, 100_000).as_str())]
    }));
    let (is_over, rounds) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let hostile = Writer::new(&to);
            let cut = |at: u64| {
                let sections = vec![path(["tasks", &format!("{at}")])];
                ask(&Ask::Cut(Cut { sections, from: 0 }))
            };
            while !is_over.load(SeqCst) {
                flood(&hostile, &to, (0..200).map(cut).collect());
                rounds.fetch_add(1, SeqCst);
            }
        });
        let ending = Ending(&is_over);
        wait_for("the flood", String::new, || rounds.load(SeqCst) > 0);
        let follow = writer.follow(1);
        let told = || format!("{:?} {:?}", follow.state(), follow.counts());
        wait_for("step", told, || follow.state() == State::Live);
        assert_eq!(follow.counts().copies, 1, "{}", told());
        drop(ending);
    });
}

/// The flood ends when this is dropped, however the test ends.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}
