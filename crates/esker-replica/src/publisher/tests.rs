//! What a publisher sends and answers, and what it refuses.

use std::collections::BTreeSet;

use super::chains::IDLE_HEARTBEATS;
use super::limits::{TRANSACTION_OPS_MAX, TRANSACTION_SECTIONS_MAX};
use super::*;
use crate::ask::{Changed, Put};
use crate::digest::Digest;
use crate::frame::Frame;
use crate::op;
use crate::op::OPS_MAX;
use crate::path::path;
use crate::value::VALUE_MAX;
use crate::value::Value;

fn publisher() -> Publisher {
    let junctions = Junctions::new([path(["s"])]);
    Publisher::new(Options { junctions, writable: true, ..Options::new("m", 7) })
}

fn set(keys: &[&str], value: i64) -> Op {
    Op::set(path(keys), value)
}

fn change(publisher: &mut Publisher, ops: &[Op]) -> Vec<Frame> {
    read(&publisher.change(ops, Now::default()).unwrap())
}

fn read(published: &[Publication]) -> Vec<Frame> {
    let one = |[_, header, body]: &Publication| Frame::read(header, body.clone()).unwrap();
    published.iter().map(one).collect()
}

fn ask(publisher: &mut Publisher, ask: &Ask) -> Result<Answer, Fault> {
    publisher.answer(ask, Now::default()).0.now()
}

#[test]
fn each_section_has_frames_of_its_own_in_a_chain() {
    let mut publisher = publisher();
    let ops = [set(&["a", "x"], 1), set(&["s", "b", "y"], 2), set(&["a", "z"], 3)];
    let published = publisher.change(&ops, Now { wall: 9, ..Now::default() }).unwrap();
    let topics: Vec<Vec<u8>> = published.iter().map(|one| one[0].to_vec()).collect();
    assert_eq!(topics, [path::topic("m", &path(["a"])), path::topic("m", &path(["s", "b"]))]);
    let frames = read(&published);
    for (part, (frame, section)) in (0..).zip(frames.iter().zip([path(["a"]), path(["s", "b"])])) {
        let header = &frame.header;
        assert_eq!((header.epoch, header.seq, header.prev, header.time), (7, 1, 0, 9));
        assert_eq!((header.part, header.parts, header.last), (part, 2, true));
        assert_eq!(header.section, section_id(&section));
        assert_eq!(header.after, publisher.model.digest_at(&section));
        assert_eq!(op::decode(&frame.body).unwrap().len(), header.ops as usize);
    }
    let next = change(&mut publisher, &[set(&["s", "b", "y"], 5)]);
    assert_eq!((next[0].header.seq, next[0].header.prev), (2, 1));
    let next = change(&mut publisher, &[set(&["a", "x"], 5)]);
    assert_eq!((next[0].header.seq, next[0].header.prev), (3, 1), "2 did not touch it");
}

#[test]
fn what_changes_nothing_is_no_transaction() {
    let mut publisher = publisher();
    change(&mut publisher, &[set(&["a"], 1)]);
    let nothing = [set(&["a"], 1), Op::delete(path(["b"])), Op::delete(path(["a", "b"]))];
    assert!(change(&mut publisher, &nothing).is_empty());
    assert_eq!(publisher.seq(), 1);
    let some = change(
        &mut publisher,
        &[set(&["a"], 1), set(&["a"], 2), set(&["b"], 1), Op::delete(path(["c"]))],
    );
    let ops: Vec<u32> = some.iter().map(|frame| frame.header.ops).collect();
    assert_eq!(ops, [1, 1], "only what did something is told");
}

