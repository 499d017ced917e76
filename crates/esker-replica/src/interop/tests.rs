//! Interop mode: the vectors recorded of the experiment, and what its messages cannot say.

use super::mirror::{Mirror, Verdict};
use super::text::Plain;
use super::*;
use crate::path::path;
use crate::value::{Record, Value};

fn at(keys: &str) -> Path {
    path(keys.split('/'))
}

fn text(keys: &str, value: &str) -> Op {
    Op::set(at(keys), value)
}

fn act(keys: &str, act: Act) -> Op {
    Op { path: at(keys), act }
}

/// What is answered to `update`, without the time.
fn whole(interop: &mut Interop) -> String {
    let answer = interop.answer(b"update");
    answer.split_once(", ").expect("a pair").1.strip_suffix(']').expect("a pair").to_owned()
}

fn sum(interop: &mut Interop) -> String {
    interop.answer(b"verify").split('"').nth(1).expect("a text").to_owned()
}

#[test]
fn checksums_and_answers_are_as_recorded() {
    let mut interop = Interop::default();
    let empty = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    assert_eq!(interop.answer(b"verify"), format!("[0, \"{empty}\"]"));
    assert_eq!(interop.answer(b"update"), "[0, {}]");
    assert_eq!(interop.answer(b"verify\n"), "[null, \"unknown request\"]");

    let told = interop.change(&[text("ABMs", "AIDS")], 1_795_225_115.432_162);
    assert_eq!(told.events, ["[1795225115.432162, {\"ABMs\": \"AIDS\"}]"]);
    assert_eq!(interop.answer(b"update"), "[1795225115.432162, {\"ABMs\": \"AIDS\"}]");
    assert_eq!(
        interop.answer(b"verify"),
        "[1795225115.432162, \"3893e9e1794dd351ad796237993d791336e4267dc42dc822f193cfe76735c46b\"]"
    );
    interop.change(&[text("ANSI", "AWACS")], 2e9);
    let two = "f69962e8f513482be72942447f6be73971f4f2a7f83d2fe29e9697cd637bb251";
    assert_eq!(sum(&mut interop), two);

    let mut other = Interop::default();
    other.change(&[text("ABMs", "Aaliyah")], 1.0);
    other.change(&[text("ANSI", "AWACS"), text("Abdul", "Abidjan")], 2.0);
    let three = "d347db4c9a583d939665b89e211e6c6c9f1166c9f48d0e59d067d5177c67e218";
    assert_eq!(sum(&mut other), three);

    let mut nested = Interop::default();
    nested.change(&[text("ABMs/AIDS", "ANSI")], 1.0);
    let below = "502122c68b9d4d82a29e9b2b06d91cf8640fd7c6755b935b05607cc62e9f3d6f";
    assert_eq!(sum(&mut nested), below);
}

#[test]
fn leaves_are_set_breadth_first_and_keep_their_places() {
    let mut interop = Interop::default();
    let told = interop.change(&[text("z/b", "1"), text("z/a/deep", "x"), text("alpha", "2")], 1.0);
    let said = "{\"z\": {\"b\": \"1\", \"a\": {\"deep\": \"x\"}}, \"alpha\": \"2\"}";
    assert_eq!(told.events, [format!("[1.0, {said}]")]);
    let done = "{\"alpha\": \"2\", \"z\": {\"b\": \"1\", \"a\": {\"deep\": \"x\"}}}";
    assert_eq!(whole(&mut interop), done);
    interop.change(&[text("z", "leaf"), text("alpha", "3"), text("new", "n")], 2.0);
    assert_eq!(whole(&mut interop), "{\"alpha\": \"3\", \"z\": \"leaf\", \"new\": \"n\"}");
}

#[test]
fn times_rise_whatever_the_clock_does() {
    let mut interop = Interop::default();
    let mut last = 0.0;
    for wall in [1_795_225_115.4, 1_795_225_115.4, 1_795_225_000.0, 1_795_225_116.0] {
        let told = interop.change(&[text("a", "b")], wall);
        let shown = told.events[0].split([',', '[']).nth(1).expect("a time").to_owned();
        let time: f64 = shown.parse().expect("a number");
        assert!(time > last, "{time} after {last}");
        last = time;
    }
    assert!((last - 1_795_225_116.0).abs() < 1e-9);
}

