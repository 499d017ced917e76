//! The seeds' messages, byte for byte as recorded from the original programs.

use super::{SeedRequest, content, error, event, ok};
use crate::fault::{Code, Fault};
use crate::revision::{At, Revision};

const FULL: &str = "3b73400000000000000000000000000000000000";

fn revision() -> Revision {
    FULL.parse().expect("40 digits")
}

fn get(frame: &[u8]) -> (String, At) {
    match SeedRequest::from_frame(frame).expect("a request") {
        SeedRequest::Get { name, at } => (name, at),
        SeedRequest::Put { .. } => panic!("a GET was sent"),
    }
}

fn put(frame: &[u8]) -> (String, Vec<u8>) {
    match SeedRequest::from_frame(frame).expect("a request") {
        SeedRequest::Put { name, content } => (name, content.to_vec()),
        SeedRequest::Get { .. } => panic!("a PUT was sent"),
    }
}

#[test]
fn reads_a_get_with_and_without_a_version() {
    for frame in [&b"=====GET qplan app"[..], b"=====GET qplan app\n"] {
        assert_eq!(get(frame), ("qplan app".to_owned(), At::head()));
    }
    for frame in [
        &b"=====GET raw qplan\n\t3b734"[..],
        b"=====GET raw qplan\n\t3b734\n",
        b"=====GET raw qplan\n\t3b734\tanything",
    ] {
        let (name, at) = get(frame);
        assert_eq!((name.as_str(), at.as_str()), ("raw qplan", "3b734"));
    }
}

#[test]
fn reads_a_put_and_loses_nothing_but_one_line_feed() {
    let (name, content) =
        put(b"=====PUT qplan app\n\tline one\n\t=====nested head\n\t\tinner\n\tlast");
    assert_eq!(name, "qplan app");
    assert_eq!(content, b"line one\n=====nested head\n\tinner\nlast");
    assert_eq!(put(b"=====PUT a b\n\tx\t \n\t\n").1, b"x\t \n");
    assert_eq!(put(b"=====PUT a b\n").1, b"");
    assert_eq!(put("=====PUT a b\n\tprüfung\n".as_bytes()).1, "prüfung".as_bytes());
}

#[test]
fn refuses_what_the_original_choked_on() {
    let cases: [(&[u8], &str); 8] = [
        (b"", "the message holds 0 requests, expected one"),
        (b"=====GET a b\n=====GET a b\n", "the message holds 2 requests, expected one"),
        (b"=====LIST", "cannot read the request \"LIST\""),
        (b"=====PUTX", "cannot read the request \"PUTX\""),
        (b"=====GET ", "cannot read the request \"GET \""),
        (b"garbage", "line 1: expected a header `=====NAME`, found \"garbage\""),
        (b"=====PUT a b\nx", "line 2: content must start with a tab, found \"x\""),
        (b"=====PUT a b\n\t\xff", "the message is not UTF-8"),
    ];
    for (frame, expected) in cases {
        let fault = SeedRequest::from_frame(frame).expect_err(expected);
        assert_eq!((fault.code, fault.message.as_str()), (Code::BadRequest, expected));
    }
}

#[test]
fn answers_as_the_original_did() {
    let answer = content("qplan app", revision(), b"line one\n=====nested head\n\tinner\nlast");
    let expected = format!(
        "=====qplan app\n\t{FULL}\n=====data\n\tline one\n\t=====nested head\n\t\tinner\n\tlast"
    );
    assert_eq!(answer, expected.as_bytes());
    assert_eq!(ok(), "OK");
    assert_eq!(event("qplan app"), "=====qplan app");
}

#[test]
fn an_answer_never_ends_in_a_line_feed() {
    for data in [&b""[..], b"x", b"x\n"] {
        let answer = content("a b", revision(), data);
        assert_ne!(answer.last(), Some(&b'\n'), "{data:?}");
    }
    let fault = Fault::new(Code::NotFound, "no\nsuch").hint("look\nelsewhere");
    assert_eq!(error(&fault), "ERROR: no such; look elsewhere");
}
