//! What checks said of the outputs of a run, as OpenLineage tells of assertions.

use std::collections::BTreeMap;

use esker_wire::name::Resource;
use serde_json::{Value, json};

use crate::definition::gate::{Gate, Severity};

use super::facts::Facts;
use super::tale::Ran;

/// What stands between an output and what refuses it: see `run/gate.rs`.
const REFUSED: &str = ": refused by ";

/// The checks of an output that was published: those that only warn, and those that let it pass.
pub(super) fn of_published(ran: &Ran, output: &Resource, facts: &Facts<'_>) -> Vec<Value> {
    let told = ran.warnings.iter().filter_map(|line| parse(line));
    let warned = told.filter(|refusal| refusal.output == output.as_str());
    let mut assertions: Vec<Value> = warned.map(|refusal| refusal.value("warn")).collect();
    if let Some(gate) = facts.gate(ran) {
        assertions.extend(passed(gate, output));
    }
    assertions
}

/// What lets nothing bad pass has let this pass; of what only warns that is not known.
fn passed(gate: &Gate, output: &Resource) -> Vec<Value> {
    let checks = gate.checks.iter().filter(|check| {
        let is_of = check.output.as_ref().is_none_or(|only| only == output);
        is_of && check.severity == Severity::Error
    });
    let value = |name: String| json!({ "assertion": "check", "name": name, "success": true, "severity": "error" });
    let mut passed: Vec<Value> = checks.map(|check| value(check.title())).collect();
    let guards = gate.guards;
    for (name, is_set) in [
        ("rows_min", guards.rows_min.is_some()),
        ("rows_drop_max", guards.rows_drop_max.is_some()),
        ("row_delta_max", guards.row_delta_max.is_some()),
    ] {
        if is_set {
            let mut value = value(name.to_owned());
            value["assertion"] = "row_count".into();
            passed.push(value);
        }
    }
    passed
}

/// What a failed run would have published, and why it was not, if that is why it failed.
pub(super) fn of_refused(ran: &Ran) -> BTreeMap<String, Vec<Value>> {
    let mut refused: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let summary = ran.failure.as_ref().map_or("", |failure| failure.summary.as_str());
    if let Some(refusal) = parse(summary) {
        refused.entry(refusal.output.to_owned()).or_default().push(refusal.value("error"));
    }
    refused
}

/// A line that tells of a refusal.
struct Refusal<'l> {
    output: &'l str,
    by: &'l str,
    why: &'l str,
}

impl Refusal<'_> {
    fn value(&self, severity: &str) -> Value {
        json!({
            "assertion": if self.by == "a guard" { "row_count" } else { "check" },
            "name": self.by,
            "success": false,
            "severity": severity,
            "description": self.why,
        })
    }
}

fn parse(line: &str) -> Option<Refusal<'_>> {
    let (output, rest) = line.split_once(REFUSED)?;
    output.parse::<Resource>().ok()?;
    let (by, why) = rest.split_once(": ").unwrap_or((rest, ""));
    Some(Refusal { output, by, why })
}

#[cfg(test)]
mod tests;