#[test]
fn a_large_transaction_has_frames_that_go_on() {
    let mut publisher = publisher();
    let count = OPS_MAX as i64 + 10;
    let ops: Vec<Op> = (0..count).map(|at| set(&["a", &at.to_string()], at)).collect();
    let frames = change(&mut publisher, &ops);
    let told: Vec<_> = frames.iter().map(|frame| (frame.header.prev, frame.header.last)).collect();
    assert_eq!(told[0], (0, false));
    assert!(told[1..told.len() - 1].iter().all(|one| *one == (1, false)));
    assert_eq!(told[told.len() - 1], (1, true));
    let mut model = Model::default();
    model.apply(&path(["s"]), &Act::Dict, 0);
    for frame in &frames {
        assert!(frame.body.len() <= BODY_FULL && frame.header.ops as usize <= OPS_MAX);
        for op in op::decode(&frame.body).unwrap() {
            model.apply(&op.path, &op.act, 1);
        }
        assert_eq!(model.digest_at(&path(["a"])), frame.header.after, "each frame is checked");
    }
    assert_eq!(model.digest(), publisher.model().digest());
    let tiny: Vec<Op> = (0..count).map(|at| set(&["b", "x"], at)).collect();
    let frames = change(&mut publisher, &tiny);
    assert_eq!(frames[0].header.ops as usize, OPS_MAX);
}

fn refused(publisher: &mut Publisher, ops: &[Op]) -> Fault {
    let before = (publisher.seq(), publisher.model().digest());
    let fault = publisher.change(ops, Now::default()).unwrap_err();
    assert_eq!(before, (publisher.seq(), publisher.model().digest()), "all of it or nothing");
    fault
}

#[test]
fn what_is_refused_is_named_and_nothing_is_done() {
    let mut publisher = publisher();
    let good = set(&["a", "x"], 1);
    let deep: Path = vec!["k".into(); 513];
    let lists = (0..65).fold(Value::Null, |value, _| Value::List([value].as_slice().into()));
    let large = Value::Bytes(vec![0; VALUE_MAX].into());
    let cases = [
        (Op::set(deep, 1_i64), "a path has 513 keys, 512 are allowed, at [\"k\",\"k\""),
        (
            Op::set(path(["k".repeat(1025)]), 1_i64),
            "a key has 1025 bytes, 1024 are allowed, at [\"kkk",
        ),
        (Op::set(vec!["k".repeat(1024).into(); 65], 1_i64), "the keys of a path have 66560 bytes"),
        (
            Op { path: path(["a", "l"]), act: Act::Set(lists) },
            "more than 64 lists in lists, at [\"a\",\"l\"]",
        ),
        (
            Op { path: path(["a", "l"]), act: Act::Set(large) },
            "a leaf has 16646149 bytes, 16646144 are allowed, at [\"a\",\"l\"]",
        ),
        (set(&["s"], 1), "the dict at [\"s\"] cannot be changed itself"),
        (Op { path: Path::new(), act: Act::Clear }, "the dict at [] cannot be changed itself"),
        (Op::delete(path(["s"])), "the dict at [\"s\"] cannot be changed itself"),
    ];
    for (op, why) in cases {
        let fault = refused(&mut publisher, &[good.clone(), op]);
        assert!(fault.message.starts_with(why), "{}", fault.message);
        assert!(fault.message.chars().count() < 300, "it is clipped");
    }
    let many = vec![good.clone(); TRANSACTION_OPS_MAX + 1];
    assert!(
        refused(&mut publisher, &many).message.contains("1000001 operations, 1000000 are allowed")
    );
    let text = Value::from("x".repeat(VALUE_MAX - 10).as_str());
    let heavy: Vec<Op> = (0..17)
        .map(|at| Op { path: path([at.to_string()]), act: Act::Set(text.clone()) })
        .collect();
    assert_eq!(refused(&mut publisher, &heavy).code, Code::TooLarge);
    let wide: Vec<Op> =
        (0..=TRANSACTION_SECTIONS_MAX).map(|at| set(&[&at.to_string()], 1)).collect();
    assert!(refused(&mut publisher, &wide).message.contains("in 60001 sections"));
    assert_eq!(change(&mut publisher, &wide[1..]).len(), TRANSACTION_SECTIONS_MAX);
}

