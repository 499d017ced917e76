//! Whether an excavation's stages give again what they gave.

use std::process::ExitCode;

use anyhow::Result;
use esker_pipeline::extract;
use indicatif::ProgressBar;
use serde_json::{Value, json};

use crate::cli::Excavate;
use crate::commands::past::{self, Wanted};
use crate::commands::replay::{self, Old, Verdict};
use crate::reach::Hub;
use crate::say;
use crate::stop::Stop;

use super::{Site, words};

/// Runs each stage again on what it read when it made what is there, and tells what comes of it. Exit code 1 unless
/// everything is identical.
pub(super) fn rerun(
    site: &Site,
    (asked, mut told): (&Excavate, Value),
    verdicts: &[(String, extract::Verdict)],
) -> Result<ExitCode> {
    let stop = Stop::on_signals()?;
    let hub = Hub::of_store(&site.project)?;
    let (mut stages, mut identical) = (Vec::new(), 0);
    for stage in &site.definition.stages {
        if stop.is_pulled() {
            break;
        }
        let dir = site.project.dir.clone();
        let wanted = Wanted { dir, stage: stage.name.clone(), with: None, recall: false };
        let past = past::open(&hub, site.definition.clone(), wanted)?;
        let known = verdicts.iter().find(|(name, _)| *name == stage.name);
        let known = known.map(|(_, verdict)| verdict);
        let ran = match known {
            Some(extract::Verdict::ToolMissing(_) | extract::Verdict::CodeMissing(_)) => None,
            _ => replay::again(&hub, &past, &stop)?,
        };
        identical += usize::from(matches!(&ran, Some((_, Verdict::Identical))));
        if asked.json {
            stages.push(as_json((&stage.name, known), ran.as_ref())?);
        } else {
            show((&stage.name, known), ran.as_ref(), asked.diff)?;
        }
    }
    let count = site.definition.stages.len();
    if asked.json {
        told["rerun"] = stages.into();
        say::json(&told)?;
    }
    say::note(format!("{identical} of {count} stages give what they gave"));
    let is_known = site.defects.is_empty();
    let code = if identical == count && is_known { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    Ok(code)
}

fn show(
    (stage, known): (&str, Option<&extract::Verdict>),
    ran: Option<&(Old, Verdict)>,
    whole: bool,
) -> Result<()> {
    match ran {
        Some((old, verdict)) => {
            say::line(format!("{stage}:"))?;
            replay::show((&ProgressBar::hidden(), whole), old, verdict)
        }
        None => Ok(say::line(format!("{stage}: {}", not_run(known)))?),
    }
}

/// Why a stage was not run.
fn not_run(known: Option<&extract::Verdict>) -> String {
    match known {
        Some(verdict @ (extract::Verdict::ToolMissing(_) | extract::Verdict::CodeMissing(_))) => {
            format!("cannot run: {}", words(verdict))
        }
        _ => "it had not run yet".to_owned(),
    }
}

fn as_json(
    (stage, known): (&str, Option<&extract::Verdict>),
    ran: Option<&(Old, Verdict)>,
) -> Result<Value> {
    let mut value = match ran {
        Some((old, verdict)) => replay::verdict_json(old, verdict)?,
        None => json!({ "result": "not-run", "summary": not_run(known) }),
    };
    value["stage"] = stage.into();
    Ok(value)
}