#[test]
fn what_they_have_no_words_for_is_left_out_for_good() {
    let mut interop = Interop::default();
    interop.change(&[text("a", "leaf"), text("d/x", "1"), text("d/y", "2")], 1.0);
    let told = interop.change(&[text("a/b", "1"), text("c", "2")], 2.0);
    assert_eq!((&told.events[..], told.left_out), (&["[2.0, {\"c\": \"2\"}]".to_owned()][..], 1));
    // Theirs still has a leaf at `a`: another change below it would end their program.
    assert_eq!(interop.change(&[text("a/c", "1")], 3.0).events.len(), 0);
    let told = interop.change(&[Op::delete(at("a")), text("a/z/z", "1")], 4.0);
    assert_eq!((told.events.len(), told.left_out), (0, 2));
    assert_eq!(told.first, Some(at("a")));

    let told =
        interop.change(&[act("d", Act::Clear), text("d/x/below", "1"), text("d/w", "3")], 5.0);
    assert_eq!(told.events, ["[5.0, {\"d\": {\"w\": \"3\"}}]"]);
    let all = "{\"d\": {\"x\": {\"below\": \"1\"}, \"w\": \"3\"}, \"c\": \"2\", \"a\": {\"z\": {\"z\": \"1\"}}}";
    assert_eq!(whole(&mut interop), all);

    // A leaf takes the place of whatever they have: from then on there are words again.
    assert_eq!(interop.change(&[text("a", "leaf")], 6.0).events.len(), 1);
    assert_eq!(interop.change(&[text("d", "leaf")], 7.0).events.len(), 1);
    assert!(interop.stuck.is_empty());
}

#[test]
fn empty_dicts_and_bytes_have_no_words() {
    let mut interop = Interop::default();
    let dict_first = [act("a", Act::Dict), text("b", "1"), text("a/x", "1")];
    let told = interop.change(&dict_first, 1.0);
    assert_eq!((told.events.len(), told.left_out), (1, 0), "something is in it");
    assert_eq!(whole(&mut interop), "{\"b\": \"1\", \"a\": {\"x\": \"1\"}}");
    let told = interop.change(&[act("e", Act::Dict), act("a", Act::Dict)], 2.0);
    assert_eq!((told.events.len(), told.left_out), (0, 1));
    let bytes = Op { path: at("a/x"), act: Act::Set(Value::Bytes([1][..].into())) };
    assert_eq!(interop.change(&[bytes], 3.0).left_out, 1);
    assert_eq!(whole(&mut interop), "{\"b\": \"1\", \"a\": {}, \"e\": {}}");
    let told = interop
        .change(&[text("e", "x"), act("e", Act::Dict), act("f/g", Act::Dict), text("f", "1")], 4.0);
    assert_eq!((told.events.len(), told.left_out), (2, 1), "{told:?}");
    assert_eq!(whole(&mut interop), "{\"b\": \"1\", \"a\": {}, \"e\": {}, \"f\": \"1\"}");
}

