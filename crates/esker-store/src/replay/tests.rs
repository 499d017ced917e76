//! What is left after a loss of power, after a kill, and after someone else's deeds.

use std::fs;

use super::*;
use crate::durable::tests::{blob, repository, step};
use crate::objects::Object;
use crate::refs;
use esker_wire::revision::Revision;

const MAIN: &str = "refs/heads/main";

struct After {
    dir: tempfile::TempDir,
    objects: Vec<Object>,
}

impl After {
    /// A repository, and three batches that only the journal holds.
    fn crash() -> Self {
        let objects = ["one", "two", "three"].map(blob).to_vec();
        Self { dir: repository(), objects }
    }

    fn batches(&self) -> Vec<Batch> {
        let mut before = None;
        let batches = self.objects.iter().map(|object| {
            let moves = vec![step(before.replace(object.id), object.id)];
            Batch { objects: vec![object.clone()], moves }
        });
        batches.collect()
    }

    fn set_main(&self, to: Revision) {
        fs::write(self.dir.path().join(MAIN), format!("{to}\n")).unwrap();
    }

    fn replay(&self) -> Vec<Stray> {
        let strays = replay(self.dir.path(), self.batches()).unwrap();
        let objects = Objects::open(self.dir.path()).unwrap();
        for object in &self.objects {
            assert_eq!(objects.read(object.id).unwrap().unwrap().bytes, object.bytes);
        }
        strays
    }
}

#[test]
fn a_reference_anywhere_on_its_way_comes_to_the_end() {
    let after = After::crash();
    let last = after.objects[2].id;
    for place in [None, Some(0), Some(1), Some(2)] {
        match place {
            Some(index) => after.set_main(after.objects[index].id),
            None => assert!(!after.dir.path().join(MAIN).exists()),
        }
        assert_eq!(after.replay(), []);
        assert_eq!(refs::read(after.dir.path(), MAIN).unwrap(), Some(last));
    }
}

#[test]
fn what_is_there_is_not_written_again() {
    let after = After::crash();
    after.replay();
    let count = || fs::read_dir(after.dir.path().join("objects/pack")).unwrap().count();
    let before = count();
    after.replay();
    assert_eq!(count(), before);
}

#[test]
fn what_someone_else_moved_stays_moved() {
    let after = After::crash();
    let theirs = blob("theirs").id;
    after.set_main(theirs);
    let strays = after.replay();
    assert_eq!(strays.len(), 1);
    assert_eq!((strays[0].step.to, strays[0].found), (after.objects[2].id, Some(theirs)));
    assert_eq!(refs::read(after.dir.path(), MAIN).unwrap(), Some(theirs));
}

/// The journal's own sum is right, yet what it holds is not what it says.
#[test]
fn an_object_that_is_another_is_refused() {
    let after = After::crash();
    let mut batches = after.batches();
    batches[1].objects[0].bytes = "other".into();
    let error = replay(after.dir.path(), batches).unwrap_err();
    assert!(matches!(error, Error::Damaged { id, .. } if id == after.objects[1].id), "{error}");
}

/// Someone's commit was taken in between two batches, and the reference was there when the power failed.
#[test]
fn a_way_over_a_commit_of_someone_else_comes_to_its_end() {
    let after = After::crash();
    let theirs = blob("theirs").id;
    let mut batches = after.batches();
    batches[2].moves[0].from = Some(theirs);
    let last = after.objects[2].id;
    for place in [after.objects[0].id, theirs, last] {
        after.set_main(place);
        assert_eq!(replay(after.dir.path(), batches.clone()).unwrap(), []);
        assert_eq!(refs::read(after.dir.path(), MAIN).unwrap(), Some(last));
    }
}
