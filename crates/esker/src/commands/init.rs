//! `esker init`: an `esker.toml` to start from.

use std::path::Path;

use anyhow::{Context, Result};
use esker_pipeline::definition::FILE;

use crate::cli::Init;
use crate::project::Place;
use crate::say::{self, hinted};
use crate::write::write_whole;

/// What every new definition says after its source.
const REST: &str = r#"
# What is computed from it: any program, standard input to standard output, exit code 0.
# [stage.condition]
# input  = "raw/NAME"
# run    = ["python3", "condition.py"]
# output = "conditioned/NAME"

# What people see, at http://127.0.0.1:8000.
[view.NAME]
resource = "raw/NAME"
kind     = "KIND"
"#;

/// Writes the definition, never over an older one.
pub(crate) fn init(place: &Place, init: &Init) -> Result<()> {
    let dir = place.start()?;
    let path = dir.join(FILE);
    if path.exists() {
        let hint = "edit it, or start in another folder with -C DIR";
        return Err(hinted(format!("{} exists already", path.display()), hint));
    }
    let text = match &init.source {
        Some(source) => from_file(&dir, source)?,
        None => empty(&dir),
    };
    write_whole(&path, text.as_bytes())?;
    say::line(format!("wrote {}", path.display()))?;
    say::note("next: look at it, then `esker check` and `esker up`");
    Ok(())
}

fn empty(dir: &Path) -> String {
    let folder = dir.file_name().unwrap_or_default().to_string_lossy();
    let rest = REST.replace("NAME", "data").replace("KIND", "text");
    format!(
        "[project]\nname = {}\n\n\
         # Where data comes from: a file beside this one, or what a program prints.\n\
         [source.data]\n\
         run    = [\"echo\", \"hello\"]   # or: file = \"data.xlsx\"\n\
         every  = \"15m\"                # or: cron = \"0 6 * * MON-FRI\"\n\
         output = \"raw/data\"\n{rest}",
        quoted(&name(&folder))
    )
}

fn from_file(dir: &Path, source: &Path) -> Result<String> {
    let from = dir.join(source);
    let from = from.canonicalize().with_context(|| format!("cannot open {}", from.display()))?;
    let relative = from.strip_prefix(dir).map_err(|_| {
        hinted(
            format!("{} is not in {}", from.display(), dir.display()),
            "copy it there, or start the project in its folder with -C DIR",
        )
    })?;
    let stem = relative.file_stem().map_or("data".into(), |stem| stem.to_string_lossy());
    let name = name(&stem);
    let file = relative.to_str().context("the file's name is not UTF-8")?;
    let tables = ["csv", "tsv", "xlsx", "xlsm", "ods"];
    let is_table = relative.extension().is_some_and(|end| tables.iter().any(|table| end == *table));
    let kind = if is_table { "table" } else { "text" };
    let rest = REST.replace("NAME", &name).replace("KIND", kind);
    Ok(format!(
        "[project]\nname = {}\n\n\
         # Where data comes from; esker reads it again whenever it is saved.\n\
         [source.{name}]\n\
         file   = {}\n\
         output = \"raw/{name}\"\n{rest}",
        quoted(&name),
        quoted(file),
    ))
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.escape_default())
}

/// A file's name as a name in TOML and in the store: letters, digits and dashes.
fn name(stem: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }
    };
    let text: String = stem.chars().map(plain).collect();
    let text = text.trim_matches('-');
    if text.is_empty() { "data".to_owned() } else { text.to_owned() }
}
