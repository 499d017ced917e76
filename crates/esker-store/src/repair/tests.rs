//! What is left is used: packs, the journal, clones; what is nowhere is told, and nothing is thrown away.

use bytes::Bytes;
use esker_wire::fault::Fault;
use esker_wire::name::Branch;
use esker_wire::snapshot::{Get, Put};

use super::*;
use crate::durable::tests::copy;
use crate::store::Options;

/// A store with some versions; the last is in the journal alone.
fn store() -> (tempfile::TempDir, Vec<Revision>) {
    let whole = tempfile::TempDir::new().unwrap();
    let mut store = Store::open(whole.path(), Options::default()).unwrap();
    let mut put = |content: &str| {
        let put = Put::one("raw/a".parse().unwrap(), Bytes::copy_from_slice(content.as_bytes()));
        let stored = store.put(&put).unwrap();
        store.flush().unwrap();
        stored.revision
    };
    let mut revisions: Vec<Revision> =
        (0..5).map(|n| put(&format!("{n}\n{}", "line\n".repeat(50)))).collect();
    store.settle().unwrap();
    let dir = tempfile::TempDir::new().unwrap();
    copy(whole.path(), dir.path());
    let put = Put::one("raw/a".parse().unwrap(), Bytes::from_static(b"last"));
    revisions.push(store.put(&put).unwrap().revision);
    store.flush().unwrap();
    for path in journal::files(whole.path()) {
        let to = dir.path().join(path.strip_prefix(whole.path()).unwrap());
        fs::copy(&path, to).unwrap();
    }
    (dir, revisions)
}

fn content(dir: &Path, at: Revision) -> Result<Bytes, Fault> {
    let mut store = Store::open(dir, Options::default())?;
    let at = at.to_string().parse().unwrap();
    let found = store.get(&Get { at, ..Get::head("raw/a".parse().unwrap()) })?;
    Ok(found.bytes.unwrap())
}

fn run(dir: &Path, from: &[PathBuf], is_dry: bool) -> Repair {
    repair(dir, None, from, is_dry, &mut |_| ()).unwrap()
}

/// The journal is damaged at its beginning; what was told behind that is in it alone.
#[test]
fn what_a_damaged_journal_holds_is_kept() {
    let (dir, revisions) = store();
    let last = *revisions.last().unwrap();
    let path =
        journal::files(dir.path()).into_iter().max_by_key(|path| fs::metadata(path).unwrap().len());
    let path = path.unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes[60] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert!(Store::open(dir.path(), Options::default()).is_err());
    let told = run(dir.path(), &[], true);
    assert!(told.steps.iter().any(|step| step.contains(&last.to_string())), "{told:#?}");
    assert!(Store::open(dir.path(), Options::default()).is_err(), "nothing was changed");
    let done = run(dir.path(), &[], false);
    assert_eq!(done.left, [], "{done:#?}");
    assert_eq!(content(dir.path(), last).unwrap(), "last");
    assert!(fs::read_dir(dir.path().join(ASIDE)).unwrap().count() > 0);
}

#[test]
fn a_lost_reference_is_found_again() {
    let (dir, revisions) = store();
    drop(Store::open(dir.path(), Options::default()).unwrap());
    let last = *revisions.last().unwrap();
    for text in ["", "nonsense\n", "1111111111111111111111111111111111111111\n"] {
        fs::write(dir.path().join("refs/heads/main"), text).unwrap();
        let done = run(dir.path(), &[], false);
        assert_eq!(done.left, [], "{text:?}: {done:#?}");
        assert_eq!(content(dir.path(), last).unwrap(), "last");
    }
}

/// What is nowhere is told; the rest of its pack can be read again.
#[test]
fn what_is_nowhere_is_told() {
    let (dir, revisions) = store();
    drop(Store::open(dir.path(), Options::default()).unwrap());
    let whole = tempfile::TempDir::new().unwrap();
    copy(dir.path(), whole.path());
    // What is left in it of earlier times would do.
    journal::files(dir.path()).iter().for_each(|path| fs::remove_file(path).unwrap());
    let packs = fs::read_dir(dir.path().join("objects/pack")).unwrap();
    let paths = packs.map(|entry| entry.unwrap().path());
    let packs: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|ending| ending == "pack")).collect();
    for path in &packs {
        let mut bytes = fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 16;
        fs::write(path, bytes).unwrap();
    }
    let dry = run(dir.path(), &[], true);
    assert!(!dry.found.is_empty() && !dry.left.is_empty(), "{dry:#?}");
    let done = run(dir.path(), &[], false);
    assert!(!done.left.is_empty(), "{done:#?}");
    let done = run(dir.path(), &[whole.path().to_owned()], false);
    assert_eq!(done.left, [], "{done:#?}");
    for revision in revisions {
        assert_eq!(
            content(dir.path(), revision).unwrap(),
            content(whole.path(), revision).unwrap()
        );
    }
}

#[test]
fn a_store_that_is_held_is_refused() {
    let (dir, _) = store();
    let _held = Store::open(dir.path(), Options::default()).unwrap();
    let refused = repair(dir.path(), None, &[], true, &mut |_| ());
    assert!(matches!(refused, Err(Error::Held { .. })));
}

