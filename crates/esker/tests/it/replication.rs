//! A project and its copies elsewhere: mirrors it is pushed to, a replica that follows, and the way back.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::world::{World, esker};

/// A project of two stages that note their runs in `runs`, pushed to `mirror`.
fn definition(mirror: &Path, runs: &Path) -> String {
    let (mirror, runs) = (mirror.display(), runs.display());
    format!(
        "[project]\nname = \"p\"\n[store]\npush = \"{mirror}\"\n\
         [source.a]\nfile = \"a.txt\"\noutput = \"raw/a\"\n\
         [stage.upper]\ninput = \"raw/a\"\nrun = [\"sh\", \"-c\", \"tr a-z A-Z; echo upper >> {runs}\"]\noutput = \"mid/a\"\n\
         [stage.twice]\ninput = \"mid/a\"\nrun = [\"sh\", \"-c\", \"sed p; echo twice >> {runs}\"]\noutput = \"out/a\"\n"
    )
}

/// A folder for what outlives the projects, with an empty mirror in it.
fn outside() -> tempfile::TempDir {
    let outside = tempfile::tempdir().expect("a folder");
    let mirror = outside.path().join("data.git");
    git(outside.path(), &["init", "-q", "--bare", mirror.to_str().expect("UTF-8")]);
    outside
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git").args(arguments).current_dir(folder).output().expect("git");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn refs(repository: &Path) -> String {
    git(repository, &["for-each-ref", "--format=%(refname) %(objectname)"])
}

/// Waits until a mirror has all that the project has, and the runner is at rest.
fn wait_same(world: &World, mirror: &Path) {
    let instead = || format!("{}\n{}", refs(mirror), refs(&world.store()));
    world
        .wait_for_or("the mirror to be the same", instead, || refs(mirror) == refs(&world.store()));
}

fn runs(file: &Path) -> usize {
    fs::read_to_string(file).unwrap_or_default().lines().count()
}

/// The blob of every resource.
fn heads(world: &World) -> Vec<(Value, Value)> {
    let listing = world.json(&["ls", "--json"]);
    let entries = listing.as_array().expect("a list").iter();
    entries.map(|entry| (entry["resource"].clone(), entry["revision"].clone())).collect()
}

#[test]
fn what_was_deleted_is_restored_and_goes_on() {
    let outside = outside();
    let (mirror, noted) = (outside.path().join("data.git"), outside.path().join("runs"));
    let definition = definition(&mirror, &noted);
    let world = World::new(&definition);
    world.write("a.txt", "one\n");
    let up = world.up();
    world.wait_for_content("out/a", |content| content == "ONE\nONE\n");
    wait_same(&world, &mirror);
    let before = heads(&world);
    up.stop();
    assert_eq!(refs(&mirror), refs(&world.store()), "a gentle end leaves nothing behind");
    drop(world);
    assert_eq!(runs(&noted), 2);

    let world = World::new(&definition);
    fs::remove_file(world.path("esker.toml")).expect("removed");
    let url = mirror.to_str().expect("UTF-8");
    let restored = world.run(&["restore", url, "."]);
    let said = String::from_utf8_lossy(&restored.stderr).into_owned();
    assert!(restored.status.success() && said.contains("next: put esker.toml"), "{said}");
    world.write("esker.toml", &definition);
    world.write("a.txt", "one\n");
    let _up = world.up();
    assert_eq!(heads(&world), before);
    world.write("a.txt", "two\n");
    world.wait_for_content("out/a", |content| content == "TWO\nTWO\n");
    assert_eq!(runs(&noted), 4, "what was made before is not made again");
    world.ok_with(&["put", "raw/b"], b"by hand");
    wait_same(&world, &mirror);
    git(&mirror, &["fsck", "--strict"]);
}

#[test]
fn kills_in_the_middle_of_pushing_lose_nothing() {
    let outside = outside();
    let mirror = outside.path().join("data.git");
    let world = World::new(&definition(&mirror, &outside.path().join("runs")));
    for round in 0..8_u64 {
        let hub = world.up();
        for part in 0..5 {
            world.ok_with(&["put", &format!("raw/{part}")], format!("{round}").as_bytes());
        }
        std::thread::park_timeout(std::time::Duration::from_millis(round * 40));
        hub.kill();
    }
    let _up = world.up();
    wait_same(&world, &mirror);
    git(&mirror, &["fsck", "--strict"]);
}

#[test]
fn a_mirror_that_is_away_is_told_and_hinders_nobody() {
    let outside = outside();
    let mirror = outside.path().join("data.git");
    let world = World::new(&definition(&mirror, &outside.path().join("runs")));
    fs::rename(&mirror, outside.path().join("away")).expect("renamed");
    let up = world.up();
    world.ok_with(&["put", "raw/b"], b"by hand");
    let doctor = || {
        let output = world.run(&["doctor", "--json"]);
        let findings: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let mut found = findings.as_array().into_iter().flatten();
        found.find(|f| f["what"] == "mirror").cloned().unwrap_or_default()
    };
    world.wait_for("the doctor to tell", || doctor()["ok"] == false);
    let told = doctor()["says"].as_str().expect("a text").to_owned();
    assert!(
        told.contains("data.git is behind") && told.contains("not appear to be a git"),
        "{told}"
    );
    up.stop();
    assert!(world.logs().contains("stopped before all was pushed"), "{}", world.logs());
    fs::rename(outside.path().join("away"), &mirror).expect("renamed");
    let _up = world.up();
    wait_same(&world, &mirror);
    world.wait_for("the doctor to be content", || doctor()["ok"] == true);
    let lags = world.logs().matches("a mirror lags behind").count();
    assert_eq!(lags, 1, "once, however often it was tried: {}", world.logs());
}

