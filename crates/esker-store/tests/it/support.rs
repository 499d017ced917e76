//! What the tests share: a service with a clock of its own, typed calls, and the real git.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use esker_bus::service::{Frames, Outcome, Service as _};
use esker_store::error::Error;
use esker_store::names::{Names, NamesHandle};
use esker_store::service::Snapshots;
use esker_store::store::{Options, Store};
use esker_wire::event::Event;
use esker_wire::fault::Fault;
use esker_wire::message::{Message, Request, answer};
use esker_wire::name::Resource;
use esker_wire::revision::Revision;
use esker_wire::snapshot::{Content, Get, Put, Stored};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tempfile::TempDir;

/// 2025-11-20 12:00:00 UTC.
pub(crate) const NOON: i64 = 1_763_640_000;

/// A service on a folder of its own, with a clock that moves only when told.
pub(crate) struct Bench {
    pub(crate) folder: TempDir,
    pub(crate) snapshots: Snapshots,
    pub(crate) clock: Arc<AtomicI64>,
    pub(crate) names: NamesHandle,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::named(Names::default())
    }

    pub(crate) fn named(names: Names) -> Self {
        let folder = TempDir::new().unwrap();
        let clock = Arc::new(AtomicI64::new(NOON));
        let names = NamesHandle::new(names);
        let store = Store::open(folder.path(), options(&clock)).unwrap();
        let snapshots = Snapshots::new(store, names.clone());
        Self { folder, snapshots, clock, names }
    }

    /// Closes the store and opens it again.
    pub(crate) fn reopen(self) -> Self {
        self.close().open()
    }

    /// Closes the store.
    pub(crate) fn close(self) -> Closed {
        let Self { folder, snapshots, clock, names } = self;
        drop(snapshots);
        Closed { folder, clock, names }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn call<R: Request>(&mut self, request: &R) -> Result<R::Reply, Fault> {
        call(&mut self.snapshots, request)
    }

    pub(crate) fn put(&mut self, name: &str, content: &str) -> Stored {
        self.call(&put(name, content)).unwrap()
    }

    /// Waits for a condition.
    pub(crate) fn until(&mut self, mut holds: impl FnMut(&mut Self) -> bool) {
        let end = Instant::now() + Duration::from_secs(30);
        while !holds(self) {
            assert!(Instant::now() < end, "it never comes");
            std::thread::yield_now();
        }
    }

    /// The head of `main` as git sees it.
    pub(crate) fn git_head(&mut self) -> Revision {
        self.git(&["rev-parse", "refs/heads/main"]).trim().parse().unwrap()
    }

    /// Whether git finds nothing wrong.
    pub(crate) fn assert_sound(&mut self) {
        self.snapshots.settle().unwrap();
        assert_sound(self.folder.path());
    }

    /// Runs the real git in the store, when it sees all that was acknowledged.
    pub(crate) fn git(&mut self, args: &[&str]) -> String {
        self.snapshots.settle().unwrap();
        git(self.folder.path(), args)
    }

    pub(crate) fn get(&mut self, name: &str) -> Result<Content, Fault> {
        self.call(&Get::head(resource(name)))
    }

    pub(crate) fn get_at(&mut self, name: &str, at: &str) -> Result<Content, Fault> {
        self.call(&Get { at: at.parse().unwrap(), ..Get::head(resource(name)) })
    }

    /// One frame in, the reply's one frame and the events out.
    pub(crate) fn seed(&mut self, frame: &[u8]) -> (String, Vec<Frames>) {
        let requests = vec![vec![Bytes::copy_from_slice(frame)]];
        let mut outcomes = self.snapshots.handle(&requests);
        assert_eq!(outcomes.len(), 1);
        let outcome = outcomes.remove(0);
        assert_eq!(outcome.reply.len(), 1);
        let reply = String::from_utf8(outcome.reply[0].to_vec()).unwrap();
        (reply, outcome.events)
    }
}

/// A store that is not open.
pub(crate) struct Closed {
    pub(crate) folder: TempDir,
    clock: Arc<AtomicI64>,
    names: NamesHandle,
}

impl Closed {
    pub(crate) fn try_open(&self) -> Result<Store, Error> {
        Store::open(self.folder.path(), options(&self.clock))
    }

    pub(crate) fn open(self) -> Bench {
        let snapshots = Snapshots::new(self.try_open().unwrap(), self.names.clone());
        let Self { folder, clock, names } = self;
        Bench { folder, snapshots, clock, names }
    }
}

pub(crate) fn options(clock: &Arc<AtomicI64>) -> Options {
    let clock = Arc::clone(clock);
    Options {
        project: "test".to_owned(),
        clock: Arc::new(move || Timestamp::from_second(clock.load(Ordering::SeqCst)).unwrap()),
        zone: TimeZone::UTC,
        ..Options::default()
    }
}

pub(crate) fn call<R: Request>(snapshots: &mut Snapshots, request: &R) -> Result<R::Reply, Fault> {
    let outcome = one(snapshots, request);
    let message = Message::from_frames(&outcome.into_reply()).unwrap();
    answer::<R>(&message)
}

pub(crate) fn one<R: Request>(snapshots: &mut Snapshots, request: &R) -> Outcome {
    let frames = request.to_message().to_frames();
    let mut outcomes = snapshots.handle(&[frames]);
    assert_eq!(outcomes.len(), 1);
    outcomes.remove(0)
}

pub(crate) fn resource(name: &str) -> Resource {
    name.parse().unwrap()
}

pub(crate) fn put(name: &str, content: &str) -> Put {
    Put::one(resource(name), Bytes::copy_from_slice(content.as_bytes()))
}

/// Our own events among the published ones.
pub(crate) fn events(published: &[Frames]) -> Vec<Event> {
    let ours = published.iter().filter(|frames| frames.len() > 1);
    ours.map(|frames| Event::from_frames(frames).unwrap()).collect()
}

/// Runs the real git in a folder; its output.
pub(crate) fn git(folder: &Path, args: &[&str]) -> String {
    let (ok, out, err) = try_git(folder, args);
    assert!(ok, "git {args:?} failed: {out}{err}");
    out
}

/// Runs the real git in a folder at a time of its own; its output.
pub(crate) fn git_at(folder: &Path, args: &[&str], date: &str) -> String {
    let mut command = command(folder, args);
    command.env("GIT_AUTHOR_DATE", date).env("GIT_COMMITTER_DATE", date);
    let output = command.output().unwrap();
    assert!(output.status.success(), "git {args:?} failed");
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn try_git(folder: &Path, args: &[&str]) -> (bool, String, String) {
    let output = command(folder, args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        .args(["-c", "safe.directory=*", "-c", "user.name=Ann", "-c", "user.email=ann@example.org"])
        .args(args)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("HOME", "/nonexistent")
        .env("TZ", "UTC")
        .current_dir(folder);
    command
}

/// Whether git finds nothing wrong.
pub(crate) fn assert_sound(folder: &Path) {
    let (ok, out, err) = try_git(folder, &["fsck", "--strict", "--no-dangling"]);
    assert!(ok, "git fsck: {out}{err}");
    let lines: Vec<&str> = out.lines().chain(err.lines()).collect();
    let faults: Vec<&&str> =
        lines.iter().filter(|line| !line.starts_with("Checking") && !line.is_empty()).collect();
    assert!(faults.is_empty(), "git fsck: {faults:?}");
}

/// Numbers that look random and are the same for the same seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}
