//! `esker diff`: what changed.

use anstyle::AnsiColor;
use anyhow::Result;
use esker_wire::name::Branch;
use esker_wire::snapshot;
use serde_json::json;

use crate::cli::Diff;
use crate::project::Place;
use crate::reach::{Hub, resource};
use crate::say;

/// Prints what changed between two versions, as a unified diff.
pub(crate) fn diff(place: &Place, diff: &Diff) -> Result<()> {
    let request = snapshot::Diff {
        resource: resource(&diff.resource)?,
        from: diff.from.as_deref().map(str::parse).transpose()?,
        to: diff.to.parse()?,
        branch: Branch::main(),
    };
    let bytes = Hub::find(place)?.call(&request)?;
    let text = String::from_utf8_lossy(&bytes);
    if diff.json {
        return Ok(say::json(&json!({ "resource": diff.resource, "diff": text }))?);
    }
    let (red, green, cyan) =
        (AnsiColor::Red.on_default(), AnsiColor::Green.on_default(), AnsiColor::Cyan.on_default());
    for line in text.lines() {
        let style = match line.as_bytes().first() {
            Some(b'-') => red,
            Some(b'+') => green,
            Some(b'@') => cyan,
            _ => anstyle::Style::new(),
        };
        say::line(format!("{style}{line}{style:#}"))?;
    }
    if text.is_empty() {
        say::note("no difference");
    }
    Ok(())
}
