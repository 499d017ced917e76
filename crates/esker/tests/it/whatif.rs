//! What-ifs from the command line: made, computed with a runner and without, compared, applied, taken back; and the
//! overrides of what is made.

use std::process::Stdio;

use esker_wire::edit::{Before, Deed, Edit};
use esker_wire::overrides::{self, Override};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::world::{Running, World, esker, signal};

const PROJECT: &str = "[project]\nname = \"p\"\n[stage.upper]\ninput = \"raw/a\"\n\
    run = [\"sh\", \"upper.sh\"]\noutput = \"mid/a\"\n[stage.count]\ninput = \"mid/a\"\n\
    run = [\"sh\", \"count.sh\"]\noutput = \"results/a\"\n";

/// Waits as long as there is a file `hold`, once it has said that it has begun.
const UPPER: &str = "cat > in.$$; test -e hold && touch begun; while test -e hold; do sleep 0.02; done; \
    tr a-z A-Z < in.$$; rm in.$$\n";

const BASE: &str = "id,team,days\nann,red,1\nbob,blue,2\n";
const MORE: &str = "id,team,days\nann,red,1\nbob,blue,2\ncyd,blue,3\n";
const OTHER: &str = "id,team,days\nann,red,7\nbob,blue,2\n";

fn world() -> World {
    let world = World::new(PROJECT);
    world.write("upper.sh", UPPER);
    world.write("count.sh", "wc -l\n");
    world.write("more.csv", MORE);
    world.write("other.csv", OTHER);
    world
}

/// A project that runs, whose stages have made something of the base.
fn up() -> (World, Running) {
    let world = world();
    let up = world.up();
    world.ok_with(&["put", "raw/a"], BASE.as_bytes());
    world.wait_for_content("results/a", |content| content.trim() == "3");
    (world, up)
}

/// The newest commit of main.
fn head(world: &World) -> String {
    world.json(&["log", "-n1", "--json"])[0]["revision"].to_string()
}

