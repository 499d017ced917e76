//! Mirrors: pushed to by the real git, never forced; replicas that follow one; and the way back.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use esker_bus::service::Service as _;
use esker_store::mirror::replica::Replica;
use esker_store::mirror::restore::restore;
use esker_store::mirror::{Halt, Pushing, Tempo};
use esker_store::names::NamesHandle;
use esker_store::service::Snapshots;
use esker_store::store::{Options, Store};
use esker_wire::fault::Code;
use esker_wire::remote::Remote;
use esker_wire::snapshot::{DropBranch, Get, Health, MirrorReport, Put, Tag};
use tempfile::TempDir;

use crate::support::{assert_sound, call, events, git, put, resource, try_git};

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Threads that look often, so that tests are short.
const TEMPO: Tempo = Tempo {
    gather: Duration::from_millis(10),
    look_every: Duration::from_millis(100),
    retry_min: Duration::from_millis(20),
    retry_max: Duration::from_millis(100),
    silence_max: Duration::from_secs(60),
};

/// Longer than any test.
const NEVER: Duration = Duration::from_secs(3600);

/// A store that is pushed to repositories beside it.
struct Bench {
    folder: TempDir,
    snapshots: Snapshots,
    pushing: Option<Pushing>,
}

impl Bench {
    fn new(remotes: &[&str]) -> Self {
        Self::at(remotes, TEMPO)
    }

    fn at(remotes: &[&str], tempo: Tempo) -> Self {
        let folder = TempDir::new().unwrap();
        for remote in remotes {
            git(folder.path(), &["init", "-q", "--bare", "--initial-branch=main", remote]);
        }
        let mut bench =
            Self { snapshots: snapshots(&folder.path().join("store.git")), folder, pushing: None };
        bench.push(remotes, tempo);
        bench
    }

    /// Starts to push to these, as after a start.
    fn push(&mut self, remotes: &[&str], tempo: Tempo) {
        let remotes: Vec<Remote> = remotes.iter().map(|remote| remote.parse().unwrap()).collect();
        let pushing = Pushing::start(&self.path("store.git"), self.folder.path(), &remotes, tempo);
        let pushing = pushing.unwrap();
        let mirrors = pushing.mirrors();
        replace(&mut self.snapshots, |snapshots| snapshots.mirrored(mirrors));
        self.pushing = Some(pushing);
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn put(&mut self, name: &str, content: &str) {
        call(&mut self.snapshots, &put(name, content)).unwrap();
        self.snapshots.settle().unwrap();
    }

    fn reports(&self) -> Vec<MirrorReport> {
        self.pushing.as_ref().map(Pushing::mirrors).unwrap_or_default().reports()
    }

    /// Waits until a mirror stands as wanted.
    fn wait(&self, index: usize, what: &str, holds: impl Fn(&MirrorReport) -> bool) {
        wait(what, || holds(&self.reports()[index]), || format!("{:?}", self.reports()));
    }

    /// Waits until a mirror has all that the store has.
    fn wait_same(&self, remote: &str) {
        let same = || refs(&self.path(remote)) == refs(&self.path("store.git"));
        wait("the same references", same, || format!("{:?}", self.reports()));
    }

    /// Has a mirror run a script before it takes anything.
    fn hook(&self, remote: &str, script: &str) -> PathBuf {
        let hook = self.path(remote).join("hooks/pre-receive");
        fs::create_dir_all(hook.parent().unwrap()).unwrap();
        // Renamed into its place, it is there whole or not at all.
        let half = self.path("hook");
        fs::write(&half, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&half, PermissionsExt::from_mode(0o755)).unwrap();
        fs::rename(&half, &hook).unwrap();
        hook
    }

    fn remote(&self, name: &str) -> Remote {
        self.path(name).to_str().unwrap().parse().unwrap()
    }
}

fn snapshots(dir: &Path) -> Snapshots {
    let store = Store::open(dir, Options::default()).unwrap();
    Snapshots::new(store, NamesHandle::default())
}

/// Changes a service that can only be given away.
fn replace(snapshots: &mut Snapshots, change: impl FnOnce(Snapshots) -> Snapshots) {
    let folder = TempDir::new().unwrap();
    let other = self::snapshots(folder.path());
    *snapshots = change(std::mem::replace(snapshots, other));
}

fn wait(what: &str, holds: impl Fn() -> bool, instead: impl Fn() -> String) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}: {}", instead());
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

