//! Messages are read as they are written, and nothing else is read.

use proptest::prelude::*;

use super::*;
use crate::fault::{Code, Fault};

fn part(bytes: &[u8]) -> Part {
    Part::plain(Bytes::copy_from_slice(bytes))
}

fn store(id: &str, bytes: &[u8]) -> Store {
    Store { id: Bytes::copy_from_slice(id.as_bytes()), part: part(bytes) }
}

/// Requests of every kind.
fn requests() -> Vec<Request> {
    let key = |id: &'static str| Key { id: Bytes::from_static(id.as_bytes()) };
    let large = vec![7; 100_000];
    vec![
        Request::Hello,
        Request::Get(vec![Get::whole("a"), Get { id: "b/ü".into(), offset: 5, length: 6 }]),
        Request::Set(vec![
            store("a", b""),
            store("b", &large),
            store("c", b"x"),
            store("d", &large),
        ]),
        Request::Append(vec![store("a", b"one"), store("a", b"two")]),
        Request::Remove(vec![key("a"), key("b")]),
        Request::Stat(vec![key("a")]),
        Request::List { prefix: "s/".into(), after: Bytes::new(), limit: 7 },
        Request::Open("a space".into()),
        Request::Share(Bytes::from_static(&[1; 16])),
        Request::Seal(vec![(1, 2), (3, 0)]),
        Request::Drop,
        Request::Status,
        Request::About,
        Request::Keys("{\"list\":\"spaces/\"}".into()),
    ]
}

fn replies() -> Vec<(Op, Reply)> {
    let value = Value {
        length: 12,
        offset: 3,
        stamp: 4,
        parts: vec![
            part(b"abc"),
            part(&[1; 90]),
            Part { label: Label { task: 1, attempt: 2, seq: 3 }, ..part(b"z") },
        ],
    };
    let stored = |status| Stored { status, length: 9 };
    vec![
        (Op::Get, Reply::Found(vec![Found::Value(value), Found::Not(Status::Unknown)])),
        (Op::Append, Reply::Stored(vec![stored(Status::Done), stored(Status::Full)])),
        (Op::List, Reply::Ids(vec![("a".into(), 1), ("b/c".into(), u64::MAX)])),
        (Op::Status, Reply::Text("{}".into())),
        (Op::Set, Reply::Refused(Status::Sealed, Fault::new(Code::Conflict, "no").hint("look"))),
    ]
}

#[test]
fn requests_are_read_as_they_are_written() {
    for request in requests() {
        let mut ask = Ask::new(request);
        ask.head.request = 7;
        ask.head.space = u64::MAX;
        if let Request::Get(_) = ask.request {
            ask.head.flags = Head::RANGE;
        }
        let frames = ask.to_frames();
        let read = Ask::from_frames(&frames).unwrap();
        assert_eq!(read.request, ask.request);
        assert_eq!(Head { count: 0, ..read.head }, Head { count: 0, ..ask.head });
    }
}

#[test]
fn answers_are_read_as_they_are_written() {
    for (op, reply) in replies() {
        let asked = Head { request: 9, ..Head::new(op) };
        let (head, read) = Reply::from_frames(&reply.to_frames(&asked)).unwrap();
        assert_eq!((head.request, read), (9, reply));
    }
}

#[test]
fn large_contents_have_frames_of_their_own() {
    let large = Bytes::from(vec![7; 100_000]);
    let part = Part::plain(large.clone());
    let items = vec![store("a", b"small"), Store { id: "b".into(), part }, store("c", b"tail")];
    let frames = Ask::new(Request::Set(items)).to_frames();
    assert_eq!(frames.len(), 3);
    assert_eq!(frames[1].as_ptr(), large.as_ptr(), "it is not copied");
    let Request::Set(read) = Ask::from_frames(&frames).unwrap().request else { panic!("a SET") };
    assert_eq!(read[1].part.bytes.as_ptr(), large.as_ptr(), "nor is it where it is read");
    assert_eq!(read[2].part.bytes, "tail");
}

