//! What a worker answers, and that its ledger ends at zero.

use bytes::Bytes;
use esker_wire::bulk::{
    Ask, Found, Get, Head, Key, Part, Reply, Request, Status, Store, Stored, Table, TableNode,
    Value, hash,
};

mod books;

use super::*;
use crate::space::{self, About, Ids, Keep};

const MIB: u64 = 1024 * 1024;

fn core(budget: u64) -> Core {
    Core::new(NodeId::from_bytes([1; 16]), budget, None, 1)
}

/// Who asks: the space, and the batch.
#[derive(Clone, Copy)]
struct By<'a> {
    space: &'a str,
    task: u32,
    attempt: u16,
    seq: u32,
    flags: u8,
    generation: u32,
    epoch: u16,
}

const NOBODY: By<'_> =
    By { space: "", task: 0, attempt: 0, seq: 0, flags: 0, generation: 0, epoch: 0 };

fn ask(core: &mut Core, by: By<'_>, request: Request) -> Reply {
    let mut ask = Ask::new(request);
    ask.head.space = hash(by.space.as_bytes());
    (ask.head.task, ask.head.attempt, ask.head.seq) = (by.task, by.attempt, by.seq);
    (ask.head.flags, ask.head.generation, ask.head.epoch) = (by.flags, by.generation, by.epoch);
    // As it travels.
    let ask = Ask::from_frames(&ask.to_frames()).unwrap();
    match core.handle(ask, 0) {
        Answer::Now(reply) => reply,
        Answer::Read(gathered) => gathered.read(),
    }
}

fn store(id: &str, bytes: &[u8]) -> Store {
    let part = Part::plain(Bytes::copy_from_slice(bytes));
    Store { id: Bytes::copy_from_slice(id.as_bytes()), part }
}

fn set(core: &mut Core, id: &str, bytes: &[u8]) -> Reply {
    ask(core, NOBODY, Request::Set(vec![store(id, bytes)]))
}

fn append(core: &mut Core, by: By<'_>, id: &str, bytes: &[u8]) -> Reply {
    ask(core, by, Request::Append(vec![store(id, bytes)]))
}

fn value(core: &mut Core, by: By<'_>, get: Get) -> Option<Value> {
    let by = By { flags: by.flags | Head::RANGE, ..by };
    let Reply::Found(mut found) = ask(core, by, Request::Get(vec![get])) else { return None };
    match found.pop() {
        Some(Found::Value(value)) => Some(value),
        _ => None,
    }
}

fn text(core: &mut Core, by: By<'_>, id: &str) -> Option<String> {
    let value = value(core, by, Get::whole(Bytes::copy_from_slice(id.as_bytes())))?;
    let bytes: Vec<u8> = value.parts.iter().flat_map(|part| part.bytes.to_vec()).collect();
    Some(String::from_utf8(bytes).unwrap())
}

fn done(length: u64) -> Reply {
    Reply::Stored(vec![Stored { status: Status::Done, length }])
}

fn status(reply: &Reply) -> Status {
    match reply {
        Reply::Refused(status, _) => *status,
        Reply::Stored(stored) => stored[0].status,
        _ => Status::Done,
    }
}

fn about(name: &str, ids: Ids) -> About {
    About {
        name: name.to_owned(),
        generation: 1,
        keep: Keep::All,
        strategy: space::Strategy::UniformNodes,
        replicas: 0,
        ids,
        tables: vec!["t".to_owned()],
    }
}

fn begin(core: &mut Core, about: &About) -> Reply {
    let by = By { space: &about.name, epoch: about.epoch(), ..NOBODY };
    ask(core, by, Request::Open(about.to_json().into()))
}

/// All is forgotten, and nothing is left in the books.
fn is_empty(core: &mut Core) {
    let spaces: Vec<u64> = core.spaces.keys().copied().chain([hash(b"")]).collect();
    for space in spaces {
        core.drop_space(space);
    }
    let Ledger { budget: _, cached, pinned, staged, notes, flight, disk } = core.ledger().clone();
    assert_eq!([cached, pinned, staged, notes, flight, disk], [0; 6]);
    assert_eq!(core.entries.len(), 0);
}

