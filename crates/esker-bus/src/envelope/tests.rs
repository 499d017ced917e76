//! Envelopes of every kind of client, numbers and refusals.

use bytes::Bytes;
use esker_wire::fault::{Code, Fault};

use super::{check_size, id, number, refusal, split};

fn frames(texts: &[&str]) -> Vec<Bytes> {
    texts.iter().map(|text| Bytes::from((*text).to_owned())).collect()
}

#[test]
fn the_way_back_ends_with_the_first_empty_frame() {
    let check = |message: &[&str], way: &[&str], request: &[&str]| {
        assert_eq!(split(frames(message), 0), (frames(way), frames(request)));
    };
    check(&["", "=====GET a"], &[""], &["=====GET a"]);
    check(&["7", "", "=====GET a"], &["7", ""], &["=====GET a"]);
    check(&["", "", "x"], &[""], &["", "x"]);
    // A bare DEALER; an empty frame of its body is no delimiter.
    check(&["=====esker/1 PUT a", ""], &[], &["=====esker/1 PUT a", ""]);
    check(&["=====esker/1 PUT a", "", "b"], &[], &["=====esker/1 PUT a", "", "b"]);
    check(&["garbage"], &[], &["garbage"]);
    // There is always something left to answer.
    check(&[""], &[], &[""]);
    check(&["7", ""], &[], &["7", ""]);
    check(&["", ""], &[""], &[""]);
}

#[test]
fn the_way_back_begins_with_the_peers_identity() {
    let check = |message: &[&str], way: &[&str], request: &[&str]| {
        assert_eq!(split(frames(message), 1), (frames(way), frames(request)));
    };
    check(&["peer", "7", "", "x"], &["peer", "7", ""], &["x"]);
    // An identity is any bytes, none of them a delimiter.
    check(&["", "", "x"], &["", ""], &["x"]);
    check(&["peer", "x"], &["peer"], &["x"]);
    check(&["peer"], &["peer"], &[]);
    check(&[], &[], &[]);
}

#[test]
fn a_delimiter_far_down_is_none() {
    let deep = |hops: usize| {
        let mut message = vec![Bytes::from_static(b"hop"); hops];
        message.extend(frames(&["", "x"]));
        split(message, 0).0.len()
    };
    assert_eq!(deep(15), 16);
    assert_eq!(deep(16), 0);
}

#[test]
fn the_number_is_a_field_of_the_first_section() {
    let check = |head: &str, expected: Option<&str>| {
        assert_eq!(id(&frames(&[head])).as_deref(), expected, "{head}");
    };
    check("=====esker/1 GET a\n\tid: 7\n", Some("7"));
    check("=====esker/1 GET a\n\trev: x\n\tid:7", Some("7"));
    check("=====esker/1 GET a\n\tid: \n", Some(""));
    check("=====esker/1 GET a\n=====b\n\tid: 7\n", None);
    check("=====esker/1 GET a\n\tidea: 7\n", None);
    check("=====GET a\n\tid: 7", None);
    assert_eq!(id(&[]), None);
}

#[test]
fn a_reply_gets_the_number_in_place_of_its_own() {
    let reply = frames(&["=====esker/1 OK\n\tid: 1\n\ta: b\n", "body"]);
    let numbered = frames(&["=====esker/1 OK\n\tid: 7\n\ta: b\n", "body"]);
    assert_eq!(number(reply.clone(), Some("7")), numbered);
    assert_eq!(number(reply.clone(), None), reply);
    let seed = frames(&["OK"]);
    assert_eq!(number(seed.clone(), Some("7")), seed);
}

#[test]
fn a_refusal_is_in_the_asker_s_form() {
    let fault = Fault::new(Code::Busy, "full").hint("wait");
    let check = |request: &str, reply: &str| {
        assert_eq!(refusal(&frames(&[request]), &fault), frames(&[reply]));
    };
    let ours = "=====esker/1 ERROR busy\n\tid: 7\n\tmessage: full\n\thint: wait\n";
    check("=====esker/1 GET a\n\tid: 7", ours);
    check("=====GET a", "ERROR: full; wait");
    check("", "ERROR: full; wait");
}

#[test]
fn sizes_are_checked_by_bytes_and_by_frames() {
    let check = |message: &[Bytes]| check_size("request", message, 100).is_ok();
    assert!(check(&[Bytes::from(vec![0; 60]), Bytes::from(vec![0; 40])]));
    assert!(!check(&[Bytes::from(vec![0; 60]), Bytes::from(vec![0; 41])]));
    assert!(check(&vec![Bytes::new(); super::FRAMES_MAX]));
    assert!(!check(&vec![Bytes::new(); super::FRAMES_MAX + 1]));
}
