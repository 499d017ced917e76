//! Any bytes are a frame of a model or are refused; any operations, queries and paths are read or refused. What is read is written the same.
#![no_main]

use bytes::Bytes;
use esker_replica::ask::{Answer, Ask, Changed};
use esker_replica::frame::{BODY_MAX, Frame, HEADER, Header};
use esker_replica::op;
use esker_replica::path;
use esker_wire::message::Message;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let all = Bytes::copy_from_slice(bytes);
    if let Ok(frame) = Frame::from_one(&all) {
        assert!(frame.body.len() <= BODY_MAX);
        let again = Frame::from_one(&frame.to_one(true)).expect("what we write can be read");
        assert_eq!(again, frame);
    }
    // With a good header before them, so that more gets through.
    let header = Header { compressed: true, ..Header::new(esker_replica::frame::Type::Chunk) };
    drop(Frame::read(&header.to_bytes(), all.clone()));
    if let Some((first, rest)) = bytes.split_at_checked(HEADER) {
        drop(Frame::read(first, Bytes::copy_from_slice(rest)));
    }
    // A PUT reads operations.
    let mut put = Message::request("PUT", "m");
    put.body.push(all.clone());
    if let Ok(Ask::Put(put)) = Ask::from_message(&put) {
        let written = Bytes::from(op::encode(&put.ops));
        let mut message = Message::request("PUT", "m");
        message.body.push(written);
        let Ok(Ask::Put(again)) = Ask::from_message(&message) else { panic!("what we write can be read") };
        assert_eq!(again.ops, put.ops);
    }
    drop(Changed::there(&all));
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(path) = path::from_json(text)
    {
        assert_eq!(path::from_json(&path::to_json(&path)), Ok(path));
    }
    // Any head, as a question and as an answer.
    let head = Bytes::from([b"=====esker/1 ", bytes].concat());
    if let Ok(message) = Message::from_frames(&[head, all]) {
        if let Ok(ask) = Ask::from_message(&message) {
            let again = Ask::from_message(&ask.to_message("m")).expect("what we write can be read");
            assert_eq!(again, ask);
        }
        for ask in [Ask::Hello, Ask::Audit, Ask::Put(Default::default())] {
            drop(Answer::from_message(&ask, &message));
        }
    }
});
