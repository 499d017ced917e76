//! Runs of the past: replayed with other programs, and computed anew on a branch of their own, whatever happens
//! meanwhile.

use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::world::{PATIENCE, Running, World, esker, processes};

const PROJECT: &str = "[project]\nname = \"p\"\n[stage.condition]\ninput = \"raw/plan\"\n\
    run = [\"sh\", \"condition.sh\"]\noutput = \"conditioned/plan\"\n";

/// Tells each start in the file `calls`.
const CONDITION: &str = "cat > in.$$; cat in.$$ >> calls; tr a-z A-Z < in.$$; rm in.$$\n";

/// A project whose stage has run for each of these versions of its input.
fn run_for(definition: &str, versions: &[&str]) -> (World, Running) {
    let world = World::new(definition);
    world.write("condition.sh", CONDITION);
    let up = world.up();
    for version in versions {
        let wanted = version.to_uppercase();
        world.ok_with(&["put", "raw/plan"], version.as_bytes());
        world.wait_for_content("conditioned/plan", |content| content == wanted);
    }
    (world, up)
}

fn table(days: u32) -> String {
    format!("id,days\nann,1\nbob,{days}\n")
}

/// Whatever git knows of the data and the records.
fn refs(world: &World) -> String {
    world.git(&["rev-parse", "refs/heads/main", "refs/esker/records"])
}

fn replay(world: &World, more: &[&str], code: i32) -> Value {
    let output = world.run(&[&["replay", "condition", "--json"], more].concat());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{text}\n{words}\n{}", world.logs());
    serde_json::from_str(&text).expect("JSON")
}

fn results(replayed: &Value) -> Vec<&str> {
    let runs = replayed["runs"].as_array().expect("runs").iter();
    runs.map(|run| run["result"].as_str().expect("a result")).collect()
}

fn calls(world: &World) -> usize {
    fs::read_to_string(world.path("calls")).unwrap_or_default().lines().count()
}

