//! `esker excavate`: data, definition and programs as they were, from a store or a clone of one and this binary alone.

mod rerun;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use esker_pipeline::definition::defect::Severity;
use esker_pipeline::definition::{Definition, FILE};
use esker_pipeline::extract::{self, Verdict};
use esker_store::excavate::{excavate_into, open_original};
use esker_store::store::Options;
use esker_wire::name::Branch;
use esker_wire::project::About;
use esker_wire::snapshot::{Resolve, Resolved};
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cli::Excavate;
use crate::planes;
use crate::planes::excavation::Dug;
use crate::project::{Place, Project};
use crate::reach::{Hub, version};
use crate::say::{self, hinted};

/// The definition of a project of which nothing is known.
const BARE: &str = "[project]\nname = \"excavation\"\n";

/// A place that was dug out.
struct Site {
    project: Project,
    resolved: Resolved,
    /// What it was like; nothing if the store does not know the project of then.
    about: Option<About>,
    /// The definition of then; of a project without anything if this esker cannot read it.
    definition: Definition,
    /// Why it cannot.
    defects: Vec<String>,
    /// It goes with this, unless it is to stay.
    folder: Option<TempDir>,
}

/// Brings everything up as it was.
pub(crate) fn excavate(place: &Place, asked: &Excavate) -> Result<ExitCode> {
    let from = original(place, asked)?;
    let resolved = resolve(&from, &asked.at)?;
    let site = dig(&from, resolved, asked)?;
    let verdicts = match &site.about {
        Some(about) => extract::verdicts(&site.project.dir, &site.definition, about),
        None => Vec::new(),
    };
    let told = json!({
        "revision": site.resolved.revision.to_string(),
        "time": site.resolved.time.to_string(),
        "summary": site.resolved.summary,
        "project": site.resolved.project.map(|project| project.to_string()),
        "engine": site.about.as_ref().map(|about| &about.engine),
        "host": site.about.as_ref().map(|about| &about.host),
        "folder": site.project.dir,
        "defects": site.defects,
        "stages": verdicts.iter().map(stage_json).collect::<Vec<_>>(),
    });
    if !asked.json {
        tell(&site, &verdicts);
    }
    if asked.rerun {
        return rerun::rerun(&site, (asked, told), &verdicts);
    }
    if asked.json {
        say::json(&told)?;
    }
    if asked.serve != Some(false) {
        let is_known = site.defects.is_empty();
        let dug = Dug { project: &site.project, definition: site.definition, is_known };
        planes::excavation::serve(dug, &as_of(&site.resolved), asked.port_base)?;
    } else if let Some(folder) = site.folder {
        // Who asks for neither wants to look into it.
        let path = folder.keep();
        say::note(format!("it stays in {}", path.display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// The store, or a clone of one, that is dug in.
fn original(place: &Place, asked: &Excavate) -> Result<PathBuf> {
    if let Some(store) = &asked.store {
        return Ok(Place::here()?.join(store));
    }
    if let Ok(project) = place.project()
        && project.store().exists()
    {
        return Ok(project.store());
    }
    let here = place.start()?;
    if here.join(".git").exists() || here.join("HEAD").exists() {
        return Ok(here);
    }
    let what = format!("there is no store in {}", here.display());
    Err(hinted(what, "go to a project or a clone of a store, or name one: --store DIR"))
}

fn resolve(from: &Path, at: &str) -> Result<Resolved> {
    let mut store = open_original(from, Options::default())?;
    let ask = Resolve { at: version(at)?, branch: Branch::main(), zone: None };
    Ok(store.resolve(&ask)?)
}

/// Makes the folder: a store that ends there, the definition and the programs of then.
fn dig(from: &Path, resolved: Resolved, asked: &Excavate) -> Result<Site> {
    let (dir, folder) = match &asked.into {
        Some(into) => (empty(&Place::here()?.join(into))?, None),
        None => {
            let folder = tempfile::Builder::new().prefix("esker-excavation-").tempdir();
            let folder = folder.context("cannot make a folder")?;
            (folder.path().to_owned(), Some(folder))
        }
    };
    let project = Project { dir };
    project.hidden()?;
    excavate_into(&project.store(), from, resolved.revision)?;
    let hub = Hub::of_store(&project)?;
    let about = match resolved.project {
        Some(then) => Some(extract::extract(&hub.caller(), then, &project.dir)?),
        None => {
            write_bare(&project)?;
            None
        }
    };
    let (definition, defects) = understood(&project)?;
    Ok(Site { project, resolved, about, definition, defects, folder })
}

/// The definition of then, and why this esker cannot read it: the data is shown in any case.
fn understood(project: &Project) -> Result<(Definition, Vec<String>)> {
    let defects = match Definition::load(&project.dir) {
        Ok(definition) => return Ok((definition, Vec::new())),
        Err(defects) => defects,
    };
    let defects = defects.iter().filter(|defect| defect.severity == Severity::Error);
    let defects = defects.map(ToString::to_string).collect();
    if !project.dir.join(FILE).exists() {
        // Commands know the folder by it.
        write_bare(project)?;
    }
    let (bare, _) = Definition::parse(BARE, Timestamp::now());
    Ok((bare.expect("it is good"), defects))
}

fn write_bare(project: &Project) -> Result<()> {
    std::fs::write(project.dir.join(FILE), BARE).context("cannot write esker.toml")
}

/// A folder that is made if it is not there, and must be empty.
fn empty(dir: &Path) -> Result<PathBuf> {
    std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let mut found =
        std::fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))?;
    if found.next().is_some() {
        let what = format!("there is something in {} already", dir.display());
        return Err(hinted(what, "name a folder that is empty or not there"));
    }
    dir.canonicalize().with_context(|| format!("cannot open {}", dir.display()))
}

/// `2025-11-20 17:00:03, 0123456789`.
fn as_of(resolved: &Resolved) -> String {
    format!("{}, {}", say::time(resolved.time), resolved.revision.short())
}

fn tell(site: &Site, verdicts: &[(String, Verdict)]) {
    say::note(format!("as of {}: {}", as_of(&site.resolved), site.resolved.summary));
    match &site.about {
        Some(about) => say::note(format!("kept by {} on {}", about.engine, about.host)),
        None => say::note(
            "its definition and programs are not in the store: it was put before anything ran, or by an older esker; the data is shown",
        ),
    }
    if !site.defects.is_empty() {
        say::note("this esker cannot read its definition; the data is shown, no stage is known:");
        site.defects.iter().for_each(|defect| say::note(format!("  {defect}")));
    }
    let width = verdicts.iter().map(|(stage, _)| stage.len()).max().unwrap_or(0);
    for (stage, verdict) in verdicts {
        say::note(format!("  {stage:<width$}  {}", words(verdict)));
    }
    say::note(format!("  {:<width$}  {}", "in", site.project.dir.display()));
}

/// How a stage stands to what it was, for people.
fn words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Same => "reproducible: its programs are as they were".to_owned(),
        Verdict::ToolDiffers(then, now) => {
            let version = |tool: &esker_wire::project::Tool| match tool.path.as_str() {
                "" => tool.hash.clone(),
                path => format!("{path} {}", tool.hash.get(..10).unwrap_or_default()),
            };
            let (then, now) = (version(then), version(now));
            format!("tool differs: it was {then}, here it is {now}")
        }
        Verdict::ToolMissing(tool) => format!("tool missing: there is no {tool} here"),
        Verdict::CodeMissing(files) => {
            let files = files.iter().map(|(path, why)| format!("{path} ({why})"));
            format!("code missing: {}", files.collect::<Vec<_>>().join(", "))
        }
    }
}

fn stage_json((stage, verdict): &(String, Verdict)) -> Value {
    let word = match verdict {
        Verdict::Same => "reproducible",
        Verdict::ToolDiffers(..) => "tool-differs",
        Verdict::ToolMissing(_) => "tool-missing",
        Verdict::CodeMissing(_) => "code-missing",
    };
    json!({ "stage": stage, "verdict": word, "detail": words(verdict) })
}
