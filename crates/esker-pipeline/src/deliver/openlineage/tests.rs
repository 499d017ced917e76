//! What is said of runs is what OpenLineage's own schemas allow, and always the same of the same run.

use std::fs;
use std::path::{Path, PathBuf};

use esker_wire::provenance::{Input, Provenance};
use esker_wire::record::Failure;
use jsonschema::{Registry, Validator};

use super::*;
use crate::definition::Definition;

const REVISION: &str = "0123456789012345678901234567890123456789";

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn schema(path: &str) -> Value {
    let text = fs::read_to_string(repository().join(path)).expect(path);
    serde_json::from_str(&text).expect(path)
}

/// A schema that takes whatever is one of these: events, or all facets that an object may have.
fn validator(of: &Value) -> Validator {
    let folder = "crates/esker-pipeline/tests/openlineage";
    let mut all = vec![schema("docs/esker-lineage.schema.json")];
    for entry in fs::read_dir(repository().join(folder)).expect(folder) {
        let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
        if name.ends_with(".json") {
            all.push(schema(&format!("{folder}/{name}")));
        }
    }
    let mut registry = Registry::new();
    for one in all {
        let id = one["$id"].as_str().expect("an id").to_owned();
        registry = registry.add(id, one).expect("a schema");
    }
    let registry = registry.prepare().expect("schemas");
    let options = jsonschema::options().offline().should_validate_formats(true);
    options.with_registry(&registry).build(of).unwrap_or_else(|error| panic!("{error}"))
}

fn check(event: &Value) {
    let root = "https://openlineage.io/spec/2-0-2/OpenLineage.json";
    let whole = validator(&json!({ "$ref": root }));
    let faults: Vec<String> = whole.iter_errors(event).map(|error| error.to_string()).collect();
    assert_eq!(faults, [] as [&str; 0], "{event:#}");
    let mut seen = 0;
    facets(event, &mut |name, facet| {
        let address = facet["_schemaURL"].as_str().expect("an address");
        let one = validator(&json!({ "$ref": address }));
        let faults: Vec<String> = one.iter_errors(facet).map(|error| error.to_string()).collect();
        assert_eq!(faults, [] as [&str; 0], "{name} {facet:#}");
        seen += 1;
    });
    assert!(seen >= 2, "{event:#}");
}

fn facets(value: &Value, each: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| facets(item, each)),
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.get("_schemaURL") {
                    Some(_) => each(name, value),
                    None => facets(value, each),
                }
            }
        }
        _ => {}
    }
}

fn input(name: &str) -> Input {
    Input {
        resource: name.parse().expect("a name"),
        revision: REVISION.parse().expect("a revision"),
    }
}

fn ran(ended: Ended) -> Ran {
    let made = ended == Ended::Stored;
    let inputs = vec![input("raw/plan")];
    Ran {
        stage: "condition".to_owned(),
        run_key: "ab".to_owned(),
        ended,
        started: "2026-11-20T10:00:00Z".parse().expect("a time"),
        duration_ms: 1500,
        outputs: vec![Output {
            resource: "conditioned/plan".parse().expect("a name"),
            revision: REVISION.parse().expect("a revision"),
            size: made.then_some(17),
        }],
        failure: None,
        warnings: vec!["conditioned/plan: refused by soft.json: line 2: late".to_owned()],
        provenance: made.then(|| Provenance {
            stage: "condition".to_owned(),
            run_key: "ab".to_owned(),
            inputs: inputs.clone(),
            program: "python3 condition.py".to_owned(),
            code: "cd".to_owned(),
            engine: "esker 0.1.0".to_owned(),
            host: "here".to_owned(),
            started: "2026-11-20T10:00:00Z".parse().expect("a time"),
            duration_ms: 1500,
            exit: 0,
            failed_parts: Vec::new(),
        }),
        inputs,
    }
}

fn told(ran: Ran, facts: &Facts<'_>) -> Vec<Value> {
    let happening = Happening {
        revision: REVISION.parse().expect("a revision"),
        time: ran.started,
        what: What::Ran(Box::new(ran)),
    };
    events(&happening, facts)
}