fn refs(repository: &Path) -> String {
    git(repository, &["for-each-ref", "--format=%(refname) %(objectname)"])
}

fn goes_on() -> Halt {
    Arc::new(|| false)
}

/// A commit that someone else makes in a mirror.
fn commit_there(bench: &Bench, remote: &str) {
    let clone = TempDir::new().unwrap();
    let from = bench.path(remote);
    git(clone.path(), &["clone", "-q", from.to_str().unwrap(), "copy"]);
    let copy = clone.path().join("copy");
    fs::write(copy.join("by-hand"), "x").unwrap();
    git(&copy, &["add", "by-hand"]);
    git(&copy, &["commit", "-q", "-m", "by hand"]);
    git(&copy, &["push", "-q", "origin", "HEAD:main"]);
}

#[test]
fn every_branch_and_tag_is_mirrored_to_every_mirror() {
    let mut bench = Bench::new(&["a.git", "b.git"]);
    bench.put("raw/plan", "one");
    let records = Put { branch: "records".parse().unwrap(), ..put("run/x", "record") };
    call(&mut bench.snapshots, &records).unwrap();
    let tag = Tag {
        name: "v1".to_owned(),
        at: "HEAD".parse().unwrap(),
        message: Some("the first".to_owned()),
    };
    call(&mut bench.snapshots, &tag).unwrap();
    for remote in ["a.git", "b.git"] {
        bench.wait_same(remote);
        assert_sound(&bench.path(remote));
    }
    let text = refs(&bench.path("a.git"));
    assert!(
        ["refs/heads/main", "refs/esker/records", "refs/tags/v1"]
            .iter()
            .all(|name| text.contains(name)),
        "{text}"
    );
    bench.wait(1, "all to be there", |report| report.behind == Some(0) && report.since.is_none());
    let health = call(&mut bench.snapshots, &Health).unwrap();
    assert_eq!(health.mirrors.len(), 2);
    assert_eq!(health.mirrors[0].trouble, None);
}

#[test]
fn a_mirror_that_refuses_lags_and_catches_up() {
    let mut bench = Bench::new(&["a.git"]);
    bench.put("raw/plan", "one");
    bench.wait_same("a.git");
    bench.wait(0, "all to be there", |report| report.since.is_none());
    let hook = bench.hook("a.git", "echo the disk is full >&2; exit 1");
    bench.put("raw/plan", "two");
    bench.put("raw/plan", "three");
    bench.wait(0, "it to lag", |report| report.behind == Some(2) && report.trouble.is_some());
    let trouble = bench.reports().remove(0).trouble.unwrap();
    assert!(trouble.contains("the disk is full"), "{trouble}");
    fs::remove_file(&hook).unwrap();
    bench.wait_same("a.git");
    bench.wait(0, "it to catch up", |report| {
        *report
            == MirrorReport { behind: Some(0), url: "a.git".to_owned(), ..MirrorReport::default() }
    });
}