#[test]
fn replaying_tells_what_another_program_would_have_given_and_stores_nothing() {
    let tables: Vec<String> = (1..=4).map(table).collect();
    let tables: Vec<&str> = tables.iter().map(String::as_str).collect();
    let (world, up) = run_for(PROJECT, &tables);
    let records = || world.git(&["rev-list", "--count", "refs/esker/records"]);
    world.wait_for("a record of each run", || records().trim() == "4");
    let before = refs(&world);
    assert_eq!(results(&replay(&world, &[], 0)), ["identical"; 4]);
    assert_eq!(results(&replay(&world, &["--last", "2"], 0)), ["identical"; 2]);
    let other = "sh -c 'tr a-z A-Z | sed s/3/7/'";
    let replayed = replay(&world, &["--with", other], 1);
    assert_eq!(results(&replayed), ["identical", "differs", "identical", "identical"]);
    assert_eq!(replayed["runs"][1]["outputs"][0]["summary"], "1 cell in 1 row");
    let cells = &replayed["runs"][1]["outputs"][0]["changes"];
    let cell = cells.as_array().expect("changes").iter().find(|change| change["op"] == "cell");
    assert_eq!(cell.expect("a cell")["new"], "7", "{cells}");
    let failing = "sh -c 'read line; grep -v bob,2 && exit 0; echo it is broken >&2; exit 3'";
    let replayed = replay(&world, &["--with", failing], 1);
    assert_eq!(replayed["failed"], 0, "{replayed}");
    let failing = "sh -c 'grep -q bob,2 && { echo it is broken >&2; exit 3; }; exit 99'";
    let replayed = replay(&world, &["--with", failing], 1);
    assert_eq!(replayed["failed"], 1, "{replayed}");
    let summary = replayed["runs"][2]["summary"].as_str().expect("a summary");
    assert!(summary.contains("exited 3") && summary.contains("it is broken"), "{summary}");
    let text = world.run(&["replay", "condition", "--with", other, "--diff"]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(text.contains("1 cell in 1 row") && text.contains("3 → 7"), "{text}");
    assert_eq!(before, refs(&world));
    // Without a hub, too.
    up.stop();
    assert_eq!(results(&replay(&world, &[], 0)), ["identical"; 4]);
    assert_eq!(before, refs(&world));
}

#[test]
fn replaying_runs_the_code_of_another_folder_and_its_checks() {
    let (world, _up) = run_for(PROJECT, &["a\n", "b\nc\n"]);
    fs::create_dir(world.path("other")).expect("a folder");
    world.write("other/condition.sh", "tr a-z A-Z | tac\n");
    let replayed = replay(&world, &["--code", "other"], 1);
    assert_eq!(results(&replayed), ["differs", "identical"]);
    world.write("other/condition.sh", "tr a-z A-Z\n");
    world.write("other/esker.toml", format!("{PROJECT}rows_min = 1\n"));
    let replayed = replay(&world, &["--code", "other"], 1);
    assert_eq!(results(&replayed), ["identical", "failed"]);
    let summary = replayed["runs"][1]["summary"].as_str().expect("a summary");
    assert!(summary.contains("rows_min"), "{summary}");
    let missing = world.fails(1, &["replay", "conditoin"]);
    assert!(missing.contains("did you mean `condition`?"), "{missing}");
}

#[test]
fn a_run_that_failed_then_is_replayed_too() {
    let (world, _up) = run_for(PROJECT, &["a\n"]);
    world.write("condition.sh", "grep -v bad | tr a-z A-Z\n");
    world.ok_with(&["put", "raw/plan"], b"bad\n");
    world.wait_for_problem("condition");
    let replayed = replay(&world, &[], 0);
    assert_eq!(results(&replayed), ["identical", "identical"]);
    let replayed = replay(&world, &["--with", "tr", "a-z", "A-Z"], 1);
    assert_eq!(results(&replayed), ["differs", "identical"]);
    assert!(replayed["runs"][0]["failed_then"].is_string(), "{replayed}");
}

const JOIN: &str = "[project]\nname = \"p\"\n[stage.condition]\ninput = [\"raw/plan\", \"raw/notes\"]\n\
    run = [\"sh\", \"condition.sh\"]\noutput = \"conditioned/plan\"\n";

/// What the join makes of two inputs.
fn joined(plan: &str, notes: &str) -> String {
    format!("=====RAW/PLAN\n\t{plan}\n=====RAW/NOTES\n\t{notes}\n")
}

#[test]
fn a_join_is_run_for_its_inputs_as_they_were_together() {
    let world = World::new(JOIN);
    world.write("condition.sh", CONDITION);
    let up = world.up();
    let put = |resource: &str, text: &str| world.ok_with(&["put", resource], text.as_bytes());
    put("raw/plan", "zero\n");
    let (mut plan, mut notes) = ("zero", "");
    for (resource, text) in [("notes", "a"), ("plan", "one"), ("notes", "b"), ("plan", "two")] {
        if resource == "plan" {
            plan = text
        } else {
            notes = text
        }
        put(&format!("raw/{resource}"), &format!("{text}\n"));
        let wanted = joined(&plan.to_uppercase(), &notes.to_uppercase());
        world.wait_for_content("conditioned/plan", |content| content == wanted);
    }
    assert_eq!(results(&replay(&world, &[], 0)), ["identical"; 4]);
    up.stop();
    world.write("condition.sh", "cat\n");
    let made = world.json(&["backfill", "condition", "--json"]);
    assert_eq!((&made["versions"], &made["made"]), (&4.into(), &4.into()), "{made}");
    let lower = |plan, notes| {
        joined(plan, notes).replace("RAW/PLAN", "raw/plan").replace("RAW/NOTES", "raw/notes")
    };
    let wanted = [lower("zero", "a"), lower("one", "a"), lower("one", "b"), lower("two", "b")];
    assert_eq!(history(&world, &made, 4), wanted);
    // From the middle on: what was current then, and what came since.
    let log = world.json(&["log", "raw/notes", "--json"]);
    let from = log[0]["revision"].as_str().expect("a revision");
    let made = world.json(&["backfill", "condition", "--json", "--from", from]);
    assert_eq!(made["versions"], 2, "{made}");
}

/// Starts a backfill beside the test, in a group of its own.
fn begin(world: &World, arguments: &[&str]) -> Child {
    let log = fs::File::create(world.path("begun.log")).expect("a log");
    let mut command = esker();
    command.args(arguments).current_dir(world.dir()).process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("esker starts")
}

/// How many results the one backfill there is has.
fn kept(world: &World) -> u64 {
    let listed = world.json(&["backfill", "list", "--json"]);
    listed[0]["results"].as_u64().unwrap_or(0)
}

/// A program that does not end for what begins with `w` until the file `go` is there.
fn patient(world: &World) -> String {
    let go = world.path("go");
    format!(
        "read word; echo $word >> calls\ncase $word in w*) \
         sh -c 'while ! [ -e {} ]; do sleep 0.1; done';; esac\necho new $word\n",
        go.display()
    )
}

/// The processes of such a program.
fn waiting(world: &World) -> Vec<u32> {
    processes(&format!("{}/go", world.dir().display()))
}

/// What the output was at each commit of a backfill, once git sees as many; the first only says what it is.
fn history(world: &World, made: &Value, count: usize) -> Vec<String> {
    let branch = format!("refs/esker/{}", made["branch"].as_str().expect("a branch"));
    let commits = || world.git(&["rev-list", "--reverse", &branch]);
    world.wait_for("git to see all", || commits().lines().count() == count + 1);
    let shown = |commit: &str| world.git(&["show", &format!("{commit}:conditioned/plan")]);
    commits().lines().skip(1).map(shown).collect()
}

#[test]
fn a_backfill_that_is_killed_goes_on_where_it_was() {
    let (world, up) = run_for(PROJECT, &["a\n", "b\n", "a\n", "w\n", "c\n"]);
    up.stop();
    let main = world.git(&["rev-list", "refs/heads/main"]);
    let _hub = world.hub();
    fs::remove_file(world.path("calls")).expect("removed");
    world.write("condition.sh", patient(&world));
    let mut killed = begin(&world, &["backfill", "condition"]);
    world.wait_for("three results", || kept(&world) == 3);
    world.wait_for("a program that waits", || !waiting(&world).is_empty());
    killed.kill().expect("killed");
    killed.wait().expect("gone");
    world.wait_for("no orphan", || waiting(&world).is_empty());
    assert_eq!(kept(&world), 3);
    world.write("go", "");
    let made = world.json(&["backfill", "condition", "--json"]);
    assert_eq!((&made["versions"], &made["made"]), (&5.into(), &2.into()), "{made}");
    // What was made is not made again, and the same contents once only.
    let called = fs::read_to_string(world.path("calls")).expect("calls");
    let count = |word: &str| called.lines().filter(|line| *line == word).count();
    assert_eq!((count("a"), count("b")), (1, 1), "{called}");
    let branch = format!("refs/esker/{}", made["branch"].as_str().expect("a branch"));
    let wanted = ["a", "b", "a", "w", "c"].map(|word| format!("new {word}\n"));
    assert_eq!(history(&world, &made, 5), wanted);
    let told = world.git(&["log", "--format=%B", &branch]);
    assert_eq!(told.matches("Esker-Input: raw/plan ").count(), 5, "{told}");
    assert_eq!(main, world.git(&["rev-list", "refs/heads/main"]));
    world.git(&["fsck", "--strict"]);
}

#[test]
fn an_interrupted_replay_or_backfill_leaves_no_orphan_and_says_how_far_it_was() {
    let (world, up) = run_for(PROJECT, &["a\n", "w\n", "b\n"]);
    up.stop();
    world.write("condition.sh", patient(&world));
    for arguments in [&["replay", "condition", "--jobs", "1"][..], &["backfill", "condition"]] {
        fs::remove_file(world.path("calls")).expect("removed");
        let mut child = begin(&world, arguments);
        world.wait_for("a program that waits", || !waiting(&world).is_empty());
        let pid = child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &pid]).status();
        assert!(sent.expect("kill").success());
        let begun = Instant::now();
        while child.try_wait().expect("waited").is_none() {
            assert!(begun.elapsed() < PATIENCE, "{arguments:?} does not end");
            std::thread::park_timeout(std::time::Duration::from_millis(20));
        }
        assert_eq!(child.wait().expect("gone").code(), Some(1));
        let told = fs::read_to_string(world.path("begun.log")).expect("a log");
        assert!(told.contains("stopped: "), "{told}");
        assert!(waiting(&world).is_empty(), "an orphan of {arguments:?}");
    }
}

