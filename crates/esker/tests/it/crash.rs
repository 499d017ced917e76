//! Killed at any moment, it ends at the same heads: nothing half, nothing lost, nothing left running.

use std::time::Duration;

use crate::world::{World, processes};

/// How often it is killed.
const KILLS: u32 = 50;

/// A pipeline slow enough to be killed in the middle, with a marker on its processes' command lines.
fn definition(marker: &str) -> String {
    format!(
        "[project]\nname = \"p\"\n\
         [source.a]\nfile = \"a.txt\"\noutput = \"raw/a\"\n\
         [stage.upper]\ninput = \"raw/a\"\nrun = [\"sh\", \"-c\", \"sleep 0.05; tr a-z A-Z # {marker}\"]\noutput = \"mid/a\"\n\
         [stage.pair]\ninput = [\"raw/a\", \"mid/a\"]\n\
         run = [\"sh\", \"-c\", \"sleep 0.05; sed -e 's,raw/a,out/a,' -e 's,mid/a,out/b,' # {marker}\"]\n\
         output = [\"out/a\", \"out/b\"]\n"
    )
}

/// Moments that differ from run to run of the loop, not from run to run of the test.
fn moment(round: u32) -> Duration {
    let spread = round.wrapping_mul(2_654_435_761) % 300;
    Duration::from_millis(u64::from(spread))
}

#[test]
fn fifty_kills_change_nothing() {
    let marker = format!("marker-{}", std::process::id());
    let world = World::new(&definition(&marker));
    let mut acknowledged = Vec::new();
    for round in 0..KILLS {
        world.write("a.txt", format!("round {round}\n"));
        let up = world.up();
        let put = world.run_with(&["put", "raw/hand"], format!("by hand {round}\n").as_bytes());
        if put.status.success() {
            let revision = String::from_utf8_lossy(&put.stdout).trim().to_owned();
            acknowledged.push((revision, round));
        }
        std::thread::park_timeout(moment(round));
        up.kill();
        world.wait_for("every child to die with it", || processes(&marker).is_empty());
    }
    world.git(&["fsck", "--strict"]);
    let up = world.up();
    let last = KILLS - 1;
    world.wait_for_content("out/b", |content| content == format!("ROUND {last}\n"));
    assert_eq!(world.content("out/a"), Some(format!("round {last}\n")));
    assert_eq!(acknowledged.len(), KILLS as usize, "every PUT was answered before its kill");
    for (revision, round) in acknowledged {
        let content = world.content(&format!("raw/hand@{revision}"));
        assert_eq!(content, Some(format!("by hand {round}\n")), "an acknowledged PUT");
    }
    no_half_output(&world);
    up.stop();
    world.git(&["fsck", "--strict"]);
    let scratch = world.path(".esker/scratch");
    let left = std::fs::read_dir(scratch).map_or(0, Iterator::count);
    assert_eq!(left, 0, "scratch folders are removed");
}

/// In every commit, the two outputs of one run belong to the same round.
fn no_half_output(world: &World) {
    for revision in world.git(&["rev-list", "main"]).lines() {
        let of = |resource: &str| world.content(&format!("{resource}@{revision}"));
        let (Some(a), Some(b)) = (of("out/a"), of("out/b")) else {
            continue;
        };
        assert_eq!(a.to_uppercase(), b, "{revision}");
    }
}

#[test]
fn stopping_gently_leaves_nothing_running() {
    let marker = format!("gently-{}", std::process::id());
    let world = World::new(&format!(
        "[project]\nname = \"p\"\n[source.a]\nrun = [\"sh\", \"-c\", \"sleep 1000 # {marker}\"]\n\
         output = \"raw/a\"\ngrace = \"1s\"\n"
    ));
    let up = world.up();
    world.wait_for("the program to run", || !processes(&marker).is_empty());
    up.stop();
    assert!(processes(&marker).is_empty());
    assert!(world.endpoints()["hub"].is_null(), "a stopped hub is not found any more");
}