#[test]
fn a_mirror_that_has_diverged_is_told_and_never_forced() {
    let mut bench = Bench::new(&["a.git", "b.git"]);
    bench.put("raw/plan", "one");
    bench.wait_same("a.git");
    commit_there(&bench, "a.git");
    let theirs = git(&bench.path("a.git"), &["rev-parse", "main"]);
    bench.put("raw/plan", "two");
    let records = Put { branch: "records".parse().unwrap(), ..put("run/x", "record") };
    call(&mut bench.snapshots, &records).unwrap();
    bench.wait_same("b.git");
    bench.wait(0, "it to be told", |report| {
        report.trouble.as_ref().is_some_and(|trouble| {
            trouble.contains("it has diverged") && trouble.contains("refs/heads/main")
        })
    });
    assert_eq!(git(&bench.path("a.git"), &["rev-parse", "main"]), theirs);
    let there = || refs(&bench.path("a.git")).contains("refs/esker/records");
    wait("the other branches to be pushed", there, String::new);
}

#[test]
fn a_mirror_that_is_not_there_is_told_and_pushed_to_when_it_is() {
    let mut bench = Bench::new(&["a.git"]);
    bench.put("raw/plan", "one");
    bench.wait_same("a.git");
    fs::rename(bench.path("a.git"), bench.path("away.git")).unwrap();
    bench.put("raw/plan", "two");
    bench.wait(0, "it to be missed", |report| report.trouble.is_some());
    // Made anew, it gets all of it.
    git(bench.folder.path(), &["init", "-q", "--bare", "a.git"]);
    bench.wait_same("a.git");
    fs::remove_dir_all(bench.path("a.git")).unwrap();
    bench.put("raw/plan", "three");
    bench.wait(0, "it to be missed again", |report| report.trouble.is_some());
    let trouble = bench.reports().remove(0).trouble.unwrap();
    assert!(trouble.contains("does not appear to be a git repository"), "{trouble}");
    let left = bench.pushing.take().unwrap().shutdown(Duration::from_secs(5));
    assert_eq!(left.len(), 1, "what is not there is told at the end");
    fs::rename(bench.path("away.git"), bench.path("a.git")).unwrap();
    bench.push(&["a.git"], TEMPO);
    bench.wait_same("a.git");
}

#[test]
fn a_gentle_end_pushes_what_is_left() {
    let mut bench = Bench::at(&["a.git"], Tempo { gather: NEVER, ..TEMPO });
    bench.put("raw/plan", "one");
    let left = bench.pushing.take().unwrap().shutdown(PATIENCE);
    assert_eq!(left, []);
    assert_eq!(refs(&bench.path("a.git")), refs(&bench.path("store.git")));
}

#[test]
fn what_is_put_is_pushed_at_once() {
    let mut bench = Bench::at(&["a.git"], Tempo { look_every: NEVER, ..TEMPO });
    for round in 0..5 {
        bench.put("raw/plan", &round.to_string());
        bench.wait_same("a.git");
    }
}

#[test]
fn a_mirror_that_refuses_is_left_alone_for_a_while() {
    let tempo = Tempo { retry_min: NEVER, retry_max: NEVER, ..TEMPO };
    let mut bench = Bench::at(&["a.git", "b.git"], tempo);
    let tries = bench.path("tries");
    bench.hook("a.git", &format!("echo tried >> {}; exit 1", tries.display()));
    for round in 0..5 {
        bench.put("raw/plan", &round.to_string());
        bench.wait_same("b.git");
    }
    bench.wait(0, "it to lag", |report| report.trouble.is_some());
    drop(bench.pushing.take().unwrap().shutdown(PATIENCE));
    let tries = fs::read_to_string(tries).unwrap();
    assert_eq!(tries.lines().count(), 2, "once, and once more at the end");
}

