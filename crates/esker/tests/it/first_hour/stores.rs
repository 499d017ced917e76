//! Others at the store: a second engine, people with git, a disk that is full or takes nothing.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{versions, wait_for_no_problem};
use crate::hostile::Disk;
use crate::places;
use crate::world::{World, esker};

/// A file, and a stage that makes capitals of it.
const CAPITALS: &str = "[project]\nname = \"p\"\n\
    [source.a]\nfile = \"a.txt\"\noutput = \"raw/a\"\n\
    [stage.up]\ninput = \"raw/a\"\nrun = [\"tr\", \"a-z\", \"A-Z\"]\noutput = \"out/a\"\n";

#[test]
fn a_second_engine_on_the_same_repository_is_refused() {
    let world = World::new(CAPITALS);
    world.write("a.txt", "one\n");
    let up = world.up();
    for (arguments, expected) in [
        (&["up", "--port-base", "0"][..], format!("is in use by process {}", up.pid())),
        (&["hub", "--port-base", "0"], format!("is in use by process {}", up.pid())),
        (&["runner"], "runner".to_owned()),
    ] {
        let second = esker().args(arguments).current_dir(world.dir()).output().expect("esker ends");
        let stderr = String::from_utf8_lossy(&second.stderr).into_owned();
        assert_eq!(second.status.code(), Some(1), "{arguments:?}: {stderr}");
        assert!(stderr.contains(&expected), "{arguments:?}: {stderr}");
    }
    world.write("a.txt", "the first goes on\n");
    world.wait_for_content("out/a", |content| content == "THE FIRST GOES ON\n");
}

#[test]
fn a_git_commit_inside_the_store_is_taken_in() {
    let world =
        World::new(&CAPITALS.replace("[source.a]\nfile = \"a.txt\"\noutput = \"raw/a\"\n", ""));
    let _up = world.up();
    world.ok_with(&["put", "raw/a"], b"one\n");
    world.wait_for_content("out/a", |content| content == "ONE\n");
    world.wait_for("git to see it", || {
        world.git(&["ls-tree", "-r", "--name-only", "main"]).contains("out/a")
    });
    world.git(&["worktree", "add", "-q", "../../work", "main"]);
    let work = world.path("work");
    fs::write(work.join("raw/a"), "by git\n").expect("written");
    places::git(&work, &["commit", "-q", "-am", "with plain git"]);
    world.wait_for_content("out/a", |content| content == "BY GIT\n");
    assert!(world.ok(&["log", "raw/a"]).contains("with plain git"));
    world.ok_with(&["put", "raw/a"], b"by esker\n");
    world.wait_for_content("out/a", |content| content == "BY ESKER\n");
    world.git(&["fsck", "--strict", "--no-dangling"]);
}

#[test]
fn git_gc_inside_the_store_while_it_runs_loses_nothing() {
    let world = World::new(CAPITALS);
    world.write("a.txt", "one\n");
    let up = world.up();
    world.wait_for_content("out/a", |content| content == "ONE\n");
    let requests = world.port("/hub/requests").to_string();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            world.python("storm.py", &[&requests, "3000"]);
            done.store(true, Ordering::Release);
        });
        while !done.load(Ordering::Acquire) {
            world.git(&["gc", "-q", "--prune=now"]);
        }
    });
    world.write("a.txt", "two\n");
    world.wait_for_content("out/a", |content| content == "TWO\n");
    up.stop();
    world.git(&["gc", "-q", "--prune=now"]);
    world.git(&["fsck", "--strict", "--no-dangling"]);
    assert_eq!(world.git(&["rev-list", "--count", "main", "--", "storm"]).trim(), "3000");
    assert_eq!(world.content("out/a@HEAD~1").as_deref(), Some("ONE\n"));
}

#[test]
fn a_force_push_into_the_store_is_never_followed() {
    let world = World::new(CAPITALS);
    world.write("a.txt", "one\n");
    let _up = world.up();
    world.wait_for_content("out/a", |content| content == "ONE\n");
    world.write("a.txt", "two\n");
    world.wait_for_content("out/a", |content| content == "TWO\n");
    world.wait_for("git to see it", || {
        world.git(&["log", "-1", "--format=%s", "main"]).starts_with("up:")
    });
    world.git(&["clone", "-q", ".", "../../work"]);
    let work = world.path("work");
    places::git(&work, &["reset", "-q", "--hard", "HEAD~2"]);
    places::git(&work, &["push", "-q", "--force", "origin", "HEAD:main"]);
    // What was promised stays, and nothing is put upon what is not known until somebody decides.
    world.wait_for("a PUT to be refused", || {
        let output = world.run_with(&["put", "raw/b"], b"x");
        String::from_utf8_lossy(&output.stderr).contains("esker repair")
    });
    let output = world.run(&["doctor"]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success() && told.contains("which does not descend from"), "{told}");
    assert!(told.contains("put back with `git update-ref`, or accepted with"), "{told}");
    assert_eq!(world.content("out/a").as_deref(), Some("TWO\n"));
    let kept = world.git(&["for-each-ref", "--format=%(refname)", "refs/esker/kept"]);
    assert!(kept.contains("refs/esker/kept/main"), "{kept}");
    // Put back, it goes on.
    world.git(&["update-ref", "refs/heads/main", "refs/esker/kept/main"]);
    world.write("a.txt", "three\n");
    world.wait_for_content("out/a", |content| content == "THREE\n");
}

#[test]
fn a_disk_that_is_full_when_a_run_would_commit_publishes_nothing_and_recovers() {
    let world = World::new(CAPITALS);
    let disk = Disk::mount(&world, "3m");
    world.write("a.txt", "one\n");
    let up = world.up();
    world.wait_for_content("out/a", |content| content == "ONE\n");
    let filler = disk.fill();
    let text: String =
        (0_u32..60_000).map(|n| format!("{}\n", n.wrapping_mul(2_654_435_761))).collect();
    world.write("a.txt", text.to_lowercase() + "end\n");
    world.wait_for("it to be told", || {
        let log = fs::read_to_string(world.path("up.log")).unwrap_or_default();
        log.contains("No space left")
    });
    assert_eq!(world.content("out/a").as_deref(), Some("ONE\n"), "reads go on");
    assert_eq!(world.content("raw/a").as_deref(), Some("one\n"));
    fs::remove_file(filler).expect("removed");
    world.wait_for_content("out/a", |content| content.ends_with("END\n"));
    wait_for_no_problem(&world);
    assert_eq!(versions(&world, "out/a"), 2);
    up.stop();
    world.git(&["fsck", "--strict", "--no-dangling"]);
}

#[test]
fn a_repository_for_reading_only_is_read() {
    let world = World::new("[project]\nname = \"p\"\n");
    let disk = Disk::mount(&world, "20m");
    world.ok_with(&["put", "raw/a"], b"one");
    disk.protect();
    let output = world.run(&["get", "raw/a"]);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && output.stdout == b"one", "{stderr}");
    assert!(stderr.contains("Read-only file system") && stderr.contains("is read"), "{stderr}");
    assert!(world.ok(&["ls"]).contains("raw/a"));
    let output = world.run_with(&["put", "raw/a"], b"two");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && stderr.contains("for reading only"), "{stderr}");
    assert!(world.fails(1, &["hub"]).contains("Read-only file system"));
}
