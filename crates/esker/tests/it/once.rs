//! `esker run`: what is stale is run once, by whoever runs here, and then it ends.

use std::fs;

use serde_json::{Value, json};

use crate::world::{World, esker, processes};

/// A source, two stages in a row and one beside them; each notes that it ran.
fn project(more: &str) -> World {
    let world = World::new(&format!(
        "[project]\nname = \"p\"\n\
         [source.plan]\nfile = \"plan.csv\"\noutput = \"raw/plan\"\n\
         [stage.a]\ninput = \"raw/plan\"\nrun = [\"sh\", \"step.sh\", \"a\"]\noutput = \"out/a\"\n{more}\n\
         [stage.b]\ninput = \"out/a\"\nrun = [\"sh\", \"step.sh\", \"b\"]\noutput = \"out/b\"\n\
         [stage.c]\ninput = \"raw/plan\"\nrun = [\"sh\", \"step.sh\", \"c\"]\noutput = \"out/c\"\n"
    ));
    world.write(
        "step.sh",
        "echo $1 >> ran\nread word\ntest \"$word\" != bad || exit 3\necho $word $1\n",
    );
    world.write("plan.csv", "good\n");
    world
}

/// Which steps have run, in order by name.
fn ran(world: &World) -> String {
    let ran = fs::read_to_string(world.path("ran")).unwrap_or_default();
    let mut ran: Vec<&str> = ran.lines().collect();
    ran.sort_unstable();
    ran.concat()
}

#[test]
fn all_that_is_stale_and_then_nothing() {
    let world = project("");
    let text = world.ok(&["run"]);
    assert_eq!(world.content("out/b").as_deref(), Some("good a b\n"));
    for expected in
        ["plan: stored raw/plan ", "a: stored out/a ", "b: stored out/b ", "c: stored out/c "]
    {
        assert!(text.contains(expected), "{expected:?} is missing in {text}");
    }
    assert_eq!(ran(&world), "abc");
    assert!(!world.path(".esker/endpoints.json").exists() || world.endpoints()["runner"].is_null());
    let output = world.run(&["run"]);
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing to do: all is fresh"));
    world.write("plan.csv", "better\n");
    let told = world.json(&["run", "a", "--json"]);
    assert_eq!((&told["ok"], &told["failed"]), (&json!(true), &json!([])), "{told}");
    let names: Vec<&Value> =
        told["ran"].as_array().expect("a list").iter().map(|run| &run["stage"]).collect();
    assert_eq!(names, ["a", "plan"]);
    assert_eq!(world.content("out/a").as_deref(), Some("better a\n"));
    assert_eq!(world.content("out/b").as_deref(), Some("good a b\n"), "nobody asked for it");
    world.ok(&["run", "out/b"]);
    assert_eq!(ran(&world), "aabbc");
}

#[test]
fn by_force_what_is_named_runs_though_it_is_fresh() {
    let world = project("");
    world.ok(&["run"]);
    let text = world.ok(&["run", "a", "--force"]);
    assert!(text.starts_with("a: unchanged  ("), "{text}");
    assert_eq!(ran(&world), "aabc", "a alone, and not from memory");
    assert_eq!(world.json(&["problems", "--json"]), json!([]));
    world.ok(&["run", "--force"]);
    assert_eq!(ran(&world), "aaabbcc");
    world.ok(&["run"]);
    assert_eq!(ran(&world), "aaabbcc");
}