#[test]
fn values_are_as_python_writes_them() {
    let floats = [
        (1e16, "1e+16"),
        (1e22, "1e+22"),
        (1e-5, "1e-05"),
        (0.0001, "0.0001"),
        (123_456_789_012_345_680.0, "1.2345678901234568e+17"),
        (100.0, "100.0"),
        (-0.0, "-0.0"),
        (f64::NAN, "NaN"),
        (f64::NEG_INFINITY, "-Infinity"),
        (5e-324, "5e-324"),
        (9_999_999_999_999_998.0, "9999999999999998.0"),
    ];
    for (number, wanted) in floats {
        assert_eq!(super::text::float(number), wanted);
    }
    let mut out = String::new();
    super::text::quote("a\"\\/\u{8}\u{c}\n\r\t\u{1f}\u{7f}é\u{1f600}", &mut out);
    assert_eq!(out, r#""a\"\\/\b\f\n\r\t\u001f\u007f\u00e9\ud83d\ude00""#);
    let record = Record::new([("b".into(), Value::Null), ("a".into(), Value::from(1.5))]);
    let list =
        Value::List([Value::from(true), Value::Record(record), Value::from(u64::MAX)][..].into());
    let wanted = "[true, {\"a\": 1.5, \"b\": null}, 18446744073709551615]";
    assert_eq!(super::text::of_value(&list).as_deref(), Some(wanted));
}

#[test]
fn what_python_reads_is_read() {
    let same = [
        ("[1,-2,123456789012345678901234567890]", "[1, -2, 123456789012345678901234567890]"),
        (" { \"b\" : 1 , \"a\" : [ ] , \"b\" : {} } ", "{\"b\": {}, \"a\": []}"),
        ("[1E5, -0, 0.10, NaN, -Infinity, 1e400]", "[100000.0, 0, 0.1, NaN, -Infinity, Infinity]"),
        (r#""\ud83d\ude00\/é\u00e9""#, r#""\ud83d\ude00/\u00e9\u00e9""#),
    ];
    for (read, written) in same {
        let mut out = String::new();
        Plain::parse(read.as_bytes()).expect(read).append(&mut out);
        assert_eq!(out, written);
    }
    let deep = "[".repeat(1000);
    let wrong = [
        "",
        "[",
        "[1",
        "[1,]",
        "[1 2]",
        "{\"a\"}",
        "{a:1}",
        "nul",
        "01",
        "-",
        "\"",
        "\"\\u12\"",
        "\"\\x\"",
        "\"\n\"",
        "1 1",
        "'a'",
        &deep,
    ];
    for text in wrong {
        assert!(Plain::parse(text.as_bytes()).is_err(), "{text}");
    }
    assert!(Plain::parse(b"\"\xff\"").is_err());
}

/// A publisher of theirs and a copy of it.
fn pair() -> (Interop, Mirror, Model) {
    (Interop::default(), Mirror::default(), Model::default())
}

fn apply(model: &mut Model, ops: &[Op]) {
    for op in ops {
        model.apply(&op.path, &op.act, 0);
    }
}

#[test]
fn a_copy_of_theirs_is_mended_when_a_change_was_lost() {
    let (mut theirs, mut mirror, mut model) = pair();
    let first = theirs.change(&[text("a/b", "1"), text("c", "2")], 1.0);
    theirs.change(&[text("lost", "3")], 2.0);
    let third = theirs.change(&[text("c", "4")], 3.0);
    apply(&mut model, &mirror.delta(first.events[0].as_bytes()).expect("read"));
    // The third is under way: their checksum may be of a moment that comes yet.
    let verify = theirs.answer(b"verify");
    assert_eq!(mirror.verify(verify.as_bytes()), Ok(Verdict::Later));
    apply(&mut model, &mirror.delta(third.events[0].as_bytes()).expect("read"));
    assert_eq!(mirror.verify(verify.as_bytes()), Ok(Verdict::Update));
    apply(&mut model, &mirror.update(theirs.answer(b"update").as_bytes()).expect("read"));
    assert_eq!(mirror.verify(verify.as_bytes()), Ok(Verdict::Same));
    assert_eq!(mirror.delta(third.events[0].as_bytes()), Ok(Vec::new()), "it is part of it");
    let mut built = Interop::default();
    built.renew(&model, 1.0);
    assert_eq!(whole(&mut built), "{\"c\": \"4\", \"lost\": \"3\", \"a\": {\"b\": \"1\"}}");
}

#[test]
fn a_copy_updates_when_what_was_awaited_does_not_come() {
    let (mut theirs, mut mirror, mut model) = pair();
    theirs.change(&[text("a", "1")], 1.0);
    let verify = theirs.answer(b"verify");
    assert_eq!(mirror.verify(verify.as_bytes()), Ok(Verdict::Later));
    assert_eq!(mirror.verify(verify.as_bytes()), Ok(Verdict::Update));
    apply(&mut model, &[text("gone", "x"), text("a/b", "x")]);
    mirror
        .update(b"[0.5, {\"gone\": 1, \"a\": {\"b\": 1}, \"n\": 123456789012345678901}]")
        .expect("read");
    let ops = mirror.update(theirs.answer(b"update").as_bytes()).expect("read");
    apply(&mut model, &ops);
    let mut wanted = Model::default();
    apply(&mut wanted, &[text("a", "1")]);
    assert_eq!(model.digest(), wanted.digest());
    for wrong in ["", "1", "[1]", "[1, 2]", "[\"1\", {}]", "[NaN, {}]", "[1, {}, 3]"] {
        assert!(mirror.delta(wrong.as_bytes()).is_err(), "{wrong}");
        assert!(mirror.update(wrong.as_bytes()).is_err(), "{wrong}");
    }
}

/// One of their subscribers: what it has, and whether anything was left out since it had the whole.
#[derive(Default)]
struct Client {
    data: Dict,
    is_behind: bool,
}

impl Client {
    fn hear(&mut self, event: &str) {
        let (_, delta) = mirror::read(event.as_bytes()).expect("read");
        let Plain::Dict(delta) = delta else { panic!("{event}") };
        for (path, text) in mirror::dict(delta).breadth_first() {
            assert_eq!(self.data.leaf_above(&path, false), None, "{event} would end its program");
            self.data.set(&path, Node::Leaf(text.into()));
        }
    }

    fn update(&mut self, interop: &mut Interop) {
        let (_, whole) = mirror::read(interop.answer(b"update").as_bytes()).expect("read");
        let Plain::Dict(whole) = whole else { panic!("no dict") };
        *self = Self { data: mirror::dict(whole), is_behind: false };
    }
}

/// What happens to a model: an operation, the end of a transaction, or that of a client's patience.
#[derive(Debug, Clone)]
enum Event {
    Op(Op),
    End,
    Update,
    Renew,
}

fn events() -> impl proptest::strategy::Strategy<Value = Vec<Event>> {
    use proptest::prelude::*;
    let keys = prop::collection::vec("[abc]", 1..4);
    let op = (0..10, keys, "[xy]").prop_map(|(kind, keys, value)| {
        let path = path(keys);
        let act = match kind {
            0 => Act::Delete,
            1 => Act::Dict,
            2 => Act::Clear,
            3 => Act::Set(Value::Bytes([1][..].into())),
            _ => Act::Set(Value::Text(value.into())),
        };
        Event::Op(Op { path, act })
    });
    let event = prop_oneof![8 => op, 3 => Just(Event::End), 1 => Just(Event::Update), 1 => Just(Event::Renew)];
    prop::collection::vec(event, 0..60)
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(3000))]

    #[test]
    fn no_client_is_ended_and_who_missed_nothing_verifies(events in events()) {
        let (mut interop, mut model, mut ops) = (Interop::default(), Model::default(), Vec::new());
        let mut clients = [Client::default(), Client::default()];
        for event in events.into_iter().chain([Event::End]) {
            let told = match event {
                Event::Op(op) => {
                    ops.push(op);
                    continue;
                }
                Event::Update => {
                    clients[1].update(&mut interop);
                    continue;
                }
                Event::End => {
                    apply(&mut model, &ops);
                    interop.change(&std::mem::take(&mut ops), 1.0)
                }
                Event::Renew => {
                    apply(&mut model, &std::mem::take(&mut ops));
                    interop.renew(&model, 1.0)
                }
            };
            for client in &mut clients {
                told.events.iter().for_each(|event| client.hear(event));
                client.is_behind |= told.left_out > 0;
                if !client.is_behind {
                    proptest::prop_assert_eq!(checksum(&client.data), sum(&mut interop));
                }
            }
        }
        // It is the model, but for bytes; a renewal finds nothing to say.
        let told = interop.renew(&model, 1.0);
        proptest::prop_assert_eq!(told.events, Vec::<String>::new());
    }
}