#[test]
fn a_full_model_can_still_be_changed() {
    let mut publisher = Publisher::new(Options { nodes_max: 4, ..Options::new("m", 1) });
    change(&mut publisher, &[set(&["a", "b"], 1), set(&["a", "c"], 1)]);
    assert_eq!(publisher.model().nodes(), 4);
    assert_eq!(refused(&mut publisher, &[set(&["a", "d"], 1)]).code, Code::TooLarge);
    assert_eq!(refused(&mut publisher, &[set(&["d"], 1)]).code, Code::TooLarge);
    change(&mut publisher, &[set(&["a", "b"], 2)]);
    change(&mut publisher, &[Op::delete(path(["a", "b"])), set(&["a", "d"], 1)]);
    change(&mut publisher, &[set(&["a"], 1)]);
    assert_eq!(publisher.model().nodes(), 2);
}

#[test]
fn heartbeats_tell_of_news_and_of_the_others_in_turn() {
    let mut publisher = publisher();
    let whole = section_id(&[]);
    assert_eq!(read(&publisher.tick(Now::default())).len(), 1);
    for at in 0..100 {
        change(&mut publisher, &[set(&[&at.to_string()], at)]);
    }
    assert_eq!(read(&publisher.tick(Now::default())).len(), 101, "all of them are news");
    let mut seen = BTreeSet::new();
    for _ in 0..4 {
        let beats = read(&publisher.tick(Now::default()));
        assert_eq!(beats.len(), 1 + IDLE_HEARTBEATS);
        let header = beats[0].header;
        assert_eq!(
            (header.kind, header.section, header.seq, header.prev),
            (Type::Heartbeat, whole, 100, 1)
        );
        assert_eq!((header.after, beats[0].body.as_ref()), (publisher.model().digest(), &[0][..]));
        for beat in &beats[1..] {
            let key = format!("{}", beat.header.seq - 1);
            assert_eq!(beat.header.section, section_id(&path([&key])));
            assert_eq!(beat.header.after, publisher.model.digest_at(&path([&key])));
            seen.insert(beat.header.section);
        }
    }
    assert_eq!(seen.len(), 100, "everybody had a turn");
    change(&mut publisher, &[set(&["50"], -1)]);
    let beats = read(&publisher.tick(Now::default()));
    assert!(
        beats
            .iter()
            .any(|beat| beat.header.seq == 101 && beat.header.section == section_id(&path(["50"])))
    );
    let bye = read(&[publisher.bye(Now::default())]).remove(0);
    assert_eq!(
        (bye.header.kind, bye.header.seq, bye.header.after),
        (Type::Bye, 101, publisher.model().digest())
    );
}

#[test]
fn hello_tells_where_it_is() {
    let mut publisher = publisher();
    publisher.at("tcp://here:1");
    change(&mut publisher, &[set(&["a"], 1)]);
    let Ok(Answer::Hello(hello)) = ask(&mut publisher, &Ask::Hello) else { panic!("a hello") };
    assert_eq!((hello.epoch, hello.seq, hello.first, hello.nodes), (7, 1, 1, 3));
    assert_eq!((hello.events.as_str(), hello.writable), ("tcp://here:1", true));
    assert_eq!((hello.digest, hello.junctions.len()), (publisher.model().digest(), 2));
}

#[test]
fn another_epoch_is_gone() {
    let mut publisher = publisher();
    let replay = ask::Replay { epoch: 6, after: 0, sections: Vec::new(), bytes_max: 1000 };
    let fault = ask(&mut publisher, &Ask::Replay(replay.clone())).unwrap_err();
    assert_eq!((fault.code, fault.hint.as_str()), (Code::Gone, "ask HELLO"));
    assert!(ask(&mut publisher, &Ask::Replay(ask::Replay { epoch: 7, ..replay })).is_ok());
    let diff = ask::Diff { epoch: 8, from: 0, sections: Vec::new(), after: None, zstd: false };
    assert_eq!(ask(&mut publisher, &Ask::Diff(diff)).unwrap_err().code, Code::Gone);
}

