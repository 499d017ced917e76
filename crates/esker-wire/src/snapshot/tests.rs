//! Every request and every reply comes back from the wire as it went.

use std::fmt::Debug;

use bytes::Bytes;
use jiff::Timestamp;

use super::{
    Content, Diff, Entry, Expect, Get, Health, HealthReport, Item, List, Listing, Log,
    MirrorReport, Put, Range, Resolve, Resolved, Stat, Stored, StoredItem, Tag, Tags, Why, WhyNode,
};
use crate::chain::Link;
use crate::fault::Code;
use crate::message::{Message, Request, answer};
use crate::name::{Branch, Resource};
use crate::provenance::{Input, Provenance};
use crate::revision::{At, Revision};

fn revision(digit: char) -> Revision {
    digit.to_string().repeat(40).parse().expect("40 digits")
}

fn resource(name: &str) -> Resource {
    name.parse().expect("a name")
}

fn at(text: &str) -> At {
    text.parse().expect("a version")
}

fn time() -> Timestamp {
    "2026-11-20T17:00:00Z".parse().expect("a time")
}

fn provenance() -> Provenance {
    Provenance {
        stage: "condition".into(),
        run_key: "abc".into(),
        inputs: vec![Input { resource: resource("raw/a plan"), revision: revision('2') }],
        program: "python3 condition.py".into(),
        code: "def".into(),
        engine: "esker 0.1.0".into(),
        host: "here".into(),
        started: time(),
        duration_ms: 5,
        exit: 0,
    }
}

fn entry() -> Entry {
    Entry {
        resource: resource("raw/plan"),
        revision: revision('1'),
        previous: None,
        blob: Some(revision('3')),
        size: 7,
        content_type: Some("text/csv".into()),
        time: time(),
        author: "A Person <a@b>".into(),
        summary: "condition: conditioned/plan".into(),
        provenance: Some(provenance()),
    }
}

/// Sends the request and its reply through frames.
fn round<R>(request: &R, reply: &R::Reply)
where
    R: Request + Debug + PartialEq,
    R::Reply: Debug + PartialEq,
{
    let frames = request.to_message().to_frames();
    let message = Message::from_frames(&frames).expect("our own");
    assert_eq!(message.verb(), R::VERB);
    assert_eq!(R::from_message(&message).as_ref(), Ok(request));
    let frames = R::reply_to_message(reply).to_frames();
    let message = Message::from_frames(&frames).expect("our own");
    assert_eq!(answer::<R>(&message).as_ref(), Ok(reply));
}

#[test]
fn put() {
    let item = |name, content: Option<&'static [u8]>| Item {
        resource: resource(name),
        content: content.map(Bytes::from_static),
        if_head: None,
        content_type: None,
    };
    let mut put = Put {
        items: vec![item("raw/a", Some(b"one")), item("raw/b", None), item("raw/c", Some(b""))],
        branch: Branch::records(),
        message: Some("why\n\nat length".into()),
        author: Some("A Person <a@b>".into()),
        provenance: Some(provenance()),
    };
    put.items[0].if_head = Some(Expect::Absent);
    put.items[2].if_head = Some(Expect::Revision(revision('4')));
    put.items[2].content_type = Some("text/plain".into());
    let stored = |name, now, before| StoredItem {
        resource: resource(name),
        revision: now,
        previous: before,
    };
    let reply = Stored {
        revision: revision('5'),
        items: vec![
            stored("raw/a", Some(revision('5')), None),
            stored("raw/b", None, Some(revision('4'))),
            stored("raw/c", Some(revision('4')), Some(revision('4'))),
        ],
    };
    assert_eq!(
        reply.items.iter().map(StoredItem::is_changed).collect::<Vec<_>>(),
        [true, true, false]
    );
    round(&put, &reply);
}

#[test]
fn reads() {
    let range = Some(Range { offset: 5, length: 10 });
    let get = Get {
        at: at("HEAD~2"),
        branch: Branch::records(),
        range,
        unless: Some(revision('1')),
        ..Get::head(resource("raw/plan"))
    };
    round(
        &get,
        &Content { at: revision('9'), entry: entry(), bytes: Some(Bytes::from_static(b"x")) },
    );
    let plain = Get::head(resource("raw/plan"));
    round(&plain, &Content { at: revision('9'), entry: entry(), bytes: None });
    let list = List { at: At::head(), branch: Branch::main() };
    round(&list, &Listing { at: Some(revision('9')), entries: vec![entry(), entry()] });
    round(&list, &Listing { at: None, entries: Vec::new() });
    let stat = Stat { resource: resource("raw/plan"), at: at("v1"), branch: Branch::main() };
    round(&stat, &entry());
    let log = Log { resource: None, at: At::head(), branch: Branch::main(), limit: 3 };
    round(&log, &vec![Entry { blob: None, provenance: None, content_type: None, ..entry() }]);
    round(&Log { resource: Some(resource("raw/plan")), ..log }, &Vec::new());
}

