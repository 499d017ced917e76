//! `esker tag`: a name for a revision, for good.

use anyhow::Result;
use esker_wire::snapshot;
use serde_json::{Value, json};

use crate::cli::Tag;
use crate::project::Place;
use crate::reach::Hub;
use crate::say;

/// Names a revision, or lists the names.
pub(crate) fn tag(place: &Place, tag: &Tag) -> Result<()> {
    let hub = Hub::find(place)?;
    let Some(name) = &tag.name else {
        let tags = hub.call(&snapshot::Tags)?;
        if tag.json {
            let value = |(name, revision): &(String, _)| json!({ "name": name, "revision": format!("{revision}") });
            return Ok(say::json(&Value::from(tags.iter().map(value).collect::<Vec<_>>()))?);
        }
        let rows = tags.iter().map(|(name, revision)| vec![name.clone(), revision.short()]);
        return Ok(say::table(&["tag", "revision"], rows.collect())?);
    };
    let request =
        snapshot::Tag { name: name.clone(), at: tag.at.parse()?, message: tag.message.clone() };
    let revision = hub.call(&request)?;
    if tag.json {
        return Ok(say::json(&json!({ "name": name, "revision": revision.to_string() }))?);
    }
    Ok(say::line(revision.to_string())?)
}