#[test]
fn a_run_that_stored_something() {
    let facts = Facts::of_none("p");
    let events = told(ran(Ended::Stored), &facts);
    events.iter().for_each(check);
    let kinds: Vec<&Value> = events.iter().map(|event| &event["eventType"]).collect();
    assert_eq!(kinds, ["START", "COMPLETE"]);
    assert_eq!(events[0]["run"]["runId"], events[1]["run"]["runId"]);
    assert_eq!(events[0]["eventTime"], "2026-11-20T10:00:00Z");
    assert_eq!(events[1]["eventTime"], "2026-11-20T10:00:01.5Z");
    let output = &events[1]["outputs"][0];
    assert_eq!(output["facets"]["version"]["datasetVersion"], REVISION);
    assert_eq!(output["outputFacets"]["outputStatistics"]["size"], 17);
    let warned = &output["facets"]["dataQualityAssertions"]["assertions"][0];
    assert_eq!((&warned["name"], &warned["severity"]), (&"soft.json".into(), &"warn".into()));
    assert_eq!(told(ran(Ended::Stored), &facts), events, "the same of the same run");
}

#[test]
fn a_run_that_was_refused() {
    let since = "2026-11-20T09:00:00Z".parse().expect("a time");
    let failure = Failure {
        summary: "conditioned/plan: refused by plan.schema.json: line 3: no end".to_owned(),
        hint: "mend it".to_owned(),
        detail: "all of it".to_owned(),
        count: 2,
        since,
        not_before: None,
    };
    let refused = Ran { failure: Some(failure), outputs: Vec::new(), ..ran(Ended::Problem) };
    let events = told(refused, &Facts::of_none("p"));
    events.iter().for_each(check);
    assert_eq!(events[1]["eventType"], "FAIL");
    let facets = &events[1]["run"]["facets"];
    assert_eq!(facets["errorMessage"]["stackTrace"], "all of it");
    assert_eq!(facets["esker_run"]["count"], 2);
    let output = &events[1]["outputs"][0];
    assert_eq!(output["name"], "conditioned/plan");
    assert_eq!(output["facets"]["dataQualityAssertions"]["assertions"][0]["success"], false);
    assert_eq!(told(ran(Ended::Unchanged), &Facts::of_none("p"))[1]["eventType"], "COMPLETE");
}

#[test]
fn what_the_definition_knows_is_told_of_runs_since_and_of_no_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "[project]\nname = \"p\"\n[lineage]\nnamespace = \"n\"\nfile = \"l\"\n\
        [stage.condition]\ninput = \"raw/plan\"\nrun = [\"cat\"]\noutput = \"conditioned/plan\"\n\
        check = \"plan.schema.json\"\nrows_min = 1\n";
    fs::write(folder.path().join("esker.toml"), text).expect("written");
    let table = "{\"fields\": [{\"name\": \"id\", \"type\": \"integer\"}]}";
    fs::write(folder.path().join("plan.schema.json"), table).expect("written");
    let (definition, defects) = Definition::parse(text, Timestamp::now());
    let definition = definition.unwrap_or_else(|| panic!("{defects:?}"));
    let facts = Facts::of(folder.path(), &definition);
    let late = Ran { started: Timestamp::MAX, ..ran(Ended::Stored) };
    for (one, is_known) in [(ran(Ended::Stored), false), (late, true)] {
        let events = told(one, &facts);
        assert_eq!(events[1]["job"]["namespace"], "n");
        let facets = &events[1]["outputs"][0]["facets"];
        assert_eq!(facets["schema"].is_object(), is_known, "{facets:#}");
        let checks = facets["dataQualityAssertions"]["assertions"].as_array().expect("some");
        let passed = checks.iter().filter(|one| one["success"] == true).count();
        assert_eq!(passed, if is_known { 2 } else { 0 });
        if is_known {
            assert_eq!(facets["schema"]["fields"][0]["type"], "integer");
        }
    }
}

#[test]
fn the_id_of_a_run_is_a_uuid_of_version_5() {
    let id = run_id("p", &ran(Ended::Stored));
    assert_eq!(id.len(), 36);
    assert_eq!((id.as_bytes()[14], id.matches('-').count()), (b'5', 4), "{id}");
    assert_ne!(id, run_id("q", &ran(Ended::Stored)));
}
