//! Definitions of taps in; what is run with what, or what is wrong, out.

use jiff::Timestamp;
use serde_json::json;

use crate::definition::{Definition, Origin};

use super::*;

fn read(lines: &str) -> (Option<Definition>, Vec<String>) {
    let text =
        format!("project.name = \"p\"\n[source.a]\noutput = \"raw/a\"\nevery = \"1h\"\n{lines}\n");
    let (definition, defects) = Definition::parse(&text, Timestamp::now());
    (definition, defects.iter().map(ToString::to_string).collect())
}

#[track_caller]
fn tap(lines: &str) -> Tap {
    let (definition, defects) = read(lines);
    assert_eq!(defects, [""; 0]);
    match definition.unwrap().sources.remove(0).origin {
        Origin::Tap(tap) => tap,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_tap_is_a_program_with_a_config_and_secrets_beside_it() {
    let tap = tap(
        "tap = [\"tap-jira\", \"-v\"]\ncatalog = \"catalog.json\"\nreplace = [\"users\"]\n\
         timeout = \"1h\"\nsecret = { HOST = { env = \"JIRA_HOST\" } }\n\
         config = { start = 2026-01-01, n = 1_000, on = true, auth = { api_token = { file = \"t\" } }, \
         list = [{ path = \"a/b\" }] }",
    );
    assert_eq!(tap.program.argv, ["tap-jira", "-v", "--catalog", "catalog.json"]);
    assert_eq!(
        tap.config,
        Some(json!({
            "start": "2026-01-01", "n": 1000, "on": true, "auth": { "api_token": null },
            "list": [{ "path": "a/b" }],
        }))
    );
    let token = Secret::File("t".to_owned());
    assert_eq!(tap.secrets, [("/auth/api_token".to_owned(), token.clone())]);
    assert_eq!(tap.secrets(), [&token, &Secret::Env("JIRA_HOST".to_owned())]);
    assert!(tap.replace.has("users") && !tap.replace.has("issues"));
}

#[test]
fn a_config_tells_no_secret() {
    let (_, defects) = read("tap = [\"tap-jira\"]\nconfig = { password = \"hush\" }");
    assert_eq!(
        defects,
        ["esker.toml:6:23: `config` in [source.a] has a secret written out: `password`; \
           write password = { env = \"NAME\" } or { file = \"PATH\" }"]
    );
    let (_, defects) = read("tap = [\"tap-jira\", \"--config\", \"c.json\"]\nconfig = { a = 1 }");
    assert_eq!(
        defects,
        ["esker.toml:6:1: [source.a] has a `config` and a --config; keep one of them"]
    );
    let (_, defects) = read("tap = \"tap-jira\"");
    assert_eq!(
        defects,
        [
            "esker.toml:5:7: `tap` in [source.a] is one string; write the tap and its arguments as a list: \
           tap = [\"tap-jira\"]"
        ]
    );
}

#[test]
fn the_streams_of_a_tap_are_known_to_be_made() {
    let stage = |input: &str, output: &str| {
        format!(
            "tap = [\"tap-jira\"]\n[stage.b]\ninput = \"{input}\"\noutput = \"{output}\"\nrun = [\"esker\"]"
        )
    };
    assert_eq!(read(&stage("raw/a/issues", "x/b")).1, [""; 0]);
    assert_eq!(read(&stage("state/a", "x/b")).1, [""; 0]);
    assert_eq!(
        read(&stage("raw/ab", "x/b")).1,
        ["esker.toml:7:9: warning: no source or stage makes raw/ab; did you mean `raw/a`?"]
    );
    assert_eq!(
        read(&stage("raw/x", "raw/a/issues")).1[1],
        "esker.toml:8:10: raw/a/issues is made by [stage.b] and by [source.a] (line 2); \
         a resource has one maker; give one of them another output"
    );
}
