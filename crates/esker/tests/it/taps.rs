//! Singer taps: a real one, and one of ours that misbehaves.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::sources::{self, Server};
use crate::world::{World, repository};

const TOKEN: &str = "hush-hush/token+3";

/// A project whose tap is read every second, and says these lines.
pub(crate) fn project(say: &str) -> World {
    let world = World::new(
        "[project]\nname = \"p\"\n[source.jira]\ntap = [\"python3\", \"tap.py\"]\nevery = \"1s\"\noutput = \"raw/jira\"\n\
         config = { start = \"2027-01-04\", api_token = { file = \"token.txt\" } }\n",
    );
    let tap = fs::read(repository().join("crates/esker/tests/python/tap.py")).expect("the tap");
    world.write("tap.py", tap);
    world.write("token.txt", TOKEN);
    world.write("say", say);
    world
}

pub(crate) fn schema(stream: &str, properties: &str) -> String {
    let schema = format!("{{\"properties\":{{{properties}}}}}");
    format!(
        "{{\"type\":\"SCHEMA\",\"stream\":\"{stream}\",\"schema\":{schema},\"key_properties\":[\"id\"]}}\n"
    )
}

pub(crate) fn record(stream: &str, record: &str) -> String {
    format!("{{\"type\":\"RECORD\",\"stream\":\"{stream}\",\"record\":{record}}}\n")
}

pub(crate) fn state(value: &str) -> String {
    format!("{{\"type\":\"STATE\",\"value\":{value}}}\n")
}

/// What the tap was given, run by run.
pub(crate) fn given(world: &World) -> Vec<Value> {
    let text = fs::read_to_string(world.path("given")).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

pub(crate) fn versions(world: &World, resource: &str) -> Vec<Value> {
    let log = world.json(&["log", resource, "--json"]);
    let entries = log.as_array().expect("a list").iter();
    entries.map(|entry| entry["revision"].clone()).collect()
}

#[test]
fn records_and_bookmark_are_one_commit_and_the_tap_goes_on_from_it() {
    let schemas = schema("issues", "") + &schema("users", "");
    let world = project(
        &(schemas.clone()
            + &record("issues", "{\"id\":10,\"key\":\"A-10\"}")
            + &record("issues", "{\"id\":9,\"key\":\"A-9\"}")
            + &record("users", "{\"id\":1}")
            + &state("{\"at\":1}")),
    );
    let up = world.up();
    world.wait_for_content("raw/jira/issues", |text| {
        text == "{\"id\":9,\"key\":\"A-9\"}\n{\"id\":10,\"key\":\"A-10\"}\n"
    });
    assert_eq!(world.content("raw/jira/users").as_deref(), Some("{\"id\":1}\n"));
    // The schema gains a column; one issue changes; nothing else is said.
    let more = schema("issues", "\"done\":{}") + &record("issues", "{\"id\":9,\"done\":true}");
    world.write("say", more + &state("{\"at\":2}"));
    world.wait_for_content("raw/jira/issues", |text| {
        text == "{\"done\":true,\"id\":9}\n{\"id\":10,\"key\":\"A-10\"}\n"
    });
    // From here on it says the same again and again: no version is made of that.
    let runs = given(&world).len();
    world.wait_for("three more runs", || given(&world).len() >= runs + 3);
    let made = versions(&world, "raw/jira/issues");
    assert_eq!(made.len(), 2);
    assert_eq!(made, versions(&world, "state/jira"), "records and bookmark in one commit");
    assert_eq!(versions(&world, "raw/jira/users"), [made[1].clone()], "it has not changed");
    let given = given(&world);
    let config = json!({ "start": "2027-01-04", "api_token": TOKEN });
    assert_eq!(given[0], json!({ "--config": config.clone() }));
    assert_eq!(given[runs], json!({ "--config": config, "--state": { "at": 2 } }));
    up.stop();
    assert!(!world.git(&["log", "--all", "-p", "--text"]).contains(TOKEN));
}

/// What such a tap becomes: a problem that says this, and no version.
pub(crate) fn problem(say: &str, expected: &[&str]) {
    let world = project(say);
    let up = world.up();
    let problem = world.wait_for_problem("jira").to_string();
    for part in expected {
        assert!(problem.contains(part), "{part:?} is missing in {problem}");
    }
    assert!(!problem.contains(TOKEN), "{problem}");
    assert_eq!((world.content("raw/jira/issues"), world.content("state/jira")), (None, None));
    up.stop();
    assert!(!world.git(&["log", "--all", "-p", "--text"]).contains(TOKEN));
    assert!(!world.logs().contains(TOKEN));
}

#[test]
fn a_tap_that_says_nothing() {
    problem("", &["nothing came out for raw/jira", "allow_empty"]);
}

/// A tap that `cargo xtask test` has installed from PyPI, as a command of the project.
fn install(world: &World, name: &str) {
    let taps = std::env::var_os("ESKER_TAPS")
        .map_or_else(|| repository().join("target/test-tools/taps"), PathBuf::from);
    let folder = taps.join(name);
    let program = folder.join("bin").join(name);
    assert!(program.is_file(), "{} is missing; `cargo xtask test` installs it", program.display());
    // Taps believe the certificates that certifi brings, whatever the machine believes.
    let start = "import certifi, runpy, sys; certifi.where = lambda: 'ca.pem'; del sys.argv[0]; \
                 runpy.run_path(sys.argv[0], run_name='__main__')";
    let script = format!(
        "PYTHONPATH={} exec python3 -c \"{start}\" {} \"$@\"\n",
        folder.display(),
        program.display()
    );
    world.write(&format!("{name}.sh"), script);
}

#[test]
fn a_tap_from_pypi_is_read_to_the_end_and_goes_on_from_there() {
    let world = World::new(
        "[project]\nname = \"p\"\n[source.people]\ntap = [\"sh\", \"tap-jsonl.sh\"]\nevery = \"1s\"\n\
         output = \"raw/people\"\nconfig = { path = \"people.jsonl\", stream_name = \"people\", primary_keys = [\"id\"] }\n",
    );
    install(&world, "tap-jsonl");
    world.write("people.jsonl", "{\"id\":2,\"name\":\"b\"}\n{\"id\":1,\"name\":\"a\"}\n");
    let up = world.up();
    let has = |names: &'static [&'static str]| {
        move |text: &str| {
            let read =
                |line: &str| serde_json::from_str::<Value>(line).expect("JSON")["name"].clone();
            text.lines().map(read).collect::<Vec<_>>() == names
        }
    };
    world.wait_for_content("raw/people/people", has(&["a", "b"]));
    let bookmark = world.json(&["get", "state/people"])["bookmark"].clone();
    assert!(bookmark["bookmarks"]["people"].is_object(), "{bookmark}");
    world.write(
        "people.jsonl",
        "{\"id\":2,\"name\":\"b\"}\n{\"id\":1,\"name\":\"a\"}\n{\"id\":3,\"name\":\"c\"}\n",
    );
    world.wait_for_content("raw/people/people", has(&["a", "b", "c"]));
    assert_eq!(versions(&world, "raw/people/people"), versions(&world, "state/people"));
    up.stop();
}