#[test]
fn questions() {
    let diff = Diff {
        resource: resource("raw/plan"),
        from: Some(at("HEAD~1")),
        to: At::head(),
        branch: Branch::main(),
    };
    round(&diff, &Bytes::from_static(b"-a\n+b\n"));
    round(&Diff { from: None, ..diff }, &Bytes::new());
    let why = Why { resource: resource("results/plan"), at: at("2025-11-20 17:00") };
    round(&why, &vec![WhyNode { depth: 0, entry: entry() }, WhyNode { depth: 1, entry: entry() }]);
    let resolved = Resolved { revision: revision('1'), time: time(), summary: "s".into() };
    round(&Resolve { at: at("3b734"), branch: Branch::main() }, &resolved);
    let tag = Tag { name: "v1".into(), at: at("HEAD"), message: Some("the\nfirst".into()) };
    round(&tag, &revision('1'));
    round(&Tags, &vec![("v1".into(), revision('1')), ("v 2".into(), revision('2'))]);
    let mirror = MirrorReport {
        url: "git@host:team/data.git".into(),
        behind: Some(3),
        since: Some(time()),
        trouble: Some("cannot push: gone".into()),
    };
    let report = HealthReport {
        project: "qplan".into(),
        engine: "esker 0.1.0".into(),
        link: Link { epoch: 3, seq: 4 },
        head: None,
        not_writable: Some("disk full".into()),
        mirrors: vec![mirror.clone(), MirrorReport { behind: None, since: None, ..mirror.clone() }],
        follows: Some(MirrorReport { trouble: None, ..mirror }),
    };
    round(&Health, &report);
    round(
        &Health,
        &HealthReport { head: Some(revision('1')), mirrors: Vec::new(), follows: None, ..report },
    );
}

#[test]
fn a_get_of_a_bad_name_or_version_is_refused() {
    let cases = [
        ("=====esker/1 GET ../../etc/passwd", "a part begins with a dot"),
        ("=====esker/1 GET", "it needs the form stage/name"),
        ("=====esker/1 GET raw/plan\n\toffset: -1", "cannot read the field `offset`"),
        ("=====esker/1 GET raw/plan\n\tunless: HEAD", "is not a full revision"),
        ("=====esker/1 GET raw/plan\n\tbranch: ../x", "a branch is lower-case letters"),
    ];
    for (head, expected) in cases {
        let message = Message::from_frames(&[Bytes::from(head)]).expect("a head");
        let fault = Get::from_message(&message).expect_err(expected);
        assert!(fault.message.contains(expected), "{fault}");
    }
}

#[test]
fn a_put_needs_a_frame_for_each_resource() {
    let head = Bytes::from("=====esker/1 PUT raw/a\n=====and raw/b\n");
    let frame = Bytes::from_static(b"x");
    for (count, expected) in [(1, "raw/b"), (3, "more body frames than resources")] {
        let mut frames = vec![head.clone()];
        frames.extend(std::iter::repeat_n(frame.clone(), count));
        let message = Message::from_frames(&frames).expect("a head");
        let fault = Put::from_message(&message).expect_err(expected);
        assert!(fault.message.contains(expected), "{fault}");
    }
    let many = (0..1000).map(|n| format!("=====and raw/x{n}\n")).collect::<String>();
    let head = Bytes::from(format!("=====esker/1 PUT raw/a\n{many}"));
    let message = Message::from_frames(&[head]).expect("a head");
    let fault = Put::from_message(&message).expect_err("too many");
    assert_eq!(fault.code, Code::TooLarge);
}

#[test]
fn a_log_is_never_longer_than_its_limit() {
    let head = Bytes::from("=====esker/1 LOG raw/plan\n\tlimit: 4000000");
    let message = Message::from_frames(&[head]).expect("a head");
    assert_eq!(Log::from_message(&message).map(|log| log.limit), Ok(10_000));
}
