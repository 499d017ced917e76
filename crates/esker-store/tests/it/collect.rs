//! GC of large contents: what any commit names stays, what nobody names goes.

use std::time::{Duration, Instant, SystemTime};

use esker_bus::service::Service as _;
use esker_store::store::Store;
use esker_wire::message::{Message, Request as _, answer};
use esker_wire::name::Branch;
use esker_wire::revision::At;
use esker_wire::snapshot::{Collected, Gc, Put, Tag};

use crate::deep::{Deep, PATIENCE, id, noise, open};
use crate::support::{call, git, resource};

#[test]
fn what_any_commit_names_is_kept() {
    let mut deep = Deep::new();
    let contents: Vec<Vec<u8>> = (10..16).map(|seed| noise(seed, 2_000)).collect();
    deep.put("raw/a", &contents[0]);
    deep.put("raw/a", b"it was large once");
    let run = Put {
        branch: Branch::records(),
        ..Put::one(resource("run/x"), contents[1].clone().into())
    };
    call(&mut deep.snapshots, &run).unwrap();
    // Only a tag names it, on a commit that no branch has.
    deep.put("raw/a", &contents[2]);
    let tag = Tag { name: "kept".into(), at: At::head(), message: Some("why".into()) };
    let tagged = call(&mut deep.snapshots, &tag).unwrap();
    drop(deep.snapshots);
    git(deep.folder.path(), &["update-ref", "refs/heads/main", &format!("{tagged}~1")]);
    Store::accept(deep.folder.path(), &Branch::main()).unwrap();
    let mut deep = Deep { snapshots: open(deep.folder.path()), folder: deep.folder };
    // Nobody names these: one on its way, one brought and never named, one young.
    deep.piece(&contents[3], 0, 1_000).unwrap();
    deep.piece(&contents[4], 0, 2_000).unwrap();
    deep.complete(&contents[4]).unwrap();
    deep.piece(&contents[5], 0, 2_000).unwrap();
    deep.complete(&contents[5]).unwrap();
    let old = SystemTime::now() - Duration::from_secs(100);
    for content in contents[..5].iter().filter(|content| deep.file(content).exists()) {
        let file = std::fs::File::options().write(true).open(deep.file(content)).unwrap();
        file.set_modified(old).unwrap();
    }
    assert_eq!(deep.collect(60, false), Ok((vec![id(&contents[4])], 4)));
    assert!(deep.file(&contents[4]).exists(), "a dry run removes nothing");
    assert_eq!(deep.collect(60, true), Ok((vec![id(&contents[4])], 4)));
    assert!(!deep.file(&contents[4]).exists());
    // Whoever brings it again makes it young again, and so a PUT will find it.
    deep.ask(&contents[5]).unwrap();
    assert_eq!(deep.collect(60, true), Ok((vec![], 4)));
    assert_eq!(deep.collect(0, true), Ok((vec![id(&contents[5])], 3)));
    assert_eq!(deep.ask(&contents[3]).unwrap().have, 1_000);
    assert_eq!(Store::check(deep.path(), None), []);
}

#[test]
fn what_is_put_in_the_same_batch_is_kept() {
    let mut deep = Deep::new();
    let big = noise(17, 2_000);
    deep.collect(0, true).unwrap();
    let gc = Gc { grace_s: 0, remove: true };
    assert_eq!(call(&mut deep.snapshots, &gc), Ok(Collected::Working));
    let begun = Instant::now();
    loop {
        assert!(begun.elapsed() < PATIENCE, "gc never ends");
        let requests = [
            Put::one(resource("raw/big"), vec![b'x'; 2_000].into()).to_message().to_frames(),
            Put::one(resource("raw/noise"), big.clone().into()).to_message().to_frames(),
            gc.to_message().to_frames(),
        ];
        let outcomes = deep.snapshots.handle(&requests);
        let reply = Message::from_frames(&outcomes[2].reply).unwrap();
        if let Collected::Done { unnamed, kept, .. } = answer::<Gc>(&reply).unwrap() {
            assert_eq!((unnamed, kept), (vec![], 2));
            break;
        }
    }
    assert_eq!(deep.get("raw/noise").unwrap().bytes.unwrap(), big);
}

#[test]
fn a_history_that_cannot_be_read_whole_removes_nothing() {
    let mut deep = Deep::new();
    let big = noise(18, 2_000);
    deep.piece(&big, 0, 2_000).unwrap();
    deep.complete(&big).unwrap();
    let missing = "1".repeat(40);
    std::fs::write(deep.path().join("refs/heads/broken"), format!("{missing}\n")).unwrap();
    let fault = deep.collect(0, true).unwrap_err();
    assert!(fault.message.contains(&missing), "{fault}");
    assert!(deep.file(&big).exists());
}
