//! `esker check`: everything that is wrong with `esker.toml`, with its place.

use std::process::ExitCode;

use anstyle::AnsiColor;
use anyhow::Result;
use esker_pipeline::definition::{self, FILE};
use serde_json::{Value, json};

use crate::cli::Check;
use crate::project::Place;
use crate::say;

/// Prints the defects; fails if one of them is an error.
pub(crate) fn check(place: &Place, check: &Check) -> Result<ExitCode> {
    let project = place.project_in(check.folder.as_deref())?;
    let (definition, defects) = definition::check(&project.dir);
    let code = if definition.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if check.json {
        let defects = defects.iter().map(|defect| {
            json!({
                "file": FILE,
                "line": defect.line,
                "column": defect.column,
                "severity": if defect.is_error() { "error" } else { "warning" },
                "message": defect.message,
                "hint": defect.hint,
            })
        });
        say::json(&Value::from(defects.collect::<Vec<_>>()))?;
        return Ok(code);
    }
    let (red, yellow) = (AnsiColor::Red.on_default().bold(), AnsiColor::Yellow.on_default().bold());
    for defect in &defects {
        let (style, word) = if defect.is_error() { (red, "error") } else { (yellow, "warning") };
        say::note(format!(
            "{style}{word}:{style:#} {FILE}:{}:{}: {}",
            defect.line, defect.column, defect.message
        ));
        if !defect.hint.is_empty() {
            say::note(format!("hint: {}", defect.hint));
        }
    }
    if let Some(definition) = definition {
        say::line(format!(
            "{FILE} is good: {}, {}, {}",
            say::count(definition.sources.len(), "source"),
            say::count(definition.stages.len(), "stage"),
            say::count(definition.views.len(), "view")
        ))?;
    }
    Ok(code)
}
