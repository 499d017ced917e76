//! What is shown of a hub, as one JSON text. Pure: from a listing, the records and the definition.

use std::collections::{BTreeMap, BTreeSet};

use esker_wire::provenance::Input;
use esker_wire::record::{Ended, RunRecord};
use esker_wire::revision::Revision;
use esker_wire::snapshot::{Entry, Listing};
use esker_wire::stance::{Said, Stance};
use jiff::Timestamp;
use serde::Serialize;

use crate::project::{Project, Stage, View};

/// The whole state; small, since contents are fetched when looked at.
#[derive(Serialize)]
struct State<'a> {
    project: &'a str,
    version: &'a str,
    head: Option<String>,
    /// When something was put last.
    changed: Option<String>,
    resources: Vec<ResourceState>,
    stages: Vec<StageState<'a>>,
    problems: Vec<Problem<'a>>,
    warnings: Vec<&'a str>,
    views: Vec<ViewState<'a>>,
    runner: bool,
    /// Whether it has pages of its own.
    app: bool,
    /// As of when, if nothing is of now.
    as_of: Option<&'a str>,
}

/// One revision of a resource, in the state and in logs.
#[derive(Serialize)]
pub(crate) struct ResourceState {
    resource: String,
    revision: String,
    previous: Option<String>,
    blob: Option<String>,
    size: u64,
    content_type: Option<String>,
    time: String,
    author: String,
    summary: String,
    stage: Option<String>,
    program: Option<String>,
    code: Option<String>,
    engine: Option<String>,
    host: Option<String>,
    inputs: Vec<InputState>,
    duration_ms: Option<u64>,
}

#[derive(Serialize)]
struct InputState {
    resource: String,
    revision: String,
}

#[derive(Serialize)]
struct StageState<'a> {
    name: &'a str,
    kind: &'static str,
    inputs: &'a [String],
    outputs: &'a [String],
    program: &'a str,
    state: &'static str,
    behind: bool,
}

#[derive(Serialize)]
struct Problem<'a> {
    id: &'a str,
    stage: &'a str,
    summary: &'a str,
    hint: &'a str,
    detail: &'a str,
    count: u32,
    since: String,
    retry_at: Option<String>,
    acknowledged: Option<StanceState<'a>>,
    muted: Option<StanceState<'a>>,
}

#[derive(Serialize)]
struct StanceState<'a> {
    by: &'a str,
    at: String,
    note: Option<&'a str>,
    until: Option<String>,
}

#[derive(Serialize)]
struct ViewState<'a> {
    name: &'a str,
    title: &'a str,
    resource: &'a str,
    kind: &'a str,
}

/// What was seen of the hub at one moment.
pub(crate) struct Seen<'a> {
    /// The data's heads.
    pub(crate) listing: &'a Listing,
    /// Every stage's record, by the stage's name.
    pub(crate) records: &'a BTreeMap<String, RunRecord>,
    /// The contents of the inputs that the records name.
    pub(crate) blobs: BTreeMap<Input, Revision>,
    /// What people have said of problems.
    pub(crate) stances: &'a [Stance],
    /// When it was seen.
    pub(crate) now: Timestamp,
}

/// What there is, as the model is made of it.
pub(crate) fn state(project: &Project, seen: &Seen<'_>) -> String {
    let Seen { listing, records, .. } = seen;
    let mut heads: BTreeMap<&str, &Entry> =
        listing.entries.iter().map(|entry| (entry.resource.as_str(), entry)).collect();
    // A definition that says an older name means what it is called now.
    let older: BTreeMap<&str, &str> =
        listing.older.iter().map(|(name, now)| (name.as_str(), now.as_str())).collect();
    for (name, now) in &older {
        if let Some(entry) = heads.get(now).copied() {
            heads.entry(name).or_insert(entry);
        }
    }
    let stages = project.stages.iter();
    let mut stages: Vec<StageState<'_>> =
        stages.map(|stage| stage_state(stage, &heads, seen)).collect();
    mark_behind(&mut stages);
    let state = State {
        project: &project.name,
        version: &project.version,
        head: listing.at.map(|revision| revision.to_string()),
        changed: listing.entries.iter().map(|entry| entry.time).max().map(|time| time.to_string()),
        resources: listing.entries.iter().map(resource).collect(),
        stages,
        problems: records.values().filter_map(|record| problem(record, seen)).collect(),
        warnings: records
            .values()
            .flat_map(|record| &record.warnings)
            .map(String::as_str)
            .collect(),
        views: project.views.iter().map(|one| view(one, &older)).collect(),
        runner: project.has_runner,
        app: project.app.is_some(),
        as_of: project.as_of.as_deref(),
    };
    json(&state)
}

/// What there is, as it is sent: the commit that was asked for, and every resource as of that.
pub(crate) fn listing(listing: &Listing) -> String {
    #[derive(Serialize)]
    struct Told {
        at: Option<String>,
        entries: Vec<ResourceState>,
    }
    let at = listing.at.map(|revision| revision.to_string());
    json(&Told { at, entries: listing.entries.iter().map(resource).collect() })
}

/// A log as it is sent.
pub(crate) fn log(entries: &[Entry]) -> String {
    let entries: Vec<ResourceState> = entries.iter().map(resource).collect();
    json(&BTreeMap::from([("entries", entries)]))
}

