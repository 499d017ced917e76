//! Many what-ifs at once while main moves on: each is what its change makes of its base, the same is computed once, and
//! main does not wait for any.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::json;

use crate::world::{World, esker, processes};

/// How many there are, how many threads make them, and how often main moves meanwhile.
const COUNT: usize = 50;
const THREADS: usize = 4;
const MOVES: usize = 100;
/// How many different changes they make.
const DIFFERENT: usize = 10;

/// Sums a column, and counts its starts by the sum.
const SUM: &str = "awk -F, 'NR > 1 { s += $2 } END { print s }' > sum.$$; \
    cat sum.$$ >> starts; cat sum.$$; rm sum.$$\n";

fn definition(stages: &str) -> String {
    format!("[project]\nname = \"p\"\n{stages}")
}

fn stage(name: &str, script: &str) -> String {
    format!(
        "[stage.{name}]\ninput = \"raw/{name}\"\nrun = [\"sh\", \"{script}\"]\noutput = \"out/{name}\"\n"
    )
}

fn head(world: &World) -> String {
    world.json(&["log", "-n1", "--json"])[0]["revision"].as_str().expect("a revision").to_owned()
}

fn base(round: usize) -> String {
    format!("id,n\na,{round}\nb,10\nc,100\n")
}

#[test]
fn fifty_at_once_on_other_bases_while_main_moves() {
    let world = World::new(&definition(&stage("a", "sum.sh")));
    world.write("sum.sh", SUM);
    let up = world.up();
    // Bases with their results: what is asked of them is known from arithmetic.
    let mut bases = Vec::new();
    for round in 0..5 {
        world.ok_with(&["put", "raw/a"], base(1_000 * (round + 1)).as_bytes());
        let sum = format!("{}\n", 1_000 * (round + 1) + 110);
        world.wait_for_content("out/a", |content| content == sum);
        bases.push(head(&world));
    }
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (world, bases) = (&world, &bases);
            scope.spawn(move || {
                for number in (thread..COUNT).step_by(THREADS) {
                    let base = &bases[number % bases.len()];
                    let set = format!("raw/a:[b].n={}", 20 + number % DIFFERENT);
                    let id = format!("w{number}");
                    world.ok(&[
                        "whatif",
                        "new",
                        "--id",
                        &id,
                        "--base",
                        base,
                        "--set",
                        &set,
                        "--no-wait",
                    ]);
                }
            });
        }
        for round in 0..MOVES {
            world.ok_with(&["put", "raw/a"], base(100_000 + round).as_bytes());
        }
    });
    world
        .wait_for_content("out/a", |content| content == format!("{}\n", 100_000 + MOVES - 1 + 110));
    world.wait_for("all of them", || {
        let listed = world.json(&["whatif", "list", "--json"]);
        listed.as_array().is_some_and(|all| all.iter().all(|one| one["state"] == "done"))
    });
    for number in 0..COUNT {
        let wanted = 1_000 * (number % bases.len() + 1) + 100 + 20 + number % DIFFERENT;
        let id = format!("w{number}");
        assert_eq!(world.ok(&["get", "out/a", "--whatif", &id]), format!("{wanted}\n"), "{id}");
    }
    // Those whose base and change are the same were computed once.
    let starts = std::fs::read_to_string(world.path("starts")).expect("starts");
    let sums: Vec<&str> = starts.lines().map(str::trim).filter(|sum| sum.len() == 4).collect();
    let wanted: BTreeSet<usize> = (0..COUNT)
        .map(|number| 1_000 * (number % bases.len() + 1) + 120 + number % DIFFERENT)
        .collect();
    assert_eq!(sums.len(), wanted.len() + bases.len(), "{starts}");
    assert_eq!(world.json(&["problems", "--json"]), json!([]));
    world.git(&["fsck", "--strict"]);
    up.stop();
}

#[test]
fn what_ifs_that_hang_do_not_hold_main_up() {
    let world = World::new(&definition(&(stage("a", "hold.sh") + &stage("b", "sum.sh"))));
    world.write(
        "hold.sh",
        "cat > in.$$; if grep -q what-if in.$$; then touch begun; \
        while test -e hold; do sleep 0.02; done; fi; wc -l < in.$$; rm in.$$\n",
    );
    world.write("sum.sh", SUM);
    world.write("hold", "");
    let up = world.up();
    world.ok_with(&["put", "raw/a"], b"one\n");
    world.wait_for_content("out/a", |content| content.trim() == "1");
    // More than there are slots, all of them stuck.
    for number in 0..20 {
        world.write("mine", format!("what-if {number}\nand more\n"));
        let id = format!("w{number}");
        world.ok(&["whatif", "new", "--id", &id, "--input", "raw/a=mine", "--no-wait"]);
    }
    world.wait_for("one to hang", || world.path("begun").exists());
    for round in 0..20 {
        world.ok_with(&["put", "raw/b"], base(round).as_bytes());
        world.ok_with(&["put", "raw/a"], "x\n".repeat(round + 2).as_bytes());
        world.wait_for_content("out/b", |content| content == format!("{}\n", round + 110));
        world.wait_for_content("out/a", |content| content.trim() == (round + 2).to_string());
    }
    assert!(
        world
            .json(&["whatif", "list", "--json"])
            .as_array()
            .is_some_and(|all| { all.iter().all(|one| one["state"] == "computing") })
    );
    std::fs::remove_file(world.path("hold")).expect("removed");
    world.wait_for("all of them", || {
        let listed = world.json(&["whatif", "list", "--json"]);
        listed.as_array().is_some_and(|all| all.iter().all(|one| one["state"] == "done"))
    });
    assert_eq!(world.ok(&["get", "out/a", "--whatif", "w7"]).trim(), "2");
    up.stop();
}