/// An index that says other than the commits is told, and removed.
#[test]
fn an_index_of_something_else_is_removed() {
    let (dir, revisions) = store();
    drop(Store::open(dir.path(), Options::default()).unwrap());
    let mut history = crate::history::History::default();
    history.push(revisions[2], 0, Vec::new());
    let mut index = Index::new(dir.path(), &Branch::main());
    index.save(&history, 0).unwrap();
    let done = run(dir.path(), &[], false);
    assert!(done.found[0].message.contains("index of main"), "{done:#?}");
    assert_eq!(done.left, []);
    assert_eq!(content(dir.path(), revisions[5]).unwrap(), "last");
}

fn git(dir: &Path, args: &[&str]) -> String {
    let identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "safe.directory=*"];
    let mut command = std::process::Command::new("git");
    let output = command.args(identity).args(args).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// History rewritten while no esker ran is told, and followed by nobody but whoever accepts it.
#[test]
fn a_repair_does_not_accept_rewritten_history() {
    let (dir, revisions) = store();
    drop(Store::open(dir.path(), Options::default()).unwrap());
    let last = *revisions.last().unwrap();
    let evil = git(dir.path(), &["commit-tree", "main^{tree}", "-m", "evil"]);
    for to in [evil.as_str(), "main~2"] {
        git(dir.path(), &["update-ref", "refs/heads/main", to]);
        let done = run(dir.path(), &[], false);
        assert_eq!((done.found.len(), done.steps.len(), done.left.len()), (1, 0, 1), "{done:#?}");
        assert!(done.left[0].hint.contains("--accept main"), "{done:#?}");
        assert!(done.left[0].message.contains(&last.to_string()), "{done:#?}");
        assert_eq!(content(dir.path(), last).unwrap(), "last");
        git(dir.path(), &["update-ref", "refs/heads/main", &last.to_string()]);
    }
    assert_eq!(run(dir.path(), &[], false).found, []);
    git(dir.path(), &["update-ref", "refs/heads/main", &evil]);
    Store::accept(dir.path(), &Branch::main()).unwrap();
    assert_eq!(run(dir.path(), &[], false).found, []);
}

/// Branches are known by their index, and everything by a clone.
#[test]
fn lost_branches_and_tags_are_put_back() {
    let (dir, revisions) = store();
    let mut store = Store::open(dir.path(), Options::default()).unwrap();
    let put = Put::one("raw/b".parse().unwrap(), Bytes::from_static(b"beside"));
    let side = store.put(&Put { branch: "side/x".parse().unwrap(), ..put }).unwrap().revision;
    store.flush().unwrap();
    drop(store);
    git(dir.path(), &["tag", "-a", "v1", "-m", "one", &revisions[0].to_string()]);
    let beside = tempfile::TempDir::new().unwrap();
    let mirror = beside.path().join("mirror.git");
    git(dir.path(), &["clone", "-q", "--mirror", ".", mirror.to_str().unwrap()]);
    let name = "refs/esker/side/x";
    git(dir.path(), &["update-ref", "-d", name]);
    let done = run(dir.path(), &[], false);
    assert_eq!(done.left, [], "{done:#?}");
    assert_eq!(git(dir.path(), &["rev-parse", name]), side.to_string());
    git(dir.path(), &["update-ref", "-d", name]);
    git(dir.path(), &["tag", "-d", "v1"]);
    fs::remove_dir_all(dir.path().join("esker/index")).unwrap();
    assert_eq!(run(dir.path(), &[], true).found, [], "nobody else knows of them");
    let done = run(dir.path(), &[mirror], false);
    assert_eq!((done.found.len(), done.left.len()), (2, 0), "{done:#?}");
    assert_eq!(git(dir.path(), &["rev-parse", name]), side.to_string());
    assert_eq!(git(dir.path(), &["rev-parse", "v1^{commit}"]), revisions[0].to_string());
}

#[test]
fn a_damaged_config_is_written_anew() {
    let (dir, _) = store();
    drop(Store::open(dir.path(), Options::default()).unwrap());
    fs::write(dir.path().join("config"), "[[[\0").unwrap();
    let done = run(dir.path(), &[], false);
    assert_eq!((done.found.len(), done.left.len()), (1, 0), "{done:#?}");
    git(dir.path(), &["log", "-1", "main"]);
    assert!(fs::read_dir(dir.path().join(ASIDE)).unwrap().count() > 0);
}

/// A lock that a killed git has left is named, with what to do.
#[test]
fn a_lock_that_nobody_gives_back_is_told() {
    let (dir, _) = store();
    drop(Store::open(dir.path(), Options::default()).unwrap());
    let path = dir.path().join("refs/heads/main.lock");
    let file = fs::File::create(&path).unwrap();
    assert_eq!(Store::check(dir.path(), None), [], "git may be at work");
    let before = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    file.set_modified(before).unwrap();
    let found = Store::check(dir.path(), None);
    assert!(
        found[0].message.contains("main.lock") && found[0].hint.contains("remove"),
        "{found:?}"
    );
}
