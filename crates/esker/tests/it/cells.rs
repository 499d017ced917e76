//! "Why did the end date of TASK-17 change on Tuesday?", answered in one command.

use std::fs;
use std::process::Stdio;

use serde_json::Value;

use crate::world::{World, esker};

pub(crate) const TASKS: &str = "id,name,after,days\nTASK-16,dig,,3\nTASK-17,build,TASK-16,4\nTASK-18,paint,TASK-17,2\n\
                     TASK-20,rest,,1\n";

/// A plan as a planner makes one: a raw table, made tidy; then each task begins when what it waits for has ended.
fn project() -> World {
    let world = World::new(
        "[project]\nname = \"plan\"\n\
         [stage.condition]\ninput = \"raw/plan\"\nrun = [\"python3\", \"condition.py\"]\n\
         output = \"conditioned/plan\"\n\
         [stage.schedule]\ninput = [\"conditioned/plan\", \"params/plan\"]\n\
         run = [\"python3\", \"schedule.py\"]\noutput = \"results/plan\"\n",
    );
    world.write(
        "condition.py",
        "import csv, sys\n\
         rows = [{k: v.strip() for k, v in row.items()} for row in csv.DictReader(sys.stdin)]\n\
         out = csv.DictWriter(sys.stdout, ['id', 'after', 'days'], extrasaction='ignore')\n\
         out.writeheader()\n\
         out.writerows(sorted(rows, key=lambda row: row['id']))\n",
    );
    world.write(
        "schedule.py",
        "import csv, datetime, json, sys\n\
         streams = {}\n\
         for line in sys.stdin.read().splitlines():\n\
         \x20   if line.startswith('====='): streams[line[5:]] = lines = []\n\
         \x20   else: lines.append(line[1:])\n\
         begin = datetime.date.fromisoformat(json.loads('\\n'.join(streams['params/plan']))['begin'])\n\
         ends = {}\n\
         print('=====ends\\n\\tid\\tend')\n\
         for row in csv.DictReader(streams['conditioned/plan']):\n\
         \x20   start = ends.get(row['after'], begin)\n\
         \x20   ends[row['id']] = start + datetime.timedelta(days=int(row['days']))\n\
         \x20   print('\\t%s\\t%s' % (row['id'], ends[row['id']]))\n",
    );
    world
}

pub(crate) fn put(world: &World, resource: &str, content: &str, author: &str, message: &str) {
    let mut put = esker();
    put.args(["put", resource, "-m", message]).current_dir(world.dir());
    put.env("ESKER_AUTHOR", author).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut put = put.spawn().expect("esker starts");
    let mut stdin = put.stdin.take().expect("piped");
    std::io::Write::write_all(&mut stdin, content.as_bytes()).expect("written");
    drop(stdin);
    assert!(put.wait().expect("it ends").success());
}

pub(crate) const ANN: &str = "Ann <ann@example.org>";

pub(crate) fn wait_for_end(world: &World, id: &str, end: &str) {
    world.wait_for_content("results/plan", |content| content.contains(&format!("{id}\t{end}")));
}

/// A project in which TASK-17 ends on the 8th, and in which much else has happened too.
pub(crate) fn planned() -> World {
    let world = project();
    put(&world, "raw/plan", TASKS, ANN, "first plan");
    put(&world, "params/plan", "{\"begin\": \"2027-01-01\"}\n", ANN, "we begin");
    world
}

pub(crate) fn head(world: &World, resource: &str) -> Value {
    world.json(&["get", resource, "--json"])
}

pub(crate) const WHY: [&str; 6] = ["why", "results/plan", "--key", "TASK-17", "--field", "end"];

