//! From a spreadsheet to a result: in one process, and in three.

use std::fs;

use crate::world::World;

/// Changes a cell of a workbook, as a person would.
fn edit(world: &World, sheet: &str, cell: &str, value: &str) {
    world.python("edit_cell.py", &["plan.xlsx", sheet, cell, value]);
}

/// The heads of the data: resource and blob of each. Revisions depend on time, and so does the file that the
/// edits leave, but not what it says.
fn heads(world: &World) -> Vec<(String, String)> {
    let listing = world.json(&["ls", "--json"]);
    let entries = listing.as_array().expect("a list").iter();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    entries.map(|entry| (text(&entry["resource"]), text(&entry["blob"]))).collect()
}

/// Pulls, edits a name, breaks a cell, mends it; what the store's heads are in the end.
fn live_through(world: &World) -> Vec<(String, String)> {
    world.wait_for_content("results/plan", |content| content.contains("qplan track work v1"));
    edit(world, "Work", "C2", "A wholly new name");
    world.wait_for_content("results/plan", |content| content.contains("A wholly new name"));
    let good = world.content("results/plan");
    edit(world, "Work", "B3", "not a rank");
    let problem = world.wait_for_problem("condition");
    let detail = problem["detail"].as_str().expect("a text");
    assert!(detail.contains("Work") && detail.contains("row 3"), "{detail}");
    assert_eq!(world.content("results/plan"), good, "the last good version stays");
    edit(world, "Work", "B3", "990");
    world.wait_for("the problem to pass", || {
        world.json(&["problems", "--json"]).as_array().is_some_and(Vec::is_empty)
    });
    world.wait_for_content("results/plan", |content| content.contains("\t990\t"));
    heads(world)
}

#[test]
fn one_process_and_three_do_the_same() {
    let one = World::example("qplan");
    let up = one.up();
    let heads_of_one = live_through(&one);
    up.stop();

    let three = World::example("qplan");
    let hub = three.start(&["hub", "--port-base", "0"]);
    three.wait_for("the hub", || three.endpoints()["hub"].is_object());
    let runner = three.start(&["runner"]);
    let web = three.start(&["web", "--port-base", "0"]);
    three.wait_for("the page", || three.endpoints()["web"].is_string());
    let heads_of_three = live_through(&three);
    for running in [web, runner, hub] {
        running.stop();
    }
    assert_eq!(heads_of_one, heads_of_three);
    assert_eq!(heads_of_one.len(), 3, "{heads_of_one:?}");
}

#[test]
fn why_leads_back_to_the_source() {
    let world = World::example("qplan");
    let _up = world.up();
    world.wait_for_content("results/plan", |content| !content.is_empty());
    let why = world.json(&["why", "results/plan", "--json"]);
    let steps: Vec<_> =
        why.as_array().expect("a list").iter().map(|s| s["resource"].clone()).collect();
    assert_eq!(steps, ["results/plan", "conditioned/plan", "raw/plan"]);
    let text = world.ok(&["why", "results/plan"]);
    assert!(text.contains("by schedule: esker qplan schedule"), "{text}");
}

#[test]
fn an_edited_definition_is_taken_up_and_a_bad_one_is_not() {
    let world = World::new(
        "[project]\nname = \"p\"\n[source.a]\nfile = \"a.txt\"\noutput = \"raw/a\"\n\
         [stage.up]\ninput = \"raw/a\"\nrun = [\"tr\", \"a-z\", \"A-Z\"]\noutput = \"out/a\"\n",
    );
    world.write("a.txt", "hello\n");
    let _up = world.up();
    world.wait_for_content("out/a", |content| content == "HELLO\n");
    let text = fs::read_to_string(world.path("esker.toml")).expect("the definition");
    world.write("esker.toml", text.replace("input =", "inptu ="));
    let problem = world.wait_for_problem("esker.toml");
    let detail = problem["detail"].as_str().expect("a text");
    assert!(detail.contains("did you mean `input`?"), "{problem}");
    let stderr = world.fails(1, &["problems", "retry", "esker.toml"]);
    assert!(stderr.contains("edit the file"), "{stderr}");
    world.write("a.txt", "still running\n");
    world.wait_for_content("out/a", |content| content == "STILL RUNNING\n");
    world.write("esker.toml", text.replace("\"a-z\", \"A-Z\"", "\"a-z\", \"n-za-m\""));
    world.wait_for_content("out/a", |content| content == "fgvyy ehaavat\n");
    world.wait_for("the problem to pass", || {
        world.json(&["problems", "--json"]).as_array().is_some_and(Vec::is_empty)
    });
}

#[test]
fn several_inputs_come_as_one_stream_and_several_outputs_go_together() {
    let world = World::new(
        "[project]\nname = \"p\"\n[stage.split]\ninput = [\"raw/a\", \"raw/b\"]\n\
         run = [\"sed\", \"s,raw/,out/,\"]\noutput = [\"out/a\", \"out/b\"]\n",
    );
    let _up = world.up();
    world.ok_with(&["put", "raw/a"], b"one\n");
    assert_eq!(world.content("out/a"), None, "raw/b is missing: the stage waits");
    world.ok_with(&["put", "raw/b"], b"two\nthree\n");
    world.wait_for_content("out/b", |content| content == "two\nthree\n");
    assert_eq!(world.content("out/a").as_deref(), Some("one\n"));
    let log = world.json(&["log", "--json"]);
    let of = |name: &str| {
        let entries = log.as_array().expect("a list");
        entries.iter().find(|entry| entry["resource"] == name).expect(name)["revision"].clone()
    };
    assert_eq!(of("out/a"), of("out/b"), "both are one commit");
}

#[test]
fn the_same_output_makes_no_version_and_wakes_nobody() {
    let world = World::new(
        "[project]\nname = \"p\"\n\
         [stage.first]\ninput = \"raw/a\"\nrun = [\"head\", \"-n1\"]\noutput = \"mid/a\"\n\
         [stage.second]\ninput = \"mid/a\"\nrun = [\"sh\", \"-c\", \"cat; echo run >> runs.txt\"]\noutput = \"out/a\"\n",
    );
    let _up = world.up();
    world.ok_with(&["put", "raw/a"], b"top\none\n");
    world.wait_for_content("out/a", |content| content == "top\n");
    world.ok_with(&["put", "raw/a"], b"top\ntwo\n");
    world.ok_with(&["put", "raw/marker"], b"x");
    world.wait_for("the first stage to be verified", || {
        let newest = ["for-each-ref", "--format=%(subject)", "refs/esker/records"];
        world.git(&newest).trim() == "first: unchanged"
    });
    world.ok_with(&["put", "raw/a"], b"other\n");
    world.wait_for_content("out/a", |content| content == "other\n");
    let log = world.json(&["log", "mid/a", "--json"]);
    assert_eq!(log.as_array().map(Vec::len), Some(2), "two versions of three inputs: {log}");
    let runs = fs::read_to_string(world.path("runs.txt")).expect("the second stage ran");
    assert_eq!(runs.lines().count(), 2, "the second stage ran only when its input changed");
}