#[test]
fn an_interrupted_run_is_no_problem_and_runs_again() {
    let marker = format!("interrupted-{}", std::process::id());
    let world = World::new(&format!(
        "[project]\nname = \"p\"\n[stage.slow]\ninput = \"raw/a\"\n\
         run = [\"sh\", \"-c\", \"test -e quick || sleep 1000; cat # {marker}\"]\noutput = \"out/a\"\ngrace = \"1s\"\n"
    ));
    let up = world.up();
    world.ok_with(&["put", "raw/a"], b"x\n");
    world.wait_for("the program to run", || !processes(&marker).is_empty());
    up.interrupt();
    assert!(processes(&marker).is_empty());
    assert_eq!(world.json(&["problems", "--json"]), serde_json::json!([]));
    world.write("quick", "");
    let _up = world.up();
    world.wait_for_content("out/a", |content| content == "x\n");
}

#[test]
fn another_projects_hub_on_the_same_port_is_not_ours() {
    let ours = World::new("[project]\nname = \"ours\"\n");
    let up = ours.up();
    let port = ours.port("/hub/requests");
    up.kill();
    let theirs = World::new(&format!(
        "[project]\nname = \"theirs\"\n[web]\nbind = \"127.0.0.1:0\"\n\
         [hub]\nrequests = \"tcp://127.0.0.1:{port}\"\nevents = \"tcp://127.0.0.1:0\"\n"
    ));
    let _up = theirs.start(&["up"]);
    theirs.wait_for("the other project", || theirs.endpoints()["hub"].is_object());
    ours.ok_with(&["put", "raw/a"], b"for us alone");
    assert_eq!(ours.content("raw/a").as_deref(), Some("for us alone"));
    assert_eq!(theirs.content("raw/a"), None);
}

#[test]
fn a_dead_runner_is_told() {
    let world = World::new("[project]\nname = \"p\"\n");
    let _hub = world.start(&["hub", "--port-base", "0"]);
    world.wait_for("the hub", || world.endpoints()["hub"].is_object());
    let runner = world.start(&["runner"]);
    world.wait_for("the runner", || world.endpoints()["runner"].is_object());
    world.ok(&["doctor"]);
    runner.kill();
    world.fails(1, &["doctor"]);
    let told = world.run(&["problems"]);
    assert!(String::from_utf8_lossy(&told.stderr).contains("no runner works here"));
}

#[test]
fn a_damaged_store_is_repaired_from_a_clone() {
    let world = World::new("[project]\nname = \"p\"\n");
    world.ok_with(&["put", "raw/a"], b"one\n");
    world.ok_with(&["put", "raw/a"], b"two\n");
    world.git(&["gc", "-q"]);
    world.git(&["clone", "-q", "--mirror", ".", "../../clone.git"]);
    assert!(world.ok(&["doctor", "--deep"]).contains("every object is what its id says"));
    assert!(world.ok(&["repair"]).contains("nothing is wrong"));
    let packs = std::fs::read_dir(world.store().join("objects/pack")).expect("packs");
    for path in packs.map(|entry| entry.expect("an entry").path()) {
        if path.extension().is_some_and(|ending| ending == "pack") {
            std::fs::remove_file(path).expect("removed");
        }
    }
    for journal in ["journal.0", "journal.1"] {
        drop(std::fs::remove_file(world.store().join("esker").join(journal)));
    }
    world.fails(1, &["doctor", "--deep"]);
    world.fails(1, &["repair", "--from", "clone.git"]);
    assert_eq!(world.content("raw/a"), None, "it was told only");
    let done = world.ok(&["repair", "--from", "clone.git", "--yes"]);
    assert!(done.contains("new pack") && done.contains("aside"), "{done}");
    assert_eq!(world.content("raw/a").as_deref(), Some("two\n"));
    assert_eq!(world.content("raw/a@HEAD~1").as_deref(), Some("one\n"));
    world.git(&["fsck", "--strict"]);
    let _up = world.up();
    let told = world.fails(1, &["repair"]);
    assert!(told.contains("is in use by"), "{told}");
}
