//! What happens as CloudEvents 1.0, in the structured form: one JSON object.

use esker_wire::problem;
use esker_wire::provenance::Input;
use esker_wire::record::{Ended, Failure, RunRecord};
use esker_wire::snapshot::Entry;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::definition::deliver::{Topic, Webhook};

use super::openlineage::run_id;
use super::tale::{Happening, Output, Ran, What};

/// What such an event is sent as.
pub(crate) const CONTENT_TYPE: &str = "application/cloudevents+json; charset=utf-8";

/// The longest text of an event, in bytes.
const TEXT_MAX: usize = 4 * 1024;
/// How many resources an event names, either way.
const RESOURCES_MAX: usize = 100;

/// An event that lacks only its place in the sequence.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Draft {
    topic: Topic,
    /// What it has to do with.
    resources: Vec<String>,
    stage: Option<String>,
    value: Value,
}

impl Draft {
    /// Whether a webhook wants it.
    pub(crate) fn is_for(&self, webhook: &Webhook) -> bool {
        let is_of = |name: &str| self.stage.as_deref() == Some(name);
        webhook.topics.contains(&self.topic)
            && webhook.resources.take(self.resources.iter().map(String::as_str))
            && webhook.stages.take(self.stage.as_deref().into_iter())
            && !is_of(&format!("webhook.{}", webhook.name))
    }

    /// The event at its place.
    pub(crate) fn numbered(mut self, sequence: u64) -> Value {
        // It is ordered as text.
        self.value["sequence"] = format!("{sequence:020}").into();
        self.value
    }
}

/// What an event is called, what it is about, and what it tells people.
struct About<'a> {
    id: String,
    kind: &'a str,
    subject: &'a str,
    time: Timestamp,
    text: String,
}

fn event(project: &str, about: &About<'_>, data: &Value) -> Value {
    json!({
        "specversion": "1.0",
        "id": about.id,
        "source": source(project),
        "type": format!("dev.esker.{}.v1", about.kind),
        "subject": about.subject,
        "time": about.time.to_string(),
        "datacontenttype": "application/json",
        "text": cut(&about.text),
        "data": data,
    })
}

/// A project as a reference: what is no letter of those is written as bytes.
fn source(project: &str) -> String {
    let mut source = "/esker/".to_owned();
    for byte in project.bytes() {
        match byte {
            b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => source.push(byte.into()),
            byte => source += &format!("%{byte:02X}"),
        }
    }
    source
}

/// An event that only tells that events arrive.
pub(crate) fn test(project: &str, webhook: &str, now: Timestamp) -> Draft {
    let about = About {
        id: format!("test/{}", now.as_nanosecond()),
        kind: "test",
        subject: webhook,
        time: now,
        text: format!("{project}: a test of the webhook {webhook}"),
    };
    let value = event(project, &about, &json!({ "webhook": webhook }));
    Draft { topic: Topic::Problem, resources: Vec::new(), stage: None, value }
}

/// What has happened as events.
pub(crate) fn draft(happening: &Happening, project: &str) -> Draft {
    let at = happening.revision;
    match &happening.what {
        What::Put(entry) => of_put(entry, project),
        What::Ran(ran) => of_run(ran, project),
        What::Rejected { ran, branch, kept } => {
            let refused: Vec<Value> = kept.iter().take(RESOURCES_MAX).map(kept_json).collect();
            let summary = ran.failure.as_ref().map_or("", |failure| failure.summary.as_str());
            let about = About {
                id: format!("{}/rejected", run_id(project, ran)),
                kind: "candidate.rejected",
                subject: &ran.stage,
                time: ran.finished(),
                text: format!("{project}: {summary}"),
            };
            let mut data = run_json(ran, project);
            data["branch"] = branch.to_string().into();
            data["rejected"] = refused.into();
            Draft {
                topic: Topic::Rejected,
                resources: kept.iter().map(|entry| entry.resource.to_string()).collect(),
                stage: Some(ran.stage.clone()),
                value: event(project, &about, &data),
            }
        }
        What::Problem(record) => {
            let failure = record.failure.as_ref().map_or("", |failure| failure.summary.as_str());
            let about = About {
                id: format!("{at}/{}/problem", record.stage),
                kind: "problem",
                subject: &record.stage,
                time: happening.time,
                text: format!("{project}: {} has a problem: {failure}", record.stage),
            };
            of_problem(record, project, &about)
        }
        What::Resolved(record) => {
            let about = About {
                id: format!("{at}/{}/resolved", record.stage),
                kind: "problem.resolved",
                subject: &record.stage,
                time: happening.time,
                text: format!("{project}: {} is well again", record.stage),
            };
            of_problem(record, project, &about)
        }
    }
}

