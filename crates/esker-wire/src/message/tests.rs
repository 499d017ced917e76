//! Heads and bodies, and what comes of broken ones.

use bytes::Bytes;
use proptest::prelude::*;

use super::{HEAD_MAX, Message, Section, answer};
use crate::fault::{Code, Fault};
use crate::snapshot::{Health, Resolve};

#[test]
fn a_message_reads_as_documented() {
    let mut message = Message::request("PUT", "raw/plan");
    message.head_mut().push("id", "7");
    message.head_mut().push("message", "first line\nsecond line");
    message.sections.push(Section::new("and raw/other").with("content-type", "text/csv"));
    message.body.push(Bytes::from_static(b"\x00any\nbytes"));
    let frames = message.to_frames();
    let head = "=====esker/1 PUT raw/plan\n\tid: 7\n\tmessage: first line\n\tmessage: second line\n\
        =====and raw/other\n\tcontent-type: text/csv\n";
    assert_eq!(frames, [Bytes::from(head), Bytes::from_static(b"\x00any\nbytes")]);
    let again = Message::from_frames(&frames).expect("our own");
    assert_eq!(again, message);
    assert_eq!(
        (again.verb(), again.subject(), again.head().get("id")),
        ("PUT", "raw/plan", Some("7"))
    );
    assert_eq!(again.head().text("message").as_deref(), Some("first line\nsecond line"));
}

#[test]
fn a_broken_head_is_refused_with_its_line() {
    let cases: [(&'static [u8], &str); 7] = [
        (b"=====esker/1 PUT raw/a\n\tprogram: a\0b", "line 2 holds a NUL byte"),
        (b"", "the head is empty"),
        (b"=====esker/2 GET raw/plan", "the head begins with \"esker/2\", not \"esker/1\""),
        (b"=====esker/1 GET\n\tno colon", "line 2 is not `key: value`"),
        (b"=====esker/1 GET\n\ta: \xff", "line 2 is not UTF-8"),
        (b"=====esker/1 \xff", "line 1 is not UTF-8"),
        (b"=====esker/1 GET\nx", "line 2: content must start with a tab"),
    ];
    for (head, expected) in cases {
        let fault = Message::from_frames(&[Bytes::from_static(head)]).expect_err(expected);
        assert_eq!(fault.code, Code::BadRequest);
        assert!(fault.message.contains(expected), "{fault}");
    }
    assert!(Message::from_frames(&[]).is_err());
    let huge = Bytes::from(vec![b'='; HEAD_MAX + 1]);
    let fault = Message::from_frames(&[huge]).expect_err("too large");
    assert_eq!(fault.code, Code::TooLarge);
}

#[test]
fn what_is_written_can_be_read_whatever_it_quotes() {
    let fault = Fault::new(Code::NotFound, "a\0b\nc");
    let message = Message::from_frames(&Message::error(&fault).to_frames()).expect("readable");
    assert_eq!(message.head().get("message"), Some("a b c"));
}

#[test]
fn a_fault_travels_whole() {
    let fault = Fault::new(Code::Ambiguous, "3b73 is ambiguous")
        .hint("give more digits")
        .candidates(vec!["3b7340".into(), "3b7341".into()]);
    let message = Message::error(&fault);
    assert_eq!(answer::<Health>(&message), Err(fault.clone()));
    assert_eq!(fault.to_string(), "3b73 is ambiguous (near: 3b7340, 3b7341); give more digits");
    let strange = Message::request("WHAT", "");
    assert!(answer::<Resolve>(&strange).is_err());
}

#[test]
fn every_code_has_its_own_text() {
    for code in ["bad-request", "not-found", "ambiguous", "conflict", "too-large", "busy"] {
        assert_eq!(code.parse::<Code>().map(Code::as_str), Ok(code));
    }
    assert_eq!("no-such-code".parse::<Code>(), Err(()));
}

proptest! {
    #[test]
    fn any_fields_come_back(fields in prop::collection::vec(("[a-z-]{1,8}", "[^\n\0]{0,20}"), 0..8)) {
        let mut message = Message::request("PUT", "raw/plan");
        for (key, value) in &fields {
            message.head_mut().push(key.clone(), value);
        }
        let again = Message::from_frames(&message.to_frames()).expect("our own");
        let read = again.head().fields.iter().cloned();
        let read: Vec<_> = read.map(|(key, value)| (key.into_owned(), value)).collect();
        prop_assert_eq!(read, fields);
    }

    #[test]
    fn any_bytes_are_read_or_refused(head: Vec<u8>) {
        let mut frame = b"=====esker/1 ".to_vec();
        frame.extend(head);
        // Not panicking is the assertion: whatever is read must be writable again.
        if let Ok(message) = Message::from_frames(&[Bytes::from(frame)]) {
            prop_assert!(Message::from_frames(&message.to_frames()).is_ok());
        }
    }
}
