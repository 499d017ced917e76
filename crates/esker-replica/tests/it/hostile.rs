//! Publishers, replicas and networks that lie: nothing panics, nothing grows, and honest ones are in step afterwards.

use std::time::Duration;

use bytes::Bytes;
use esker_replica::ask::{Answer, Ask, Cut, Diff, NAMED_MAX, Put, Replay};
use esker_replica::digest::Digest;
use esker_replica::frame::{Header, Type};
use esker_replica::op;
use esker_replica::path::path;
use esker_replica::publisher::{Options, Publisher};
use esker_replica::replica::{State, Wish};
use esker_wire::fault::Code;

use crate::pair::{Pair, read, set};

/// A heartbeat of the whole model, as it is.
fn beat(pair: &Pair) -> (Header, Bytes) {
    let (header, body) = read(&pair.publisher.bye(pair.moment()));
    (Header { kind: Type::Heartbeat, ..header }, body)
}

#[test]
fn a_flood_of_bogus_digests_begins_few_repairs() {
    let mut pair = Pair::in_step();
    let (header, body) = beat(&pair);
    for bogus in 0..60_000_u32 {
        pair.now += Duration::from_millis(1);
        let header = Header { after: Digest(bogus.into()), ..header };
        pair.replica.frame(&header.to_bytes(), body.clone(), pair.now);
        pair.wait(0);
    }
    let asked: u32 = pair.asked.values().sum();
    assert!(asked < 60, "in a minute: {:?}", pair.asked);
    pair.now += Duration::from_secs(60);
    pair.tell(&[set(&["a", "x"], 7)]);
    pair.settle();
}

#[test]
fn a_flood_of_bogus_frames_begins_few_repairs() {
    let mut pair = Pair::in_step();
    let bogus = pair.change(&[set(&["a", "x"], 7)]);
    let (header, _) = read(&bogus[0]);
    for value in 0..60_000 {
        pair.now += Duration::from_millis(1);
        let seq = pair.replica.last().unwrap().1 + 1;
        let body = op::encode(&[set(&["a", "x"], value)]);
        pair.replica.frame(&Header { seq, ..header }.to_bytes(), body.into(), pair.now);
        pair.wait(0);
    }
    let asked: u32 = pair.asked.values().sum();
    assert!(asked < 100, "in a minute: {:?}", pair.asked);
    pair.now += Duration::from_secs(60);
    pair.settle();
    assert_eq!(pair.replica.model().recompute(), pair.publisher.model().digest());
}

#[test]
fn a_mismatch_now_and_then_is_put_right_at_once() {
    let mut pair = Pair::in_step();
    for _ in 0..10 {
        pair.now += Duration::from_secs(11);
        let (header, body) = beat(&pair);
        pair.forge(&Header { after: Digest(1), ..header }, body);
        assert_eq!(pair.replica.state(), State::Live);
    }
    assert_eq!((pair.asked("CUT"), pair.counts().mismatches), (10, 10));
}

#[test]
fn a_forged_epoch_does_not_stop_it_for_ever() {
    let mut pair = Pair::in_step();
    let (header, body) = beat(&pair);
    pair.forge(&Header { epoch: u64::MAX, seq: 1000, ..header }, body);
    pair.tell(&[set(&["a", "x"], 7)]);
    assert!(!pair.is_in_step(), "it may be true");
    pair.settle();
    pair.wait(100);
    assert_eq!(pair.counts().losses, 0, "what it told of is void too");
    assert_eq!(pair.replica.last(), Some((5, 2)));
    pair.tell(&[set(&["a", "x"], 8)]);
    assert!(pair.is_in_step());
}

#[test]
fn a_forged_epoch_before_all_else_does_not_either() {
    let mut pair = Pair::new(Options::new("m", 5));
    let (header, body) = beat(&pair);
    pair.forge(&Header { epoch: u64::MAX, ..header }, body);
    pair.settle();
}

#[test]
fn an_answer_of_a_forged_epoch_does_not_either() {
    let mut pair = Pair::new(Options::new("m", 5));
    pair.replica.tick(pair.now);
    let Some(Wish::Ask(id, Ask::Hello)) = pair.replica.wish() else { panic!("it begins") };
    pair.replica.answer(id, Ok((u64::MAX, Answer::Audit(1, Digest(1), None))), pair.now);
    pair.settle();
    assert_eq!(pair.replica.last(), Some((5, 0)));
}

#[test]
fn a_transaction_that_never_comes_is_not_asked_for_for_ever() {
    for kind in [Type::Heartbeat, Type::Delta] {
        let mut pair = Pair::in_step();
        let (header, body) = beat(&pair);
        pair.forge(&Header { kind, seq: u64::MAX - 1, ..header }, body);
        for _ in 0..6000 {
            pair.wait(10);
            if pair.now.subsec_millis() == 0 {
                pair.beat();
            }
        }
        assert!(pair.is_in_step());
        let asked: u32 = pair.asked.values().sum();
        assert!(asked <= 5, "{:?}", pair.asked);
    }
}

