//! Files that rest, files that change, files that never rest.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};

use esker_bus::bus::Bus;

use crate::child::Mail;
use crate::plan::Task;
use crate::run::line::Line;
use crate::stub;

use super::*;

/// A program that appends to a file until this is dropped.
struct Writer {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    fn start(path: PathBuf, pause: Duration) -> Self {
        let (end, ended): (Sender<()>, Receiver<()>) = channel();
        let thread = thread::spawn(move || {
            let mut file = OpenOptions::new().append(true).open(path).unwrap();
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(pause) {
                file.write_all(b"line\n").unwrap();
            }
        });
        Self { end: Some(end), thread: Some(thread) }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.end.take();
        self.thread.take().unwrap().join().unwrap();
    }
}

fn project() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.csv"), "line\n").unwrap();
    dir
}

fn read_with(dir: &Path, line: &Line, patience: Duration) -> (Result<Made, Halt>, Run) {
    let bus = Bus::start().unwrap();
    let bench = stub::bench(&bus, &stub::nowhere(), dir);
    let mut run = stub::file_run();
    let Task::Source(source) = run.task.clone() else {
        panic!("it is a source");
    };
    let wanted = Wanted { source: &source, path: "a.csv", patience };
    (read((&bench, line), &mut run, &wanted, &[]), run)
}

#[track_caller]
fn assert_read(made: Result<Made, Halt>, run: &Run) {
    let made = made.unwrap_or_else(|halt| panic!("{halt:?}"));
    let (_, content) = &made.contents[0];
    assert!(content.starts_with(b"line\n") && content.len().is_multiple_of(5));
    assert_eq!(run.print.file, Some(sha256(content)), "the key is that of what was read");
    assert_ne!(run.run_key, "planned");
    assert_eq!(run.failed, None, "what failed before was another content");
}

#[test]
fn a_file_that_has_changed_since_is_read_once_it_rests() {
    let dir = project();
    let (line, _told) = stub::line();
    let (made, run) = read_with(dir.path(), &line, Duration::from_secs(60));
    assert_read(made, &run);
}

#[test]
fn a_file_that_always_grows_is_read_between_two_changes() {
    let dir = project();
    let _writer = Writer::start(dir.path().join("a.csv"), Duration::from_millis(50));
    let (line, _told) = stub::line();
    let (made, run) = read_with(dir.path(), &line, Duration::from_millis(500));
    assert_read(made, &run);
}

/// Settles on a file that changes whenever it is looked at.
fn settle_restless(line: &Line, patience: Duration) -> (Halt, u32) {
    let mut run = stub::file_run();
    let Task::Source(source) = run.task.clone() else {
        panic!("it is a source");
    };
    let wanted = Wanted { source: &source, path: "a.csv", patience };
    let mut looks = 0;
    let made = settle(line, &mut run, &wanted, || {
        looks += 1;
        let loaded = Ok(Loaded { hash: "h".to_owned(), content: Ok("half".into()) });
        Look { loaded, calm: false, rested: false }
    });
    (made.err().unwrap(), looks)
}

#[test]
fn a_file_that_never_holds_still_is_a_problem() {
    let (halt, looks) = settle_restless(&stub::line().0, Duration::ZERO);
    let Halt::Broken(broken) = halt else {
        panic!("{halt:?}");
    };
    assert_eq!(broken.summary, "cannot read a.csv: it keeps changing while it is read");
    assert!((READS_MAX..READS_MAX + 3).contains(&looks), "it is given up after {looks} looks");
}

#[test]
fn waiting_for_a_file_ends_with_the_engine() {
    for patience in [Duration::ZERO, Duration::from_secs(60)] {
        let (line, _told) = stub::line();
        line.mailbox.post.send(Mail::Stop).unwrap();
        let (halt, looks) = settle_restless(&line, patience);
        assert!(matches!(halt, Halt::Again(_)), "{halt:?}");
        assert_eq!(looks, 0);
    }
}
