//! Runs as OpenLineage says (spec 2-0-2): two events each, when it began and how it ended.
//!
//! Both are made from the record of a run that has ended: however often they are made, they are the same.

use esker_wire::record::Ended;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha1::{Digest as _, Sha1};

use super::facts::{Column, Facts};
use super::tale::{Happening, Output, Ran, What};
use super::verdict;

/// Who says so.
pub(super) const PRODUCER: &str = concat!("https://esker.dev/", env!("CARGO_PKG_VERSION"));
/// What an event is.
const EVENT: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";
/// Where the facets of the specification are described.
const FACETS: &str = "https://openlineage.io/spec/facets/";
/// Where our own are: `docs/esker-lineage.schema.json`.
const OURS: &str = "https://esker.dev/esker-lineage.schema.json#/$defs/";
/// What the ids of runs are derived from: the id of `https://esker.dev/run` among URLs.
const RUNS: [u8; 16] = [
    0x5e, 0x1d, 0x0b, 0x7a, 0x3c, 0x52, 0x5f, 0x0e, 0x9a, 0x41, 0x7d, 0x26, 0xc8, 0x13, 0xe4, 0x90,
];
/// How many data sets an event names, either way.
const DATASETS_MAX: usize = 1_000;

/// The events of what has happened; none if it is no run.
pub(crate) fn events(happening: &Happening, facts: &Facts<'_>) -> Vec<Value> {
    let What::Ran(ran) = &happening.what else {
        return Vec::new();
    };
    let ended = match ran.ended {
        Ended::Stored | Ended::Unchanged => "COMPLETE",
        Ended::Retry | Ended::Problem => "FAIL",
    };
    vec![event(ran, facts, ("START", ran.started)), event(ran, facts, (ended, ran.finished()))]
}

fn event(ran: &Ran, facts: &Facts<'_>, (kind, time): (&str, Timestamp)) -> Value {
    let has_ended = kind != "START";
    let inputs = ran.inputs.iter().take(DATASETS_MAX);
    let inputs = inputs.map(|input| {
        let version = input.revision.to_string();
        dataset(facts.namespace(), input.resource.as_str(), &[version_facet(&version)])
    });
    let outputs = ran.outputs.iter().filter(|_| has_ended).take(DATASETS_MAX);
    let mut outputs: Vec<Value> = outputs.map(|one| output(ran, one, facts)).collect();
    if has_ended && outputs.is_empty() {
        outputs = refused(ran, facts);
    }
    json!({
        "eventType": kind,
        "eventTime": time.to_string(),
        "producer": PRODUCER,
        "schemaURL": EVENT,
        "run": { "runId": run_id(facts.project(), ran), "facets": run_facets(ran, has_ended) },
        "job": {
            "namespace": facts.namespace(),
            "name": ran.stage,
            "facets": job_facets(ran, facts),
        },
        "inputs": inputs.collect::<Vec<_>>(),
        "outputs": outputs,
    })
}

/// The id of a run: the same for the same start of the same stage, a UUID of version 5.
pub(crate) fn run_id(project: &str, ran: &Ran) -> String {
    let mut hash = Sha1::new();
    hash.update(RUNS);
    hash.update(format!("{project}\n{}\n{}\n{}", ran.stage, ran.run_key, ran.started));
    let mut id: [u8; 20] = hash.finalize().into();
    id[6] = id[6] & 0x0f | 0x50;
    id[8] = id[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (index, byte) in id[..16].iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text += &format!("{byte:02x}");
    }
    text
}

