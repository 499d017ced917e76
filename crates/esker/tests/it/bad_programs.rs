//! Programs and sources that misbehave: each becomes a problem that says so, and the last good version stays.

use std::fs;

use crate::world::{World, processes};

/// A project of one stage that runs a shell command on `raw/a`.
pub(crate) fn stage(command: &str, more: &str) -> World {
    World::new(&format!(
        "[project]\nname = \"p\"\n[stage.a]\ninput = \"raw/a\"\nrun = [\"sh\", \"-c\", '''{command}''']\n\
         output = \"out/a\"\n{more}\n"
    ))
}

/// The problem such a stage becomes; nothing is ever published.
pub(crate) fn problem(command: &str, more: &str, expected: &[&str]) -> World {
    let world = stage(command, more);
    let up = world.up();
    world.ok_with(&["put", "raw/a"], b"input\n");
    let text = world.wait_for_problem("a").to_string();
    for part in expected {
        assert!(text.contains(part), "{part:?} is missing in {text}");
    }
    assert_eq!(world.content("out/a"), None);
    up.stop();
    world
}

#[test]
fn hangs() {
    let marker = format!("hangs-{}", std::process::id());
    let command = format!("echo half; sleep 1000 # {marker}");
    problem(&command, "timeout = \"500ms\"\ngrace = \"200ms\"", &["500", "timeout"]);
    assert!(processes(&marker).is_empty());
}

#[test]
fn hangs_and_ignores_the_request_to_end() {
    let marker = format!("ignores-{}", std::process::id());
    let command = format!("trap \"\" TERM; while :; do sleep 0.1; done # {marker}");
    problem(&command, "timeout = \"300ms\"\ngrace = \"200ms\"", &["timeout"]);
    assert!(processes(&marker).is_empty());
}

#[test]
fn prints_without_end() {
    problem("yes 'more and more'", "output_max = \"10MB\"", &["output_max", "10"]);
}

#[test]
fn complains_without_end() {
    problem(
        "head -c 200M /dev/zero | tr '\\0' x >&2; echo; echo the end >&2; exit 3",
        "",
        &["3", "the end"],
    );
}

#[test]
fn leaves_a_daemon_behind() {
    let marker = format!("daemon-{}", std::process::id());
    let daemon = format!("setsid sh -c \"setsid sleep 1000 & sleep 1000 # {marker}\" &");
    let world = stage(&format!("{daemon} cat"), "");
    let up = world.up();
    world.ok_with(&["put", "raw/a"], b"fine\n");
    world.wait_for_content("out/a", |content| content == "fine\n");
    world.wait_for("the daemon to be gone", || processes(&marker).is_empty());
    up.stop();
}

#[test]
fn kills_its_supervisor_and_leaves_a_crowd() {
    let marker = format!("parricide-{}", std::process::id());
    let crowd = format!("(setsid sh -c \"sleep 1000 # {marker}\" &); setsid sleep 999 &");
    let world = problem(
        &format!("{crowd} sleep 0.2; kill -9 $PPID; sleep 1000 # {marker}"),
        "timeout = \"20s\"",
        &["137"],
    );
    world.wait_for("all of them to be gone", || processes(&marker).is_empty());
}

#[test]
fn prints_other_streams_than_its_outputs() {
    let world = World::new(
        "[project]\nname = \"p\"\n[stage.a]\ninput = \"raw/a\"\nrun = [\"cat\"]\noutput = [\"out/a\", \"out/b\"]\n",
    );
    let _up = world.up();
    world.ok_with(&["put", "raw/a"], b"=====out/a\n\tx\n=====out/c\n\ty\n");
    let text = world.wait_for_problem("a").to_string();
    assert!(text.contains("out/c"), "{text}");
    assert_eq!(world.content("out/a"), None, "all outputs or none");
}

#[test]
fn a_failure_that_may_pass_is_tried_again() {
    let world = stage(
        "test -e again && { cat; exit 0; }; touch again; echo not yet >&2; exit 75",
        "retry = 3",
    );
    let _up = world.up();
    world.ok_with(&["put", "raw/a"], b"patience\n");
    world.wait_for_content("out/a", |content| content == "patience\n");
    world.wait_for("the problem to pass", || {
        world.json(&["problems", "--json"]).as_array().is_some_and(Vec::is_empty)
    });
}

#[test]
fn a_problem_does_not_block_newer_inputs_and_is_retried_on_request() {
    let world = stage("if grep -q bad; then exit 1; else echo good; fi; test -e mended", "");
    let _up = world.up();
    world.ok_with(&["put", "raw/a"], b"bad\n");
    world.wait_for_problem("a");
    world.ok_with(&["put", "raw/a"], b"fine\n");
    world.wait_for("the same stage to fail for the newer input", || {
        let problems = world.json(&["problems", "--json"]);
        let head = world.json(&["get", "raw/a", "--json"]);
        problems[0]["inputs"][0]["revision"] == head["revision"]
    });
    world.write("mended", "");
    let stderr = world.fails(1, &["problems", "retry", "b"]);
    assert!(stderr.contains("b has no problem") && stderr.contains("problems are: a"), "{stderr}");
    world.ok(&["problems", "retry", "a"]);
    world.wait_for_content("out/a", |content| content == "good\n");
}

/// A project whose source is a workbook.
fn workbook(content: &[u8], more: &str) -> World {
    let world = World::new(&format!(
        "[project]\nname = \"p\"\n[source.plan]\nfile = \"plan.xlsx\"\noutput = \"raw/plan\"\n{more}\n"
    ));
    world.write("plan.xlsx", content);
    world
}

#[test]
fn a_corrupt_workbook() {
    let good =
        fs::read(crate::world::repository().join("examples/qplan/plan.xlsx")).expect("the example");
    let cases: [(&str, &[u8]); 3] = [
        ("cut short", &good[..good.len() / 2]),
        ("no workbook", b"not a zip at all"),
        ("empty", b""),
    ];
    for (what, content) in cases {
        let world = workbook(content, "");
        let up = world.up();
        let text = world.wait_for_problem("plan").to_string();
        assert!(text.contains("plan.xlsx"), "{what}: {text}");
        world.write("plan.xlsx", &good);
        world.wait_for_content("raw/plan", |content| content.contains("=====Work"));
        up.stop();
    }
}

#[test]
fn a_wrong_sheet() {
    let good =
        fs::read(crate::world::repository().join("examples/qplan/plan.xlsx")).expect("the example");
    let world = workbook(&good, "sheets = [\"Wrok\"]");
    let _up = world.up();
    let text = world.wait_for_problem("plan").to_string();
    assert!(text.contains("Wrok") && text.contains("Work"), "{text}");
}

#[test]
fn a_missing_file() {
    let world = World::new(
        "[project]\nname = \"p\"\n[source.a]\nfile = \"later.csv\"\noutput = \"raw/a\"\n",
    );
    let _up = world.up();
    let text = world.wait_for_problem("a").to_string();
    assert!(text.contains("later.csv"), "{text}");
    world.write("later.csv", "a,b\n1,2\n");
    world.wait_for_content("raw/a", |content| content == "a,b\n1,2\n");
}
