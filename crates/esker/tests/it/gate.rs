//! Bad data is stopped before it is published: told with its place, kept aside, the last good version stays.

use std::fs;

use serde_json::Value;

use crate::world::{World, esker};

const SCHEMA: &str = r#"{
  "fields": [
    {"name": "id", "type": "integer"},
    {"name": "team", "constraints": {"pattern": "[a-z]+"}},
    {"name": "days", "type": "number", "constraints": {"required": true, "minimum": 0}}
  ],
  "primaryKey": "id"
}"#;

pub(crate) const GOOD: &str = "id,team,days\n1,blue,3\n2,red,4\n3,red,5\n4,red,6\n";

/// A project whose source is a CSV file, and a stage that reads it.
pub(crate) fn project(more: &str) -> World {
    let world = World::new(&format!(
        "[project]\nname = \"p\"\n[source.plan]\nfile = \"plan.csv\"\noutput = \"raw/plan\"\n\
         check = \"plan.schema.json\"\nrows_drop_max = \"50%\"\n{more}\n\
         [stage.sum]\ninput = \"raw/plan\"\nrun = [\"cat\"]\noutput = \"out/sum\"\n"
    ));
    world.write("plan.schema.json", SCHEMA);
    world.write("plan.csv", GOOD);
    world
}

