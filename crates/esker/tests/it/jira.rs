//! Issues of a JIRA site: over TLS, from a server written after the published description of its interface.

use std::fs;

use serde_json::{Value, json};

use crate::sources::{Server, TOKEN};
use crate::world::World;

/// A project that asks for its issues every second, and the site.
pub(crate) fn project(issues: &[Value], more: &str) -> (World, Server) {
    let world = World::new("");
    let server = Server::start_as(&world, "jira_server.py");
    set(&world, issues);
    world.write("token.txt", format!("{TOKEN}\n"));
    let definition = format!(
        "[project]\nname = \"p\"\n[source.issues]\njira = \"https://localhost:{}\"\njql = \"project = PLAN and status != Done\"\n\
         user = \"me@example.org\"\npassword = {{ file = \"token.txt\" }}\nca = \"ca.pem\"\nevery = \"1s\"\noutput = \"raw/issues\"\n{more}",
        server.port()
    );
    world.write("esker.toml", definition);
    (world, server)
}

pub(crate) fn issue(number: u32, fields: &Value) -> Value {
    aged(number, 100_000, fields)
}

/// An issue that was updated so many minutes ago.
fn aged(number: u32, minutes: u32, fields: &Value) -> Value {
    let id = (10_000 + number).to_string();
    json!({ "id": id, "key": format!("PLAN-{number}"), "minutes": minutes, "fields": fields })
}

/// Puts a file in its place at once: the server may be reading it.
fn put(world: &World, name: &str, value: &Value) {
    world.write("new.json", value.to_string());
    fs::rename(world.path("new.json"), world.path("served").join(name)).expect("renamed");
}

pub(crate) fn set(world: &World, issues: &[Value]) {
    put(world, "issues.json", &json!(issues));
}

/// The issues' keys, in the order they are in.
pub(crate) fn keys(text: &str) -> Vec<String> {
    let key = |line| {
        let issue: Value = serde_json::from_str(line).expect("JSON");
        issue["key"].as_str().expect("a key").trim_start_matches("PLAN-").to_owned()
    };
    text.lines().map(key).collect()
}

