//! `esker prune`: large contents that the rules under `[keep]` keep no longer.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use esker_pipeline::definition::{Definition, FILE};
use esker_wire::keep::Keep;
use esker_wire::name::Resource;
use esker_wire::snapshot::{self, PruneReport, PruneTally, Pruned, Stays, Tally};
use serde_json::{Value, json};

use crate::cli::Prune;
use crate::commands::put;
use crate::planes;
use crate::project::Place;
use crate::reach::{Hub, resource};
use crate::say::{self, hinted};

/// How long the hub may look through history.
const PATIENCE: Duration = Duration::from_secs(60 * 60);
/// How often it is asked whether it is done.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Tells what would go, or removes it.
pub(crate) fn prune(place: &Place, prune: &Prune) -> Result<()> {
    let rules = rules(&planes::definition(&place.project()?)?, prune)?;
    let hub = Hub::find(place)?;
    let author = put::author();
    let ask = snapshot::Prune { rules, remove: prune.force, author };
    let begun = Instant::now();
    let report = loop {
        match hub.call(&ask)? {
            Pruned::Done(report) => break report,
            Pruned::Working if begun.elapsed() > PATIENCE => {
                bail!("the hub has looked through history for {PATIENCE:?} without an end")
            }
            Pruned::Working => std::thread::sleep(LOOK_EVERY),
        }
    };
    if prune.json {
        return Ok(say::json(&as_json(&report, prune.force))?);
    }
    tell(&report, prune.force)
}

fn rules(definition: &Definition, prune: &Prune) -> Result<Vec<(Resource, Keep)>> {
    let hint = format!("write [keep] in {FILE}, and below it for example \"raw/scan\" = \"90d\"");
    let rules = definition.keep.iter().map(|(name, keep)| (name.clone(), keep.clone()));
    let Some(only) = &prune.resource else {
        let rules: Vec<_> = rules.collect();
        if rules.is_empty() {
            return Err(hinted(format!("{FILE} has no rule of what to keep"), hint));
        }
        return Ok(rules);
    };
    let only = resource(only)?;
    let rules: Vec<_> = rules.filter(|(name, _)| *name == only).collect();
    if rules.is_empty() {
        return Err(hinted(format!("{FILE} has no rule of what to keep of {only}"), hint));
    }
    Ok(rules)
}

fn tell(report: &PruneReport, force: bool) -> Result<()> {
    let rows = report.resources.iter().map(|one| {
        let stays: Vec<String> =
            one.stays.iter().map(|(why, tally)| reason(*why, *tally)).collect();
        let goes = match one.goes.count {
            0 => "nothing".to_owned(),
            count => format!("{count} of {}", say::size(one.goes.bytes)),
        };
        vec![one.resource.to_string(), one.keep.to_string(), goes, stays.join(", ")]
    });
    say::table(&["resource", "keep", "goes", "stays"], rows.collect())?;
    let deed = if force { "removed" } else { "would be removed with --force" };
    let Tally { count, bytes } = report.goes;
    say::note(format!("{count} contents of {} {deed}", say::size(bytes)));
    if report.resources.iter().any(|one| one.stays.iter().any(|(why, _)| *why == Stays::Git)) {
        say::note(
            "what is in git stays: no commit is ever rewritten, and git packs small contents tightly",
        );
    }
    Ok(())
}

/// How many stay, and why.
fn reason(why: Stays, Tally { count, bytes }: Tally) -> String {
    let words = match why {
        Stays::Rule => "by the rule",
        Stays::Head => "newest",
        Stays::Tag => "tagged",
        Stays::Input => "made what is newest or tagged",
        Stays::Named => "as what is kept",
        Stays::Git => return format!("{count} in git ({})", say::size(bytes)),
        Stays::Gone => return format!("{count} gone before"),
    };
    format!("{count} {words}")
}

fn as_json(report: &PruneReport, force: bool) -> Value {
    let tally = |tally: &Tally| json!({ "count": tally.count, "bytes": tally.bytes });
    let resource = |one: &PruneTally| {
        let stays = one.stays.iter().map(|(why, counted)| (why.to_string(), tally(counted)));
        json!({
            "resource": one.resource.as_str(),
            "keep": one.keep.to_string(),
            "goes": tally(&one.goes),
            "stays": stays.collect::<serde_json::Map<_, _>>(),
        })
    };
    let contents = report.contents.iter().map(|content| {
        json!({
            "content_id": content.id.to_string(),
            "size": content.size,
            "resource": content.resource.as_str(),
            "revision": content.revision.to_string(),
            "keep": content.keep,
        })
    });
    json!({
        "removed": force,
        "goes": tally(&report.goes),
        "resources": report.resources.iter().map(resource).collect::<Vec<_>>(),
        "contents": contents.collect::<Vec<_>>(),
        "record": report.record.as_ref().map(Resource::as_str),
    })
}