#[test]
fn losses_three_times_a_minute_are_too_many_and_two_are_not() {
    for (losses, pulls) in [(2, false), (3, true)] {
        let mut pair = Pair::in_step();
        for at in 0..losses {
            pair.change(&[set(&["a", "x"], 10 + at)]);
            pair.tell(&[set(&["b", "y"], at), set(&["a", "x"], 20 + at)]);
            pair.wait(20);
            pair.wait(1000);
            pair.beat();
        }
        let told = pair.wishes.contains(&Wish::Subscribe(false));
        assert_eq!((told, pair.counts().losses), (pulls, losses.unsigned_abs()));
        pair.settle();
        assert_eq!(pair.wishes.contains(&Wish::Subscribe(true)), pulls);
        assert_eq!(pair.asked("DIFF") > 0, pulls);
    }
}

#[test]
fn who_answers_nonsense_is_asked_less_and_less() {
    let mut pair = Pair::in_step();
    let (header, body) = beat(&pair);
    pair.forge(&Header { seq: 9, ..header }, body);
    let mut asked = 0;
    for _ in 0..6000 {
        pair.now += Duration::from_millis(100);
        pair.replica.tick(pair.now);
        while let Some(wish) = pair.replica.wish() {
            let Wish::Ask(id, ask) = wish else { continue };
            asked += 1;
            let nonsense = match ask {
                Ask::Hello => Answer::Audit(1, Digest(1), None),
                _ => Answer::Frame(Bytes::from_static(b"nonsense")),
            };
            pair.replica.answer(id, Ok((5, nonsense)), pair.now);
        }
    }
    assert!((10..60).contains(&asked), "{asked} in ten minutes");
    pair.settle();
}

#[test]
fn a_cut_that_is_not_what_it_says_is_not_copied_without_end() {
    let mut pair = Pair::new(Options::new("m", 5));
    pair.change(&[set(&["a", "x"], 1)]);
    let mut asked = 0;
    for _ in 0..600 {
        pair.now += Duration::from_millis(100);
        pair.replica.tick(pair.now);
        while let Some(wish) = pair.replica.wish() {
            let Wish::Ask(id, ask) = wish else { continue };
            asked += 1;
            let now = pair.moment();
            let mut answer = pair.publisher.answer(&ask, now).0.now();
            if let Ok(Answer::Cut(cut)) = &mut answer {
                cut.digest = Digest(7);
            }
            pair.replica.answer(id, answer.map(|answer| (5, answer)), pair.now);
        }
    }
    assert!(asked < 200, "{asked} in a minute");
    assert_eq!(
        (pair.replica.last(), pair.replica.model().nodes()),
        (None, 1),
        "nothing of it is shown"
    );
    pair.settle();
}

#[test]
fn a_diff_that_is_not_what_it_says_is_not_believed() {
    let mut pair = Pair::in_step();
    pair.change(&[set(&["a", "x"], 7)]);
    let (header, body) = beat(&pair);
    pair.forge(&header, body);
    pair.now += Duration::from_millis(20);
    pair.replica.tick(pair.now);
    while let Some(wish) = pair.replica.wish() {
        let Wish::Ask(id, ask) = wish else { continue };
        let now = pair.moment();
        let mut answer = pair.publisher.answer(&ask, now).0.now();
        if let Ask::Replay(_) = ask
            && pair.counts().diffs == 0
        {
            answer = Err(esker_wire::fault::Fault::new(Code::Gone, "a lie"));
        } else if let Ok(Answer::Page(page)) = &mut answer
            && let Ask::Diff(_) = ask
        {
            let header = Header { epoch: 5, seq: page.of.seq, ..Header::new(Type::Diff) };
            page.frame = Bytes::copy_from_slice(&header.to_bytes());
        }
        pair.replica.answer(id, answer.map(|answer| (5, answer)), pair.now);
    }
    assert_eq!((pair.counts().diffs, pair.counts().mismatches), (1, 1));
    pair.settle();
}

#[test]
fn the_last_number_there_is_is_followed_by_none() {
    let mut pair = Pair::in_step();
    let (header, body) = beat(&pair);
    pair.forge(&Header { epoch: 6, ..header }, body.clone());
    pair.now += Duration::from_secs(60);
    pair.replica.tick(pair.now);
    while let Some(wish) = pair.replica.wish() {
        let Wish::Ask(id, _) = wish else { continue };
        let Ok(Answer::Hello(mut hello)) =
            pair.publisher.answer(&Ask::Hello, pair.moment()).0.now()
        else {
            panic!("a hello")
        };
        (hello.epoch, hello.seq) = (6, u64::MAX);
        pair.replica.answer(id, Ok((6, Answer::Hello(hello))), pair.now);
    }
    assert_eq!(pair.replica.last(), Some((6, u64::MAX)));
    pair.forge(&Header { epoch: 6, kind: Type::Delta, ..header }, body);
}