#[test]
fn a_content_is_read_as_it_was_written_last() {
    let mut core = core(MIB);
    assert_eq!(text(&mut core, NOBODY, "a"), None);
    assert_eq!(set(&mut core, "a", b"one"), done(3));
    assert_eq!(set(&mut core, "a", b"other"), done(5));
    assert_eq!(text(&mut core, NOBODY, "a").as_deref(), Some("other"));
    let keys = vec![Key { id: "a".into() }, Key { id: "b".into() }];
    let stat = ask(&mut core, NOBODY, Request::Stat(keys.clone()));
    assert_eq!(
        stat,
        Reply::Stored(vec![
            Stored { status: Status::Done, length: 5 },
            Stored { status: Status::Unknown, length: 0 },
        ])
    );
    ask(&mut core, NOBODY, Request::Remove(keys));
    assert_eq!(text(&mut core, NOBODY, "a"), None);
    is_empty(&mut core);
}

#[test]
fn what_is_added_is_read_in_its_order_and_in_ranges() {
    let mut core = core(MIB);
    let large = vec![b'x'; 10_000];
    for bytes in [&b"ab"[..], &large, b"cd", b"ef"] {
        append(&mut core, NOBODY, "a", bytes);
    }
    let whole = text(&mut core, NOBODY, "a").unwrap();
    assert_eq!((whole.len(), &whole[..2], &whole[10_002..]), (10_006, "ab", "cdef"));
    let get = Get { id: "a".into(), offset: 10_003, length: 2 };
    let value = value(&mut core, NOBODY, get).unwrap();
    assert_eq!((value.length, value.offset, value.parts.len()), (10_006, 2, 1));
    assert!(value.parts[0].bytes.ends_with(b"xcdef"), "small ones have become one with it");
    assert!(value.parts[0].is_whole());
    is_empty(&mut core);
}

#[test]
fn who_reads_while_it_is_added_to_keeps_what_it_read() {
    let mut core = core(MIB);
    append(&mut core, NOBODY, "a", b"one");
    let read = value(&mut core, NOBODY, Get::whole("a")).unwrap();
    append(&mut core, NOBODY, "a", b"two");
    assert_eq!(read.parts[0].bytes, "one");
    assert_eq!(text(&mut core, NOBODY, "a").as_deref(), Some("onetwo"));
    let again = value(&mut core, NOBODY, Get::whole("a")).unwrap();
    assert_eq!(again.stamp, read.stamp, "adding replaces nothing");
    set(&mut core, "a", b"new");
    let new = value(&mut core, NOBODY, Get::whole("a")).unwrap();
    assert_ne!(new.stamp, read.stamp);
}

#[test]
fn a_batch_that_comes_again_is_not_stored_again() {
    let mut core = core(MIB);
    let by = By { task: 7, ..NOBODY };
    for seq in [0, 1, 0, 1, 2, 2] {
        append(&mut core, By { seq, ..by }, "a", b"x");
    }
    assert_eq!(text(&mut core, NOBODY, "a").as_deref(), Some("xxx"));
    assert_eq!(core.tally.duplicates, 3);
    ask(&mut core, By { seq: 3, ..by }, Request::Set(vec![store("a", b"mine")]));
    set(&mut core, "a", b"theirs");
    ask(&mut core, By { seq: 3, ..by }, Request::Set(vec![store("a", b"mine")]));
    assert_eq!(
        text(&mut core, NOBODY, "a").as_deref(),
        Some("theirs"),
        "a late repeat is no write"
    );
    is_empty(&mut core);
}

#[test]
fn a_long_content_is_seen_when_all_of_it_is_there() {
    let mut core = core(MIB);
    set(&mut core, "a", b"old");
    let by = By { task: 9, attempt: 3, flags: Head::STAGED, ..NOBODY };
    // In whatever order its pieces come.
    append(&mut core, By { seq: 1, ..by }, "a", b"second");
    assert_eq!(text(&mut core, NOBODY, "a").as_deref(), Some("old"));
    let commit =
        |core: &mut Core| ask(core, By { seq: 2, ..by }, Request::Set(vec![store("a", b"")]));
    assert_eq!(status(&commit(&mut core)), Status::Unknown, "a piece is missing");
    append(&mut core, By { seq: 0, ..by }, "a", b"first ");
    append(&mut core, By { seq: 0, ..by }, "a", b"first ");
    assert_eq!(commit(&mut core), done(12));
    assert_eq!(text(&mut core, NOBODY, "a").as_deref(), Some("first second"));
    assert_eq!(commit(&mut core), done(12), "asked again, it is still done");
    assert_eq!(core.ledger().staged, 0);
    append(&mut core, By { seq: 3, ..by }, "b", b"left behind");
    assert!(core.ledger().staged > 0);
    core.tick(STAGED_MAX + 1);
    assert_eq!((core.ledger().staged, core.entries.len()), (0, 1));
    is_empty(&mut core);
}