#[test]
fn another_row_a_parameter_a_program_and_every_change() {
    let world = planned();
    let up = world.up();
    wait_for_end(&world, "TASK-17", "2027-01-08");
    put(&world, "raw/plan", &TASKS.replace("dig,,3", "dig,,5"), ANN, "rock");
    wait_for_end(&world, "TASK-17", "2027-01-10");
    let text = world.ok(&WHY);
    assert!(
        text.contains("   nothing of that row; what changed:\n   ~ id=TASK-16  days: 3 → 5\n"),
        "{text}"
    );

    put(&world, "params/plan", "{\"begin\": \"2027-02-01\"}\n", ANN, "a month later");
    wait_for_end(&world, "TASK-17", "2027-02-10");
    let text = world.ok(&WHY);
    assert!(text.contains("~ /begin: \"2027-01-01\" → \"2027-02-01\"\n"), "{text}");
    assert!(!text.contains("conditioned/plan"), "it did not change: {text}");

    let program = fs::read_to_string(world.path("schedule.py")).expect("the program");
    world.write("schedule.py", program.replace("int(row['days'])", "2 * int(row['days'])"));
    wait_for_end(&world, "TASK-17", "2027-02-19");
    let text = world.ok(&WHY);
    assert!(text.contains("\nthe program changed: files ") && text.lines().count() == 4, "{text}");

    // Also without a hub, and back to the beginning.
    up.stop();
    let all = world.ok(&[&WHY[..], &["--all"]].concat());
    let firsts: Vec<&str> = all.lines().filter(|line| line.starts_with("end of ")).collect();
    let of = "end of id=TASK-17 in ends:";
    assert_eq!(
        firsts,
        [
            format!("{of} 2027-02-10 → 2027-02-19"),
            format!("{of} 2027-01-10 → 2027-02-10"),
            format!("{of} 2027-01-08 → 2027-01-10"),
            format!("{of} (not there) → 2027-01-08"),
        ],
        "{all}"
    );
    let first = world.json(&["log", "results/plan", "--json"])[3]["revision"].clone();
    let since = ["--all", "--since", first.as_str().expect("a revision")];
    let told = world.json(&[&WHY[..], &since, &["--json"]].concat());
    assert_eq!(told["changes"].as_array().map(Vec::len), Some(3), "{told}");
}

#[test]
fn a_source_is_the_end_of_the_way() {
    let world = World::new(
        "[project]\nname = \"p\"\n[source.plan]\nfile = \"plan.csv\"\noutput = \"raw/plan\"\n\
         [stage.sum]\ninput = \"raw/plan\"\nrun = [\"cat\"]\noutput = \"out/plan\"\n",
    );
    world.write("plan.csv", TASKS);
    let _up = world.up();
    world.wait_for_content("out/plan", |content| content == TASKS);
    let other = TASKS.replace("paint,TASK-17", "paint,TASK-16");
    world.write("plan.csv", &other);
    world.wait_for_content("out/plan", |content| content == other);
    let text = world.ok(&["why", "out/plan", "--key", "id=TASK-18", "--field", "after"]);
    assert!(text.contains("└─ raw/plan ") && text.contains("   by plan: plan.csv (on "), "{text}");
    assert!(text.contains("   ~ id=TASK-18  after: TASK-17 → TASK-16\n"), "{text}");
    let text = world.ok(&["why", "raw/plan", "--key", "TASK-18", "--field", "after"]);
    assert!(text.starts_with("after of id=TASK-18: TASK-17 → TASK-16\nraw/plan "), "{text}");
    assert_eq!(text.lines().count(), 3, "{text}");
}

#[test]
fn what_is_not_to_be_told_says_why() {
    let world = World::new("[project]\nname = \"p\"\n");
    put(&world, "raw/a", "id,team,days\n1,blue,3\n2,blue,4\n", ANN, "a");
    put(&world, "raw/a", "id,team,days\n1,blue,3\n2,blue,5\n", ANN, "b");
    let cases: [(&[&str], &str); 5] = [
        (&["--key", "blue", "--field", "days"], "2 rows of raw/a have blue: team=blue, team=blue"),
        (&["--key", "9", "--field", "days"], "no version of raw/a looked at has a days of 9"),
        (&["--key", "1", "--field", "dyas"], "no version of raw/a looked at has a dyas of 1"),
        (&["--field", "days"], "which days?"),
        (
            &["--key", "1", "--field", "days", "--since", "HEAD~1"],
            "days of 1 did not change in the 1 versions",
        ),
    ];
    for (arguments, expected) in cases {
        let stderr = world.fails(1, &[&["why", "raw/a"], arguments].concat());
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
    }
    world.fails(2, &["why", "raw/a", "--key", "1"]);
    let text = world.ok(&["why", "raw/a", "--key", "team=blue", "--key", "2", "--field", "days"]);
    assert!(text.starts_with("days of team=blue id=2: 4 → 5\n"), "{text}");
    put(&world, "raw/j", "{\"items\": [{\"id\": 7, \"end\": \"Mon\"}]}", ANN, "a");
    put(&world, "raw/j", "{\"items\": [{\"id\": 7, \"end\": \"Tue\"}]}", ANN, "b");
    for arguments in [&["--key", "7", "--field", "end"][..], &["--field", "/items/id=7/end"]] {
        let text = world.ok(&[&["why", "raw/j"], arguments].concat());
        assert!(text.contains(": Mon → Tue\n"), "{text}");
    }
}
