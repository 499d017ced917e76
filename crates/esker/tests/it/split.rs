//! Stages whose input is cut into parts: what runs again, what fails, and what is left of both.

use std::fs;

use crate::world::{World, processes};

/// A stage that notes each start in `runs.txt` and prints its table with an upper-case column; it fails for `bad`.
fn world(keys: &str) -> World {
    let world = World::new(&format!(
        "[project]\nname = \"p\"\n[limits]\njobs = 2\n[stage.s]\ninput = \"raw/a\"\noutput = \"out/a\"\n\
         run = [\"sh\", \"s.sh\"]\nsplit = \"key:team\"\n{keys}\n"
    ));
    world.write(
        "s.sh",
        "echo \"$ESKER_PART\" >> runs.txt\n\
         grep -q bad - <<E && { echo \"no $ESKER_PART\" >&2; exit 1; }\n$ESKER_PART\nE\ntr a-z A-Z\n",
    );
    world
}

fn ran(world: &World) -> Vec<String> {
    let text = fs::read_to_string(world.path("runs.txt")).unwrap_or_default();
    let mut parts: Vec<String> = text.lines().map(str::to_owned).collect();
    parts.sort();
    drop(fs::remove_file(world.path("runs.txt")));
    parts
}

fn put(world: &World, rows: &str) {
    world.ok_with(&["put", "raw/a"], format!("team,hours\n{rows}").as_bytes());
}

#[test]
fn only_parts_that_are_new_run_again() {
    let world = world("");
    let up = world.up();
    put(&world, "red,1\nblue,2\nred,3\n");
    world.wait_for_content("out/a", |found| found == "TEAM,HOURS\nRED,1\nRED,3\nBLUE,2\n");
    assert_eq!(ran(&world), ["blue", "red"]);
    put(&world, "red,1\nblue,5\nred,3\ngreen,1\n");
    world.wait_for_content("out/a", |found| found.ends_with("BLUE,5\nGREEN,1\n"));
    assert_eq!(ran(&world), ["blue", "green"]);
    up.stop();
    let _up = world.up();
    put(&world, "red,9\nblue,5\ngreen,1\n");
    world.wait_for_content("out/a", |found| found.contains("RED,9"));
    assert_eq!(ran(&world), ["red"], "what was made is known after a restart");
    put(&world, "red,1\nblue,5\nred,3\ngreen,1\n");
    world.wait_for_content("out/a", |found| found.contains("RED,3"));
    assert_eq!(ran(&world), [""; 0], "and so is the whole of an earlier version");
}

#[test]
fn results_that_may_be_others_are_not_taken_again() {
    let world = world("pure = false");
    let _up = world.up();
    put(&world, "red,1\nblue,2\n");
    world.wait_for_content("out/a", |found| found == "TEAM,HOURS\nRED,1\nBLUE,2\n");
    assert_eq!(ran(&world), ["blue", "red"]);
    put(&world, "red,1\nblue,5\n");
    world.wait_for_content("out/a", |found| found.ends_with("BLUE,5\n"));
    assert_eq!(ran(&world), ["blue", "red"]);
}

#[test]
fn where_all_parts_count_one_that_fails_publishes_nothing() {
    let world = world("");
    let _up = world.up();
    put(&world, "red,1\nbad,2\nblue,3\n");
    let problem = world.wait_for_problem("s");
    let summary = problem["summary"].as_str().expect("text");
    assert!(summary.contains("1 of 3 parts failed; team bad: "), "{summary}");
    assert!(summary.contains("no bad"), "{summary}");
    assert_eq!(world.content("out/a"), None);
    let before = ran(&world);
    assert!(before.contains(&"red".to_owned()), "{before:?}");
    put(&world, "red,1\nblue,3\n");
    world.wait_for_content("out/a", |found| found == "TEAM,HOURS\nRED,1\nBLUE,3\n");
    assert!(!ran(&world).contains(&"red".to_owned()), "what was made before the failure is known");
}

#[test]
fn where_parts_may_fail_the_others_are_published_and_the_failure_is_told() {
    let world = world("partial = true");
    let _up = world.up();
    put(&world, "red,1\nbad,2\nblue,3\n");
    world.wait_for_content("out/a", |found| found == "TEAM,HOURS\nRED,1\nBLUE,3\n");
    let warned = world.wait_for_problem("s")["warnings"].to_string();
    assert!(
        warned.contains("left out team bad, which failed: ") && warned.contains("no bad"),
        "{warned}"
    );
    let why = world.json(&["why", "out/a", "--json"]);
    assert!(why.to_string().contains("team bad"), "{why}");
    assert!(world.ok(&["why", "out/a"]).contains("without team bad"));
    put(&world, "bad,2\n");
    world.wait_for("a problem", || world.wait_for_problem("s")["summary"].is_string());
    world.wait_for_content("out/a", |found| found.contains("RED"));
}

#[test]
fn the_parts_of_one_run_share_the_jobs_and_end_with_it() {
    let world = world("");
    let marker = format!("part-{}", std::process::id());
    world.write("s.sh", format!("cat > /dev/null; exec sh -c 'sleep 1000; : {marker}'\n"));
    let up = world.up();
    put(&world, "red,1\nblue,2\ngreen,3\n");
    let sleep = format!("sleep 1000; : {marker}");
    world.wait_for("two at once", || processes(&sleep).len() == 2);
    up.stop();
    world.wait_for("all to be gone", || processes(&marker).is_empty());
    let up = world.up();
    world.wait_for("them again", || !processes(&marker).is_empty());
    up.kill();
    world.wait_for("no orphan", || processes(&marker).is_empty());
}

#[test]
fn what_does_not_go_with_a_split_is_refused() {
    for (keys, told) in
        [("previous = true", "has a `split` and `previous`"), ("partial = 3", "`partial`")]
    {
        let world = world(keys);
        let fault = world.fails(1, &["check"]);
        assert!(fault.contains(told), "{fault}");
    }
}