#[test]
fn a_tap_from_pypi_reads_a_site_over_tls_and_goes_on_from_its_bookmark() {
    let world = World::new("");
    let site = Server::start_as(&world, "jira_server.py");
    install(&world, "tap-jira");
    world.write("token.txt", sources::TOKEN);
    let definition = format!(
        "[project]\nname = \"p\"\n[source.jira]\ntap = [\"sh\", \"tap-jira.sh\", \"--properties\", \"wanted.json\"]\n\
         every = \"1s\"\noutput = \"raw/jira\"\nconfig = {{ start_date = \"2026-01-01T00:00:00Z\", user_agent = \"esker\", \
         base_url = \"https://localhost:{}\", username = \"me@example.org\", password = {{ file = \"token.txt\" }} }}\n",
        site.port()
    );
    world.write("esker.toml", definition);
    world.write("wanted.json", wanted_of_jira().to_string());
    let issue = |number: u32, minute: u32| {
        let updated = format!("2026-02-01T10:{minute:02}:00.000+0000");
        json!({ "id": (100 + number).to_string(), "key": format!("PLAN-{number}"),
            "fields": { "updated": updated, "summary": format!("at {minute}") } })
    };
    let issues: Vec<Value> = (1..=5).map(|number| issue(number, number)).collect();
    world.write("served/issues.json", json!(issues).to_string());
    let up = world.up();
    world.wait_for_content("raw/jira/issues", |text| text.lines().count() == 5);
    let bookmark = world.json(&["get", "state/jira"])["bookmark"]["bookmarks"].clone();
    assert_eq!(bookmark["issues"]["updated"], "2026-02-01T10:05:00.000000Z");
    let issues: Vec<Value> =
        (1..=5).map(|number| issue(number, number + number / 2 * 10)).collect();
    world.write("served/issues.json", json!(issues).to_string());
    world.wait_for_content("raw/jira/issues", |text| text.contains("at 25"));
    assert_eq!(versions(&world, "raw/jira/issues"), versions(&world, "state/jira"));
    up.stop();
    assert!(!world.git(&["log", "--all", "-p", "--text"]).contains(sources::TOKEN));
    assert!(!world.logs().contains(sources::TOKEN));
}

/// Issues alone, and of them what is needed; the tap wants to be told of all it could bring.
fn wanted_of_jira() -> Value {
    let names = [
        "projects",
        "versions",
        "project_types",
        "project_categories",
        "resolutions",
        "roles",
        "users",
        "issues",
        "issue_comments",
        "issue_transitions",
        "changelogs",
        "worklogs",
        "components",
    ];
    let properties = json!({ "id": { "type": "string" }, "key": { "type": "string" }, "fields": { "type": "object",
        "properties": { "updated": { "type": "string" }, "summary": { "type": "string" } } } });
    let stream = |name: &str| {
        json!({ "stream": name, "tap_stream_id": name, "key_properties": ["id"],
            "schema": { "type": "object", "properties": properties },
            "metadata": [{ "breadcrumb": [], "metadata": { "selected": name == "issues" } },
                { "breadcrumb": ["properties", "key"], "metadata": { "selected": true } },
                { "breadcrumb": ["properties", "fields"], "metadata": { "selected": true } },
                { "breadcrumb": ["properties", "id"], "metadata": { "inclusion": "automatic" } }] })
    };
    json!({ "streams": names.map(stream) })
}