/// One revision of a resource as JSON, as listings and logs tell it.
#[cfg(feature = "graphql")]
pub(crate) fn told(entry: &Entry) -> serde_json::Value {
    serde_json::to_value(resource(entry)).expect("texts, numbers and lists can always be written")
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("texts, numbers and lists can always be written")
}

fn resource(entry: &Entry) -> ResourceState {
    let provenance = entry.provenance.as_ref();
    let inputs = provenance.map(|p| p.inputs.as_slice()).unwrap_or_default();
    ResourceState {
        resource: entry.resource.to_string(),
        revision: entry.revision.to_string(),
        previous: entry.previous.map(|revision| revision.to_string()),
        blob: entry.blob.map(|blob| blob.to_string()),
        size: entry.size,
        content_type: entry.content_type.clone(),
        time: entry.time.to_string(),
        author: entry.author.clone(),
        summary: entry.summary.clone(),
        stage: provenance.map(|p| p.stage.clone()),
        program: provenance.map(|p| p.program.clone()),
        code: provenance.map(|p| p.code.clone()),
        engine: provenance.map(|p| p.engine.clone()),
        host: provenance.map(|p| p.host.clone()),
        inputs: inputs
            .iter()
            .map(|input| InputState {
                resource: input.resource.to_string(),
                revision: input.revision.to_string(),
            })
            .collect(),
        duration_ms: provenance.map(|p| p.duration_ms),
    }
}

fn view<'a>(view: &'a View, older: &BTreeMap<&str, &'a str>) -> ViewState<'a> {
    let resource = older.get(view.resource.as_str()).copied().unwrap_or(&view.resource);
    ViewState { name: &view.name, title: &view.title, resource, kind: &view.kind }
}

fn problem<'a>(record: &'a RunRecord, seen: &Seen<'a>) -> Option<Problem<'a>> {
    let failure = record.failure.as_ref()?;
    let said = |said: Said| {
        let mut of = seen.stances.iter().filter(|stance| stance.said == said);
        of.find(|stance| stance.holds(record, seen.now)).map(stance_state)
    };
    Some(Problem {
        id: &record.stage,
        stage: &record.stage,
        summary: &failure.summary,
        hint: &failure.hint,
        detail: &failure.detail,
        count: failure.count,
        since: failure.since.to_string(),
        retry_at: failure.not_before.map(|time| time.to_string()),
        acknowledged: said(Said::Ack),
        muted: said(Said::Mute),
    })
}

fn stance_state(stance: &Stance) -> StanceState<'_> {
    StanceState {
        by: &stance.by,
        at: stance.at.to_string(),
        note: stance.note.as_deref(),
        until: stance.until.map(|time| time.to_string()),
    }
}

fn stage_state<'a>(
    stage: &'a Stage,
    heads: &BTreeMap<&str, &Entry>,
    seen: &Seen<'_>,
) -> StageState<'a> {
    let record = seen.records.get(&stage.name);
    let state = match record.map(|record| record.ended) {
        Some(Ended::Problem) => "problem",
        Some(Ended::Retry) => "retry",
        _ => freshness(stage, heads, (record, &seen.blobs)),
    };
    StageState {
        name: &stage.name,
        kind: if stage.is_source { "source" } else { "stage" },
        inputs: &stage.inputs,
        outputs: &stage.outputs,
        program: &stage.program,
        state,
        behind: false,
    }
}

/// Whether the outputs are as the last run left them, and its inputs say what the heads say. The runner knows
/// better, from run keys; this tells the same except while a program or the definition has changed.
fn freshness(
    stage: &Stage,
    heads: &BTreeMap<&str, &Entry>,
    (record, blobs): (Option<&RunRecord>, &BTreeMap<Input, Revision>),
) -> &'static str {
    let missing = |names: &[String]| names.iter().any(|name| !heads.contains_key(name.as_str()));
    if missing(&stage.inputs) {
        return "waiting";
    }
    if missing(&stage.outputs) {
        return if stage.is_source { "waiting" } else { "stale" };
    }
    let head = |version: &Input| heads.get(version.resource.as_str());
    let same = |version: &Input| {
        head(version).is_some_and(|entry| {
            entry.revision == version.revision
                || (entry.blob.is_some() && entry.blob.as_ref() == blobs.get(version))
        })
    };
    let fresh = match record {
        Some(record) => record.inputs.iter().all(same) && record.outputs.iter().all(same),
        None => stage.outputs.iter().all(|output| {
            let provenance = heads.get(output.as_str()).and_then(|entry| entry.provenance.as_ref());
            provenance.is_none_or(|provenance| provenance.inputs.iter().all(same))
        }),
    };
    if fresh { "fresh" } else { "stale" }
}

/// A stage is behind when it is fresh itself but something above it is not, however far.
fn mark_behind(stages: &mut [StageState<'_>]) {
    let mut late: BTreeSet<&str> = BTreeSet::new();
    loop {
        let known = late.len();
        for stage in stages.iter_mut() {
            let above = stage.inputs.iter().any(|input| late.contains(input.as_str()));
            stage.behind = above && stage.state == "fresh";
            if above || stage.state != "fresh" {
                late.extend(stage.outputs.iter().map(String::as_str));
            }
        }
        if late.len() == known {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