#[test]
fn a_diff_makes_of_what_was_what_is() {
    let mut publisher = publisher();
    let junction = publisher.model().clone();
    change(
        &mut publisher,
        &[set(&["a", "x"], 1), set(&["b", "y"], 2), set(&["c"], 3), set(&["d", "e", "f"], 4)],
    );
    let mut between = vec![(0, junction), (1, publisher.model().clone())];
    let steps: [&[Op]; 6] = [
        &[set(&["a"], 5)],
        &[set(&["a", "new"], 6), Op::delete(path(["b"]))],
        &[set(&["c", "dict"], 7), Op { path: path(["d", "e"]), act: Act::Clear }],
        &[Op::delete(path(["c"])), set(&["c"], 8), set(&["b", "z"], 9)],
        &[Op { path: path(["a"]), act: Act::Clear }],
        &[set(&["d", "e", "g"], 10), Op::delete(path(["d", "e", "g"]))],
    ];
    for ops in steps {
        change(&mut publisher, ops);
        between.push((publisher.seq(), publisher.model().clone()));
    }
    for (at, (_, model)) in between.iter().enumerate() {
        // From any time before it, too.
        for (from, _) in &between[..=at] {
            let diff =
                ask::Diff { epoch: 7, from: *from, sections: Vec::new(), after: None, zstd: false };
            let Ok(Answer::Page(page)) = ask(&mut publisher, &Ask::Diff(diff)) else {
                panic!("a page")
            };
            let frame = Frame::from_one(&page.frame).unwrap();
            assert_eq!((frame.header.kind, page.next.is_none()), (Type::Diff, true));
            let mut model = model.clone();
            for op in op::decode(&frame.body).unwrap() {
                model.apply(&op.path, &op.act, 99);
            }
            assert_eq!(model.digest(), publisher.model().digest(), "from {from} on {at}");
            assert_eq!(page.of.digest, publisher.model().digest());
        }
    }
}

fn put(publisher: &mut Publisher, put: Put) -> (Result<Changed, Fault>, usize) {
    let (reply, published) = publisher.answer(&Ask::Put(put), Now::default());
    let changed = reply.now().map(|answer| match answer {
        Answer::Changed(changed) => changed,
        other => panic!("{other:?}"),
    });
    (changed, published.len())
}

#[test]
fn a_put_is_done_if_all_its_conditions_hold_and_only_once() {
    let mut publisher = publisher();
    let absent = vec![(path(["a"]), Digest::ZERO), (path(["b"]), Digest::ZERO)];
    let one = Put {
        ops: vec![set(&["a"], 1)],
        conditions: absent.clone(),
        request_id: Some("id".into()),
    };
    assert_eq!(put(&mut publisher, one.clone()), (Ok(Changed::Done(1)), 1));
    assert_eq!(put(&mut publisher, one.clone()), (Ok(Changed::Done(1)), 0), "asked again");
    let other = Put { request_id: None, ..one.clone() };
    let (conflict, published) = put(&mut publisher, other);
    let Ok(Changed::Conflict(paths, there)) = conflict else { panic!("a conflict") };
    assert_eq!((paths, published), (vec![path(["a"])], 0));
    let there = Changed::there(&there).unwrap();
    assert_eq!(op::decode(&there.body).unwrap(), [set(&["a"], 1)]);
    // Of two who write the same, one is told.
    let digest = publisher.model.digest_at(&path(["a"]));
    let write = |value| Put {
        ops: vec![set(&["a", "x"], value)],
        conditions: vec![(path(["a"]), digest)],
        request_id: None,
    };
    assert!(matches!(put(&mut publisher, write(2)).0, Ok(Changed::Done(2))));
    assert!(
        matches!(put(&mut publisher, write(3)).0, Ok(Changed::Conflict(..))),
        "a dict is there now"
    );
    assert_eq!(publisher.seq(), 2);
    publisher.options.writable = false;
    assert_eq!(put(&mut publisher, one).0.unwrap_err().code, Code::NotWritable);
}