#[test]
fn what_is_added_to_is_kept_and_what_may_have_been_forgotten_is_not_told_to_be_empty() {
    let mut core = core(MIB);
    let ids = Ids::Numbered { pattern: "s/{}".into(), count: 1_000 };
    begin(&mut core, &About { keep: Keep::Cache, ..about("s", ids) });
    let by = By { space: "s", generation: 1, epoch: 1, ..NOBODY };
    let bytes = vec![1; 10_000];
    append(&mut core, NOBODY, "log", b"one ");
    append(&mut core, by, "s/0", b"one ");
    assert_eq!(text(&mut core, by, "s/1").as_deref(), Some(""));
    for number in 1..500 {
        ask(&mut core, by, Request::Set(vec![store(&format!("s/{number}"), &bytes)]));
    }
    assert_eq!(text(&mut core, by, "s/1"), None, "forgotten, not empty");
    append(&mut core, NOBODY, "log", b"two");
    append(&mut core, by, "s/0", b"two");
    assert_eq!(text(&mut core, NOBODY, "log").as_deref(), Some("one two"));
    assert_eq!(text(&mut core, by, "s/0").as_deref(), Some("one two"));
    // Replaced, it may be forgotten as any other.
    ask(&mut core, by, Request::Set(vec![store("s/0", &bytes)]));
    set(&mut core, "log", &bytes);
    assert_eq!(core.ledger().pinned, 0);
    is_empty(&mut core);
}

#[test]
fn what_was_not_asked_for_is_forgotten_first() {
    let mut core = core(MIB);
    let bytes = vec![1; 10_000];
    for number in 0..50 {
        set(&mut core, &format!("hot{number}"), &bytes);
    }
    for _ in 0..3 {
        for number in 0..50 {
            text(&mut core, NOBODY, &format!("hot{number}"));
        }
    }
    for number in 0..1000 {
        assert_eq!(status(&set(&mut core, &format!("cold{number}"), &bytes)), Status::Done);
        assert!(core.ledger().memory() <= MIB);
    }
    let kept = (0..50).filter(|number| text(&mut core, NOBODY, &format!("hot{number}")).is_some());
    let kept = kept.count();
    assert!(kept >= 45, "{kept} of 50");
    is_empty(&mut core);
}

#[test]
fn ids_of_a_space_are_there_from_the_beginning_and_cost_nothing() {
    let mut core = core(MIB);
    let ids = Ids::Numbered { pattern: "s/p-{}".into(), count: 1_000_000 };
    assert_eq!(status(&begin(&mut core, &about("s", ids))), Status::Done);
    assert!(core.ledger().memory() < 1000);
    let by = By { space: "s", generation: 1, epoch: 1, ..NOBODY };
    assert_eq!(text(&mut core, by, "s/p-999999").as_deref(), Some(""));
    for id in ["s/p-1000000", "s/p-01", "s/p-", "s/p-1x", "s/q-1", "s/p-+1"] {
        assert_eq!(text(&mut core, by, id), None, "{id}");
    }
    let mut hashes: Vec<u64> = [b"l/a", b"l/b"].iter().map(|id| hash(*id)).collect();
    hashes.sort_unstable();
    let list = Ids::Listed { count: 2, digest: 0, ends: vec![u64::MAX] };
    begin(&mut core, &about("l", list));
    let by = By { space: "l", generation: 1, epoch: 1, ..NOBODY };
    let shares: Vec<u8> = hashes.iter().flat_map(|hash| hash.to_le_bytes()).collect();
    for _ in 0..2 {
        ask(&mut core, by, Request::Share(shares.clone().into()));
    }
    assert_eq!(text(&mut core, by, "l/b").as_deref(), Some(""));
    assert_eq!(text(&mut core, by, "l/c"), None);
    is_empty(&mut core);
}

