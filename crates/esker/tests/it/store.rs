//! The store, as plain git sees it: at any time, also while PUTs run.

use std::process::Command;

use crate::world::World;

#[test]
fn git_reads_the_store_while_puts_run() {
    let world = World::new("[project]\nname = \"p\"\n");
    let _up = world.up();
    world.ok_with(&["put", "raw/a"], b"first\n");
    std::thread::scope(|scope| {
        let storm = scope.spawn(|| {
            let requests = world.port("/hub/requests").to_string();
            world.python("storm.py", &[&requests, "2000"]);
        });
        let mut rounds = 0;
        while !storm.is_finished() || rounds < 3 {
            rounds += 1;
            fsck_live(&world);
            world.git(&["log", "-n5", "--stat", "main"]);
            let clone = world.path(format!("clone-{rounds}"));
            let store = world.store();
            let store = store.to_str().expect("UTF-8");
            world.git(&["clone", "-q", store, clone.to_str().expect("UTF-8")]);
            let fsck =
                Command::new("git").arg("-C").arg(&clone).args(["fsck", "--strict"]).status();
            assert!(fsck.is_ok_and(|status| status.success()), "a clone is whole");
            let content = std::fs::read(clone.join("raw/a")).expect("a file");
            assert_eq!(content, b"first\n");
        }
    });
    world.git(&["fsck", "--strict", "--no-dangling"]);
    assert_eq!(world.git(&["rev-list", "--count", "main", "--", "storm"]).trim(), "2000");
}

/// `git fsck` lists the objects first and reads the branches last (before git 2.53), so on any repository that
/// is being written it calls missing what came in between. What it calls missing must be there, and it may
/// complain of nothing else.
fn fsck_live(world: &World) {
    let mut fsck = Command::new("git");
    fsck.arg("-C").arg(world.store()).args(["fsck", "--strict", "--no-dangling"]);
    let output = fsck.output().expect("git runs");
    let text = [output.stdout, output.stderr].concat();
    for line in String::from_utf8_lossy(&text).lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["missing", _, object] => drop(world.git(&["cat-file", "-e", object])),
            _ => panic!("git fsck: {line}"),
        }
    }
}

#[test]
fn a_commit_reads_well() {
    let world = World::new(
        "[project]\nname = \"p\"\n[stage.up]\ninput = \"raw/a\"\nrun = [\"tr\", \"a-z\", \"A-Z\"]\noutput = \"out/a\"\n",
    );
    let _up = world.up();
    let raw = world.ok_with(&["put", "raw/a", "-m", "the first numbers"], b"abc\n");
    world.wait_for_content("out/a", |content| content == "ABC\n");
    let log = || world.git(&["log", "--first-parent", "--format=%s"]);
    let expected = "up: out/a from raw/a\nthe first numbers\nbegin the store\n";
    world.wait_for_or("git to see it", log, || log() == expected);
    let message = world.git(&["log", "-n1", "--format=%B"]);
    assert!(message.contains(&format!("raw/a {}", raw.trim())), "{message}");
    assert!(message.contains("tr a-z A-Z"), "{message}");
}

#[test]
fn versions_are_found_by_every_name() {
    let world = World::new("[project]\nname = \"p\"\n");
    let _up = world.up();
    let first = world.ok_with(&["put", "raw/a"], b"one").trim().to_owned();
    world.ok(&["tag", "v1"]);
    world.ok_with(&["put", "raw/a"], b"two");
    let today = world.git(&["log", "-n1", "--date=format-local:%Y-%m-%d", "--format=%cd"]);
    for (at, content) in [
        ("HEAD", "two"),
        ("HEAD~1", "one"),
        (first.as_str(), "one"),
        (&first[..8], "one"),
        ("v1", "one"),
        (today.trim(), "two"),
    ] {
        assert_eq!(world.content(&format!("raw/a@{at}")).as_deref(), Some(content), "{at}");
    }
    let unknown = world.fails(1, &["get", "raw/a@abcdef0"]);
    assert!(unknown.starts_with("error: ") && unknown.contains("abcdef0"), "{unknown}");
    let missing = world.fails(1, &["get", "raw/b"]);
    assert!(
        missing.contains("raw/b") && missing.contains("raw/a"),
        "it names the nearest: {missing}"
    );
}

#[test]
fn an_ambiguous_prefix_names_its_candidates() {
    let world = World::new("[project]\nname = \"p\"\n");
    let up = world.up();
    let requests = world.port("/hub/requests").to_string();
    // Among 2,000 commits some two share four digits (the chance that none do is below 1e-13).
    world.python("storm.py", &[&requests, "2000"]);
    let revisions = world.git(&["rev-list", "main"]);
    let mut prefixes: Vec<&str> = revisions.lines().map(|revision| &revision[..4]).collect();
    prefixes.sort_unstable();
    let twice = prefixes.windows(2).find(|pair| pair[0] == pair[1]).expect("two alike")[0];
    let stderr = world.fails(1, &["get", &format!("storm/0@{twice}")]);
    assert!(
        stderr.contains(" revisions begin with") && stderr.matches("near: ").count() >= 2,
        "{stderr}"
    );
    up.stop();
}

#[test]
fn without_a_hub_commands_work_on_the_store() {
    let world = World::new("[project]\nname = \"p\"\n");
    world.ok_with(&["put", "raw/a"], b"one");
    assert_eq!(world.content("raw/a").as_deref(), Some("one"));
    let up = world.up();
    assert_eq!(world.content("raw/a").as_deref(), Some("one"));
    up.kill();
    world.ok_with(&["put", "raw/a"], b"two");
    assert_eq!(world.content("raw/a").as_deref(), Some("two"));
}

/// Nobody who rewrites the history is followed, until someone says so.
#[test]
fn a_rewritten_history_is_accepted_by_hand() {
    let world = World::new("[project]\nname = \"p\"\n");
    world.ok_with(&["put", "raw/a"], b"one");
    let two = world.ok_with(&["put", "raw/a"], b"two");
    world.git(&["update-ref", "refs/heads/main", "main~1"]);
    let told = world.fails(1, &["repair", "--yes"]);
    assert!(told.is_empty(), "what is found is printed, and nothing is done: {told}");
    let output = world.run_with(&["put", "raw/a"], b"three");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains("esker repair --accept main"), "{told}");
    assert_eq!(world.content("raw/a").as_deref(), Some("two"), "what was promised is still read");
    world.ok(&["repair", "--accept", "main"]);
    assert_eq!(world.content("raw/a").as_deref(), Some("one"));
    world.ok_with(&["put", "raw/a"], b"three");
    assert_eq!(world.git(&["rev-parse", "refs/esker/kept/main"]).trim(), two.trim());
}

#[test]
fn many_may_begin_a_store_at_once() {
    let world = World::new("[project]\nname = \"p\"\n");
    std::thread::scope(|scope| {
        for index in 0..6 {
            let world = &world;
            scope.spawn(move || {
                let name = format!("raw/p{index}");
                // Where another writes just now, it is told so, and asks again.
                world.wait_for(&name, || {
                    let output = world.run_with(&["put", &name], b"x");
                    let told = String::from_utf8_lossy(&output.stderr).into_owned();
                    assert!(!told.contains("os error"), "{told}");
                    output.status.success()
                });
            });
        }
    });
    assert_eq!(world.json(&["ls", "--json"]).as_array().map(Vec::len), Some(6));
    world.git(&["fsck", "--strict", "--no-dangling"]);
}