/// A facet under its name.
type Facet = (&'static str, Value);

fn facet(name: &'static str, schema: &str, mut value: Value) -> Facet {
    value["_producer"] = PRODUCER.into();
    value["_schemaURL"] = schema.into();
    (name, value)
}

fn of_spec(name: &'static str, (version, kind): (&str, &str), value: Value) -> Facet {
    facet(name, &format!("{FACETS}{version}/{kind}.json#/$defs/{kind}"), value)
}

fn ours(name: &'static str, kind: &str, value: Value) -> Facet {
    facet(name, &format!("{OURS}{kind}"), value)
}

fn together(facets: &[Facet]) -> Map<String, Value> {
    facets.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn run_facets(ran: &Ran, has_ended: bool) -> Map<String, Value> {
    let mut facets = Vec::new();
    if let Some((name, version)) =
        ran.provenance.as_ref().and_then(|made| made.engine.split_once(' '))
    {
        let value = json!({ "name": name, "version": version });
        facets.push(of_spec("processing_engine", ("1-1-1", "ProcessingEngineRunFacet"), value));
    }
    let mut own = json!({ "runKey": ran.run_key });
    if has_ended {
        own["ended"] = ran.ended.to_string().into();
        own["durationMs"] = ran.duration_ms.into();
        own["warnings"] = ran.warnings.clone().into();
    }
    if let Some(made) = &ran.provenance {
        own["host"] = made.host.clone().into();
        own["exit"] = made.exit.into();
        own["failedParts"] = made.failed_parts.clone().into();
    }
    if let Some(failure) = ran.failure.as_ref().filter(|_| has_ended) {
        own["count"] = failure.count.into();
        own["since"] = failure.since.to_string().into();
        let mut value = json!({ "message": failure.summary, "programmingLanguage": "unknown" });
        if !failure.detail.is_empty() {
            value["stackTrace"] = failure.detail.clone().into();
        }
        facets.push(of_spec("errorMessage", ("1-0-1", "ErrorMessageRunFacet"), value));
    }
    facets.push(ours("esker_run", "EskerRunFacet", own));
    together(&facets)
}

fn job_facets(ran: &Ran, facts: &Facts<'_>) -> Map<String, Value> {
    let kind = if facts.is_source(ran) { "SOURCE" } else { "STAGE" };
    let value = json!({ "processingType": "BATCH", "integration": "ESKER", "jobType": kind });
    let mut facets = vec![of_spec("jobType", ("2-0-4", "JobTypeJobFacet"), value)];
    if let Some(made) = &ran.provenance {
        let value = json!({ "program": made.program, "code": made.code });
        facets.push(ours("esker_program", "EskerProgramFacet", value));
    }
    together(&facets)
}

fn dataset(namespace: &str, name: &str, facets: &[Facet]) -> Value {
    json!({ "namespace": namespace, "name": name, "facets": together(facets) })
}

fn version_facet(version: &str) -> Facet {
    let value = json!({ "datasetVersion": version });
    of_spec("version", ("1-0-1", "DatasetVersionDatasetFacet"), value)
}

fn output(ran: &Ran, output: &Output, facts: &Facts<'_>) -> Value {
    let mut facets = vec![version_facet(&output.revision.to_string())];
    let columns = facts.columns(ran, &output.resource);
    if !columns.is_empty() {
        let fields: Vec<Value> = columns.iter().map(column).collect();
        let value = json!({ "fields": fields });
        facets.push(of_spec("schema", ("1-2-0", "SchemaDatasetFacet"), value));
    }
    let assertions = verdict::of_published(ran, &output.resource, facts);
    facets.extend(assertions_facet(&assertions));
    let mut dataset = dataset(facts.namespace(), output.resource.as_str(), &facets);
    if let Some(size) = output.size {
        let kind = ("1-0-2", "OutputStatisticsOutputDatasetFacet");
        let value = json!({ "size": size });
        dataset["outputFacets"] = together(&[of_spec("outputStatistics", kind, value)]).into();
    }
    dataset
}

fn column(column: &Column) -> Value {
    let mut field = json!({ "name": column.name, "type": column.kind });
    if !column.columns.is_empty() {
        field["fields"] = column.columns.iter().map(self::column).collect();
    }
    field
}

/// What a run would have left that its checks refused.
fn refused(ran: &Ran, facts: &Facts<'_>) -> Vec<Value> {
    let refused = verdict::of_refused(ran).into_iter();
    refused
        .map(|(resource, assertions)| {
            let facets: Vec<Facet> = assertions_facet(&assertions).into_iter().collect();
            dataset(facts.namespace(), &resource, &facets)
        })
        .collect()
}

fn assertions_facet(assertions: &[Value]) -> Option<Facet> {
    let kind = ("1-1-0", "DataQualityAssertionsDatasetFacet");
    let value = json!({ "assertions": assertions });
    (!assertions.is_empty()).then(|| of_spec("dataQualityAssertions", kind, value))
}

#[cfg(test)]
mod tests;
