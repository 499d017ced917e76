//! The schema is what the code says: every key, every type, every example, and no misspelling.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jsonschema::Validator;
use serde_json::Value;

use super::schema;
use crate::definition::Definition;
use crate::definition::defect::Defect;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema()).expect("it is a schema")
}

fn as_json(text: &str) -> Value {
    toml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn faults(validator: &Validator, text: &str) -> Vec<String> {
    let value = as_json(text);
    validator
        .iter_errors(&value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

fn defects(text: &str) -> Vec<Defect> {
    Definition::parse(text, Timestamp::now()).1
}

/// Each table with its keys, and a definition that lacks nothing but what is appended to it.
fn tables() -> Vec<(&'static str, String, Vec<String>)> {
    let project = "[project]\nname = \"p\"\n";
    let schema = schema();
    let keys = |pointer: &str| -> Vec<String> {
        let keys = schema.pointer(pointer).and_then(Value::as_object).expect(pointer);
        keys.keys().cloned().collect()
    };
    let of = |table: &str| keys(&format!("/properties/{table}/properties"));
    let named = |table: &str| {
        keys(&format!("/properties/{table}/patternProperties/^[\\p{{L}}\\p{{N}}_-]+$/properties"))
    };
    let source = "[source.a]\noutput = \"raw/a\"\n";
    let stage = "[stage.a]\ninput = \"raw/a\"\nrun = [\"cat\"]\noutput = \"out/a\"\n";
    let mut tables = vec![
        ("project", "[project]\n".to_owned(), of("project")),
        ("stage", format!("{project}{stage}"), named("stage")),
        ("view", format!("{project}[view.a]\nresource = \"raw/a\"\n"), named("view")),
        ("check", format!("{project}{stage}[[stage.a.check]]\n"), keys("/$defs/check/properties")),
    ];
    for table in ["cluster", "hub", "web", "limits", "store"] {
        tables.push((table, format!("{project}[{table}]\n"), of(table)));
    }
    for (table, place, given) in [
        ("web.tls", "tls/properties", "[web.tls]\n"),
        ("web.user", "user/patternProperties/^[\\p{L}\\p{N}_-]+$/properties", "[web.user.a]\n"),
        ("web.token", "token/patternProperties/^[\\p{L}\\p{N}_-]+$/properties", "[web.token.a]\n"),
        ("web.oidc", "oidc/properties", "[web.oidc]\n"),
        ("web.hub", "hub/patternProperties/^[\\p{L}\\p{N}_-]+$/properties", "[web.hub.a]\n"),
    ] {
        let keys = keys(&format!("/properties/web/properties/{place}"));
        tables.push((table, format!("{project}{given}"), keys));
    }
    let lineage = format!("{project}[lineage]\nfile = \"a\"\n");
    tables.push(("lineage", lineage, of("lineage")));
    let webhook = format!("{project}[webhook.a]\nurl = \"https://a.b\"\n");
    tables.push(("webhook", webhook, named("webhook")));
    tables.push(("pool", format!("{project}[pool.a]\n"), named("pool")));
    tables.push(("source", format!("{project}{source}"), named("source")));
    tables
}

#[test]
fn every_key_has_a_type_and_a_word() {
    let schema = schema();
    let properties = schema["properties"].as_object().expect("tables");
    assert!(properties.values().all(Value::is_object), "a table of read::KEYS has no schema");
    for (table, _, keys) in tables() {
        for key in keys {
            assert!(
                super::word(table, &key).is_some(),
                "say in words.rs what `{key}` of {table} takes"
            );
        }
    }
}

#[test]
fn examples_and_documentation_are_valid() {
    let validator = validator();
    let (mut pages, mut seen) = (Vec::new(), 0);
    for folder in ["docs", "examples/qplan", "examples/weather"] {
        for entry in fs::read_dir(repository().join(folder)).expect(folder) {
            pages.push(entry.expect("an entry").path());
        }
    }
    for page in pages {
        let text = fs::read_to_string(&page).unwrap_or_default();
        let blocks: Vec<String> = match page.extension().and_then(|end| end.to_str()) {
            Some("toml") => vec![text],
            Some("md") => {
                let parts = text.split("\n```toml").skip(1);
                let blocks =
                    parts.filter_map(|part| part.split_once('\n')?.1.split("\n```").next());
                blocks.map(|block| format!("{block}\n")).collect()
            }
            _ => continue,
        };
        for block in blocks {
            let is_whole = block.contains("[project]");
            let whole = if is_whole { block } else { format!("[project]\nname = \"p\"\n{block}") };
            assert_eq!(faults(&validator, &whole), [] as [&str; 0], "{}\n{whole}", page.display());
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn a_misspelt_key_is_refused_as_reading_it_does() {
    let validator = validator();
    for (table, base, keys) in tables() {
        for key in keys.iter().map(|key| format!("{key}x")).filter(|key| !keys.contains(key)) {
            let text = format!("{base}{key} = \"a/b\"\n");
            let unknown = format!("unknown key `{key}`");
            assert!(
                defects(&text).iter().any(|defect| defect.message.contains(&unknown)),
                "{text}"
            );
            let found = faults(&validator, &text);
            assert!(!found.is_empty(), "{table}.{key} is valid");
        }
    }
    let text = "[project]\nname = \"p\"\n[sorce.a]\nfile = \"a\"\noutput = \"raw/a\"\n";
    assert!(!faults(&validator, text).is_empty());
}

/// Whether reading a definition says that a key holds a value of the wrong kind.
fn is_of_wrong_kind(text: &str, key: &str) -> bool {
    let begin = format!("`{key}` in ");
    let is = |defect: &Defect| {
        let of_key = defect.message.starts_with(&begin);
        of_key && (defect.message.contains("must be") || defect.message.contains("is one string"))
    };
    defects(text).iter().any(is)
}

/// What stands before a key of a source: that it is of a kind that has the key, the last one, which takes most.
fn of_kind(key: &str) -> String {
    let kinds = super::origin::kinds();
    if kinds.iter().any(|(kind, _)| *kind == key) {
        return String::new();
    }
    let kind = kinds.iter().rev().find(|(_, keys)| keys.contains(&key));
    let kind = kind.map_or("file", |(kind, _)| kind);
    let given = match kind {
        "run" | "tap" => "[\"cat\"]",
        "http" | "jira" => "\"https://example.org/a.xlsx\"",
        "hub" => "\"tcp://127.0.0.1:5000\"",
        _ => "\"a.xlsx\"",
    };
    let more = match kind {
        "sql" if key != "database" => "database = \"sqlite:a\"\n",
        "hub" if key != "resource" => "resource = \"a/b\"\n",
        _ => "",
    };
    format!("{kind} = {given}\n{more}")
}

/// For every key and a value of every kind: where reading refuses the kind, so does the schema.
#[test]
fn every_type_is_the_one_that_is_read() {
    let validator = validator();
    let values = [
        "\"15m\"",
        "7",
        "true",
        "[\"a/b\"]",
        "[7]",
        "{ env = \"A\" }",
        "{ a = 1 }",
        "-1",
        "1.5",
        "[]",
    ];
    let all = tables().into_iter().flat_map(|(table, base, keys)| {
        keys.into_iter().map(move |key| (table, base.clone(), key))
    });
    let mut refused = 0;
    for (table, base, key) in all {
        let given = format!("{key} = ");
        let lines = base.lines().filter(|line| !line.starts_with(&given));
        let mut base: String = lines.map(|line| format!("{line}\n")).collect();
        if table == "source" {
            base += &of_kind(&key);
        }
        for value in values {
            let text = format!("{base}{given}{value}\n");
            if !is_of_wrong_kind(&text, &key) {
                continue;
            }
            refused += 1;
            let instance = as_json(&text);
            let place = if table == "check" { "/check".to_owned() } else { format!("/{key}") };
            let told = validator
                .iter_errors(&instance)
                .any(|error| error.instance_path().to_string().contains(&place));
            assert!(told, "the schema takes {given}{value} of {table}, reading does not");
        }
    }
    assert!(refused > 200, "{refused}");
}

#[test]
fn what_goes_with_what() {
    let validator = validator();
    let source = |text: &str| {
        faults(
            &validator,
            &format!("[project]\nname = \"p\"\n[source.a]\noutput = \"raw/a\"\n{text}"),
        )
    };
    for good in [
        "file = \"a\"",
        "file = \"a.ods\"\nsheets = [\"A\"]",
        "run = [\"a\"]\nevery = \"1h\"",
        "http = \"https://a.b\"\ntoken = { env = \"T\" }",
    ] {
        assert_eq!(source(good), [] as [&str; 0], "{good}");
    }
    for bad in [
        "",
        "file = \"a\"\nrun = [\"a\"]",
        "run = [\"a\"]\nsheets = [\"A\"]",
        "file = \"a\"\ntoken = { env = \"T\" }",
        "http = \"https://a.b\"\ntoken = \"written out\"",
        "run = \"a\"",
        "run = []",
        "file = \"a\"\nrows_min = 0",
        "file = \"a\"\nrows_drop_max = \"half\"",
        "file = \"a\"\ncheck = [[]]",
    ] {
        assert!(!source(bad).is_empty(), "{bad}");
    }
}

/// What the page of the keys names, and what the schema does, is the same.
#[test]
fn every_key_is_documented_and_every_documented_key_is_there() {
    let page = fs::read_to_string(repository().join("docs/esker-toml.md")).expect("the page");
    let page = page.split("\n## Workbooks").next().expect("a first part");
    let mut told = BTreeSet::new();
    for line in page.lines().filter(|line| line.starts_with("| `")) {
        let cell = line.trim_start_matches('|').split(" |").next().unwrap_or_default();
        let words = cell.split('`').skip(1).step_by(2).flat_map(|word| word.split(' '));
        told.extend(words.filter_map(|word| word.rsplit('.').next()).map(str::to_owned));
    }
    let known: BTreeSet<String> = tables().into_iter().flat_map(|(_, _, keys)| keys).collect();
    let is_no_key = |word: &&String| {
        word.chars().any(|c| !c.is_ascii_lowercase() && c != '_')
            || ["all", "hourly", "daily", "weekly", "monthly", "yearly"].contains(&word.as_str())
    };
    let strange: Vec<&String> = told.difference(&known).filter(|word| !is_no_key(word)).collect();
    assert!(strange.is_empty(), "documented, and not in the schema: {strange:?}");
    let missing: Vec<&String> = known.difference(&told).collect();
    assert!(missing.is_empty(), "not documented: {missing:?}");
}