#[test]
fn an_audit_finds_what_is_wrong_in_the_publisher() {
    let mut publisher = publisher();
    change(&mut publisher, &[set(&["a"], 1)]);
    let digest = publisher.model().digest();
    assert_eq!(ask(&mut publisher, &Ask::Audit), Ok(Answer::Audit(1, digest, Some(digest))));
}

#[test]
fn a_model_taken_over_begins_anew() {
    let mut first = publisher();
    change(&mut first, &[set(&["a", "x"], 1), set(&["b"], 2)]);
    let held = first.model().clone();
    let mut next = Publisher::with(
        Options { junctions: Junctions::new([path(["s"])]), ..Options::new("m", 8) },
        held.clone(),
    );
    assert_eq!((next.seq(), next.model().digest()), (0, held.digest()));
    change(&mut next, &[set(&["b"], 3)]);
    let diff = ask::Diff { epoch: 8, from: 0, sections: Vec::new(), after: None, zstd: false };
    let Ok(Answer::Page(page)) = ask(&mut next, &Ask::Diff(diff)) else { panic!("a page") };
    let frame = Frame::from_one(&page.frame).unwrap();
    assert_eq!(op::decode(&frame.body).unwrap(), [set(&["b"], 3)]);
}

#[test]
fn what_is_no_section_is_refused() {
    let mut publisher = publisher();
    for section in [Path::new(), path(["s"]), path(["a", "b"]), path(["s", "b", "c"])] {
        let cut = ask::Cut { sections: vec![section.clone()], from: 0 };
        assert_eq!(ask(&mut publisher, &Ask::Cut(cut)).unwrap_err().code, Code::BadRequest);
        let replay = ask::Replay { epoch: 7, after: 0, sections: vec![section], bytes_max: 1000 };
        assert_eq!(ask(&mut publisher, &Ask::Replay(replay)).unwrap_err().code, Code::BadRequest);
    }
}

#[test]
fn an_audit_of_a_publisher_finds_what_is_wrong_and_has_it_agree_with_itself() {
    let mut publisher = publisher();
    publisher.change(&[Op::set(path(["a", "x"]), 1_i64)], Now::default()).unwrap();
    assert!(publisher.audit(Duration::from_secs(599)).is_none());
    publisher.model.corrupt(&path(["a", "x"]), 2_i64);
    let model = publisher.audit(Duration::from_secs(600)).expect("it is time");
    assert!(publisher.audit(Duration::from_secs(601)).is_none(), "not at once again");
    let wrong = audit::told(&model);
    assert_eq!(wrong, [path(["a"])]);
    let before = publisher.model.digest();
    publisher.audited(&[]);
    assert_eq!(publisher.model.digest(), before);
    publisher.audited(&wrong);
    assert_eq!(publisher.model.digest(), publisher.model.recompute());
}

#[test]
fn sections_that_are_long_gone_are_forgotten() {
    let mut publisher = Publisher::new(Options::new("m", 7));
    let at = |seconds: u64| Now { since: Duration::from_secs(seconds), wall: 0 };
    let set = |key: &str| Op::set(path([key, "x"]), 1_i64);
    publisher.change(&[set("a"), set("b")], at(1)).unwrap();
    publisher.change(&[Op::delete(path(["b"]))], at(2)).unwrap();
    let beats = |publisher: &mut Publisher, seconds: u64| publisher.tick(at(seconds)).len();
    assert_eq!(beats(&mut publisher, 3), 3);
    assert_eq!(beats(&mut publisher, 602), 3, "it can still be replayed");
    assert_eq!(beats(&mut publisher, 603), 3, "and is told once more");
    assert_eq!(beats(&mut publisher, 604), 2);
    assert_eq!(publisher.chains.find(&path(["b"])), None);
    // It comes again, and another one with it, which takes no other's place.
    let published = publisher.change(&[set("c"), set("b")], at(605)).unwrap();
    let prevs = published.iter().map(|[_, header, _]| Header::from_bytes(header).unwrap().prev);
    assert_eq!(prevs.collect::<Vec<_>>(), [0, 0]);
    assert_eq!(beats(&mut publisher, 606), 4);
}