fn of_put(entry: &Entry, project: &str) -> Draft {
    let resource = entry.resource.as_str();
    let verb = if entry.blob.is_some() { "has a new version" } else { "was removed" };
    let about = About {
        id: format!("{}/{resource}", entry.revision),
        kind: "put",
        subject: resource,
        time: entry.time,
        text: format!("{project}: {resource} {verb}: {}", entry.summary),
    };
    let data = json!({
        "resource": resource,
        "revision": entry.revision.to_string(),
        "previous": entry.previous.map(|revision| revision.to_string()),
        "removed": entry.blob.is_none(),
        "size": entry.size,
        "content_type": entry.content_type,
        "author": cut(&entry.author),
        "message": cut(&entry.summary),
        "stage": entry.provenance.as_ref().map(|made| made.stage.clone()),
    });
    Draft {
        topic: Topic::Put,
        resources: vec![resource.to_owned()],
        stage: entry.provenance.as_ref().map(|made| made.stage.clone()),
        value: event(project, &about, &data),
    }
}

fn of_run(ran: &Ran, project: &str) -> Draft {
    let is_well = matches!(ran.ended, Ended::Stored | Ended::Unchanged);
    let summary = ran.failure.as_ref().map_or("", |failure| failure.summary.as_str());
    let about = About {
        id: format!("{}/{}", run_id(project, ran), if is_well { "completed" } else { "failed" }),
        kind: if is_well { "run.completed" } else { "run.failed" },
        subject: &ran.stage,
        time: ran.finished(),
        text: match is_well {
            true => format!("{project}: {} has run", ran.stage),
            false => format!("{project}: {} has failed: {summary}", ran.stage),
        },
    };
    let inputs = ran.inputs.iter().map(|input| input.resource.to_string());
    let outputs = ran.outputs.iter().map(|output| output.resource.to_string());
    Draft {
        topic: Topic::Run,
        resources: inputs.chain(outputs).collect(),
        stage: Some(ran.stage.clone()),
        value: event(project, &about, &run_json(ran, project)),
    }
}

fn of_problem(record: &RunRecord, project: &str, about: &About<'_>) -> Draft {
    let names = record.inputs.iter().chain(&record.outputs);
    let data = json!({
        "id": problem::id(record),
        "stage": record.stage,
        "run_key": record.run_key,
        "failure": record.failure.as_ref().map(failure_json),
        "inputs": record.inputs.iter().take(RESOURCES_MAX).map(input_json).collect::<Vec<_>>(),
    });
    Draft {
        topic: Topic::Problem,
        resources: names.map(|input| input.resource.to_string()).collect(),
        stage: Some(record.stage.clone()),
        value: event(project, about, &data),
    }
}

fn run_json(ran: &Ran, project: &str) -> Value {
    json!({
        "run_id": run_id(project, ran),
        "stage": ran.stage,
        "run_key": ran.run_key,
        "ended": ran.ended.to_string(),
        "started": ran.started.to_string(),
        "duration_ms": ran.duration_ms,
        "inputs": ran.inputs.iter().take(RESOURCES_MAX).map(input_json).collect::<Vec<_>>(),
        "outputs": ran.outputs.iter().take(RESOURCES_MAX).map(output_json).collect::<Vec<_>>(),
        "failure": ran.failure.as_ref().map(failure_json),
        "warnings": ran.warnings.iter().take(RESOURCES_MAX).map(|line| cut(line)).collect::<Vec<_>>(),
    })
}

fn failure_json(failure: &Failure) -> Value {
    // Of what a program said the end says most.
    let from = failure.detail.len().saturating_sub(TEXT_MAX);
    let from = failure.detail.ceil_char_boundary(from);
    json!({
        "summary": cut(&failure.summary),
        "hint": cut(&failure.hint),
        "detail": &failure.detail[from..],
        "count": failure.count,
        "since": failure.since.to_string(),
    })
}

fn input_json(input: &Input) -> Value {
    json!({ "resource": input.resource.as_str(), "revision": input.revision.to_string() })
}

fn output_json(output: &Output) -> Value {
    json!({
        "resource": output.resource.as_str(),
        "revision": output.revision.to_string(),
        "size": output.size,
    })
}

fn kept_json(entry: &Entry) -> Value {
    json!({ "resource": entry.resource.as_str(), "revision": entry.revision.to_string() })
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_MAX)]
}

#[cfg(test)]
mod tests;
