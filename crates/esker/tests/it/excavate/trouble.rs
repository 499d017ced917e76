//! What stands in the way of an excavation is told; what does not depend on it is dug out all the same.

use super::*;

/// A small project that has run once.
fn small() -> World {
    let world = World::new(
        "[project]\nname = \"p\"\n[store]\nlarge = \"1kB\"\n[stage.upper]\ninput = \"raw/a\"\n\
         run = [\"sh\", \"upper.sh\"]\noutput = \"results/a\"\n",
    );
    world.write("upper.sh", "tr a-z A-Z\n");
    world.ok_with(&["put", "raw/a"], b"one\n");
    world.ok(&["run"]);
    world
}

/// An excavation that is refused; what it says.
fn refused(from: &Path, arguments: &[&str]) -> String {
    let mut command = esker();
    command.arg("excavate").args(arguments).args(["--serve", "no"]).current_dir(from);
    let output = command.output().expect("esker starts");
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn no_tools() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn what_cannot_be_dug_out_is_told_with_what_to_do() {
    let world = small();
    let store = world.store();
    let first = world.json(&["log", "--json"]);
    let first = first.as_array().and_then(|all| all.last()).expect("a revision")["time"].clone();
    let words = refused(world.dir(), &["2001-01-01"]);
    assert!(
        words.contains("2001-01-01") && words.contains(first.as_str().expect("a time")),
        "{words}"
    );
    assert!(refused(world.dir(), &["no-such-tag"]).contains("no revision \"no-such-tag\""));
    assert!(refused(world.dir(), &["0123456789"]).contains("no revision \"0123456789\""));
    let apart = tempfile::tempdir().expect("a folder");
    let words = refused(apart.path(), &["HEAD"]);
    assert!(words.contains("there is no store in") && words.contains("--store DIR"), "{words}");
    git(apart.path(), &["init", "-q", "other"]);
    let words = refused(apart.path(), &["HEAD", "--store", "other"]);
    assert!(words.contains("other") && words.contains("store"), "{words}");
    world.ok_with(&["put", "raw/a"], b"two\n");
    let from = format!("file://{}", store.display());
    git(apart.path(), &["clone", "-q", "--depth", "1", &from, "shallow"]);
    let words = refused(&apart.path().join("shallow"), &["HEAD"]);
    assert!(words.contains("git fetch --unshallow"), "{words}");
    git(&apart.path().join("shallow"), &["fetch", "-q", "--unshallow"]);
    let bin = no_tools();
    let into = apart.path().join("into");
    let (code, _) = dug(&apart.path().join("shallow"), "HEAD", &into, (bin.path(), &[]));
    assert_eq!(code, Some(0));
    // The folder of another excavation is somebody's; so is any that is not empty.
    let words = refused(world.dir(), &["HEAD", "--into", into.to_str().expect("UTF-8")]);
    assert!(words.contains("there is something in") && words.contains("empty"), "{words}");
    fs::create_dir(apart.path().join("empty")).expect("made");
    let (code, _) = dug(&store, "HEAD", &apart.path().join("empty"), (bin.path(), &[]));
    assert_eq!(code, Some(0), "a folder that is empty is good");
}

#[test]
fn two_at_once_are_no_matter_to_each_other() {
    let world = small();
    let apart = tempfile::tempdir().expect("a folder");
    thread::scope(|scope| {
        for number in 0..4 {
            let (world, into) = (&world, apart.path().join(number.to_string()));
            scope.spawn(move || {
                let bin = no_tools();
                let (code, told) = dug(world.dir(), "HEAD", &into, (bin.path(), &["--rerun"]));
                assert_eq!(
                    (code, &stage(&told, "rerun", "upper")["result"]),
                    (Some(0), &json!("identical"))
                );
            });
        }
    });
}

/// Whatever another esker wrote there: the data is shown, and what is wrong is said.
#[test]
fn a_definition_that_this_esker_cannot_read_hides_no_data() {
    let world = small();
    let bad = "[project]\nname = \"p\"\n[stage.upper]\ninput = \"raw/a\"\nrun = [\"sh\", \"upper.sh\"]\n\
        output = \"results/a\"\nteleport = true\n";
    commit(&world.store(), "refs/esker/project", "file/esker.toml", bad);
    world.ok_with(&["put", "raw/a"], b"two\n");
    let apart = tempfile::tempdir().expect("a folder");
    let (bin, into) = (no_tools(), apart.path().join("into"));
    let (code, told) = dug(world.dir(), "HEAD", &into, (bin.path(), &[]));
    assert_eq!(code, Some(0), "{told}");
    let defects = told["defects"].as_array().expect("a list");
    assert!(defects[0].as_str().is_some_and(|text| text.contains("teleport")), "{told}");
    assert_eq!(contents(&into)["raw/a"], b"two\n");
    assert_eq!(files(&into)[Path::new("esker.toml")], bad.as_bytes(), "it is as it was");
    let output = esker().args(["excavate", "HEAD", "--rerun"]).current_dir(world.dir()).output();
    let output = output.expect("esker starts");
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "nothing is run again: {words}");
    assert!(words.contains("this esker cannot read") && words.contains("teleport"), "{words}");
    let mut served = serving::Served::start(&world, (world.dir(), "HEAD"));
    assert_eq!(served.run(&["get", "raw/a"]).1, "two\n");
    served.interrupt();
    let (_, told) = dug(world.dir(), "HEAD~1", &apart.path().join("before"), (bin.path(), &[]));
    assert_eq!(
        (&told["defects"], &told["stages"][0]["verdict"]),
        (&json!([]), &json!("reproducible"))
    );
}

#[test]
fn large_contents_that_a_clone_lacks_are_named_and_the_rest_is_there() {
    let world = small();
    let large = "x".repeat(5000);
    world.ok_with(&["put", "raw/big"], large.as_bytes());
    let clone = cloned(&world.store());
    let (bin, into) = (no_tools(), clone.path().join("into"));
    let (code, _) = dug(&clone.path().join("clone"), "HEAD", &into, (bin.path(), &["--rerun"]));
    assert_eq!(code, Some(0), "what is there gives what it gave");
    let get = |name: &str| esker().args(["get", name]).current_dir(&into).output().expect("esker");
    assert_eq!(get("results/a").stdout, b"ONE\n");
    let missing = get("raw/big");
    let words = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert!(!missing.status.success() && words.contains("raw/big"), "{words}");
    // The store has it.
    let whole = clone.path().join("whole");
    dug(world.dir(), "HEAD", &whole, (bin.path(), &[]));
    assert_eq!(contents(&whole)["raw/big"], large.as_bytes());
}

#[test]
fn a_program_that_is_too_large_to_be_kept_is_told() {
    let world = small();
    let long = format!("tr a-z A-Z\n# {}\n", "x".repeat(9 * 1024 * 1024));
    world.write("upper.sh", long);
    world.ok_with(&["put", "raw/a"], b"two\n");
    world.ok(&["run"]);
    let apart = tempfile::tempdir().expect("a folder");
    let (bin, into) = (no_tools(), apart.path().join("into"));
    let (code, told) = dug(world.dir(), "HEAD", &into, (bin.path(), &["--rerun"]));
    let verdict = stage(&told, "stages", "upper");
    assert_eq!((code, &verdict["verdict"]), (Some(1), &json!("code-missing")));
    assert!(verdict["detail"].as_str().expect("words").contains("upper.sh"), "{verdict}");
    assert_eq!(stage(&told, "rerun", "upper")["result"], "not-run");
    assert!(!into.join("upper.sh").exists());
    assert_eq!(contents(&into)["results/a"], b"TWO\n");
}
