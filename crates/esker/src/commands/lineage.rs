//! `esker lineage export`: the runs of a history as OpenLineage says.

use std::io::Write;

use anyhow::Result;
use esker_pipeline::definition::Definition;
use esker_pipeline::deliver::{self, Export};

use crate::cli::{Lineage, LineageExport};
use crate::project::Place;
use crate::reach::{Hub, version};
use crate::say;
use crate::write::write_with;

/// Writes them.
pub(crate) fn lineage(place: &Place, asked: &Lineage) -> Result<()> {
    let Lineage::Export(asked) = asked;
    let hub = Hub::find(place)?;
    let mut runs = 0;
    match &asked.output {
        Some(path) => write_with(path, |out| {
            let mut out = std::io::BufWriter::new(out);
            runs = export(place, &hub, asked, &mut out)?;
            Ok(out.flush()?)
        })?,
        None => {
            let mut out = std::io::BufWriter::new(std::io::stdout().lock());
            runs = export(place, &hub, asked, &mut out)?;
            out.flush()?;
        }
    }
    let runs = usize::try_from(runs).unwrap_or(usize::MAX);
    say::note(format!("{} written", say::count(runs, "run")));
    Ok(())
}

fn export(place: &Place, hub: &Hub, asked: &LineageExport, out: &mut dyn Write) -> Result<u64> {
    let project = place.project().ok();
    let definition = project.as_ref().and_then(|project| Definition::load(&project.dir).ok());
    let folder = project.as_ref().and_then(|project| project.dir.file_name());
    let name =
        folder.map_or_else(|| "esker".to_owned(), |name| name.to_string_lossy().into_owned());
    let dir = project.as_ref().map(|project| project.dir.as_path());
    let version = |text: &Option<String>| text.as_deref().map(version).transpose();
    let export = Export {
        definition: dir.zip(definition.as_ref()),
        project: &name,
        from: version(&asked.from)?,
        to: version(&asked.to)?,
    };
    let mut before = if asked.json { "[" } else { "" };
    let runs = deliver::export(&hub.caller(), &export, |event| -> Result<()> {
        write!(out, "{before}{event}")?;
        if asked.json {
            before = ",\n";
        } else {
            writeln!(out)?;
        }
        Ok(())
    })?;
    if asked.json {
        writeln!(out, "{}]", if runs == 0 { "[" } else { "" })?;
    }
    Ok(runs)
}
