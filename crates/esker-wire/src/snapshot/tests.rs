//! Every request and every reply comes back from the wire as it went.

use std::fmt::Debug;

use bytes::Bytes;
use jiff::Timestamp;

use super::{
    CHUNK_MAX, Collected, Content, Diff, Difference, Entry, Expect, Filter, Form, Gc, Get, Health,
    HealthReport, Item, List, Listing, Log, Mark, MirrorReport, Page, Put, Range, Resolve,
    Resolved, Stat, Stored, StoredItem, Tag, Tags, Unnamed, Upload, Uploaded, Why, WhyNode,
};
use crate::chain::Link;
use crate::fault::Code;
use crate::message::{Message, Request, answer};
use crate::name::{Branch, Resource};
use crate::pointer::{ContentId, Pointer};
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
        failed_parts: Vec::new(),
    }
}

fn content_id() -> ContentId {
    ContentId::from_bytes([7; 32])
}

fn entry() -> Entry {
    Entry {
        resource: resource("raw/plan"),
        pruned: Some("2027-05-01T10:00:00Z all 7d, daily 2y".parse().expect("its form")),
        asked: Some(resource("raw/old")),
        moved_from: Some(resource("raw/older")),
        revision: revision('1'),
        previous: None,
        blob: Some(revision('3')),
        content_id: Some(content_id()),
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
        base: None,
    };
    put.items[0].if_head = Some(Expect::Absent);
    put.items[2].if_head = Some(Expect::Revision(revision('4')));
    put.items[2].content_type = Some("text/plain".into());
    let stored = |name, now, before| StoredItem {
        resource: resource(name),
        now: None,
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
    assert_eq!(put.to_message().head().get("base"), None);
    put.base = Some(revision('6'));
    round(&put, &reply);
    assert_eq!(put.to_message().head().get("base"), Some(revision('6').to_string().as_str()));
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
    let list = List::all(Branch::main());
    let whole = Listing {
        at: Some(revision('9')),
        entries: vec![entry(), entry()],
        next: None,
        older: Vec::new(),
    };
    round(&list, &whole);
    round(&list, &Listing { at: None, entries: Vec::new(), next: None, older: Vec::new() });
    let part = List {
        at: at("v1"),
        prefix: "raw/a plan".into(),
        after: Some(resource("raw/a")),
        limit: Some(7),
        ..List::all(Branch::records())
    };
    let page = Listing { next: Some(resource("raw/a plan b")), ..whole.clone() };
    round(&part, &page);
    assert_eq!(part.after(&whole), None);
    let after = part.after(&page).expect("there is more");
    assert_eq!(after, List { at: at(&"9".repeat(40)), after: page.next, ..part });
    let stat = Stat { resource: resource("raw/plan"), at: at("v1"), branch: Branch::main() };
    round(&stat, &entry());
}

#[test]
fn logs() {
    let log = Log::newest(3);
    let bare =
        Entry { blob: None, provenance: None, content_type: None, content_id: None, ..entry() };
    let page = Page { entries: vec![bare], next: None };
    round(&log, &page);
    let named = Log { resource: Some(resource("raw/plan")), at: at("HEAD~3"), ..log.clone() };
    round(&named, &Page { entries: Vec::new(), next: None });
    let filter = Filter {
        since: Some(at("last friday")),
        until: Some(at("v1")),
        author: Some("A Person".into()),
        grep: Some("the:\tholidays ".into()),
    };
    let next = |resource| Some(Mark { revision: revision('8'), resource });
    let after = Log { filter, after: next(Some(resource("raw/a plan"))), ..named };
    round(&after, &Page { next: next(None), ..page.clone() });
    round(&after, &Page { next: next(Some(resource("raw/a plan"))), ..page });
}

/// What clients of before the pages send and read.
#[test]
fn old_messages_are_read() {
    let head = |text: &'static str| Message::from_frames(&[Bytes::from(text)]).expect("a head");
    let log = Log::from_message(&head("=====esker/1 LOG\n\tlimit: 5\n"));
    assert_eq!(log, Ok(Log::newest(5)));
    let list = List::from_message(&head("=====esker/1 LIST\n"));
    assert_eq!(list, Ok(List::all(Branch::main())));
    let resolve = Resolve::from_message(&head("=====esker/1 RESOLVE\n\tat: v1\n"));
    assert_eq!(resolve, Ok(Resolve { at: at("v1"), branch: Branch::main(), zone: None }));
    assert_eq!(Log::reply_from_message(&head("=====esker/1 OK\n")).map(|page| page.next), Ok(None));
    assert_eq!(Log::newest(5).to_message(), head("=====esker/1 LOG\n\tlimit: 5\n"));
    assert_eq!(List::all(Branch::main()).to_message(), head("=====esker/1 LIST\n"));
}

#[test]
fn an_entry_is_never_larger_than_told() {
    let many = "line\n".repeat(1000);
    let mut large = entry();
    large.author = many.clone();
    large.summary.clone_from(&many);
    large.content_type = Some(many.clone());
    let provenance = large.provenance.as_mut().expect("it has one");
    let input = Input { resource: resource("raw/x"), revision: revision('2') };
    provenance.inputs = vec![input; 1000];
    provenance.code.clone_from(&many);
    provenance.host = many;
    for entry in [entry(), large, Entry { provenance: None, ..entry() }] {
        let section = entry.to_section("entry".to_owned());
        let message = Message { sections: vec![section], body: Vec::new() };
        let bytes = message.to_frames()[0].len();
        assert!(bytes <= entry.bytes_max(), "{bytes} > {}", entry.bytes_max());
    }
}

#[test]
fn questions() {
    let diff = Diff {
        resource: resource("raw/plan"),
        from: Some(at("HEAD~1")),
        to: At::head(),
        branch: Branch::main(),
        form: Form::Text,
        key: Vec::new(),
    };
    round(&diff, &Difference { form: Form::Text, body: Bytes::from_static(b"-a\n+b\n") });
    let key = vec!["id".to_owned(), "last name".to_owned()];
    let table = Diff { from: None, form: Form::Table, key, ..diff };
    round(&table, &Difference { form: Form::Table, body: Bytes::new() });
    round(
        &Diff { form: Form::Auto, ..table },
        &Difference { form: Form::Json, body: Bytes::new() },
    );
    let why = Why {
        resource: resource("results/plan"),
        at: at("2025-11-20 17:00"),
        branch: Branch::records(),
    };
    round(&why, &vec![WhyNode { depth: 0, entry: entry() }, WhyNode { depth: 1, entry: entry() }]);
    let summary = "s".to_owned();
    let mut resolved = Resolved { revision: revision('1'), time: time(), summary, project: None };
    let resolve = Resolve { at: at("3b734"), branch: Branch::main(), zone: None };
    round(&resolve, &resolved);
    resolved.project = Some(revision('2'));
    round(&Resolve { zone: Some("Europe/Berlin".into()), ..resolve }, &resolved);
    let tag = Tag { name: "v1".into(), at: at("HEAD"), message: Some("the\nfirst".into()) };
    round(&tag, &revision('1'));
    let branch = |name: &str| name.parse::<crate::name::Branch>().unwrap();
    round(&super::Branches { prefix: String::new() }, &Vec::new());
    let listed =
        vec![(branch("backfill/plan-1"), revision('1')), (branch("records"), revision('2'))];
    round(&super::Branches { prefix: "backfill/".into() }, &listed);
    round(&super::DropBranch { branch: branch("backfill/plan-1") }, &true);
    round(&super::DropBranch { branch: branch("backfill/plan-1") }, &false);
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
        follows: Some(MirrorReport { trouble: None, ..mirror.clone() }),
        blobs: Some(mirror),
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
        ("=====esker/1 GET raw/plan\n\tbranch: ../x", "is not a branch name"),
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

#[test]
fn large_contents() {
    let upload = Upload { id: content_id(), size: 9, offset: 4, chunk: Some("piece".into()) };
    round(&upload, &Uploaded { have: 9, is_complete: true });
    round(&Upload { chunk: None, ..upload }, &Uploaded { have: 0, is_complete: false });
    let unnamed = vec![Unnamed { id: content_id(), size: 3, time: time() }];
    let gc = Gc { grace_s: 60, remove: true };
    round(&gc, &Collected::Done { unnamed, kept: 4, kept_size: 5 });
    round(&Gc { remove: false, ..gc }, &Collected::Working);
}

#[test]
fn an_upload_keeps_to_its_size() {
    let message = |subject: &str, fields: &str, body: usize| {
        let head = Bytes::from(format!("=====esker/1 UPLOAD {subject}\n{fields}"));
        let message = Message::from_frames(&[head, vec![b'x'; body].into()]).expect("a head");
        Upload::from_message(&message)
    };
    let id = content_id().digits();
    assert_eq!(message(&id, "\tsize: 5\n", 5).map(|upload| upload.offset), Ok(0));
    let cases = [
        (id.as_str(), "\tsize: 5\n\toffset: 1\n", 5, "5 bytes at 1 are beyond the size, 5"),
        (&id, "\tsize: 5\n\toffset: 18446744073709551615\n", 5, "are beyond the size"),
        (&id, "", 5, "the field `size` is missing"),
        (&id, "\tsize: 99999999\n", CHUNK_MAX + 1, "4194304 are allowed"),
        ("12", "\tsize: 5\n", 5, "is not a SHA-256"),
    ];
    for (subject, fields, body, expected) in cases {
        let fault = message(subject, fields, body).expect_err(expected);
        assert!(fault.message.contains(expected), "{fault}");
    }
}

#[test]
fn a_put_may_name_a_large_content() {
    let put = |frame: &'static [u8]| {
        let fields = format!("\tcontent-id: {}\n\tsize: 12\n", content_id());
        let head = Bytes::from(format!("=====esker/1 PUT raw/big\n{fields}"));
        let message = Message::from_frames(&[head, Bytes::from_static(frame)]).expect("a head");
        Put::from_message(&message)
    };
    let pointer = Pointer { id: content_id(), size: 12 };
    assert_eq!(put(b"").expect("a PUT").items[0].content, Some(pointer.to_bytes()));
    let fault = put(b"x").expect_err("both");
    assert!(fault.message.contains("both named and in a body frame"), "{fault}");
}