#[test]
fn a_version_that_fails_is_told_and_holds_up_no_other() {
    let (world, up) = run_for(PROJECT, &["a\n", "bad\n", "c\n"]);
    world
        .write("condition.sh", "if grep bad; then echo no plan >&2; exit 65; else echo fine; fi\n");
    world.wait_for_content("conditioned/plan", |content| content == "fine\n");
    let bad =
        world.json(&["log", "raw/plan", "--json"])[1]["revision"].as_str().expect("one").to_owned();
    up.stop();
    world
        .write("condition.sh", "if grep bad; then echo no plan >&2; exit 65; else echo good; fi\n");
    let output = world.run(&["backfill", "condition", "--adopt", "--json"]);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{words}");
    assert!(words.contains("exited 65") && words.contains("no plan"), "{words}");
    assert!(words.contains("nothing is adopted"), "{words}");
    let made: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&made["made"], &made["failed"]), (&2.into(), &1.into()), "{made}");
    let id = made["id"].as_str().expect("an id");
    let shown = world.json(&["backfill", "show", id, "--json"]);
    let words: Vec<&Value> =
        shown["versions"].as_array().expect("versions").iter().map(|one| &one["result"]).collect();
    assert_eq!(words, ["other", "failed", "other"]);
    // Tried again, and no word more is kept of the same failure.
    let before = world.git(&["rev-list", "--count", &format!("refs/esker/backfill/{id}")]);
    world.fails(1, &["backfill", "condition"]);
    assert_eq!(before, world.git(&["rev-list", "--count", &format!("refs/esker/backfill/{id}")]));
    let named = format!("--recomputed={id}");
    let why = world.fails(1, &["get", &format!("conditioned/plan@{bad}"), &named]);
    assert!(why.contains("no plan"), "{why}");
    assert_eq!(world.ok(&["get", &format!("conditioned/plan@{bad}~1"), &named]), "good\n");
    // What there is can be adopted.
    let adopted = world.json(&["backfill", "adopt", id, "--json"]);
    assert_eq!(adopted["head"], "moved");
    assert_eq!(world.content("conditioned/plan").as_deref(), Some("good\n"));
}

