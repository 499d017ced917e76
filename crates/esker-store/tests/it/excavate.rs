//! Excavations of stores and of clones that the real git made: as of then, with what-ifs, and nothing of the original
//! touched.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::SystemTime;

use esker_store::excavate::{excavate_into, open_original, repository};
use esker_store::names::NamesHandle;
use esker_store::service::Snapshots;
use esker_store::store::{Options, Store};
use esker_wire::fault::{Code, Fault};
use esker_wire::name::Branch;
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Branches, DropBranch, Gc, Get, List, Log, Move, Put, Resolve, Tag};
use tempfile::TempDir;

use crate::support::{NOON, assert_sound, call, git, options, put, resource, try_git};

/// A store with a large content, a tag, a project and records; the revision to be looked at.
struct Site {
    folder: TempDir,
    until: Revision,
}

const LARGE: &str = "a large content, for a store that takes all above twenty bytes for large";

impl Site {
    fn new() -> Self {
        let clock = Arc::new(AtomicI64::new(NOON));
        let folder = TempDir::new().unwrap();
        let store = folder.path().join("store.git");
        let large = Options { large_min: 20, ..options(&clock) };
        let mut snapshots =
            Snapshots::new(Store::open(&store, large).unwrap(), NamesHandle::default());
        let mut put_in = |put: Put| {
            let stored = call(&mut snapshots, &put).unwrap();
            clock.fetch_add(60, Ordering::SeqCst);
            stored.revision
        };
        let on = |branch: &str, put: Put| Put { branch: branch.parse().unwrap(), ..put };
        put_in(on("project", put("definition/esker.toml", "1")));
        put_in(put("raw/plan", "one"));
        let until = put_in(put("raw/large", LARGE));
        put_in(put("raw/plan", "two"));
        put_in(on("records", put("run/x", "r")));
        put_in(put("raw/plan", "three"));
        let tag = Tag { name: "v1".to_owned(), at: At::from(until), message: None };
        call(&mut snapshots, &tag).unwrap();
        drop(snapshots);
        Self { folder, until }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn clone(&self, args: &[&str], name: &str) -> PathBuf {
        let url = format!("file://{}", self.path("store.git").display());
        let to = self.path(name);
        let all = [&["clone", "-q"], args, &[&url, to.to_str().unwrap()]].concat();
        git(self.folder.path(), &all);
        to
    }
}

fn excavated(dir: &Path) -> Snapshots {
    Snapshots::new(Store::open(dir, Options::default()).unwrap(), NamesHandle::default())
}

fn get(snapshots: &mut Snapshots, branch: &str, name: &str) -> Result<String, Fault> {
    let ask = Get { branch: branch.parse().unwrap(), ..Get::head(resource(name)) };
    let got = call(snapshots, &ask)?;
    Ok(String::from_utf8(got.bytes.unwrap().to_vec()).unwrap())
}

/// Every file of a folder, and when it was written.
fn files(folder: &Path) -> BTreeMap<PathBuf, (SystemTime, u64)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let about = fs::symlink_metadata(&path).unwrap();
        if about.is_dir() {
            found.extend(files(&path));
        }
        found.insert(path, (about.modified().unwrap(), about.len()));
    }
    found
}

/// What every excavation is like; `from` stays as it was.
fn look(site: &Site, from: &Path, name: &str) -> Snapshots {
    let before = files(from);
    let dir = site.path(name);
    let mut original = open_original(from, Options::default()).unwrap();
    let ask = |at: &str| Resolve { at: at.parse().unwrap(), branch: Branch::main(), zone: None };
    let until = original.resolve(&ask(&site.until.to_string()[..10])).unwrap().revision;
    assert_eq!(original.resolve(&ask("v1")).unwrap().revision, until);
    assert_eq!(until, site.until);
    drop(original);
    excavate_into(&dir, from, until).unwrap();
    let mut store = excavated(&dir);
    assert_eq!(get(&mut store, "main", "raw/plan").unwrap(), "one");
    let log = call(&mut store, &Log::newest(10)).unwrap();
    assert_eq!(log.entries[0].revision, until);
    let refused = |fault: Fault| {
        assert_eq!(fault.code, Code::NotWritable, "{fault}");
        assert!(fault.message.contains(&format!("an excavation of {until}")), "{fault}");
    };
    refused(call(&mut store, &put("raw/plan", "x")).unwrap_err());
    let records = Put { branch: Branch::records(), ..put("run/x", "x") };
    refused(call(&mut store, &records).unwrap_err());
    let tag = Tag { name: "v2".to_owned(), at: At::head(), message: None };
    refused(call(&mut store, &tag).unwrap_err());
    let moved = Move {
        resource: resource("raw/plan"),
        to: resource("raw/other"),
        branch: Branch::main(),
        if_head: None,
        message: None,
        author: None,
    };
    refused(call(&mut store, &moved).unwrap_err());
    refused(call(&mut store, &Gc { remove: true, grace_s: 0 }).unwrap_err());
    let drop_it = |name: &str| DropBranch { branch: name.parse().unwrap() };
    refused(call(&mut store, &drop_it("backfill/x")).unwrap_err());
    let what_if = |content: &str| Put {
        branch: "whatif/x".parse().unwrap(),
        base: Some(until),
        ..put("raw/plan", content)
    };
    call(&mut store, &what_if("if")).unwrap();
    store.settle().unwrap();
    assert_sound(&dir);
    assert_eq!(git(&dir, &["diff", "--name-only", "main", "esker/whatif/x"]), "raw/plan\n");
    drop(store);
    let mut store = excavated(&dir);
    assert_eq!(get(&mut store, "whatif/x", "raw/plan").unwrap(), "if");
    assert_eq!(get(&mut store, "main", "raw/plan").unwrap(), "one");
    assert!(call(&mut store, &drop_it("whatif/x")).unwrap());
    assert_eq!(files(from), before);
    store
}