/// What of it is refused: what `esker get --rejected` gives.
pub(crate) fn rejected(world: &World, resource: &str, stage: &str) -> Vec<u8> {
    let output = world.run(&["get", resource, "--rejected", stage]);
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

pub(crate) fn summary(problem: &Value) -> String {
    problem["summary"].as_str().expect("a summary").to_owned()
}

#[test]
fn a_problem_tells_where_and_what_is_behind_and_how_to_see_it() {
    let world = project("");
    let _up = world.up();
    world.wait_for_content("out/sum", |content| content == GOOD);
    world.write("plan.csv", "id,team,days\n1,Blue,-1\nx,red,\n");
    let problem = world.wait_for_problem("plan");
    assert_eq!(
        summary(&problem),
        "raw/plan: refused by plan.schema.json: line 2, row 2, column team: \"Blue\" does not match \
         \"[a-z]+\" (pattern), and 3 more"
    );
    assert_eq!(
        problem["detail"],
        "raw/plan, plan.schema.json:\n\
         line 2, row 2, column team: \"Blue\" does not match \"[a-z]+\" (pattern)\n\
         line 2, row 2, column days: \"-1\" is less than 0 (minimum)\n\
         line 3, row 3, column id: \"x\" is not an integer (type)\n\
         line 3, row 3, column days: there is no value (required)\n"
    );
    let hint = problem["hint"].as_str().expect("a hint");
    assert!(hint.starts_with("see it: esker get raw/plan --rejected plan;"), "{hint}");
    assert_eq!(problem["behind"], serde_json::json!(["sum"]));
    assert_eq!(problem["ended"], "problem");
    let text = world.ok(&["problems"]);
    assert!(text.contains("behind, on the last good version: sum"), "{text}");
    let refs = world.git(&["for-each-ref", "--format=%(refname)", "refs/esker/rejected"]);
    assert!(refs.starts_with("refs/esker/rejected/plan/"), "{refs}");
    assert_eq!(refs.lines().count(), 1, "{refs}");
    let log = world.git(&["log", "-1", "--format=%s", refs.trim()]);
    assert!(log.starts_with("refused: raw/plan: refused by plan.schema.json: line 2"), "{log}");
}

#[test]
fn a_changed_check_is_heeded_at_once() {
    let world = project("");
    let _up = world.up();
    world.wait_for_content("raw/plan", |content| content == GOOD);
    let bad = GOOD.replace("blue", "Blue");
    world.write("plan.csv", &bad);
    world.wait_for_problem("plan");
    world.write("plan.schema.json", SCHEMA.replace("[a-z]", "[A-Za-z]"));
    world.wait_for_content("out/sum", |content| content == bad);
}

/// A project of one stage that copies `raw/a`, checked so.
fn stage(check: &str) -> World {
    World::new(&format!(
        "[project]\nname = \"p\"\n[stage.a]\ninput = \"raw/a\"\nrun = [\"cat\"]\noutput = \"out/a\"\n{check}\n"
    ))
}

#[test]
fn a_program_judges_with_the_version_before_and_the_difference() {
    let world = stage("check = [[\"python3\", \"check.py\"]]");
    world.write(
        "check.py",
        "import os, sys\n\
         new = sys.stdin.read()\n\
         assert os.environ['ESKER_OUTPUT'] == 'out/a' and os.environ['ESKER_STAGE'] == 'a'\n\
         before = os.environ.get('ESKER_PREVIOUS')\n\
         before = open(before).read() if before else ''\n\
         diff = open(os.environ['ESKER_DIFF']).read()\n\
         if 'unsure' in new: sys.exit(3)\n\
         if not new.startswith(before):\n\
         \x20   print('line 1: was', *before.split(), 'before')\n\
         \x20   print([line for line in diff.splitlines() if line.startswith('-')][1:])\n\
         \x20   sys.exit(65)\n",
    );
    let _up = world.up();
    world.ok_with(&["put", "raw/a"], b"1\n");
    world.wait_for_content("out/a", |content| content == "1\n");
    world.ok_with(&["put", "raw/a"], b"1\n2\n");
    world.wait_for_content("out/a", |content| content == "1\n2\n");
    world.ok_with(&["put", "raw/a"], b"3\n");
    let problem = world.wait_for_problem("a");
    assert_eq!(
        summary(&problem),
        "out/a: refused by python3 check.py: line 1: was 1 2 before, and 1 more",
    );
    assert_eq!(world.content("out/a").as_deref(), Some("1\n2\n"));
    assert_eq!(rejected(&world, "out/a", "a"), b"3\n");
    world.ok_with(&["put", "raw/a"], b"1\n2\nunsure\n");
    world.wait_for("the check to fail itself", || {
        summary(&world.wait_for_problem("a")) == "cannot check out/a: python3 check.py exited 3"
    });
    world.ok_with(&["put", "raw/a"], b"1\n2\n4\n");
    world.wait_for_content("out/a", |content| content == "1\n2\n4\n");
}

#[test]
fn a_check_that_only_warns_lets_it_pass_and_says_so() {
    let world = stage("[[stage.a.check]]\nfile = \"a.json\"\nseverity = \"warn\"");
    world.write("a.json", r#"{"required": ["x"]}"#);
    let _up = world.up();
    world.ok_with(&["put", "raw/a"], b"{}\n");
    world.wait_for_content("out/a", |content| content == "{}\n");
    world.wait_for("the warning", || {
        let problems = world.json(&["problems", "--json"]);
        problems[0]["warnings"][0]
            == "out/a: refused by a.json: line 1, /: \"x\" is a required property (required)"
            && problems[0]["ended"] == "stored"
    });
    let text = world.ok(&["problems"]);
    assert!(text.contains("warning: out/a: refused by a.json"), "{text}");
    world.ok_with(&["put", "raw/a"], b"{\"x\": 1}\n");
    world.wait_for("the warning to be over", || {
        world.json(&["problems", "--json"]).as_array().is_some_and(Vec::is_empty)
    });
}

#[test]
fn a_foreign_key_is_looked_up_again_when_what_it_refers_to_changes() {
    let world = stage("check = \"a.json\"");
    world.write(
        "a.json",
        r#"{"fields": ["who"], "foreignKeys": [
            {"fields": "who", "reference": {"resource": "raw/staff", "fields": "name"}}]}"#,
    );
    let _up = world.up();
    world.ok_with(&["put", "raw/staff"], b"name\nann\n");
    world.ok_with(&["put", "raw/a"], b"who\nann\n");
    world.wait_for_content("out/a", |content| content == "who\nann\n");
    world.ok_with(&["put", "raw/a"], b"who\nann\nbob\n");
    let problem = world.wait_for_problem("a");
    assert!(summary(&problem).contains("line 3, row 3, column who: \"bob\" is not in raw/staff"));
    world.ok_with(&["put", "raw/staff"], b"name\nann\nbob\n");
    world.wait_for_content("out/a", |content| content == "who\nann\nbob\n");
}