#[test]
fn who_knows_another_space_is_told() {
    let mut core = core(MIB);
    let one = about("s", Ids::None);
    begin(&mut core, &one);
    let by = |generation| By { space: "s", generation, epoch: 1, ..NOBODY };
    append(&mut core, by(1), "s/a", b"x");
    let unknowing = By { space: "s", ..NOBODY };
    assert_eq!(status(&append(&mut core, unknowing, "s/a", b"x")), Status::Stale);
    assert_eq!(status(&append(&mut core, by(2), "s/a", b"x")), Status::Ahead);
    let other = About { keep: Keep::Cache, ..one.clone() };
    assert_eq!(status(&begin(&mut core, &other)), Status::Conflict);
    assert_eq!(status(&begin(&mut core, &one)), Status::Done);
    // Begun anew, it is empty.
    begin(&mut core, &About { generation: 2, ..one.clone() });
    assert_eq!(text(&mut core, by(2), "s/a"), None);
    assert_eq!(status(&begin(&mut core, &one)), Status::Stale);
    is_empty(&mut core);
}

fn node(number: u8) -> TableNode {
    let node = NodeId::from_bytes([number; 16]);
    TableNode { node, name: format!("n{number}"), bulk: String::new(), weight: 1 }
}

#[test]
fn what_was_elsewhere_meanwhile_is_forgotten() {
    let mut core = core(MIB);
    let one = Table::new(vec![node(1)], 0);
    let two = one.next(vec![node(1), node(2)]);
    let three = two.next(vec![node(1)]);
    let root = |core: &mut Core, table: &Table| {
        status(&ask(core, NOBODY, Request::Open(table.to_text().into())))
    };
    let at = |table: &Table| By { generation: table.version(), ..NOBODY };
    assert_eq!(status(&append(&mut core, at(&one), "0", b"x")), Status::Ahead);
    assert_eq!(root(&mut core, &one), Status::Done);
    for id in 0..100 {
        append(&mut core, at(&one), &id.to_string(), b"x");
    }
    assert_eq!(root(&mut core, &three), Status::Done);
    let kept = (0..100).filter(|id: &i32| text(&mut core, at(&three), &id.to_string()).is_some());
    let kept: Vec<i32> = kept.collect();
    let mine =
        |id: &i32| two.since(space::slot(hash(id.to_string().as_bytes())), node(1).node).is_some();
    // The second table was never seen here, but what was elsewhere by it is known.
    assert_eq!(kept, (0..100).filter(mine).collect::<Vec<_>>());
    assert!((20..80).contains(&kept.len()));
    assert_eq!(status(&append(&mut core, at(&two), "0", b"x")), Status::Stale);
    assert_eq!(root(&mut core, &two), Status::Stale);
    let other = Table::new(vec![node(3)], 0);
    let other = other.next(vec![node(1)]).next(vec![node(2)]);
    assert_eq!(root(&mut core, &other), Status::Conflict);
    is_empty(&mut core);
}

#[test]
fn of_every_task_the_attempt_counts_that_the_seal_says() {
    let mut core = core(MIB);
    begin(&mut core, &about("s", Ids::None));
    let by = By { space: "s", generation: 1, epoch: 1, ..NOBODY };
    for (attempt, bytes) in [(0, "slow "), (1, "fast ")] {
        for seq in 0..2 {
            append(&mut core, By { task: 1, attempt, seq, ..by }, "s/p", bytes.as_bytes());
        }
    }
    append(&mut core, By { task: 2, ..by }, "s/p", b"two ");
    append(&mut core, By { task: 3, ..by }, "s/p", b"nobody's ");
    assert_eq!(text(&mut core, by, "s/p").as_deref(), Some(""), "nothing counts yet");
    let open = By { flags: Head::OPEN, ..by };
    assert_eq!(text(&mut core, open, "s/p").unwrap().len(), 33);
    let before = core.ledger().pinned;
    let seal = |core: &mut Core, winners| status(&ask(core, by, Request::Seal(winners)));
    assert_eq!(seal(&mut core, vec![(1, 1), (2, 0)]), Status::Done);
    assert_eq!(text(&mut core, by, "s/p").as_deref(), Some("fast fast two "));
    assert!(core.ledger().pinned < before, "what the others wrote is let go");
    assert_eq!(status(&append(&mut core, By { task: 9, ..by }, "s/p", b"late")), Status::Sealed);
    assert_eq!(seal(&mut core, vec![(2, 0), (1, 1)]), Status::Done);
    assert_eq!(seal(&mut core, vec![(1, 0), (2, 0)]), Status::Conflict);
    is_empty(&mut core);
}