#[test]
fn an_adopted_backfill_is_found_beside_the_history_and_its_newest_result_is_the_head() {
    let (world, up) = run_for(PROJECT, &["a\n", "b\n"]);
    let first =
        world.json(&["log", "raw/plan", "--json"])[1]["revision"].as_str().expect("one").to_owned();
    let then = format!("conditioned/plan@{first}~0");
    up.stop();
    let history = world.git(&["rev-list", "refs/heads/main"]);
    world.write("condition.sh", "echo calls >> calls; sed s/^/new-/\n");
    let hint = world.fails(1, &["get", "conditioned/plan", "--recomputed"]);
    assert!(hint.contains("esker backfill"), "{hint}");
    let made = world.json(&["backfill", "condition", "--adopt", "--json"]);
    assert_eq!(made["adopted"]["head"], "moved", "{made}");
    let after = world.git(&["rev-list", "refs/heads/main"]);
    assert_eq!(after.lines().count(), history.lines().count() + 1);
    assert!(after.ends_with(&history), "main was rewritten");
    assert_eq!(world.content("conditioned/plan").as_deref(), Some("new-b\n"));
    let head = world.json(&["get", "conditioned/plan", "--json"]);
    assert!(
        head["summary"].as_str().expect("a summary").contains(made["id"].as_str().expect("an id"))
    );
    assert_eq!(head["provenance"]["stage"], "condition");
    assert_eq!(world.ok(&["get", &then, "--recomputed"]), "new-a\n");
    // The runner finds it as it should be.
    let called = calls(&world);
    let up = world.up();
    world.ok_with(&["put", "raw/plan"], b"c\n");
    world.wait_for_content("conditioned/plan", |content| content == "new-c\n");
    assert_eq!(calls(&world), called + 1);
    // What the runner has made is not made again.
    let again = world.json(&["backfill", "condition", "--json"]);
    assert_eq!((&again["versions"], &again["made"]), (&3.into(), &1.into()), "{again}");
    assert_eq!((calls(&world), &again["id"]), (called + 1, &made["id"]));
    // Another program is another backfill; each is found by its name until it is dropped.
    world.write("condition.sh", "sed s/^/newer-/\n");
    let other = world.json(&["backfill", "condition", "--json"]);
    let (old, new) = (made["id"].as_str().expect("an id"), other["id"].as_str().expect("an id"));
    assert_ne!(old, new);
    assert_eq!(world.ok(&["get", &then, "--recomputed"]), "new-a\n");
    assert_eq!(world.ok(&["get", &then, &format!("--recomputed={new}")]), "newer-a\n");
    world.ok(&["backfill", "drop", old]);
    let listed = world.json(&["backfill", "list", "--json"]);
    assert_eq!((listed.as_array().map(Vec::len), &listed[0]["id"]), (Some(1), &other["id"]));
    world.fails(1, &["get", &then, "--recomputed"]);
    up.stop();
    assert_eq!(world.json(&["backfill", "list", "--json"]), listed);
}

#[test]
fn checks_hold_for_what_is_computed_anew() {
    let (world, up) = run_for(PROJECT, &["a\nb\nc\nd\n", "a\n", "b\nc\nd\n"]);
    up.stop();
    world.write("esker.toml", format!("{PROJECT}rows_drop_max = \"50%\"\n"));
    let output = world.run(&["backfill", "condition", "--json"]);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    let made: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    // The second lost too many rows against the first, the third did not.
    assert_eq!((&made["made"], &made["failed"]), (&2.into(), &1.into()), "{made} {words}");
    assert!(words.contains("rows_drop_max"), "{words}");
    world.write("esker.toml", format!("{PROJECT}previous = true\n"));
    let refused = world.fails(1, &["backfill", "condition"]);
    assert!(refused.contains("it reads what it made before"), "{refused}");
}