#[test]
fn a_replica_follows_forward_and_takes_no_put() {
    let mut bench = Bench::new(&["a.git"]);
    bench.put("raw/plan", "one");
    bench.wait_same("a.git");
    let dir = bench.path("replica.git");
    let every = Duration::from_millis(50);
    let replica = Replica::start(&dir, bench.remote("a.git"), every, goes_on()).unwrap();
    let mut reader = snapshots(&dir).following(Some(replica.following()));
    let head = Get::head(resource("raw/plan"));
    assert_eq!(call(&mut reader, &head).unwrap().bytes.unwrap(), "one");
    let fault = call(&mut reader, &put("raw/plan", "here")).unwrap_err();
    assert_eq!(fault.code, Code::NotWritable);
    assert!(fault.message.contains("it follows") && fault.message.contains("a.git"), "{fault}");
    bench.put("raw/plan", "two");
    bench.wait_same("a.git");
    wait("the replica to be the same", || refs(&dir) == refs(&bench.path("a.git")), String::new);
    assert_eq!(events(&reader.tick()).len(), 2, "a put and a heartbeat");
    assert_eq!(call(&mut reader, &head).unwrap().bytes.unwrap(), "two");
    assert_sound(&dir);
}

#[test]
fn a_rewritten_history_is_told_and_not_followed() {
    let mut bench = Bench::new(&["a.git"]);
    bench.put("raw/plan", "one");
    bench.put("raw/plan", "two");
    bench.wait_same("a.git");
    let dir = bench.path("replica.git");
    let every = Duration::from_millis(50);
    let replica = Replica::start(&dir, bench.remote("a.git"), every, goes_on()).unwrap();
    let mut reader = snapshots(&dir).following(Some(replica.following()));
    drop(bench.pushing.take());
    git(&bench.path("a.git"), &["update-ref", "refs/heads/main", "main~1"]);
    git(&bench.path("a.git"), &["tag", "v1"]);
    commit_there(&bench, "a.git");
    let trouble = || replica.following().report().trouble.unwrap_or_default();
    wait("it to be told", || trouble().contains("its history was rewritten: main"), trouble);
    reader.tick();
    let head = Get::head(resource("raw/plan"));
    assert_eq!(call(&mut reader, &head).unwrap().bytes.unwrap(), "two");
    assert!(!refs(&dir).contains("v1"), "all of it is followed, or nothing");
    let health = call(&mut reader, &Health).unwrap();
    assert!(health.follows.is_some_and(|report| report.since.is_some()));
    // Put right, it is followed again.
    let good = git(&dir, &["rev-parse", "main"]);
    git(&bench.path("a.git"), &["fetch", "-q", dir.to_str().unwrap(), "main"]);
    git(&bench.path("a.git"), &["update-ref", "refs/heads/main", good.trim()]);
    wait("it to be followed again", || refs(&dir).contains("v1"), trouble);
}

#[test]
fn a_store_of_its_own_is_no_replica() {
    let mut bench = Bench::new(&["a.git"]);
    bench.put("raw/plan", "one");
    bench.wait_same("a.git");
    let every = Duration::from_secs(5);
    let error = Replica::start(&bench.path("store.git"), bench.remote("a.git"), every, goes_on());
    assert!(error.unwrap_err().to_string().contains("a store of its own"));
}

#[test]
fn a_restored_store_is_whole_and_goes_on() {
    let mut bench = Bench::new(&["a.git"]);
    bench.put("raw/plan", "one");
    let records = Put { branch: "records".parse().unwrap(), ..put("run/x", "record") };
    call(&mut bench.snapshots, &records).unwrap();
    bench.wait_same("a.git");
    let dir = bench.path("back/store.git");
    let mut lines = 0;
    let restored = restore(&dir, &bench.remote("a.git"), goes_on(), &mut |_| lines += 1).unwrap();
    assert_eq!((restored.commits, restored.lacks), (3, None));
    assert!(lines > 0, "it tells how it goes on");
    assert_eq!(refs(&dir), refs(&bench.path("store.git")));
    assert_eq!(fs::read_dir(bench.path("back")).unwrap().count(), 1);
    let mut back = snapshots(&dir);
    call(&mut back, &put("raw/plan", "two")).unwrap();
    drop(back);
    git(&dir, &["push", "-q", bench.path("a.git").to_str().unwrap(), "main"]);
    let partial = format!("file://{}", dir.display());
    let clone = ["clone", "-q", "--bare", "--filter=blob:none", &partial, "../partial"];
    git(&bench.path("back"), &clone);
    let all = ["rev-list", "--objects", "--all", "--missing=print"];
    let objects = git(&bench.path("partial"), &all);
    assert!(objects.lines().any(|line| line.starts_with('?')), "contents were left out: {objects}");
    let error = restore(&dir, &bench.remote("a.git"), goes_on(), &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("nothing was restored"), "{error}");
}