#[test]
fn what_is_kept_goes_to_disk_before_anything_is_refused() {
    let mut core = core(MIB);
    begin(&mut core, &about("s", Ids::None));
    let by = By { space: "s", generation: 1, epoch: 1, ..NOBODY };
    let bytes = vec![1; 40_000];
    let mut sent = 0;
    let busy = loop {
        let reply = append(&mut core, by, &format!("s/{}", sent % 7), &bytes);
        if status(&reply) != Status::Done {
            break status(&reply);
        }
        sent += 1;
    };
    assert_eq!((busy, sent), (Status::Busy, 24), "95 of 100 parts of a MiB");
    let jobs = core.take_jobs();
    let flying: usize = jobs.iter().map(|job| job.bytes.len()).sum();
    assert!((200_000..400_000).contains(&flying), "{flying}: down to 70, and no further");
    assert_eq!(core.ledger().flight, flying as u64);
    // It could not be written.
    for job in jobs {
        core.land(Landed { job, place: None });
    }
    assert_eq!(core.ledger().flight, 0);
    core.set_disk(Some("the disk is full".into()));
    assert_eq!(status(&append(&mut core, by, "s/0", &bytes)), Status::Full);
    assert_eq!(status(&append(&mut core, by, "s/0", &vec![1; 3_000_000])), Status::TooLarge);
    // Others may go on as soon as there is room.
    ask(&mut core, by, Request::Remove(vec![Key { id: "s/0".into() }]));
    assert_eq!(status(&append(&mut core, by, "s/1", &bytes)), Status::Done);
    is_empty(&mut core);
}

#[test]
fn an_answer_has_an_end_and_says_what_to_ask_again() {
    let mut core = core(64 * MIB);
    let bytes = vec![1; 3 * 1024 * 1024];
    for id in ["a", "b", "c"] {
        set(&mut core, id, &bytes);
        append(&mut core, NOBODY, id, &bytes);
    }
    let items = ["a", "b"].map(Get::whole).to_vec();
    let Reply::Found(found) = ask(&mut core, NOBODY, Request::Get(items)) else { panic!("found") };
    let Found::Value(first) = &found[0] else { panic!("a value") };
    assert_eq!((first.length, first.parts.len()), (6 * 1024 * 1024, 1));
    assert_eq!(found[1], Found::Not(Status::Again));
}

#[test]
fn what_needs_more_room_than_is_left_has_others_go_to_disk() {
    let mut core = core(MIB);
    begin(&mut core, &about("s", Ids::None));
    let by = By { space: "s", generation: 1, epoch: 1, ..NOBODY };
    for number in 0..20 {
        append(&mut core, by, &format!("s/{}", number % 7), &vec![1; 40_000]);
    }
    assert!(core.take_jobs().is_empty(), "there is room for what usually comes");
    let large = vec![1; 250_000];
    assert_eq!(status(&append(&mut core, by, "s/large", &large)), Status::Busy);
    let flying: usize = core.take_jobs().iter().map(|job| job.bytes.len()).sum();
    assert!(flying > 50_000, "{flying}");
}

#[test]
fn who_waits_for_what_never_goes_is_told_that_it_is_full() {
    let mut core = core(MIB);
    begin(&mut core, &about("s", Ids::None));
    let by = By { space: "s", generation: 1, epoch: 1, ..NOBODY };
    // Ids and what is said of them stay in memory.
    let refused = (0..).map(|number| append(&mut core, by, &format!("s/{number}"), b"small"));
    let refused = refused.map(|reply| status(&reply)).find(|status| *status != Status::Done);
    assert_eq!(refused, Some(Status::Full));
}

#[test]
fn ids_are_told_in_their_order() {
    let mut core = core(MIB);
    for id in ["b", "ab", "aa", "c"] {
        set(&mut core, id, b"1");
    }
    let list = |core: &mut Core, prefix: &'static str, after: &'static str, limit| {
        let request = Request::List { prefix: prefix.into(), after: after.into(), limit };
        let Reply::Ids(ids) = ask(core, NOBODY, request) else { panic!("ids") };
        ids.into_iter().map(|(id, _)| String::from_utf8(id.to_vec()).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(list(&mut core, "", "", 9), ["aa", "ab", "b", "c"]);
    assert_eq!(list(&mut core, "a", "", 1), ["aa"]);
    assert_eq!(list(&mut core, "", "ab", 9), ["b", "c"]);
}
