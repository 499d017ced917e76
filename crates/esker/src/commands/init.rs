//! `esker init`: a project to start from: of a spreadsheet or another file with a schema of its tables, of what a person
//! answers, or one to fill in.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bytes::Bytes;
use esker_pipeline::definition::FILE;
use esker_pipeline::guess::{Guess, guess};

use crate::cli::Init;
use crate::commands::schema;
use crate::project::{Place, Project};
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
/// The largest file that is looked into, in bytes: what a source may bring.
const FILE_MAX: u64 = 64 << 20;
/// The endings of files that a person may mean who names none.
const DATA: [&str; 6] = ["csv", "tsv", "xlsx", "xlsm", "ods", "json"];

/// What is to be written.
struct Draft {
    definition: String,
    /// A file beside it, with its content.
    check: Option<(PathBuf, String)>,
    notes: Vec<String>,
}

/// Writes the definition, and what belongs to it, never over an older one.
pub(crate) fn init(place: &Place, init: &Init) -> Result<()> {
    let dir = place.start()?;
    let path = dir.join(FILE);
    if path.exists() {
        let hint = "edit it, or start in another folder with -C DIR";
        return Err(hinted(format!("{} exists already", path.display()), hint));
    }
    let folder = name(&dir.file_name().unwrap_or_default().to_string_lossy());
    let draft = match &init.source {
        Some(source) => from_file(&dir, source, None)?,
        None if is_asked() => ask(&dir, &folder)?,
        None => empty(&folder),
    };
    if let Some((check, text)) = &draft.check {
        write_whole(check, text.as_bytes())?;
        say::line(format!("wrote {}", check.display()))?;
    }
    write_whole(&path, draft.definition.as_bytes())?;
    // Editors can do without it.
    if let Err(error) = schema::keep(&Project { dir }) {
        say::note(format!("editors will not know the keys: {error:#}"));
    }
    say::line(format!("wrote {}", path.display()))?;
    for note in &draft.notes {
        say::note(format!("not checked: {note}"));
    }
    say::note("next: look at it, then `esker check` and `esker up`");
    Ok(())
}

/// Whether there is a person to be asked.
fn is_asked() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for what the project is called and which file it begins with.
fn ask(dir: &Path, folder: &str) -> Result<Draft> {
    let called = name(&say::ask("What is the project called?", folder)?);
    let known = data_files(dir);
    let default = match known.as_slice() {
        [one] => one.as_str(),
        several => {
            if !several.is_empty() {
                say::note(format!("There are {}.", several.join(", ")));
            }
            ""
        }
    };
    let file = say::ask("Which file does it begin with? `none` for none.", default)?;
    match file.as_str() {
        "" | "none" => Ok(empty(&called)),
        file => from_file(dir, Path::new(file), Some(&called)),
    }
}

/// The files in a folder that look like data, by name.
fn data_files(dir: &Path) -> Vec<String> {
    let is_data = |name: &String| {
        let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        ending.is_some_and(|ending| DATA.contains(&ending.as_str()))
            && !name.starts_with(['.', '~'])
            && !name.ends_with(".schema.json")
    };
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(is_data).collect();
    names.sort();
    names
}

fn empty(called: &str) -> Draft {
    let rest = REST.replace("NAME", "data").replace("KIND", "text");
    let definition = format!(
        "{}\n\n[project]\nname = {}\n\n\
         # Where data comes from: a file beside this one, or what a program prints.\n\
         [source.data]\n\
         run    = [\"echo\", \"hello\"]   # or: file = \"data.xlsx\"\n\
         every  = \"15m\"                # or: cron = \"0 6 * * MON-FRI\"\n\
         output = \"raw/data\"\n{rest}",
        schema::LINE,
        quoted(called)
    );
    Draft { definition, check: None, notes: Vec::new() }
}

fn from_file(dir: &Path, source: &Path, called: Option<&str>) -> Result<Draft> {
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
    let check = format!("{name}.schema.json");
    let path = dir.join(&check);
    if path.exists() {
        let hint = "rename it, or write an esker.toml that uses it: `check` under the source";
        return Err(hinted(format!("{} exists already", path.display()), hint));
    }
    let Guess { schema, is_table, notes } = look(&from, file)?;
    let checked = match &schema {
        Some(_) => {
            let check = quoted(&check);
            format!("check  = {check}   # what each row is like: true of it today, so look at it\n")
        }
        None => String::new(),
    };
    let guarded = if is_table {
        "rows_drop_max = \"50%\"   # more rows gone at once than that is a mistake\n"
    } else {
        ""
    };
    let kind = if is_table { "table" } else { "text" };
    let rest = REST.replace("NAME", &name).replace("KIND", kind);
    let definition = format!(
        "{}\n\n[project]\nname = {}\n\n\
         # Where data comes from; esker reads it again whenever it is saved.\n\
         [source.{name}]\n\
         file   = {}\n\
         output = \"raw/{name}\"\n{checked}{guarded}{rest}",
        schema::LINE,
        quoted(called.unwrap_or(&name)),
        quoted(file),
    );
    Ok(Draft { definition, check: schema.map(|schema| (path, format!("{schema:#}\n"))), notes })
}

/// Looks into a file as far as a source can bring it.
fn look(path: &Path, name: &str) -> Result<Guess> {
    let size = fs::metadata(path).with_context(|| format!("cannot open {name}"))?.len();
    if size > FILE_MAX {
        let what = format!("{name} is larger than {}", say::size(FILE_MAX));
        return Err(hinted(what, "split it, or bring it with `esker put`, which takes any size"));
    }
    let bytes = fs::read(path).with_context(|| format!("cannot read {name}"))?;
    guess(name, &Bytes::from(bytes)).map_err(|(what, hint)| hinted(what, hint))
}

/// A text as TOML writes it: of texts JSON's way is one of TOML's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
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
