//! How a project stands, by what is followed of it.

use serde_json::json;

use super::*;

#[test]
fn a_standing_counts_what_is_followed() {
    let found = json!({
        "about": { "project": "plan", "changed": "2026-11-20T00:00:00Z", "runner": false, "as_of": null,
                   "stages": ["a", "b", "c", "d"] },
        "stages": {
            "a": { "kind": "source", "inputs": [], "outputs": ["raw/a"], "program": "p", "state": "fresh", "behind": false },
            "b": { "kind": "stage", "inputs": ["raw/a"], "outputs": ["out/b"], "program": "q", "state": "stale", "behind": false },
            "c": { "kind": "stage", "inputs": ["out/b"], "outputs": ["out/c"], "program": "r", "state": "fresh", "behind": true },
            "d": { "kind": "stage", "inputs": ["raw/d"], "outputs": ["out/d"], "program": "s", "state": "waiting", "behind": false },
        },
        "runs": { "b": {} },
        "problems": { "b": { "stage": "b", "summary": "x".repeat(1000) } },
    });
    let mut standing = Standing::unknown("p", false, Timestamp::UNIX_EPOCH);
    fill(&mut standing, &found);
    let Standing { stages, late, waiting, running, problems, .. } = standing;
    assert_eq!((stages, late, waiting, running, problems), (4, 2, 1, 1, 1));
    assert_eq!(standing.problem.as_ref().map(|line| line.chars().count()), Some(LINE_MAX));
    assert_eq!((standing.project.as_deref(), standing.runner), (Some("plan"), false));
    assert!(!standing.reached, "that is known otherwise");
    let shown = shown(&found, Some("/pages".to_owned()));
    assert_eq!(shown.stages[0].name, "a");
    assert!(shown.stages[0].is_source && !shown.has_runner);
    assert_eq!(shown.stages[2].inputs, ["out/b"]);
}
