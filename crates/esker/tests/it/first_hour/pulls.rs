//! Taps and JIRA at their worst: nothing is moved before all of it has come.

use serde_json::{Value, json};

use crate::jira;
use crate::taps::{given, problem, project, record, schema, state, versions};

#[test]
fn the_token_is_not_valid() {
    let say = "!say CRITICAL 401 Unauthorized for TOKEN\n!exit 1\n";
    problem(say, &["exited 1", "401 Unauthorized for ***", "still valid"]);
}

#[test]
fn too_many_requests_429() {
    problem(
        "!say HTTP 429 Too Many Requests\n!exit 1\n",
        &["\"ended\":\"retry\"", "tried again by itself"],
    );
}

#[test]
fn killed_after_500_records_before_its_state() {
    let records: String =
        (0..500).map(|id| record("issues", &format!("{{\"id\":{id}}}"))).collect();
    let start = schema("issues", "");
    let world = project(&format!("{start}{records}!kill\n{}", state("{\"at\":1}")));
    let up = world.up();
    let problem = world.wait_for_problem("jira").to_string();
    assert!(problem.contains("python3 tap.py exited 137"), "{problem}");
    assert_eq!((world.content("raw/jira/issues"), world.content("state/jira")), (None, None));
    world.write("say", format!("{start}{records}{}", state("{\"at\":1}")));
    world.wait_for_content("raw/jira/issues", |text| text.lines().count() == 500);
    assert!(
        given(&world)
            .iter()
            .all(|given| given["--state"] == Value::Null || given["--state"]["at"] == 1)
    );
    // Killed once more, after it has said half of what is new.
    world.write("say", format!("{start}{}!kill\n", record("issues", "{\"id\":500}")));
    world.wait_for_problem("jira");
    assert_eq!(versions(&world, "raw/jira/issues").len(), 1);
    up.stop();
}

#[test]
fn deleted_upstream_it_disappears_after_the_census() {
    let task = json!({ "status": "Open" });
    let (mut issues, other): (Vec<_>, Vec<_>) =
        (1..=7).map(|n| jira::issue(n, &task)).partition(|one| one["key"] != "PLAN-6");
    let (world, _server) = jira::project(&issues, "census = \"2s\"\n");
    let up = world.up();
    world.wait_for_content("raw/issues", |text| jira::keys(text) == ["1", "2", "3", "4", "5", "7"]);
    // One is deleted, one no longer meets the query, and one is there that nobody has changed lately.
    issues.remove(1);
    issues[2] = jira::issue(4, &json!({ "status": "Done" }));
    issues.extend(other);
    jira::set(&world, &issues);
    world.wait_for_content("raw/issues", |text| jira::keys(text) == ["1", "3", "5", "6", "7"]);
    assert_eq!(jira::asked(&world, "id in (10006)"), 1);
    let made = jira::versions(&world, "raw/issues");
    assert_eq!((made.len(), &made), (2, &jira::versions(&world, "state/issues")));
    up.stop();
}

#[test]
fn the_schema_gains_a_column() {
    let world =
        project(&(schema("issues", "\"id\":{}") + &record("issues", "{\"id\":1}") + &state("1")));
    let up = world.up();
    world.wait_for_content("raw/jira/issues", |text| text == "{\"id\":1}\n");
    let wider = schema("issues", "\"id\":{},\"team\":{\"type\":\"string\"}");
    world.write("say", wider + &record("issues", "{\"id\":2,\"team\":\"blue\"}") + &state("2"));
    world.wait_for_content("raw/jira/issues", |text| {
        text == "{\"id\":1}\n{\"id\":2,\"team\":\"blue\"}\n"
    });
    assert_eq!(world.json(&["problems", "--json"]), json!([]));
    up.stop();
}

#[test]
fn a_record_before_its_schema() {
    problem(&record("issues", "{\"id\":1}"), &["line 1", "a RECORD of issues before its SCHEMA"]);
}

#[test]
fn a_line_that_is_no_json() {
    problem(
        &(schema("issues", "") + "INFO starting\n"),
        &["line 2", "no JSON: INFO starting", "standard error"],
    );
}
