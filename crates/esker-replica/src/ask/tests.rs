//! Questions and answers come back from messages as they were, or are refused with the field that is wrong.

use esker_wire::message::Message;

use super::*;
use crate::frame::{Header, Type};
use crate::path::path;

fn there_and_back(ask: &Ask) -> Ask {
    let frames = ask.to_message("m").to_frames();
    let message = Message::from_frames(&frames).unwrap();
    assert_eq!(message.subject(), "m");
    Ask::from_message(&message).unwrap()
}

#[test]
fn questions_come_back() {
    let odd = path(["", "\0", "a\nb", "/", "é", "😀", "x: y"]);
    let all = [
        Ask::Hello,
        Ask::Audit,
        Ask::Replay(Replay {
            epoch: u64::MAX,
            after: 0,
            sections: vec![odd.clone(), path(["a"])],
            bytes_max: 5,
        }),
        Ask::Cut(Cut { sections: vec![], from: 0 }),
        Ask::Cut(Cut { sections: vec![odd.clone()], from: u64::MAX }),
        Ask::Chunk { cut: 1, index: u32::MAX, zstd: true },
        Ask::Chunk { cut: 1, index: 0, zstd: false },
        Ask::Nodes { cut: 1, queries: Bytes::from_static(b"\0\xff") },
        Ask::Get {
            cut: 1,
            paths: vec![Path::new(), odd.clone()],
            after: Some(odd.clone()),
            zstd: true,
        },
        Ask::Get { cut: 1, paths: vec![], after: None, zstd: false },
        Ask::Diff(Diff {
            epoch: 1,
            from: 2,
            sections: vec![odd.clone()],
            after: Some((3, Path::new())),
            zstd: true,
        }),
        Ask::Diff(Diff { epoch: 1, from: 2, sections: vec![], after: None, zstd: false }),
        Ask::Put(Put {
            ops: vec![Op::set(odd.clone(), 1_i64), Op::delete(path(["a"]))],
            conditions: vec![(odd, Digest::ZERO), (Path::new(), Digest(5))],
            request_id: Some("an id".to_owned()),
        }),
    ];
    for ask in all {
        assert_eq!(there_and_back(&ask), ask);
    }
}

#[test]
fn answers_come_back() {
    let hello = Hello {
        epoch: 9,
        seq: 1,
        digest: Digest(u128::MAX),
        first: 1,
        events: "tcp://x".to_owned(),
        nodes: 5,
        writable: true,
        junctions: vec![Path::new(), path(["a\nb"])],
    };
    let cut = Cutting { cut: 1, seq: 2, digest: Digest(3), nodes: 4 };
    let frame = Bytes::from_static(b"frame");
    let get = Ask::Get { cut: 1, paths: vec![], after: None, zstd: false };
    let replay = Ask::Replay(Replay { epoch: 1, after: 0, sections: vec![], bytes_max: 1 });
    let put = Ask::Put(Put::default());
    let all = [
        (Ask::Hello, Answer::Hello(hello)),
        (
            replay.clone(),
            Answer::Replayed(Replayed { seq: 1, more: true, frames: vec![frame.clone(); 3] }),
        ),
        (replay, Answer::Replayed(Replayed { seq: 1, more: false, frames: vec![] })),
        (Ask::Cut(Cut { sections: vec![], from: 0 }), Answer::Cut(cut.clone())),
        (Ask::Chunk { cut: 1, index: 0, zstd: true }, Answer::Frame(frame.clone())),
        (
            get.clone(),
            Answer::Page(Page { of: cut.clone(), frame: frame.clone(), next: Some(Path::new()) }),
        ),
        (get, Answer::Page(Page { of: cut, frame: frame.clone(), next: None })),
        (put.clone(), Answer::Changed(Changed::Done(5))),
        (put, Answer::Changed(Changed::Conflict(vec![path(["a"])], frame))),
        (Ask::Audit, Answer::Audit(1, Digest(2), None)),
        (Ask::Audit, Answer::Audit(1, Digest(2), Some(Digest(3)))),
    ];
    for (ask, answer) in all {
        let frames = answer.to_message(9).to_frames();
        let message = Message::from_frames(&frames).unwrap();
        assert_eq!(Answer::from_message(&ask, &message), Ok((9, answer)));
    }
}

fn refused(head: &str, body: Option<&'static [u8]>) -> Fault {
    let mut frames =
        vec![Bytes::from(format!("=====esker/1 {}\n", head.trim_end().replace('\n', "\n\t")))];
    frames.extend(body.map(Bytes::from_static));
    Ask::from_message(&Message::from_frames(&frames).unwrap()).unwrap_err()
}

#[test]
fn what_is_wrong_with_a_question_is_named() {
    let cases: [(&str, Option<&'static [u8]>, &str); 12] = [
        ("SING m", None, "no verb \"SING\""),
        ("REPLAY m\nafter: 1", None, "epoch"),
        ("REPLAY m\nepoch: 1\nafter: -1", None, "after"),
        ("REPLAY m\nepoch: 1\nafter: 1\nsection: a", None, "section"),
        ("CHUNK m\ncut: 1", None, "index"),
        ("CHUNK m\ncut: 1\nindex: 4294967296", None, "index"),
        ("NODES m\ncut: 1", None, "NODES needs a body"),
        ("DIFF m\nepoch: 1\nfrom: 1\nafter: []", None, "cut"),
        ("PUT m", None, "PUT needs a body"),
        ("PUT m", Some(b"\x09"), "there is no such operation"),
        ("PUT m\nif: absent", Some(b""), "it is `absent PATH` or `DIGEST PATH`"),
        ("PUT m\nif: abc []", Some(b""), "a digest has 32 hexadecimal digits"),
    ];
    for (head, body, why) in cases {
        let fault = refused(head, body);
        assert!(fault.message.contains(why), "{head}: {}", fault.message);
    }
    let id = "x".repeat(REQUEST_ID_MAX + 1);
    assert!(refused(&format!("PUT m\nrequest-id: {id}"), Some(b"")).message.contains("request-id"));
    let many = "section: []\n".repeat(NAMED_MAX + 1);
    assert!(refused(&format!("CUT m\n{many}"), None).message.contains("more than 10000"));
}

#[test]
fn what_is_no_answer_is_refused() {
    let read = |ask: &Ask, head: &str| {
        let frames =
            [Bytes::from(format!("=====esker/1 {}\n", head.trim_end().replace('\n', "\n\t")))];
        Answer::from_message(ask, &Message::from_frames(&frames).unwrap())
    };
    assert!(read(&Ask::Audit, "OK\nseq: 1\ndigest: 0\nepoch: 1").is_err());
    assert!(read(&Ask::Chunk { cut: 1, index: 0, zstd: false }, "OK\nepoch: 1").is_err());
    assert!(read(&Ask::Cut(Cut { sections: vec![], from: 0 }), "OK\nepoch: 1").is_err());
    let digest = Digest(1);
    assert!(read(&Ask::Audit, &format!("OK\nseq: 1\ndigest: {digest}")).is_err(), "no epoch");
    let gone = read(&Ask::Hello, "ERROR gone\nmessage: over").unwrap_err();
    assert_eq!(gone.code, esker_wire::fault::Code::Gone);
    assert!(Changed::there(&Bytes::from_static(b"x")).is_err());
    let frame = crate::frame::Frame { header: Header::new(Type::Chunk), body: Bytes::new() };
    assert_eq!(Changed::there(&frame.to_one(true)).unwrap(), frame);
}
