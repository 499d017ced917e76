//! What is flushed comes to its place, at once or at the next start.

mod proof;

use bytes::Bytes;
use esker_wire::revision::Revision;

use super::*;
use crate::layout;
use crate::locks::Move;
use crate::objects::{Kind, Object, Objects, id_of};
use crate::refs;

const MAIN: &str = "refs/heads/main";

pub(crate) fn repository() -> tempfile::TempDir {
    let dir = tempfile::TempDir::new().unwrap();
    layout::make(dir.path()).unwrap();
    dir
}

pub(crate) fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&to).unwrap();
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), &to).unwrap();
        }
    }
}

pub(crate) fn blob(text: &str) -> Object {
    let bytes = Bytes::copy_from_slice(text.as_bytes());
    let id = id_of(Kind::Blob, &bytes).unwrap();
    Object { id, kind: Kind::Blob, bytes, base: None }
}

pub(crate) fn step(from: Option<Revision>, to: Revision) -> Move {
    Move { name: MAIN.to_owned(), from, to }
}

fn batch(before: Option<&Object>, object: &Object) -> Batch {
    let moves = vec![step(before.map(|before| before.id), object.id)];
    Batch { objects: vec![object.clone()], moves }
}

fn is_there(dir: &Path, object: &Object) -> bool {
    let found = Objects::open(dir).unwrap().read(object.id).unwrap();
    found.is_some_and(|found| found.bytes == object.bytes)
}

#[test]
fn a_batch_comes_to_its_place() {
    let dir = repository();
    let (one, two) = (blob("one"), blob("two"));
    let mut durable = Durable::open(dir.path()).unwrap();
    assert_eq!(durable.flush(batch(None, &one)).unwrap(), 1);
    assert_eq!(durable.flush(batch(Some(&one), &two)).unwrap(), 2);
    durable.settle().unwrap();
    assert!(!durable.is_waiting() && is_there(dir.path(), &one) && is_there(dir.path(), &two));
    assert_eq!(refs::read(dir.path(), MAIN).unwrap(), Some(two.id));
    assert_eq!(fs::read_dir(files::temporary(dir.path())).unwrap().count(), 0);
    assert!(durable.waiting.is_empty());
}

#[test]
fn what_is_dropped_is_in_its_place() {
    let dir = repository();
    let one = blob("one");
    let mut durable = Durable::open(dir.path()).unwrap();
    durable.flush(batch(None, &one)).unwrap();
    drop(durable);
    assert!(is_there(dir.path(), &one));
    assert_eq!(refs::read(dir.path(), MAIN).unwrap(), Some(one.id));
    assert!(Journal::open(dir.path()).unwrap().1.is_empty());
}

/// The journal turns while batches come, and whatever it tells at any moment is enough.
#[test]
fn a_journal_that_has_grown_is_turned() {
    let dir = repository();
    let mut durable = Durable::open(dir.path()).unwrap();
    let mut before: Option<Object> = None;
    for number in 0..30 {
        let next = blob(&format!("{number}{}", "x".repeat(1024 * 1024)));
        durable.flush(batch(before.as_ref(), &next)).unwrap();
        durable.settle().unwrap();
        before = Some(next);
    }
    assert!(durable.turned > 0, "the journal never turned");
    assert!(durable.journal.length() < JOURNAL_GROWN);
    let told = journal::load(dir.path()).unwrap().batches;
    assert!(!told.is_empty() && told.len() <= 20, "what is in its place is not told for ever");
}

#[test]
fn a_reference_of_someone_else_stays() {
    let dir = repository();
    let (one, two, theirs) = (blob("one"), blob("two"), blob("theirs"));
    let mut durable = Durable::open(dir.path()).unwrap();
    durable.flush(batch(None, &one)).unwrap();
    durable.settle().unwrap();
    fs::write(dir.path().join(MAIN), format!("{}\n", theirs.id)).unwrap();
    durable.flush(batch(Some(&one), &two)).unwrap();
    durable.settle().unwrap();
    let strays = durable.strays();
    assert_eq!(strays, [Stray { step: step(Some(one.id), two.id), found: Some(theirs.id) }]);
    assert_eq!(refs::read(dir.path(), MAIN).unwrap(), Some(theirs.id));
    assert!(is_there(dir.path(), &two), "what was acknowledged is kept");
    let keeps = fs::read_dir(dir.path().join("objects/pack")).unwrap().filter(|entry| {
        entry.as_ref().unwrap().path().extension().is_some_and(|ending| ending == "keep")
    });
    assert_eq!(keeps.count(), 1, "no gc takes it while no reference names it");
}
