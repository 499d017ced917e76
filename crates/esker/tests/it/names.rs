//! Names over time, and what is kept: from the command line, while everything runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use esker_bus::service::Service as _;
use esker_store::names::NamesHandle;
use esker_store::service::Snapshots;
use esker_store::store::{Options, Store};
use esker_wire::message::Request as _;
use esker_wire::snapshot::Put;
use jiff::Timestamp;
use serde_json::Value;

use crate::world::World;

const DEFINITION: &str = r#"[project]
name = "p"
[alias]
"the plan" = "raw/a"
[stage.up]
input = "raw/a"
run = ["tr", "a-z", "A-Z"]
output = "out/a"
[view.a]
resource = "out/a"
"#;

#[test]
fn what_runs_goes_on_after_a_rename() {
    let world = World::new(DEFINITION);
    let up = world.up();
    let first = world.ok_with(&["put", "raw/a"], b"abc\n").trim().to_owned();
    world.wait_for_content("out/a", |content| content == "ABC\n");
    let moved = world.run(&["mv", "raw/a", "raw/b", "-m", "a better name"]);
    let said = String::from_utf8_lossy(&moved.stderr).into_owned();
    assert!(said.contains("esker.toml:4:14: alias \"the plan\" says raw/a: write raw/b"), "{said}");
    assert!(said.contains("esker.toml:6:9: input of [stage.up] says raw/a: write raw/b"), "{said}");
    let moved = world.json(&["mv", "out/a", "out/b", "--json"]);
    assert_eq!(moved["named"].as_array().map(Vec::len), Some(2));
    assert_eq!(world.json(&["mv", "out/a", "out/b", "--json"])["changed"], false);
    // The definition still says the older names, and so do scripts.
    world.ok_with(&["put", "raw/a"], b"def\n");
    world.wait_for_content("out/b", |content| content == "DEF\n");
    assert_eq!(world.content("out/a").as_deref(), Some("DEF\n"));
    assert_eq!(world.content(&format!("raw/a@{first}")).as_deref(), Some("abc\n"));
    assert_eq!(world.content(&format!("raw/b@{first}")).as_deref(), Some("abc\n"));
    let listed = world.ok(&["ls"]);
    assert!(!listed.contains("raw/a ") && !listed.contains("out/a "), "{listed}");
    let log = world.ok(&["log", "raw/b"]);
    assert!(log.contains("moved from raw/a: a better name"), "{log}");
    assert_eq!(log.lines().count(), 4, "{log}");
    let why = world.ok(&["why", "out/b"]);
    assert!(why.contains("raw/b"), "{why}");
    // Then the definition is changed; nothing of it is lost.
    world.write("esker.toml", DEFINITION.replace("raw/a", "raw/b").replace("out/a", "out/b"));
    world.ok_with(&["put", "raw/b"], b"ghi\n");
    world.wait_for_content("out/b", |content| content == "GHI\n");
    assert_eq!(world.json(&["problems", "--json"]).as_array().map(Vec::len), Some(0));
    // And a new resource may have the older name.
    world.ok_with(&["put", "raw/a", "--if-head", "none"], b"new\n");
    assert_eq!(world.content("raw/a").as_deref(), Some("new\n"));
    assert_eq!(world.content("raw/b").as_deref(), Some("ghi\n"));
    up.stop();
    let missing = world.fails(1, &["mv", "raw/x", "raw/y"]);
    assert!(missing.contains("raw/x"), "{missing}");
    let taken = world.fails(1, &["mv", "raw/a", "raw/b"]);
    assert!(taken.contains("there is a raw/b already"), "{taken}");
    world.git(&["fsck", "--strict", "--no-dangling"]);
}

