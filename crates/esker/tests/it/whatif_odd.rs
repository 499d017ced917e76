//! What-ifs in odd circumstances: stages with effects, stages that fail, projects of long ago and projects that are gone.

use std::fs;

use serde_json::{Value, json};

use crate::world::{Running, World};

const PROJECT: &str = "[project]\nname = \"p\"\n[stage.a]\ninput = \"raw/a\"\n\
    run = [\"sh\", \"a.sh\"]\noutput = \"out/a\"\n";

fn up(definition: &str, files: &[(&str, &str)]) -> (World, Running) {
    let world = World::new(definition);
    for (name, content) in files {
        world.write(name, content);
    }
    let up = world.up();
    (world, up)
}

fn head(world: &World) -> String {
    world.json(&["log", "-n1", "--json"])[0]["revision"].as_str().expect("a revision").to_owned()
}

fn shown(world: &World, id: &str) -> Value {
    world.json(&["whatif", "show", id, "--json"])
}

fn of(world: &World, id: &str) -> String {
    world.ok(&["get", "out/a", "--whatif", id])
}

#[test]
fn what_has_effects_is_left_out_and_what_fails_is_its_own_problem() {
    let definition = format!(
        "{PROJECT}[stage.mail]\ninput = \"out/a\"\nrun = [\"sh\", \"-c\", \"echo x >> mails; cat\"]\n\
         output = \"out/mail\"\neffects = true\n"
    );
    let fails =
        "n=$(cat); case \"$n\" in *bad*) echo 'it is bad' >&2; exit 3;; esac; echo \"$n\"\n";
    let (world, up) = up(&definition, &[("a.sh", fails), ("bad", "bad\n"), ("good", "good\n")]);
    world.ok_with(&["put", "raw/a"], b"one\n");
    world.wait_for_content("out/mail", |content| content == "one\n");
    let output = world.run(&["whatif", "new", "--id", "good", "--input", "raw/a=good"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && told.contains("left out for their effects: mail"), "{told}");
    assert_eq!(
        (of(&world, "good").as_str(), &shown(&world, "good")["skipped"]),
        ("good\n", &json!(["mail"]))
    );
    assert_eq!(world.ok(&["get", "out/mail", "--whatif", "good"]), "one\n");
    // Another title is no reason to compute anything.
    let runs = shown(&world, "good")["runs"].clone();
    world.ok(&["whatif", "title", "good", "Good news"]);
    world.wait_for("the new title", || shown(&world, "good")["state"] != "computing");
    assert_eq!(shown(&world, "good")["runs"], runs);
    let told = world.fails(1, &["whatif", "new", "--id", "bad", "--input", "raw/a=bad"]);
    assert!(told.contains("it is bad"), "{told}");
    // Whoever reads it hears of that, and it is not applied by accident.
    let read = world.run(&["get", "out/a", "--whatif", "bad"]);
    let said = String::from_utf8_lossy(&read.stderr).into_owned();
    assert!(read.status.success() && said.contains("bad has a problem"), "{said}");
    let told = world.fails(1, &["whatif", "apply", "bad"]);
    assert!(told.contains("--force") && told.contains("it is bad"), "{told}");
    let told = world.fails(1, &["whatif", "diff", "good", "bad", "out/aa"]);
    assert!(told.contains("out/a"), "{told}");
    let bad = shown(&world, "bad");
    assert_eq!(
        (&bad["state"], &bad["runs"][0]["stage"]),
        (&json!("problem"), &json!("a")),
        "{bad}"
    );
    assert_eq!(world.json(&["problems", "--json"]), json!([]));
    assert_eq!(fs::read_to_string(world.path("mails")).expect("there"), "x\n");
    // It is mended by another change, and applied.
    world.ok(&["whatif", "amend", "bad", "--input", "raw/a=good"]);
    world.ok(&["whatif", "apply", "bad"]);
    world.wait_for_content("out/mail", |content| content == "good\n");
    up.stop();
    // Nothing of it was ever said on `records`.
    for records in world.git(&["for-each-ref", "--format=%(refname)", "refs/esker/records"]).lines()
    {
        let told = world.git(&["log", "-p", "--first-parent", records]);
        assert!(!told.contains("it is bad"), "{told}");
    }
}

#[test]
fn what_waits_for_another_try_is_tried_again() {
    let program = "cat > in.$$; if grep -q later in.$$; then echo >> tries; test -e ready || exit 75; fi; \
        cat in.$$; rm in.$$\n";
    let (world, up) = up(PROJECT, &[("a.sh", program), ("later", "later\n")]);
    world.ok_with(&["put", "raw/a"], b"one\n");
    world.wait_for_content("out/a", |content| content == "one\n");
    world.ok(&["whatif", "new", "--id", "w", "--input", "raw/a=later", "--no-wait"]);
    let tries = || fs::read_to_string(world.path("tries")).unwrap_or_default().len();
    world.wait_for("some tries", || tries() > 1);
    world.write("ready", "");
    world.wait_for("its end", || shown(&world, "w")["state"] == "done");
    assert_eq!(of(&world, "w"), "later\n");
    assert_eq!(world.json(&["problems", "--json"]), json!([]));
    up.stop();
}

#[test]
fn one_whose_time_ends_while_it_computes_is_removed() {
    let program = "cat > in.$$; if grep -q slow in.$$; then touch begun; while test -e hold; do sleep 0.02; \
        done; fi; cat in.$$; rm in.$$\n";
    let (world, up) = up(PROJECT, &[("a.sh", program), ("hold", ""), ("slow", "slow\n")]);
    world.ok_with(&["put", "raw/a"], b"one\n");
    world.wait_for_content("out/a", |content| content == "one\n");
    world.ok(&["whatif", "new", "--id", "w", "--input", "raw/a=slow", "--for", "1s", "--no-wait"]);
    world.wait_for("the program", || world.path("begun").exists());
    world.wait_for("its time", || {
        let text = shown(&world, "w")["expires"].as_str().expect("a time").to_owned();
        text.parse::<jiff::Timestamp>().expect("a time") < jiff::Timestamp::now()
    });
    fs::remove_file(world.path("hold")).expect("removed");
    world.wait_for("its end", || world.json(&["whatif", "list", "--json"]) == json!([]));
    assert_eq!(world.content("out/a").as_deref(), Some("one\n"));
    up.stop();
}

/// The program says which it is, so its output tells what was run.
fn program(number: usize) -> String {
    format!("echo 'program {number}'; cat\n")
}

#[test]
fn a_base_of_long_ago_runs_the_program_of_then() {
    let (world, up) = up(PROJECT, &[("a.sh", &program(0)), ("mine", "mine\n")]);
    let mut bases = Vec::new();
    for number in 0..20 {
        world.write("a.sh", program(number));
        world.ok_with(&["put", "raw/a"], format!("{number}\n").as_bytes());
        let wanted = format!("program {number}\n{number}\n");
        world.wait_for_content("out/a", |content| content == wanted);
        bases.push(head(&world));
    }
    for number in 0..30 {
        world.ok_with(&["put", "raw/other"], format!("{number}\n").as_bytes());
    }
    let old = |number: usize, id: &str| {
        let base = &bases[number];
        world.ok(&["whatif", "new", "--id", id, "--base", base, "--input", "raw/a=mine"]);
        assert_eq!(of(&world, id), format!("program {number}\nmine\n"));
    };
    // More than there is room for, and the first of all again.
    for number in 0..18 {
        old(number, &format!("w{number}"));
    }
    let folders = || fs::read_dir(world.path(".esker/projects")).expect("there").count();
    assert!(folders() <= 16, "{}", folders());
    old(0, "first");
    // Those who are swept away are made again.
    fs::remove_dir_all(world.path(".esker/projects")).expect("removed");
    world.write("mine", "others\n");
    world.ok(&["whatif", "amend", "first", "--input", "raw/a=mine"]);
    assert_eq!(of(&world, "first"), "program 0\nothers\n");
    // With another file it is another project, of then as well.
    world.write("b.sh", "echo other; cat\n");
    world.ok(&["whatif", "new", "--id", "file", "--base", &bases[3], "--file", "a.sh=b.sh"]);
    assert_eq!(of(&world, "file"), "other\n3\n");
    // Moved to now, it is what is in force now that runs.
    world.ok(&["whatif", "rebase", "first", "--settle", "0=mine"]);
    assert_eq!(of(&world, "first"), "program 19\nothers\n");
    assert_eq!(world.content("out/a").as_deref(), Some("program 19\n19\n"));
    up.stop();
}

#[test]
fn a_base_without_a_project_and_one_with_a_broken_one() {
    let world = World::new(PROJECT);
    world.write("a.sh", program(1));
    world.write("mine", "mine\n");
    // Nobody has run here, so nobody knows of a project.
    world.ok_with(&["put", "raw/a"], b"old\n");
    let before = head(&world);
    let up = world.up();
    world.wait_for_content("out/a", |content| content == "program 1\nold\n");
    world.ok(&["whatif", "new", "--id", "old", "--base", &before, "--input", "raw/a=mine"]);
    assert_eq!(of(&world, "old"), "program 1\nmine\n");
    // A definition with errors, as a what-if would have it.
    world.write("broken.toml", "[project]\nname = \"p\"\n[stage.a]\ninput = 7\n");
    let told =
        world.fails(1, &["whatif", "new", "--id", "broken", "--file", "esker.toml=broken.toml"]);
    assert!(told.contains("the definition cannot be used"), "{told}");
    assert_eq!(shown(&world, "broken")["state"], "invalid");
    // The wrong base is told, and another one helps.
    let told = world.fails(1, &["whatif", "new", "--id", "none", "--set", "raw/a:[x].y=1"]);
    assert!(told.contains("cannot change raw/a"), "{told}");
    // A branch of the name that says nothing of itself is no what-if, and disturbs none.
    world.ok(&["whatif", "amend", "broken", "--drop", "esker.toml"]);
    assert_eq!(shown(&world, "broken")["state"], "done");
    up.stop();
}

#[test]
fn what_a_stage_makes_is_overridden_in_a_what_if_and_on_main() {
    let definition = "[project]\nname = \"p\"\n[stage.a]\ninput = \"raw/a\"\nrun = [\"cat\"]\noutput = \"mid/a\"\n\
        [stage.b]\ninput = \"mid/a\"\nrun = [\"cat\"]\noutput = \"out/a\"\n";
    let (world, up) = up(definition, &[("mine", "id,n\nann,7\n")]);
    let csv = |ann: u32, bob: u32| format!("id,n\nann,{ann}\nbob,{bob}\n");
    world.ok_with(&["put", "raw/a"], csv(1, 1).as_bytes());
    world.wait_for_content("out/a", |content| content == csv(1, 1));
    world.ok(&["whatif", "new", "--id", "one", "--set", "mid/a:[ann].n=5"]);
    assert_eq!(of(&world, "one"), csv(5, 1));
    world.ok(&["whatif", "apply", "one"]);
    world.wait_for_content("out/a", |content| content == csv(5, 1));
    // Another on top of it takes its place, and taken back leaves what was there before it.
    world.ok(&["whatif", "new", "--id", "two", "--set", "mid/a:[ann].n=6"]);
    world.ok(&["whatif", "apply", "two"]);
    world.wait_for_content("out/a", |content| content == csv(6, 1));
    world.ok(&["whatif", "undo", "two"]);
    world.wait_for_content("out/a", |content| content == csv(5, 1));
    world.ok_with(&["put", "raw/a"], csv(1, 2).as_bytes());
    world.wait_for_content("out/a", |content| content == csv(5, 2));
    // The stage says something else now: what was good stays until somebody settles it, here by taking all back.
    world.ok_with(&["put", "raw/a"], csv(3, 2).as_bytes());
    let problem = world.wait_for_problem("a").to_string();
    assert!(problem.contains("mid/a:[ann].n") && problem.contains("3"), "{problem}");
    assert_eq!(world.content("out/a"), Some(csv(5, 2)));
    world.ok(&["whatif", "undo", "one"]);
    world.wait_for_content("out/a", |content| content == csv(3, 2));
    assert_eq!(world.json(&["override", "list", "--json"]), json!([]));
    assert_eq!(world.json(&["problems", "--json"]), json!([]));
    // What cannot be read is a problem of the stage, and none instead is the way out.
    world.ok_with(&["put", "overrides/mid/a"], b"nonsense");
    let problem = world.wait_for_problem("a").to_string();
    assert!(problem.contains("esker put overrides/mid/a /dev/null"), "{problem}");
    world.ok(&["put", "overrides/mid/a", "/dev/null"]);
    world.wait_for("no problem", || world.json(&["problems", "--json"]) == json!([]));
    // As a whole it is not replaced: the next run would take that back.
    world.ok(&["whatif", "new", "--id", "whole", "--input", "mid/a=mine"]);
    let told = world.fails(1, &["whatif", "apply", "whole"]);
    assert!(told.contains("would take that back"), "{told}");
    up.stop();
}