#[test]
fn a_replica_serves_what_it_follows_and_takes_nothing() {
    let outside = outside();
    let mirror = outside.path().join("data.git");
    let main = World::new(&definition(&mirror, &outside.path().join("runs")));
    let _up = main.up();
    main.ok_with(&["put", "raw/b"], b"one");
    wait_same(&main, &mirror);
    let replica = World::new("[project]\nname = \"p\"\n");
    let url = mirror.to_str().expect("UTF-8");
    let follow = ["hub", "--follow", url, "--every", "100ms", "--port-base", "0"];
    let hub = replica.start(&follow);
    replica.wait_for("the hub", || replica.endpoints()["hub"].is_object());
    assert_eq!(replica.content("raw/b").as_deref(), Some("one"));
    main.ok_with(&["put", "raw/b"], b"two");
    replica.wait_for_content("raw/b", |content| content == "two");
    let refused = replica.fails(1, &["put", "raw/b", "esker.toml"]);
    assert!(refused.contains("it follows") && refused.contains(url), "{refused}");
    let doctor = replica.run(&["doctor"]);
    let doctor = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(doctor.contains("a read replica of"), "{doctor}");
    hub.stop();
    assert_eq!(replica.content("raw/b").as_deref(), Some("two"), "without a hub too");
    replica.fails(1, &["put", "raw/b", "esker.toml"]);
    let refused = replica.fails(1, &["up", "--port-base", "0"]);
    assert!(refused.contains("read replica") && refused.contains("--follow"), "{refused}");
    fs::rename(&mirror, outside.path().join("away")).expect("renamed");
    let _hub = replica.start(&follow);
    replica.wait_for("the hub", || replica.endpoints()["hub"].is_object());
    assert_eq!(replica.content("raw/b").as_deref(), Some("two"), "without the mirror too");
}

#[test]
fn what_cannot_be_restored_leaves_nothing() {
    let outside = outside();
    let folder = outside.path();
    let restore = |arguments: &[&str]| {
        let output = esker().arg("restore").args(arguments).current_dir(folder).output();
        let output = output.expect("esker ends");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = restore(&["missing.git", "a/b"]);
    assert!(code == Some(1) && said.contains("missing.git") && said.contains("hint: "), "{said}");
    assert!(!folder.join("a").exists());
    let (code, said) = restore(&["data.git"]);
    assert!(
        code == Some(1) && said.contains("refs/heads/main") && !folder.join("data").exists(),
        "{said}"
    );
    let (code, said) = restore(&["ext::sh -c true", "a"]);
    assert!(code == Some(2) && said.contains("runs any program"), "{said}");
    let world = World::new("[project]\nname = \"p\"\n");
    world.ok_with(&["put", "raw/a"], b"one");
    let said = world.fails(1, &["restore", "anything", "."]);
    assert!(said.contains("holds a store already"), "{said}");
    assert_eq!(world.content("raw/a").as_deref(), Some("one"));
}

/// The files of the large contents in a repository.
fn large(repository: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![repository.join("lfs/objects")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found
}

#[test]
fn large_contents_come_back_from_a_mirror() {
    let outside = outside();
    let mirror = outside.path().join("data.git");
    let url = mirror.to_str().expect("UTF-8");
    let world = World::new(&format!(
        "[project]\nname = \"p\"\n[store]\nlarge = \"1kB\"\npush = \"{url}\"\n"
    ));
    let up = world.up();
    world.ok_with(&["put", "raw/big"], &[b'x'; 3_000]);
    wait_same(&world, &mirror);
    up.stop();
    let (ours, theirs) = (large(&world.store()), large(&mirror));
    assert_eq!((ours.len(), theirs.len()), (1, 1));
    fs::write(&ours[0], [b'y'; 3_000]).expect("written");
    assert_eq!(fs::read(&theirs[0]).expect("a copy"), [b'x'; 3_000]);
    for is_missing in [false, true] {
        if is_missing {
            fs::remove_file(&ours[0]).expect("removed");
        }
        let doctor = world.run(&["doctor", "--deep"]);
        let told = String::from_utf8_lossy(&doctor.stdout).into_owned();
        assert!(told.contains("wrong  deep") && told.contains("raw/big"), "{told}");
        assert!(!told.contains("nothing is missing"), "{told}");
        let dry = world.run(&["repair", "--from", url]);
        let told = String::from_utf8_lossy(&dry.stdout).into_owned();
        assert!(
            told.contains("to do  bring the large content") && !told.contains("stays"),
            "{told}"
        );
        world.ok(&["repair", "--from", url, "--yes"]);
        assert_eq!(world.content("raw/big").expect("it is back").len(), 3_000);
        world.ok(&["doctor", "--deep"]);
    }
}