#[test]
fn a_bisect_goes_through_swapped_names() {
    let world = World::new("[project]\nname = \"p\"\n");
    for content in ["good", "good 2", "bad"] {
        world.ok_with(&["put", "raw/a"], content.as_bytes());
    }
    world.ok_with(&["put", "raw/b"], b"bad");
    for names in [["raw/a", "raw/t"], ["raw/b", "raw/a"], ["raw/t", "raw/b"]] {
        world.ok(&["mv", names[0], names[1]]);
    }
    let found = world.json(&["bisect", "raw/b", "--check", "grep -q good", "--json"]);
    assert_eq!(found["first_bad"]["resource"], "raw/a");
    assert_eq!(found["last_good"]["summary"], "put raw/a");
    world.ok(&["export", "raw/b", "--to", "history.csv"]);
    let lines = std::fs::read_to_string(world.path("history.csv")).expect("written");
    assert_eq!(lines.lines().count(), 6, "{lines}");
}

/// Puts three large versions, a day between them, long ago.
pub(crate) fn fill(world: &World) {
    std::fs::create_dir_all(world.path(".esker")).expect("a folder");
    let clock = Arc::new(AtomicI64::new(1_700_000_000));
    let now = Arc::clone(&clock);
    let clock_now = move || Timestamp::from_second(now.load(Ordering::SeqCst)).expect("a time");
    let options = Options { clock: Arc::new(clock_now), large_min: 1_000, ..Options::default() };
    let store = Store::open(&world.store(), options).expect("a store");
    let mut snapshots = Snapshots::new(store, NamesHandle::default());
    for byte in b'a'..=b'c' {
        clock.fetch_add(24 * 60 * 60, Ordering::SeqCst);
        let put = Put::one("raw/scan".parse().expect("a name"), vec![byte; 5_000].into());
        snapshots.handle(&[put.to_message().to_frames()]);
    }
}

#[test]
fn pruning_is_told_first_and_done_when_asked() {
    let rules = "[project]\nname = \"p\"\n[keep]\n\"raw/scan\" = \"90d\"\n\"raw/note\" = \"1h\"\n";
    let world = World::new(rules);
    fill(&world);
    let up = world.up();
    world.ok_with(&["put", "raw/note"], b"small\n");
    let told = world.ok(&["prune", "--dry-run"]);
    assert!(told.contains("2 of 9.77 KiB") && told.contains("1 by the rule"), "{told}");
    assert!(told.contains("1 in git"), "{told}");
    world.ok(&["tag", "first", "HEAD~3"]);
    let report = world.json(&["prune", "--resource", "raw/scan", "--json"]);
    assert_eq!((&report["removed"], &report["goes"]["count"]), (&false.into(), &1.into()));
    assert_eq!(report["resources"][0]["stays"]["tag"]["count"], 1);
    let old = report["contents"][0]["revision"].as_str().expect("a revision").to_owned();
    let old = format!("raw/scan@{old}");
    assert!(world.content(&old).is_some(), "nothing is removed yet");
    let report = world.json(&["prune", "--force", "--json"]);
    assert_eq!(report["goes"]["bytes"], 5_000);
    let gone = world.fails(1, &["get", &old]);
    assert!(gone.contains("was pruned on") && gone.contains("keep 90d"), "{gone}");
    let entry = world.json(&["log", "raw/scan", "--json"]);
    assert!(entry[1]["pruned"].as_str().is_some_and(|text| text.ends_with(" 90d")), "{entry}");
    assert_eq!(entry[0]["pruned"], Value::Null);
    assert!(world.ok(&["log", "raw/scan"]).contains("pruned"));
    // The runner and the page go on beside such a record.
    assert_eq!(world.json(&["problems", "--json"]).as_array().map(Vec::len), Some(0));
    assert!(!world.logs().contains("cannot read a record"), "{}", world.logs());
    up.stop();
    assert!(world.ok(&["doctor"]).contains("is sound"));
    world.git(&["fsck", "--strict", "--no-dangling"]);
    world.write("esker.toml", rules.replace("90d", "90x"));
    let fault = world.fails(1, &["prune"]);
    assert!(fault.contains("90x"), "{fault}");
    world.write("esker.toml", "[project]\nname = \"p\"\n");
    let fault = world.fails(1, &["prune"]);
    assert!(fault.contains("no rule of what to keep") && fault.contains("[keep]"), "{fault}");
}