/// The text that a message is, for the golden file.
fn digits(frames: &[Bytes]) -> String {
    let line = |frame: &Bytes| frame.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    frames.iter().map(line).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_wire_and_the_hashes_are_as_they_were_promised() {
    let mut text = String::new();
    for request in requests().into_iter().filter(|it| !matches!(it, Request::Set(_))) {
        let name = format!("{:?}", request.op()).to_lowercase();
        let head = Head { request: 1, space: hash(b"s"), generation: 2, ..Head::new(request.op()) };
        text += &format!("{name}: {}\n", digits(&Ask { head, request }.to_frames()));
    }
    let set = Ask::new(Request::Set(vec![store("a", b"xyz")]));
    text += &format!("set: {}\n", digits(&set.to_frames()));
    for (op, reply) in replies() {
        let name = format!("{op:?}").to_lowercase();
        text += &format!("{name} answered: {}\n", digits(&reply.to_frames(&Head::new(op))));
    }
    for id in
        ["", "a", "s1/p-17", "ein längerer Name, der über die ersten Wege von XXH3 hinausgeht ...."]
    {
        text += &format!("hash of {id:?}: {:016x}\n", hash(id.as_bytes()));
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/bulk.txt");
    if std::env::var("ESKER_GOLDEN").is_ok_and(|wish| wish == "write") {
        std::fs::write(file, &text).expect("written");
    }
    let known = std::fs::read_to_string(file).expect("the golden file");
    assert!(known == text, "clients in other languages were written by tests/golden/bulk.txt");
}

#[test]
fn the_space_is_what_stands_before_the_last_slash() {
    for (id, space) in [("a", ""), ("s/a", "s"), ("s/t/a", "s/t"), ("/a", ""), ("s/", "s")] {
        assert_eq!(space_of(id.as_bytes()), space.as_bytes(), "{id}");
    }
}

#[test]
fn what_lies_about_itself_is_refused() {
    let frames = Ask::new(Request::Set(vec![store("a", b"xyz")])).to_frames();
    let good = frames[0].to_vec();
    // Whichever byte of head and table is another.
    for at in 0..HEAD_SIZE + 17 {
        let mut bytes = good.clone();
        bytes[at] ^= 0x41;
        assert!(Ask::from_frames(&[bytes.into()]).is_err(), "byte {at}");
    }
    for end in 0..good.len() {
        assert!(Ask::from_frames(&[Bytes::copy_from_slice(&good[..end])]).is_err(), "{end} bytes");
    }
    let mut more = frames.clone();
    more.push("more".into());
    assert!(Ask::from_frames(&more).is_err());
    assert!(Ask::from_frames(&[]).is_err());
    assert!(Ask::from_frames(&vec![frames[0].clone(); FRAMES_MAX + 1]).is_err());
    for id in ["", "a\nb", "a\0"] {
        let get = Get { id: Bytes::copy_from_slice(id.as_bytes()), offset: 0, length: 1 };
        assert!(Ask::from_frames(&Ask::new(Request::Get(vec![get])).to_frames()).is_err());
    }
    let bad = Ask::new(Request::Get(vec![Get::whole(Bytes::from_static(&[0xff, 0xfe]))]));
    assert!(Ask::from_frames(&bad.to_frames()).is_err());
}

#[test]
fn what_says_it_becomes_larger_than_a_part_may_be_is_refused() {
    let bomb = Part { codec: Codec::Lz4, raw: PART_MAX as u32 + 1, ..part(b"x") };
    let swollen = Part { codec: Codec::Lz4, raw: 1, ..part(b"xx") };
    let short = Part { raw: 5, ..part(b"xx") };
    for part in [bomb, swollen, short] {
        let ask = Ask::new(Request::Append(vec![Store { id: "a".into(), part }]));
        assert!(Ask::from_frames(&ask.to_frames()).is_err());
    }
}

proptest! {
    /// Nothing that comes makes a reader fall, or read more than is there.
    #[test]
    fn any_bytes_are_read_or_refused(
        frames in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 0..4),
        head in any::<bool>(),
    ) {
        let mut frames: Vec<Bytes> = frames.into_iter().map(Bytes::from).collect();
        if head && let Some(first) = frames.first_mut() {
            let mut bytes = b"EBK\x01".to_vec();
            bytes.extend_from_slice(first);
            *first = bytes.into();
        }
        drop(Ask::from_frames(&frames));
        drop(Reply::from_frames(&frames));
    }
}