#[test]
fn a_store_is_excavated_while_it_is_open() {
    let site = Site::new();
    let from = site.path("store.git");
    let held = Store::open(&from, Options::default()).unwrap();
    let mut store = look(&site, &from, "dig");
    assert_eq!(get(&mut store, "main", "raw/large").unwrap(), LARGE);
    assert_eq!(get(&mut store, "project", "definition/esker.toml").unwrap(), "1");
    assert_eq!(get(&mut store, "records", "run/x").unwrap_err().code, Code::NotFound);
    let what_if = Put {
        branch: "whatif/y".parse().unwrap(),
        base: Some(site.until),
        ..put("raw/copy", LARGE)
    };
    call(&mut store, &what_if).unwrap();
    assert_eq!(get(&mut store, "whatif/y", "raw/copy").unwrap(), LARGE);
    let tip = git(&from, &["rev-parse", "main"]).trim().parse::<Revision>().unwrap();
    let later = Get { at: At::from(tip), ..Get::head(resource("raw/plan")) };
    assert_eq!(call(&mut store, &later).unwrap_err().code, Code::NotFound);
    drop(held);
    // The original's packs are merged meanwhile.
    git(&from, &["repack", "-adq"]);
    git(&from, &["prune-packed"]);
    let first = Get { at: "HEAD~1".parse().unwrap(), ..Get::head(resource("raw/plan")) };
    assert_eq!(call(&mut store, &first).unwrap().bytes.unwrap(), "one");
}

#[test]
fn clones_of_every_kind_are_excavated() {
    let site = Site::new();
    for (name, args) in [("bare.git", &["--bare"][..]), ("all.git", &["--mirror"]), ("plain", &[])]
    {
        let from = site.clone(args, name);
        let mut store = look(&site, &from, &format!("dig-{name}"));
        let fault = get(&mut store, "main", "raw/large").unwrap_err();
        assert!(fault.message.contains("is missing: there is no"), "{fault}");
        // It comes with main: the first commit made under it has it for its second parent.
        assert_eq!(get(&mut store, "project", "definition/esker.toml").unwrap(), "1");
        let known = call(&mut store, &Branches { prefix: String::new() }).unwrap();
        assert_eq!(known.len(), 1);
    }
}

#[test]
fn a_clone_whose_main_is_only_tracked_and_a_further_work_tree() {
    let site = Site::new();
    let from = site.clone(&[], "plain");
    git(&from, &["checkout", "-q", "--detach"]);
    git(&from, &["branch", "-q", "-D", "main"]);
    fs::create_dir_all(from.join(".git/lfs")).unwrap();
    let lfs = site.path("store.git/lfs/objects");
    std::os::unix::fs::symlink(lfs, from.join(".git/lfs/objects")).unwrap();
    let mut store = look(&site, &from, "dig");
    assert_eq!(get(&mut store, "main", "raw/large").unwrap(), LARGE);
    assert_eq!(get(&mut store, "project", "definition/esker.toml").unwrap(), "1");
    git(&from, &["worktree", "add", "-q", "--detach", "../further"]);
    let further = site.path("further");
    assert_eq!(repository(&further).unwrap(), repository(&from).unwrap());
    drop(look(&site, &further, "dig-further"));
}

#[test]
fn what_cannot_be_excavated_says_why() {
    let site = Site::new();
    let store = site.path("store.git");
    let url = format!("file://{}", store.display());
    git(site.folder.path(), &["clone", "-q", "--depth=1", &url, "shallow"]);
    let why = |from: &str, until: Revision| {
        excavate_into(&site.path("dig"), &site.path(from), until).unwrap_err().to_string()
    };
    assert!(why("shallow", site.until).contains("--unshallow"));
    assert!(why("nothing", site.until).contains("no such folder"));
    let unknown = Revision::from_bytes([7; 20]);
    assert!(why("store.git", unknown).contains(&unknown.to_string()));
    assert!(!site.path("dig").exists());
    excavate_into(&site.path("dig"), &store, site.until).unwrap();
    assert!(why("store.git", site.until).contains("already"));
    let other = Options { until: Some(unknown), ..Options::default() };
    let refused = Store::open(&site.path("dig"), other).err().unwrap().to_string();
    assert!(refused.contains("no commit"), "{refused}");
    let (ok, ..) = try_git(&site.path("dig"), &["rev-parse", "--verify", "v1"]);
    assert!(ok);
}

/// A store that is opened so itself ends there, and does not follow what others put.
#[test]
fn a_store_can_be_read_as_if_it_ended() {
    let site = Site::new();
    let dir = site.path("store.git");
    let options = Options { until: Some(site.until), ..Options::default() };
    let mut store = Store::open_read_only(&dir, options).unwrap();
    let content = store.get(&Get::head(resource("raw/plan"))).unwrap();
    assert_eq!(content.bytes.unwrap(), "one");
    assert_eq!(store.list(&List::all(Branch::main())).unwrap().at, Some(site.until));
}
