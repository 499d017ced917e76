//! Batches gathered, and one that cannot be placed for a while.

use std::fs;
use std::sync::mpsc;

use super::*;
use crate::durable::tests::{blob, repository, step};

fn batch(text: &str, from: Option<Revision>) -> Batch {
    let object = blob(text);
    let moves = vec![step(from, object.id)];
    Batch { objects: vec![object], moves }
}

fn outlet(reports: Sender<Report>) -> Outlet {
    Outlet { reports, bell: Bell::default() }
}

#[test]
fn many_batches_are_one_pack_and_one_move() {
    let dir = repository();
    let (send, batches) = mpsc::channel();
    let (reports, told) = mpsc::channel();
    let mut before = None;
    for number in 1..=100 {
        let batch = batch(&format!("version {number}"), before);
        before = Some(batch.moves[0].to);
        send.send((number, batch)).unwrap();
    }
    drop(send);
    run(dir.path(), &batches, &outlet(reports));
    let numbers: Vec<u64> = told
        .iter()
        .map(|report| match report {
            Report::Settled { number, strays } if strays.is_empty() => number,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(numbers, [100]);
    let packs = fs::read_dir(dir.path().join("objects/pack")).unwrap().count();
    assert_eq!(packs, 2, "a pack and its index");
}

/// Something is in the way until it is taken away: then all comes to its place, in order.
#[test]
fn what_cannot_be_placed_is_tried_again() {
    let dir = repository();
    let in_the_way = dir.path().join("refs/heads/main.lock");
    fs::write(&in_the_way, "").unwrap();
    let (send, batches) = mpsc::channel();
    let (reports, told) = mpsc::channel();
    let folder = dir.path().to_owned();
    let thread = std::thread::spawn(move || run(&folder, &batches, &outlet(reports)));
    let first = batch("one", None);
    let second = batch("two", Some(first.moves[0].to));
    send.send((1, first)).unwrap();
    assert!(matches!(told.recv().unwrap(), Report::Stuck(reason) if reason.contains("main.lock")));
    send.send((2, second)).unwrap();
    fs::remove_file(&in_the_way).unwrap();
    let last = loop {
        match told.recv().unwrap() {
            Report::Settled { number, .. } if number == 2 => break number,
            _ => {}
        }
    };
    assert_eq!(last, 2);
    drop(send);
    thread.join().unwrap();
}

/// Packs that nothing merges are not added to until none can be read any more.
#[test]
fn too_many_packs_are_told_of() {
    let dir = repository();
    let folder = dir.path().join("objects/pack");
    for number in 0..9_000 {
        fs::write(folder.join(format!("pack-{number}.idx")), "").unwrap();
        fs::write(folder.join(format!("pack-{number}.pack")), "").unwrap();
    }
    let mut load = Load::default();
    load.take(1, batch("one", None));
    let error = load.place(dir.path()).unwrap_err().to_string();
    assert!(error.contains("objects/pack") && error.contains("git gc"), "{error}");
    fs::remove_file(folder.join("pack-0.idx")).unwrap();
    assert!(load.place(dir.path()).unwrap().is_empty());
}
