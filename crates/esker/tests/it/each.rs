//! Stages that see every version of their input: in order, once each, however they are disturbed.

use std::fs;

use serde_json::Value;

use crate::world::World;

/// A stage that appends what it reads to `seen.txt`, and fails for what holds `poison`.
pub(crate) fn world(keys: &str) -> World {
    let world = World::new(&format!(
        "[project]\nname = \"p\"\n[stage.s]\ninput = \"raw/a\"\noutput = \"out/a\"\nmode = \"each\"\n\
         run = [\"sh\", \"s.sh\"]\n{keys}\n"
    ));
    world.write(
        "s.sh",
        "read word\n[ \"$word\" = poison ] && [ ! -e healed ] && { echo bad word >&2; exit 65; }\n\
         echo $word >> seen.txt\necho $word\n",
    );
    world
}

pub(crate) fn seen(world: &World) -> Vec<String> {
    let text = fs::read_to_string(world.path("seen.txt")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

pub(crate) fn put(world: &World, content: &str) {
    world.ok_with(&["put", "raw/a"], content.as_bytes());
}

/// The versions of the output, oldest first.
fn made(world: &World) -> Vec<String> {
    let log = world.json(&["log", "out/a", "-n", "2000", "--json"]);
    let revisions = log.as_array().expect("a list").iter().rev();
    let revisions =
        revisions.map(|entry| entry["revision"].as_str().expect("a revision").to_owned());
    revisions
        .map(|revision| world.ok(&["get", &format!("out/a@{revision}")]).trim().to_owned())
        .collect()
}

#[test]
fn it_goes_on_behind_what_it_saw_when_it_was_killed() {
    let world = world("");
    for version in 0..30 {
        put(&world, &version.to_string());
    }
    for stop in [3, 9, 17] {
        let up = world.up();
        world.wait_for("some runs", || seen(&world).len() >= stop);
        up.kill();
    }
    let _up = world.up();
    world.wait_for_content("out/a", |found| found.trim() == "29");
    let versions: Vec<String> = (0..30).map(|at| at.to_string()).collect();
    assert_eq!(made(&world), versions, "each had its effect once, in order");
}

#[test]
fn what_fails_is_passed_over_told_and_tried_again_when_asked() {
    let world = world("");
    let _up = world.up();
    for version in ["one", "poison", "three"] {
        put(&world, version);
    }
    world.wait_for_content("out/a", |found| found.trim() == "three");
    let problem = world.wait_for_problem("s");
    assert!(problem["summary"].as_str().expect("text").contains("bad word"), "{problem}");
    assert!(problem["inputs"][0]["resource"] == "raw/a", "{problem}");
    let problems = world.json(&["problems", "--json"]);
    assert_eq!(problems.as_array().map(Vec::len), Some(1), "{problems}");
    world.write("healed", "");
    world.ok(&["problems", "retry", "s"]);
    world.wait_for("no problem", || world.json(&["problems", "--json"]) == Value::Array(vec![]));
    world.wait_for_content("out/a", |found| found.trim() == "three");
    assert_eq!(made(&world), ["one", "three", "poison", "three"], "the newest has the last word");
    assert_eq!(seen(&world), ["one", "three", "poison"], "which was known already");
}

#[test]
fn a_version_that_was_removed_does_not_block_those_after_it() {
    let world = World::new(
        "[project]\nname = \"p\"\n[keep]\n\"raw/scan\" = \"90d\"\n\
         [stage.s]\ninput = \"raw/scan\"\noutput = \"out/s\"\nmode = \"each\"\n\
         run = [\"head\", \"-c\", \"1\"]\n",
    );
    crate::names::fill(&world);
    let report = world.json(&["prune", "--force", "--json"]);
    assert_eq!(report["goes"]["count"], 2, "{report}");
    let _up = world.up();
    world.wait_for_content("out/s", |found| found == "c");
    world.wait_for("both to be told", || {
        let problems = world.json(&["problems", "--json"]);
        problems.as_array().is_some_and(|problems| problems.len() == 2)
    });
    let problem = world.wait_for_problem("s").to_string();
    assert!(problem.contains("was pruned on"), "{problem}");
}
