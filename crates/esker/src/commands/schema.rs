//! `esker schema`: the JSON Schema of `esker.toml`, for editors.

use anyhow::Result;
use esker_pipeline::definition::schema::schema;

use crate::project::Project;
use crate::say;
use crate::write::write_whole;

/// The first line of a definition, by which editors find the schema.
pub(crate) const LINE: &str = "#:schema .esker/esker.schema.json";

/// Prints the schema.
pub(crate) fn print() -> Result<()> {
    Ok(say::bytes(text().as_bytes())?)
}

/// Keeps the schema where the first line of a definition looks for it: that of this very program.
pub(crate) fn keep(project: &Project) -> Result<()> {
    let (path, text) = (project.hidden()?.join("esker.schema.json"), text());
    if std::fs::read_to_string(&path).is_ok_and(|known| known == text) {
        return Ok(());
    }
    write_whole(&path, text.as_bytes())
}

fn text() -> String {
    format!("{:#}\n", schema())
}