/// The requests, as the site tells them.
fn requests(world: &World) -> Vec<Value> {
    let told = fs::read_to_string(world.path("served/requests")).unwrap_or_default();
    told.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// How often one request of a kind was made, by a word of its JQL.
pub(crate) fn asked(world: &World, word: &str) -> usize {
    let has = |request: &Value| request["jql"].as_str().is_some_and(|jql| jql.contains(word));
    requests(world).iter().filter(|request| has(request)).count()
}

pub(crate) fn versions(world: &World, resource: &str) -> Vec<String> {
    let log = world.json(&["log", resource, "--json"]);
    let entries = log.as_array().expect("a list").iter();
    entries.map(|entry| entry["revision"].as_str().expect("a revision").to_owned()).collect()
}

fn check_hidden(world: &World, secret: &str) {
    assert!(!world.git(&["log", "--all", "-p", "--text"]).contains(secret));
    assert!(!world.logs().contains(secret));
}

#[test]
fn jira_gives_all_pages_once_and_then_what_changes() {
    let task = json!({ "summary": "a task", "duedate": null });
    let mut issues: Vec<Value> = (8..=12).map(|number| issue(number, &task)).collect();
    let (world, _server) = project(&issues, "");
    let up = world.up();
    let line = |number: u32| {
        let fields = "{\"duedate\":null,\"summary\":\"a task\"}";
        format!(
            "{{\"fields\":{fields},\"id\":\"{}\",\"key\":\"PLAN-{number}\"}}\n",
            10_000 + number
        )
    };
    let all: String = (8..=12).map(line).collect();
    world.wait_for_content("raw/issues", |text| text == all);
    world.wait_for("it to be asked what has changed", || asked(&world, "updated >= -11m") >= 2);
    // One changes and has a field that none had, and one is new.
    issues[1] = aged(9, 3, &json!({ "summary": "another", "customfield_10001": 2.5 }));
    issues.push(aged(13, 3, &task));
    set(&world, &issues);
    world.wait_for_content("raw/issues", |text| {
        text.contains("{\"customfield_10001\":2.5,\"summary\":\"another\"},\"id\":\"10009\"")
            && keys(text) == ["8", "9", "10", "11", "12", "13"]
    });
    let before = asked(&world, "updated");
    world.wait_for("more of that", || asked(&world, "updated") >= before + 2);
    let made = versions(&world, "raw/issues");
    assert_eq!((made.len(), &made), (2, &versions(&world, "state/issues")), "both in one commit");
    let whole =
        |request: &&Value| request["jql"].as_str().is_some_and(|jql| !jql.contains("updated"));
    assert_eq!(requests(&world).iter().filter(whole).count(), 3, "all pages came once");
    up.stop();
    // What is remembered survives a restart.
    let up = world.up();
    let before = asked(&world, "updated");
    world.wait_for("a question after the restart", || asked(&world, "updated") > before);
    assert_eq!(requests(&world).iter().filter(whole).count(), 3);
    up.stop();
    check_hidden(&world, TOKEN);
}

#[test]
fn jira_publishes_nothing_of_what_breaks_off_in_the_middle() {
    let issues: Vec<Value> = (1..=5).map(|number| issue(number, &json!({ "n": 1 }))).collect();
    let (world, _server) = project(&issues, "");
    put(&world, "refuse.json", &json!({ "status": 503, "page": true }));
    let up = world.up();
    let problem = world.wait_for_problem("issues").to_string();
    assert!(
        problem.contains("answers 503") && problem.contains("\"ended\":\"retry\""),
        "{problem}"
    );
    assert_eq!((world.content("raw/issues"), world.content("state/issues")), (None, None));
    fs::remove_file(world.path("served/refuse.json")).expect("removed");
    world.wait_for_content("raw/issues", |text| keys(text).len() == 5);
    world.wait_for("no problem", || world.json(&["problems", "--json"]) == json!([]));
    let bookmark = world.content("state/issues");
    // Once more, where there is something already.
    put(&world, "refuse.json", &json!({ "status": 500, "page": true }));
    let issues: Vec<Value> = (1..=5).map(|number| aged(number, 1, &json!({ "n": 2 }))).collect();
    set(&world, &issues);
    let problem = world.wait_for_problem("issues").to_string();
    assert!(problem.contains("answers 500"), "{problem}");
    assert_eq!(
        (versions(&world, "raw/issues").len(), world.content("state/issues")),
        (1, bookmark)
    );
    fs::remove_file(world.path("served/refuse.json")).expect("removed");
    world.wait_for_content("raw/issues", |text| text.matches("{\"n\":2}").count() == 5);
    assert_eq!(versions(&world, "raw/issues").len(), 2, "it came at once or not at all");
    up.stop();
}

#[test]
fn jira_is_left_alone_for_as_long_as_it_asks() {
    let issues: Vec<Value> = (1..=5).map(|number| issue(number, &json!({}))).collect();
    let (world, _server) = project(&issues, "");
    // For a moment in the middle: it goes on where it was.
    let soon =
        json!({ "status": 429, "headers": { "Retry-After": "1" }, "page": true, "times": 1 });
    put(&world, "refuse.json", &soon);
    let up = world.up();
    world.wait_for_content("raw/issues", |text| keys(text).len() == 5);
    let refused = || requests(&world).iter().filter(|request| request["status"] == 429).count();
    let whole = requests(&world).iter().filter(|request| request["status"] == 200).count();
    assert_eq!((refused(), whole >= 4), (1, true));
    // For longer than anyone waits: at another time.
    put(&world, "refuse.json", &json!({ "status": 429, "headers": { "Retry-After": "3000" } }));
    let problem = world.wait_for_problem("issues").to_string();
    assert!(problem.contains("answers 429") && problem.contains("not_before"), "{problem}");
    set(&world, &[aged(1, 1, &json!({ "n": 2 }))]);
    fs::remove_file(world.path("served/refuse.json")).expect("removed");
    assert_eq!((refused(), versions(&world, "raw/issues").len()), (2, 1));
    world.ok(&["problems", "retry", "issues"]);
    world.wait_for_content("raw/issues", |text| text.contains("\"n\":2"));
    up.stop();
}

#[test]
fn jira_with_a_token_that_is_not_valid_is_a_problem_and_not_an_empty_table() {
    let (world, _server) = project(&[issue(1, &json!({}))], "allow_empty = true\n");
    let wrong = "wrong-wrong/token+6";
    world.write("token.txt", wrong);
    let up = world.up();
    let problem = world.wait_for_problem("issues").to_string();
    for part in ["answers 401", "is the secret still valid", "nobody knows me@example.org:***"] {
        assert!(problem.contains(part), "{part:?} is missing in {problem}");
    }
    assert_eq!(world.content("raw/issues"), None);
    world.write("token.txt", TOKEN);
    world.wait_for_content("raw/issues", |text| keys(text) == ["1"]);
    up.stop();
    for secret in [wrong, TOKEN] {
        check_hidden(&world, secret);
    }
}

#[test]
fn jira_says_what_is_wrong_with_a_query() {
    let (world, _server) = project(&[issue(1, &json!({}))], "");
    let definition = fs::read_to_string(world.path("esker.toml")).expect("read");
    world.write("esker.toml", definition.replace("project = PLAN", "projekt = PLAN"));
    let up = world.up();
    let problem = world.wait_for_problem("issues").to_string();
    for part in ["answers 400", "Error in the JQL Query: (projekt", "correct its `jql`"] {
        assert!(problem.contains(part), "{part:?} is missing in {problem}");
    }
    up.stop();
}
