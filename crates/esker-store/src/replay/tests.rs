//! What is left after a loss of power, after a kill, and after someone else's deeds.

use std::fs;

use esker_wire::revision::Revision;

use super::*;
use crate::durable::tests::{blob, open_on, repository, step};
use crate::objects::Object;

const MAIN: &str = "refs/heads/main";

struct After {
    dir: tempfile::TempDir,
    one: Object,
    two: Object,
    journal: Vec<u8>,
}

impl After {
    /// A repository after two batches, and the journal as a crash would leave it.
    fn two_batches() -> Self {
        let dir = repository();
        let (one, two) = (blob("one"), blob("two"));
        let mut durable = open_on(dir.path(), "first").unwrap();
        durable.flush(std::slice::from_ref(&one), &[step(None, one.id)]).unwrap();
        durable.flush(std::slice::from_ref(&two), &[step(Some(one.id), two.id)]).unwrap();
        let journal = fs::read(dir.path().join("esker/journal")).unwrap();
        drop(durable);
        Self { dir, one, two, journal }
    }

    fn set_main(&self, to: Revision) {
        fs::write(self.dir.path().join(MAIN), format!("{to}\n")).unwrap();
    }

    /// What `main` is after the store is opened again with the journal.
    fn reopen(&self, boot: &str) -> Option<Revision> {
        fs::write(self.dir.path().join("esker/journal"), &self.journal).unwrap();
        drop(open_on(self.dir.path(), boot).unwrap());
        assert_eq!(fs::metadata(self.dir.path().join("esker/journal")).unwrap().len(), 0);
        refs::read(self.dir.path(), MAIN).unwrap()
    }

    fn assert_objects(&self) {
        for object in [&self.one, &self.two] {
            let found = fs::read(loose::path_of(self.dir.path(), object.id)).unwrap();
            assert_eq!(found, loose::deflated(object));
        }
    }
}

#[test]
fn what_never_reached_the_disk_is_done_again() {
    type Loss = fn(&Path, Revision, Revision);
    let losses: [Loss; 5] = [
        |dir, one, two| {
            fs::remove_dir_all(dir.join("objects")).unwrap();
            fs::write(dir.join(MAIN), format!("{one}\n")).unwrap();
            assert_ne!(one, two);
        },
        |dir, _, two| fs::write(loose::path_of(dir, two), "").unwrap(),
        |dir, one, _| fs::write(loose::path_of(dir, one), [0; 10]).unwrap(),
        |dir, _, _| fs::write(dir.join(MAIN), "").unwrap(),
        |dir, _, _| fs::remove_file(dir.join(MAIN)).unwrap(),
    ];
    for lose in losses {
        let after = After::two_batches();
        lose(after.dir.path(), after.one.id, after.two.id);
        assert_eq!(after.reopen("second"), Some(after.two.id));
        after.assert_objects();
    }
}

#[test]
fn an_old_journal_is_done_before_the_new_one() {
    let after = After::two_batches();
    let middle = after.journal.len() - after.journal.len() / 2;
    let head = b"esker journal 1 ";
    let cut = (1..after.journal.len()).find(|at| after.journal[*at..].starts_with(head)).unwrap();
    assert!(cut.abs_diff(middle) < 60, "two records of about one size");
    fs::remove_dir_all(after.dir.path().join("objects")).unwrap();
    fs::remove_file(after.dir.path().join(MAIN)).unwrap();
    let (old, new) = after.journal.split_at(cut);
    fs::write(after.dir.path().join("esker/journal.old"), old).unwrap();
    let after = After { journal: new.to_vec(), ..after };
    assert_eq!(after.reopen("second"), Some(after.two.id));
    after.assert_objects();
    assert!(!after.dir.path().join("esker/journal.old").exists());
}

#[test]
fn a_record_cut_off_is_as_if_never_begun() {
    let mut after = After::two_batches();
    after.set_main(after.one.id);
    fs::remove_file(loose::path_of(after.dir.path(), after.two.id)).unwrap();
    after.journal.pop();
    assert_eq!(after.reopen("second"), Some(after.one.id));
    assert!(!loose::path_of(after.dir.path(), after.two.id).exists());
}

#[test]
fn what_someone_else_moved_stays_moved() {
    for boot in ["first", "second"] {
        let after = After::two_batches();
        let theirs = blob("theirs").id;
        after.set_main(theirs);
        assert_eq!(after.reopen(boot), Some(theirs));
    }
}

/// A kill loses nothing, so going back between it and the next start was someone's will.
#[test]
fn a_reset_after_a_kill_stays() {
    let after = After::two_batches();
    after.set_main(after.one.id);
    assert_eq!(after.reopen("first"), Some(after.one.id));
    after.assert_objects();
    assert_eq!(after.reopen("second"), Some(after.two.id), "lost with the power");
}

#[test]
fn a_kill_between_journal_and_reference_is_made_good() {
    let after = After::two_batches();
    after.set_main(after.one.id);
    let scratch = files::temporary(after.dir.path()).join("ref-0");
    let lock = after.dir.path().join("refs/heads/main.lock");
    fs::write(&scratch, format!("{}\n", after.two.id)).unwrap();
    fs::hard_link(&scratch, &lock).unwrap();
    assert_eq!(after.reopen("first"), Some(after.two.id));
    assert!(!lock.exists() && !scratch.exists());
}

/// Written by an esker before there were lines `boot`.
#[test]
fn records_without_a_boot_are_read() {
    let dir = repository();
    let (one, two) = (blob("one"), blob("two"));
    let mut durable = crate::durable::Durable::open(dir.path()).unwrap();
    durable.flush(&[one.clone(), two.clone()], &[step(None, one.id)]).unwrap();
    drop(durable);
    let payload = format!("move {MAIN} {} {}\n", one.id, two.id);
    let sum = crate::objects::id_of(crate::objects::Kind::Blob, payload.as_bytes()).unwrap();
    let record = format!("esker journal 1 {} {sum}\n{payload}", payload.len());
    fs::write(dir.path().join("esker/journal"), record).unwrap();
    drop(open_on(dir.path(), "boot").unwrap());
    assert_eq!(refs::read(dir.path(), MAIN).unwrap(), Some(two.id));
}