#[test]
fn what_is_no_sound_store_is_not_restored() {
    let bench = Bench::new(&[]);
    git(bench.folder.path(), &["init", "-q", "--bare", "empty.git"]);
    let dir = bench.path("back/store.git");
    let check = |remote: &str, halt: Halt, says: &str| {
        let error = restore(&dir, &bench.remote(remote), halt, &mut |_| {}).unwrap_err();
        assert!(error.to_string().contains(says), "{remote}: {error}");
        assert_eq!(fs::read_dir(bench.path("back")).map_or(0, Iterator::count), 0, "{remote}");
    };
    git(bench.folder.path(), &["init", "-q", "other", "--initial-branch=main"]);
    git(&bench.path("other"), &["commit", "-q", "--allow-empty", "-m", "no store"]);
    check("missing.git", goes_on(), "does not appear to be a git repository");
    check("empty.git", goes_on(), "couldn't find remote ref refs/heads/main");
    check("other", goes_on(), "without .esker/format");
    check("other", Arc::new(|| true), "it was to end");
    // What a killed process has left is swept.
    let (ok, ..) =
        try_git(bench.folder.path(), &["init", "-q", "--bare", "back/store.4194305.half"]);
    assert!(ok);
    check("missing.git", goes_on(), "does not appear");
}

/// A what-if begun anew is no fast-forward, and yet neither a mirror nor a replica is at odds with it.
#[test]
fn a_what_if_begun_anew_replaces_its_copies_and_a_dropped_one_goes() {
    let mut bench = Bench::new(&["a.git"]);
    bench.put("raw/plan", "one");
    let bases = ["two", "three"]
        .map(|content| call(&mut bench.snapshots, &put("raw/plan", content)).unwrap().revision);
    let begin = |bench: &mut Bench, base: usize, content: &str| {
        let branch = "whatif/x".parse().unwrap();
        let put = Put { branch, base: Some(bases[base]), ..put("whatif/about", content) };
        call(&mut bench.snapshots, &put).unwrap();
        bench.snapshots.settle().unwrap();
    };
    begin(&mut bench, 0, "first");
    bench.wait_same("a.git");
    let dir = bench.path("replica.git");
    let every = Duration::from_millis(20);
    let replica = Replica::start(&dir, bench.remote("a.git"), every, goes_on()).unwrap();
    let mut reader = snapshots(&dir).following(Some(replica.following()));
    let get = Get { branch: "whatif/x".parse().unwrap(), ..Get::head(resource("raw/plan")) };
    assert_eq!(call(&mut reader, &get).unwrap().bytes.unwrap(), "two");
    begin(&mut bench, 1, "second");
    bench.wait_same("a.git");
    wait("the replica", || refs(&dir) == refs(&bench.path("a.git")), String::new);
    reader.tick();
    assert_eq!(call(&mut reader, &get).unwrap().bytes.unwrap(), "three");
    assert!(replica.following().report().trouble.is_none());
    let gone = DropBranch { branch: "whatif/x".parse().unwrap() };
    assert!(call(&mut bench.snapshots, &gone).unwrap());
    assert!(!refs(&bench.path("store.git")).contains("whatif"));
    bench.put("raw/plan", "four");
    bench.wait_same("a.git");
    let main = |path: &Path| git(path, &["rev-parse", "refs/heads/main"]);
    wait("the replica to go on", || main(&dir) == main(&bench.path("a.git")), String::new);
    assert!(!refs(&dir).contains("kept"));
    assert_sound(&bench.path("a.git"));
    assert_sound(&dir);
}