#[test]
fn the_sheets_of_a_workbook_are_checked_by_name() {
    let world = World::example("qplan");
    world.write(
        "plan.schema.json",
        r#"{"resources": [{"name": "Staff", "schema": {"fields": ["x"], "fieldsMatch": "superset"}}]}"#,
    );
    let toml = fs::read_to_string(world.path("esker.toml")).expect("the example");
    let (before, after) = toml.split_once("[source.plan]").expect("its source");
    world.write(
        "esker.toml",
        format!("{before}[source.plan]\ncheck = \"plan.schema.json\"\n{after}"),
    );
    let _up = world.up();
    let problem = world.wait_for_problem("plan");
    assert!(
        summary(&problem).contains("refused by plan.schema.json: stream Staff, line"),
        "{problem}"
    );
    assert!(summary(&problem).contains("row 1, column"), "{problem}");
}

#[test]
fn check_names_what_is_wrong_with_check_files() {
    let world = stage("check = [\"gone.json\", \"bad.json\", [\"no-such-program\"], \"t.json\"]");
    world.write("bad.json", "{\n\"type\": \"integr\"}");
    world.write("t.json", "{\"fields\": [\n{\"name\": \"a\", \"type\": \"integr\"}]}");
    let stderr = world.fails(1, &["check"]);
    for expected in [
        "esker.toml:7:10: cannot use the check file gone.json: No such file",
        "check = [[\"python3\", \"check.py\"]]",
        "esker.toml:7:23: cannot use the check file bad.json: line 2: ",
        "esker.toml:7:35: the program no-such-program is not in PATH",
        "esker.toml:7:56: cannot use the check file t.json: line 2: \"integr\" is no type",
        "did you mean `integer`?",
    ] {
        assert!(stderr.contains(expected), "{expected:?} is missing in {stderr}");
    }
}

#[test]
fn a_check_file_that_is_gone_publishes_nothing() {
    let world = stage("check = \"a.json\"");
    let _up = world.up();
    world.ok_with(&["put", "raw/a"], b"{}\n");
    let problem = world.wait_for_problem("a");
    assert!(summary(&problem).starts_with("cannot use the check file a.json: "), "{problem}");
    assert_eq!(world.content("out/a"), None);
    world.write("a.json", "{}");
    world.wait_for_content("out/a", |content| content == "{}\n");
}

#[test]
fn a_check_tells_no_secret_that_it_was_given() {
    let world = World::new(
        "[project]\nname = \"p\"\n[stage.a]\ninput = \"raw/a\"\nrun = [\"cat\"]\noutput = \"out/a\"\n\
         env = [\"MY_TOKEN\"]\ncheck = [[\"sh\", \"-c\", \"echo found $MY_TOKEN; exit 1\"]]\n\
         [stage.b]\ninput = \"raw/a\"\nrun = [\"cat\"]\noutput = \"out/b\"\nenv = [\"MY_TOKEN\"]\n\
         check = [[\"sh\", \"-c\", \"echo said $MY_TOKEN >&2; exit 2\"]]\n",
    );
    world.ok_with(&["put", "raw/a"], b"1\n");
    let mut command = esker();
    command.arg("run").current_dir(world.dir()).env("MY_TOKEN", "hush-hush");
    assert!(!command.output().expect("esker").status.success());
    let told = world.json(&["problems", "--json"]).to_string();
    assert!(told.contains("found ***") && told.contains("said ***"), "{told}");
    assert!(!told.contains("hush-hush"), "{told}");
}