/// Runs a command that may fail; its exit code, what it printed, what it said.
fn said(world: &World, arguments: &[&str]) -> (i32, String, String) {
    let output = world.run(arguments);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

fn shown(world: &World, id: &str) -> Value {
    world.json(&["whatif", "show", id, "--json"])
}

fn names(world: &World, id: &str) -> String {
    world.ok(&["whatif", "diff", id, "--names"])
}

#[test]
fn what_would_be_is_computed_applied_and_taken_back() {
    let (world, up) = up();
    let main = head(&world);
    let (code, id, words) =
        said(&world, &["whatif", "new", "More rows!", "--input", "raw/a=more.csv"]);
    assert_eq!((code, id.as_str()), (0, "more-rows\n"), "{words}");
    assert!(words.contains("raw/a: 1 row added; mid/a, results/a are others"), "{words}");
    assert_eq!(head(&world), main);
    assert_eq!(world.ok(&["get", "results/a", "--whatif", "more"]).trim(), "4");
    assert_eq!(names(&world, "more"), "mid/a\nraw/a\nresults/a\n");
    let text = world.ok(&["whatif", "diff", "more", "raw/a"]);
    assert!(text.contains("+cyd,blue,3") && !text.contains("mid/a"), "{text}");
    assert!(world.ok(&["diff", "results/a", "--whatif", "more"]).contains("+4"));
    assert!(world.ok(&["ls", "mid/", "--whatif", "more"]).contains("mid/a"));
    assert!(
        world.ok(&["log", "results/a", "--whatif", "more", "-n1"]).contains("count: results/a")
    );
    let state = shown(&world, "more-rows");
    assert_eq!((&state["state"], &state["behind"]), (&json!("done"), &json!(0)));
    assert_eq!(&state["inputs"], &json!(["raw/a"]));

    let preview = world.json(&["whatif", "apply", "more", "--preview", "--json"]);
    assert_eq!(preview["differences"].as_array().map(Vec::len), Some(3), "{preview}");
    assert_eq!(world.json(&["whatif", "list", "--json"]).as_array().map(Vec::len), Some(1));
    assert_eq!(head(&world), main);

    let applied = world.ok(&["whatif", "apply", "more", "--why", "decided on Monday"]);
    let revision = applied.trim().strip_prefix("applied as ").expect("a revision").to_owned();
    world.wait_for_content("results/a", |content| content.trim() == "4");
    let log = world.json(&["log", "raw/a", "--grep", "decided on Monday", "--json"]);
    let told = (&log[0]["revision"], &log[0]["summary"]);
    assert_eq!(told, (&json!(revision), &json!("apply what-if more-rows: More rows!")));
    assert!(world.ok(&["whatif", "list"]).contains("applied"));
    // Whatever it is called, it is not applied a second time.
    let applied = head(&world);
    world.ok(&["whatif", "title", "more", "Other words"]);
    world.wait_for("the new title", || shown(&world, "more")["state"] != "computing");
    assert_eq!(head(&world), applied);
    assert!(world.ok(&["whatif", "undo", "more"]).starts_with("taken back as "));
    assert!(world.fails(1, &["whatif", "undo", "more"]).contains("was taken back already"));
    world.wait_for_content("results/a", |content| content.trim() == "3");
    up.stop();
}

#[test]
fn without_a_runner_the_command_computes_it() {
    let world = world();
    world.ok_with(&["put", "raw/a"], BASE.as_bytes());
    world.ok(&["run"]);
    let (code, id, words) = said(&world, &["whatif", "new", "--input", "raw/a=more.csv"]);
    assert_eq!((code, id.as_str()), (0, "another-raw-a\n"), "{words}");
    assert!(words.contains("done in ") && words.contains("results/a are others"), "{words}");
    assert_eq!(world.ok(&["get", "results/a", "--whatif", "another"]).trim(), "4");
    // The id is another one where that is there already, unless somebody wants just that.
    let output =
        world.run_with(&["whatif", "new", "--input", "raw/a=-", "--no-wait"], OTHER.as_bytes());
    assert_eq!(output.stdout, b"another-raw-a-2\n");
    assert!(String::from_utf8_lossy(&output.stderr).contains("no runner works here"));
    let words =
        world.fails(1, &["whatif", "new", "--id", "another-raw-a", "--input", "raw/a=more.csv"]);
    assert!(words.contains("there is a what-if another-raw-a already"), "{words}");
    assert_eq!(shown(&world, "another-raw-a-2")["state"], "computing");
    let amended = world.json(&["whatif", "amend", "another-raw-a-2", "--title", "x", "--json"]);
    assert_eq!((&amended["state"], &amended["title"]), (&json!("done"), &json!("x")));
    assert!(world.ok(&["whatif", "apply", "another-raw-a-2"]).starts_with("applied as "));
    assert_eq!(world.content("raw/a").as_deref(), Some(OTHER));
}

#[test]
fn programs_are_tried_but_not_applied() {
    let (world, up) = up();
    world.write("bytes.sh", "wc -c\n");
    let (code, _, words) =
        said(&world, &["whatif", "new", "by bytes", "--file", "count.sh=bytes.sh"]);
    assert_eq!(code, 0, "{words}");
    assert_eq!(names(&world, "by-bytes"), "results/a\n");
    assert_eq!(world.ok(&["get", "results/a", "--whatif", "by"]).trim(), BASE.len().to_string());
    let (code, _, words) = said(&world, &["whatif", "apply", "by-bytes"]);
    assert!(code == 1 && words.contains("cannot apply by-bytes: count.sh"), "{words}");
    world.write("bytes.sh", "echo 'it is broken' >&2; exit 3\n");
    let (code, id, words) = said(&world, &["whatif", "new", "--file", "count.sh=bytes.sh"]);
    assert_eq!((code, id.as_str()), (1, "another-count-sh\n"));
    assert!(words.contains("count"), "{words}");
    let state = shown(&world, "another-count-sh");
    assert_eq!(state["state"], "problem");
    let (code, _, words) = said(&world, &["whatif", "amend", "another", "--drop", "count.sh"]);
    assert!(code == 0 && words.contains("nothing is otherwise"), "{words}");
    up.stop();
}

#[test]
fn several_stand_side_by_side() {
    let (world, up) = up();
    world.ok(&["whatif", "new", "one", "--input", "raw/a=more.csv"]);
    world.ok(&["whatif", "new", "two", "--input", "raw/a=other.csv", "--pin"]);
    let text = world.ok(&["whatif", "diff", "one", "two", "raw/a"]);
    let lines: Vec<Vec<&str>> =
        text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[1], ["ROW", "COLUMN", "BASE", "ONE", "TWO"], "{text}");
    assert!(lines.contains(&vec!["ann", "days", "1", "=", "7"]), "{text}");
    let cells = world.json(&["whatif", "diff", "one", "two", "raw/a", "--json"]);
    let ann = cells[0]["cells"].as_array().expect("cells").iter().find(|cell| cell["row"] == "ann");
    assert_eq!(ann.expect("a cell")["what_ifs"], json!({ "one": "1", "two": "7" }));
    let listed = world.json(&["whatif", "list", "--json"]);
    assert_eq!((&listed[1]["id"], &listed[1]["expires"]), (&json!("two"), &Value::Null));
    world.ok(&["whatif", "unpin", "two", "--for", "2d"]);
    assert!(shown(&world, "two")["expires"].is_string());
    up.stop();
}