#[test]
fn a_copy_does_not_grow_beyond_what_was_said() {
    let mut pair = Pair::new(Options::new("m", 5));
    let ops: Vec<_> = (0..1000).map(|at| set(&["a", &at.to_string()], at)).collect();
    pair.change(&ops);
    pair.replica.tick(pair.now);
    while let Some(wish) = pair.replica.wish() {
        let Wish::Ask(id, ask) = wish else { continue };
        let now = pair.moment();
        let mut answer = pair.publisher.answer(&ask, now).0.now();
        if let Ok(Answer::Cut(cut)) = &mut answer {
            cut.nodes = 100;
        }
        pair.replica.answer(id, answer.map(|answer| (5, answer)), pair.now);
    }
    assert_eq!((pair.replica.last(), pair.counts().mismatches), (None, 1));
}

#[test]
fn chunks_that_are_not_there_may_be_refused_before_the_others_come() {
    let mut pair = Pair::new(Options::new("m", 5));
    pair.change(&[set(&["a", "x"], 1)]);
    pair.replica.tick(pair.now);
    for _ in 0..4 {
        let mut asked = Vec::new();
        while let Some(wish) = pair.replica.wish() {
            if let Wish::Ask(id, ask) = wish {
                asked.push((id, ask));
            }
        }
        for (id, ask) in asked.into_iter().rev() {
            let now = pair.moment();
            let answer = pair.publisher.answer(&ask, now).0.now();
            pair.replica.answer(id, answer.map(|answer| (5, answer)), pair.now);
        }
    }
    assert!(
        pair.is_in_step(),
        "{:?} {:?} {:?}",
        pair.replica.state(),
        pair.counts(),
        pair.replica.last()
    );
    assert_eq!(pair.counts().copies, 1);
}

#[test]
fn hostile_questions_are_refused_with_reasons() {
    let mut pair = Pair::in_step();
    let now = pair.moment();
    let mut ask = |ask: Ask| pair.publisher.answer(&ask, now).0.now().unwrap_err();
    let sections = vec![path(["a", "x"])];
    assert_eq!(ask(Ask::Cut(Cut { sections, from: 0 })).code, Code::BadRequest);
    // Nobody knows what is yet to come.
    for from in [2, u64::MAX] {
        let (epoch, sections) = (5, Vec::new());
        let cut = Cut { sections: Vec::new(), from };
        let replay = Replay { epoch, after: from, sections: Vec::new(), bytes_max: 1 };
        let diff = Diff { epoch, from, sections, after: None, zstd: false };
        for one in [Ask::Cut(cut), Ask::Replay(replay), Ask::Diff(diff)] {
            assert_eq!(ask(one).code, Code::BadRequest);
        }
    }
    assert_eq!(ask(Ask::Chunk { cut: 99, index: 0, zstd: false }).code, Code::Gone);
    assert_eq!(ask(Ask::Chunk { cut: 1, index: u32::MAX, zstd: false }).code, Code::BadRequest);
    let queries = Bytes::from_static(b"\xff\xff\xff\xff\x0f");
    assert_eq!(ask(Ask::Nodes { cut: 1, queries }).code, Code::BadRequest);
    let put =
        Put { ops: vec![op::Op::set(vec!["k".repeat(2000).into()], 1_i64)], ..Put::default() };
    let fault = ask(Ask::Put(put));
    assert_eq!(fault.code, Code::TooLarge);
    assert!(fault.message.contains("a key has 2000 bytes") && fault.message.contains("[\"kkk"));
}

#[test]
fn conditions_are_counted() {
    let put = |count: usize| {
        let conditions = vec![(path(["a"]), Digest::ZERO); count];
        Ask::from_message(&Ask::Put(Put { conditions, ..Put::default() }).to_message("m"))
    };
    assert!(put(NAMED_MAX).is_ok());
    assert_eq!(put(NAMED_MAX + 1).unwrap_err().code, Code::BadRequest);
}

#[test]
fn frames_are_bounded_however_many_come() {
    let mut pair = Pair::new(Options::new("m", 5));
    pair.answers = false;
    let mut other = Publisher::new(Options::new("m", 5));
    for at in 0..10_000 {
        let published = other.change(&[set(&["a"], at)], pair.moment()).unwrap();
        pair.deliver(&published);
    }
    pair.answers = true;
    pair.publisher = other;
    pair.settle();
    assert_eq!(pair.counts().copies, 1);
}