#[test]
fn a_failure_is_named_and_tried_again_next_time() {
    let world = project("");
    world.write("plan.csv", "bad\n");
    let stderr = world.fails(1, &["run"]);
    assert!(stderr.contains("error: a, c failed\n"), "{stderr}");
    assert_eq!(ran(&world), "ac");
    let output = world.run(&["run", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(told["failed"][0]["stage"], "a", "{told}");
    assert_eq!(
        told["waiting"][0],
        json!({ "stage": "b", "waits": "for out/a, which does not exist yet" })
    );
    assert_eq!(ran(&world), "aacc");
    world.write("plan.csv", "good\n");
    world.ok(&["run", "a"]);
    assert_eq!(world.json(&["problems", "--json"]).as_array().map(Vec::len), Some(1), "c's");
    world.ok(&["run"]);
    assert_eq!(world.content("out/c").as_deref(), Some("good c\n"));
    assert_eq!(world.json(&["problems", "--json"]), json!([]));
}

#[test]
fn what_may_pass_is_waited_for() {
    let world = project("retry = 2");
    world.write(
        "step.sh",
        "echo $1 >> ran\nread word\ntest $1 != a || test -e again || { touch again; exit 75; }\necho $word $1\n",
    );
    world.ok(&["run"]);
    assert_eq!(ran(&world), "aabc");
}

#[test]
fn the_runner_that_works_here_is_asked() {
    let world = project("env = [\"FLAVOUR\"]");
    let up = world.up();
    world.wait_for_content("out/b", |content| content == "good a b\n");
    // Its environment is not ours.
    let asked = |arguments: &[&str]| {
        let mut command = esker();
        command.args(arguments).current_dir(world.dir()).env("FLAVOUR", "ours");
        let output = command.output().expect("esker ends");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    world.wait_for("all to have run", || {
        asked(&["run"])
            == (
                Some(0),
                String::new(),
                "nothing to do: all is fresh; --force runs it nevertheless\n".to_owned(),
            )
    });
    let before = ran(&world);
    let (code, stdout, stderr) = asked(&["run", "a", "--force"]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    assert!(stdout.starts_with("a: unchanged  ("), "{stdout}");
    assert_eq!(ran(&world).len(), before.len() + 1);
    world.write("plan.csv", "bad\n");
    let (code, _, stderr) = asked(&["run", "c"]);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("error: c failed"), "{stderr}");
    world.write("step.sh", "cat\n");
    assert_eq!(asked(&["run"]).0, Some(0));
    assert_eq!(world.content("out/b").as_deref(), Some("bad\n"));
    assert!(up.pid() > 0);
}

#[test]
fn a_hub_without_a_runner_is_used() {
    let world = project("");
    let _hub = world.hub();
    world.ok(&["run"]);
    assert_eq!(world.content("out/b").as_deref(), Some("good a b\n"));
    assert!(world.endpoints()["hub"].is_object() && world.endpoints()["runner"].is_null());
}

#[test]
fn a_scheduled_source_runs_once_however_soon_it_is_due_again() {
    let world = World::new(
        "[project]\nname = \"p\"\n\
         [source.clock]\nrun = [\"date\", \"+%s%N\"]\nevery = \"1s\"\noutput = \"raw/clock\"\n\
         [stage.slow]\ninput = \"raw/clock\"\nrun = [\"sh\", \"-c\", \"cat; timeout 1.5 tail -f /dev/null; true\"]\n\
         output = \"out/clock\"\n",
    );
    let told = world.json(&["run", "--json"]);
    assert_eq!(told["ran"].as_array().map(Vec::len), Some(2), "{told}");
    assert_eq!(world.content("out/clock"), world.content("raw/clock"));
}

#[test]
fn what_cannot_be_run_says_why() {
    let world = project("");
    let stderr = world.fails(1, &["run", "d"]);
    assert!(stderr.contains("no source or stage is called d"), "{stderr}");
    assert!(stderr.contains("there are: plan, a, b, c"), "{stderr}");
    let world = World::new(
        "[project]\nname = \"p\"\n[stage.a]\ninput = \"by/hand\"\nrun = [\"cat\"]\noutput = \"out/a\"\n",
    );
    let output = world.run(&["run"]);
    assert!(output.status.success(), "{output:?}");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.contains("a waits for by/hand, which does not exist yet"), "{stderr}");
    let stderr = world.fails(1, &["run", "a"]);
    assert!(stderr.contains("error: cannot run a"), "{stderr}");
    world.ok_with(&["put", "by/hand"], b"x\n");
    world.ok(&["run", "a"]);
    world.write("esker.toml", "[project]\nnam = 1\n");
    assert!(world.fails(1, &["run"]).contains("esker check"));
}

#[test]
fn interrupted_it_leaves_nothing_behind() {
    let world = World::new(
        "[project]\nname = \"p\"\n[stage.a]\ninput = \"by/hand\"\n\
         run = [\"sh\", \"-c\", \"touch begun; exec tail -f /dev/null --pid $PPID -s 0.123\"]\noutput = \"out/a\"\ngrace = \"1s\"\n",
    );
    world.ok_with(&["put", "by/hand"], b"x\n");
    let mut running = esker();
    running.args(["run"]).current_dir(world.dir());
    let mut running = running.stderr(std::process::Stdio::piped()).spawn().expect("esker starts");
    world.wait_for("the program to run", || world.path("begun").exists());
    crate::world::signal(&running.id().to_string(), "INT");
    let status = running.wait().expect("it ends");
    assert_eq!(status.code(), Some(1));
    let scratch = world.path(".esker/scratch").display().to_string();
    assert!(processes(&scratch).is_empty() && world.content("out/a").is_none());
    assert!(world.endpoints()["hub"].is_null() && world.endpoints()["runner"].is_null());
}