/// One that is dropped while it computes does not come back, and who computed the same goes on.
#[test]
fn what_is_discarded_while_it_computes_stays_gone() {
    let world = World::new(&definition(&stage("a", "hold.sh")));
    world.write(
        "hold.sh",
        "cat > in.$$; echo >> begun; while test -e hold; do sleep 0.02; done; \
        wc -l < in.$$; rm in.$$\n",
    );
    let up = world.up();
    world.ok_with(&["put", "raw/a"], b"one\n");
    world.wait_for_content("out/a", |content| content.trim() == "1");
    world.write("hold", "");
    world.write("mine", "one\ntwo\n");
    std::fs::remove_file(world.path("begun")).expect("removed");
    for id in ["gone", "stays"] {
        world.ok(&["whatif", "new", "--id", id, "--input", "raw/a=mine", "--no-wait"]);
    }
    world.wait_for("the program", || world.path("begun").exists());
    world.ok(&["whatif", "discard", "gone"]);
    std::fs::remove_file(world.path("hold")).expect("removed");
    world.wait_for("the other", || {
        world.json(&["whatif", "show", "stays", "--json"])["state"] == "done"
    });
    assert_eq!(world.ok(&["get", "out/a", "--whatif", "stays"]).trim(), "2");
    // A third like it takes what is there, and one like one that is gone is computed.
    world.ok(&["whatif", "new", "--id", "like", "--input", "raw/a=mine"]);
    world.ok(&["whatif", "discard", "stays"]);
    world.ok(&["whatif", "discard", "like"]);
    world.ok(&["whatif", "new", "--id", "again", "--input", "raw/a=mine"]);
    assert_eq!(world.ok(&["get", "out/a", "--whatif", "again"]).trim(), "2");
    let there = || world.git(&["for-each-ref", "--format=%(refname)", "refs/esker/whatif"]);
    world.wait_for("git to see it", || there().trim() == "refs/esker/whatif/again");
    let ids = world.json(&["whatif", "list", "--json"]);
    assert_eq!((ids[0]["id"].as_str(), ids[1].is_null()), (Some("again"), true), "{ids}");
    up.stop();
}

/// Two amend one while a slow program computes it: the program is stopped, and the newest is what comes of it.
#[test]
fn what_is_amended_while_it_computes_gives_the_newest() {
    let world = World::new(&definition(&stage("a", "hold.sh")));
    let marker = format!("what-if-amended-{}", std::process::id());
    world.write(
        "hold.sh",
        format!(
            "n=$(cat); case \"$n\" in *,11*) touch begun; \
        sh -c 'sleep 1000; : {marker}';; esac; echo \"$n\"\n"
        ),
    );
    let up = world.up();
    world.ok_with(&["put", "raw/a"], base(0).as_bytes());
    world.wait_for_content("out/a", |content| content.contains("b,10"));
    world.ok(&["whatif", "new", "--id", "slow", "--set", "raw/a:[b].n=11", "--no-wait"]);
    world.wait_for("the program", || world.path("begun").exists());
    world.wait_for("its child", || !processes(&marker).is_empty());
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for (who, set) in [
            ("ann <ann@example.org>", "raw/a:[b].n=12"),
            ("bob <bob@example.org>", "raw/a:[c].n=13"),
        ] {
            let (world, is_over) = (&world, &is_over);
            scope.spawn(move || {
                let mut command = esker();
                command.args(["whatif", "amend", "slow", "--set", set]).env("ESKER_AUTHOR", who);
                let status = command.current_dir(world.dir()).stderr(Stdio::null()).status();
                assert!(status.is_ok_and(|status| status.success()), "{who}");
                is_over.store(true, Ordering::Relaxed);
            });
        }
    });
    assert!(is_over.into_inner());
    world.wait_for("the program of before to be gone", || processes(&marker).is_empty());
    let shown = world.json(&["whatif", "show", "slow", "--json"]);
    assert_eq!((&shown["state"], &shown["changes"]), (&json!("done"), &json!(3)), "{shown}");
    let result = world.ok(&["get", "out/a", "--whatif", "slow"]);
    assert!(result.contains("b,12") && result.contains("c,13"), "{result}");
    up.stop();
}