#[test]
fn what_is_over_is_removed_and_what_is_discarded_is_gone() {
    let (world, up) = up();
    world.ok(&["whatif", "new", "short", "--input", "raw/a=more.csv", "--for", "1s"]);
    world.wait_for("its end", || world.json(&["whatif", "list", "--json"]) == json!([]));
    for title in ["a b", "a c"] {
        world.ok(&["whatif", "new", title, "--input", "raw/a=more.csv"]);
    }
    let words = world.fails(1, &["whatif", "discard", "a"]);
    assert!(words.contains("2 what-ifs begin with a"), "{words}");
    let (code, _, words) = said(&world, &["whatif", "discard", "a-b", "a-c", "nobody"]);
    assert!(code == 0 && words.contains("there is no what-if nobody"), "{words}");
    assert_eq!(world.json(&["whatif", "list", "--json"]), json!([]));
    up.stop();
}

#[test]
fn one_that_is_cut_short_is_settled_afterwards() {
    let (world, up) = up();
    world.write("hold", "");
    world.ok(&["whatif", "new", "more", "--input", "raw/a=more.csv", "--no-wait"]);
    world.wait_for("the program", || world.path("begun").exists());
    let before = shown(&world, "more");
    assert_eq!(before["state"], "computing");
    up.kill();
    std::fs::remove_file(world.path("hold")).expect("removed");
    let up = world.up();
    world.wait_for("its end", || shown(&world, "more")["state"] == "done");
    let after = shown(&world, "more");
    for field in ["about", "base", "inputs", "edits", "title", "expires"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    assert_eq!(world.ok(&["get", "results/a", "--whatif", "more"]).trim(), "4");
    assert_eq!(world.content("results/a").expect("there").trim(), "3");
    up.stop();
}

#[test]
fn what_cannot_be_meant_is_refused_with_an_example() {
    let world = world();
    world.ok_with(&["put", "raw/a"], BASE.as_bytes());
    for (arguments, told) in [
        (&["whatif", "new"][..], "name a change"),
        (&["whatif", "new", "--id", "A b", "--remove", "raw/a:[x]"], "lower-case letters"),
        (&["whatif", "new", "--set", "raw/a"], "ADDRESS=TEXT"),
        (&["whatif", "amend", "x", "--base", "HEAD"], "whatif rebase"),
        (&["whatif", "amend", "x"], "nothing is to be amended"),
        (&["whatif", "apply", "x", "--settle", "2=ours"], "N=theirs"),
        (&["override", "drop", "raw/a", "0"], "from 1 on"),
    ] {
        let words = world.fails(2, arguments);
        assert!(words.contains(told), "{arguments:?}: {words}");
    }
    for (arguments, told) in [
        (&["whatif", "show", "x"][..], "there is no what-if x"),
        (&["whatif", "new", "--input", "raw/a=none.csv"], "cannot open none.csv"),
        (&["whatif", "new", "--base", "v9", "--input", "raw/a=more.csv"], "v9"),
        (&["get", "raw/a", "--whatif", "x"], "there is no what-if x"),
    ] {
        let words = world.fails(1, arguments);
        assert!(words.contains(told), "{arguments:?}: {words}");
    }
    assert_eq!(world.json(&["whatif", "list", "--json"]), json!([]));
    world.ok(&[
        "whatif",
        "new",
        "e",
        "--remove",
        "raw/a:[x]",
        "--set",
        "raw/a:[ann].days=3",
        "--no-wait",
    ]);
    let edits = shown(&world, "e")["edits"].clone();
    assert_eq!((&edits[0]["remove"], &edits[1]["set"]), (&json!(true), &json!("3")));
    let amended = world.json(&[
        "whatif",
        "amend",
        "e",
        "--drop",
        "1",
        "--remove",
        "raw/a:[y]",
        "--no-wait",
        "--json",
    ]);
    let at: Vec<&Value> =
        amended["edits"].as_array().expect("edits").iter().map(|edit| &edit["at"]).collect();
    assert_eq!(at, ["raw/a:[ann].days", "raw/a:[y]"]);
    let words = world.fails(1, &["whatif", "amend", "e", "--drop", "3"]);
    assert!(words.contains("from 1 to 2"), "{words}");
}

#[test]
fn overrides_are_told_kept_and_dropped() {
    let world = world();
    let one = |at: &str, text: &str| Override {
        edit: Edit { at: at.parse().expect("an address"), deed: Deed::Set(text.to_owned()) },
        before: Some(Before::Text("2".to_owned())),
        by: Some("Ann <ann@example.org>".to_owned()),
        why: Some("it is so".to_owned()),
        since: Timestamp::UNIX_EPOCH,
        what_if: Some("more".to_owned()),
    };
    let all = [
        one("mid/a:[ANN].DAYS", "3"),
        one("mid/a:[BOB].DAYS", "4"),
        one("mid/a:[BOB].TEAM", "RED"),
    ];
    world.ok_with(&["put", "overrides/mid/a"], &overrides::write(&all).expect("written"));
    let text = world.ok(&["override", "list"]);
    assert!(
        text.contains("mid/a:[ANN].DAYS: 2 → 3") && text.contains("Ann <ann@example.org>"),
        "{text}"
    );
    world.ok(&["override", "keep", "mid/a", "2"]);
    let shown = world.json(&["override", "show", "mid/a", "--json"]);
    let always: Vec<&Value> =
        shown["overrides"].as_array().expect("a list").iter().map(|one| &one["always"]).collect();
    assert_eq!(always, [false, true, false]);
    let words = world.fails(1, &["override", "drop", "mid/a", "4"]);
    assert!(words.contains("mid/a has no override 4"), "{words}");
    world.ok(&["override", "drop", "mid/a", "1", "3"]);
    let left = world.json(&["override", "list", "overrides/mid/a", "--json"]);
    assert_eq!(left[0]["overrides"][0]["at"], "mid/a:[BOB].DAYS");
    world.ok(&["override", "drop", "mid/a", "all"]);
    assert_eq!(world.json(&["override", "list", "--json"]), json!([]));
    assert!(world.fails(1, &["override", "show", "mid/a"]).contains("mid/a has no overrides"));
}

#[test]
fn a_newer_base_is_taken_and_amendments_of_several_all_count() {
    let (world, up) = up();
    world.ok(&["whatif", "new", "more", "--input", "raw/a=more.csv"]);
    world.ok_with(&["put", "raw/b"], b"another\n");
    assert_eq!(shown(&world, "more")["behind"], 1);
    let onto = head(&world);
    let rebased = world.json(&["whatif", "rebase", "more", "--json"]);
    assert_eq!((&rebased["state"], &rebased["behind"]), (&json!("done"), &json!(0)));
    assert_eq!(format!("\"{}\"", rebased["base"].as_str().expect("a base")), onto);
    assert_eq!(world.ok(&["get", "raw/b", "--whatif", "more"]), "another\n");
    let (code, _, words) = said(&world, &["whatif", "rebase", "more"]);
    assert!(code == 0 && words.contains("already"), "{words}");
    std::thread::scope(|scope| {
        for number in 0..8 {
            let set = format!("raw/a:[ann].days={number}");
            let world = &world;
            scope.spawn(move || world.ok(&["whatif", "amend", "more", "--set", &set, "--no-wait"]));
        }
    });
    let edits = shown(&world, "more")["edits"].clone();
    let mut texts: Vec<&str> =
        edits.as_array().expect("edits").iter().filter_map(|edit| edit["set"].as_str()).collect();
    texts.sort_unstable();
    assert_eq!(texts, ["0", "1", "2", "3", "4", "5", "6", "7"]);
    up.stop();
}

#[test]
fn who_stops_waiting_leaves_it_to_the_runner() {
    let (world, up) = up();
    world.write("hold", "");
    let mut command = esker();
    command.args(["whatif", "new", "more", "--input", "raw/a=more.csv"]).current_dir(world.dir());
    let child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("esker starts");
    world.wait_for("the program", || world.path("begun").exists());
    signal(&child.id().to_string(), "INT");
    let output = child.wait_with_output().expect("esker ends");
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(
        (output.status.code(), output.stdout.as_slice()),
        (Some(1), &b"more\n"[..]),
        "{words}"
    );
    assert!(words.contains("more goes on being computed; see: esker whatif show more"), "{words}");
    std::fs::remove_file(world.path("hold")).expect("removed");
    world.wait_for("its end", || shown(&world, "more")["state"] == "done");
    up.stop();
}
