//! Lineage: what ran is told as OpenLineage says, to a file and to a server, whoever dies in between.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};

use crate::webhooks::{Receiver, TOKEN, taken};
use crate::world::{World, repository};

const STAGES: &str = "[project]\nname = \"p\"\n[source.a]\nfile = \"a.txt\"\noutput = \"raw/a\"\n\
    [stage.b]\ninput = \"raw/a\"\nrun = [\"sh\", \"b.sh\"]\noutput = \"made/b\"\nrows_min = 1\n";

fn project(more: &str) -> World {
    let world = World::new(&format!("{STAGES}{more}"));
    world.write("b.sh", "grep -v bad\n");
    world.write("a.txt", "n\none\n");
    world
}

/// The events of a text of lines, each of which is what OpenLineage's schema allows.
fn events(text: &str) -> Vec<Value> {
    let path = repository().join("crates/esker-pipeline/tests/openlineage/OpenLineage.json");
    let schema: Value =
        serde_json::from_str(&fs::read_to_string(path).expect("the schema")).expect("JSON");
    let options = jsonschema::options().offline().should_validate_formats(true);
    let validator = options.build(&schema).expect("a schema");
    let events: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    for event in &events {
        let faults: Vec<String> =
            validator.iter_errors(event).map(|error| error.to_string()).collect();
        assert!(faults.is_empty(), "{faults:?}\n{event:#}");
    }
    events
}

/// Job, kind and run of each event, without those that came twice.
fn told(events: &[Value]) -> BTreeSet<(String, String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let one = |event: &Value| {
        (text(&event["job"]["name"]), text(&event["eventType"]), text(&event["run"]["runId"]))
    };
    events.iter().map(one).collect()
}

/// How many runs of each job ended so.
fn count(events: &[Value]) -> BTreeMap<(String, String), usize> {
    let mut counts = BTreeMap::new();
    for (job, kind, _) in told(events) {
        *counts.entry((job, kind)).or_default() += 1;
    }
    counts
}

#[test]
fn a_file_has_what_ran_and_so_has_the_history() {
    let world = project("[lineage]\nfile = \"lineage.ndjson\"\n");
    world.ok(&["run"]);
    world.write("a.txt", "n\nbad\n");
    world.run(&["run"]);
    world.write("a.txt", "n\ntwo\n");
    world.ok(&["run"]);
    let file = events(&fs::read_to_string(world.path("lineage.ndjson")).expect("the file"));
    let counts = count(&file);
    let of = |job: &str, kind: &str| {
        counts.get(&(job.to_owned(), kind.to_owned())).copied().unwrap_or_default()
    };
    assert_eq!((of("a", "START"), of("a", "COMPLETE"), of("a", "FAIL")), (3, 3, 0));
    // `esker run` tries again what failed, at once or when its input has changed.
    let failed = of("b", "FAIL");
    assert_eq!((of("b", "START"), of("b", "COMPLETE")), (2 + failed, 2));
    assert!(failed >= 1, "{counts:?}");
    let end = file.iter().rfind(|event| event["job"]["name"] == "b").expect("an end");
    assert_eq!(end["inputs"][0]["name"], "raw/a");
    let head = world.json(&["log", "made/b", "--json"])[0]["revision"].clone();
    assert_eq!(end["outputs"][0]["facets"]["version"]["datasetVersion"], head);
    let checks = &end["outputs"][0]["facets"]["dataQualityAssertions"]["assertions"];
    assert_eq!(
        checks[0],
        json!({ "assertion": "row_count", "name": "rows_min", "success": true, "severity": "error" })
    );
    let failed = file.iter().find(|event| event["eventType"] == "FAIL").expect("a failure");
    assert!(failed["run"]["facets"]["errorMessage"]["message"].is_string());
    let refused = &failed["outputs"][0]["facets"]["dataQualityAssertions"]["assertions"][0];
    assert_eq!((&refused["success"], &refused["name"]), (&false.into(), &"a guard".into()));
    let history = events(&world.ok(&["lineage", "export"]));
    assert_eq!(told(&history), told(&file));
    assert_eq!(file.len(), told(&file).len(), "nothing twice");
}

#[test]
fn history_needs_no_configuration() {
    let world = project("");
    world.ok(&["run"]);
    let first = world.json(&["log", "made/b", "--json"])[0]["revision"].clone();
    world.write("a.txt", "n\ntwo\n");
    world.ok(&["run"]);
    world.ok(&["lineage", "export", "-o", "all.ndjson"]);
    let all = events(&fs::read_to_string(world.path("all.ndjson")).expect("the file"));
    assert_eq!(all.len(), 8);
    let first = first.as_str().expect("a revision");
    assert_eq!(events(&world.ok(&["lineage", "export", "--from", first])).len(), 4);
    assert_eq!(events(&world.ok(&["lineage", "export", "--to", first])).len(), 4);
    let array = world.json(&["lineage", "export", "--json"]);
    assert_eq!(array.as_array().expect("an array").len(), 8);
    let none = World::new("[project]\nname = \"p\"\n");
    assert_eq!(none.json(&["lineage", "export", "--json"]), json!([]));
}

#[test]
fn a_server_that_was_down_is_told_of_everything_though_esker_was_killed() {
    let world = World::new("");
    let server = Receiver::new(&world);
    let port = server.port;
    world.write("b.sh", "cat\n");
    world.write("a.txt", "n\n1\n");
    world.write(
        "esker.toml",
        format!(
            "{STAGES}[lineage]\nurl = \"https://localhost:{port}/api/v1/lineage\"\nca = \"ca.pem\"\n\
             token = {{ file = \"token.txt\" }}\nretry = 100\n"
        ),
    );
    let up = world.up();
    world.wait_for("the first run", || taken(&world).len() >= 4);
    drop(server);
    for number in 2..5 {
        world.write("a.txt", format!("n\n{number}\n"));
        world.wait_for_content("made/b", |content| content == format!("n\n{number}\n"));
    }
    up.kill();
    let up = world.up();
    let _server = Receiver::start(&world, port);
    world.wait_for("all runs", || {
        let events: Vec<Value> = taken(&world).iter().map(|one| one["event"].clone()).collect();
        told(&events).len() >= 16
    });
    up.stop();
    let events: Vec<Value> = taken(&world).iter().map(|one| one["event"].clone()).collect();
    let history = self::events(&world.ok(&["lineage", "export"]));
    assert_eq!(told(&events), told(&history));
    assert!(taken(&world).iter().all(|one| one["token"] == format!("Bearer {TOKEN}")));
}
