//! `esker export`: the history of a resource as an SQLite database or a CSV file.

mod columns;
mod lines;
mod sqlite;

use std::fs::Permissions;
use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bytes::Bytes;
use esker_store::diff::table::{self, Table};
use esker_wire::name::Resource;
use esker_wire::snapshot::{Entry, Filter, Get, Log};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use tempfile::NamedTempFile;

use crate::cli::Export;
use crate::commands::pages;
use crate::project::Place;
use crate::reach::{Hub, resource, version};
use crate::say::{self, hinted};
use crate::stop::Stop;
use crate::write::plain;
use lines::Lines;
use sqlite::Sqlite;

/// How long one content's rows may take to read.
const READ_MAX: Duration = Duration::from_secs(60);
/// From when on progress is shown.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a history is written to: a database or a file of lines.
trait Sink {
    /// Adds one revision.
    fn revision(&mut self, entry: &Entry) -> Result<()>;
    /// Whether the content of a revision is wanted and not there yet.
    fn wants_content(&self, entry: &Entry) -> Result<bool>;
    /// Adds the content of a revision.
    fn content(&mut self, entry: &Entry, content: &[u8]) -> Result<()>;
    /// Adds the rows of a revision's tables.
    fn rows(&mut self, entry: &Entry, tables: &[Table]) -> Result<()>;
    /// Writes what is left; nothing is added any more.
    fn finish(self: Box<Self>) -> Result<()>;
}

/// What was written.
#[derive(Debug, Default)]
struct Counts {
    revisions: u64,
    rows: u64,
    contents: u64,
    /// Revisions whose content is no table, although rows are wanted.
    no_tables: u64,
}

/// The file to write, whole or not at all.
struct Target {
    path: PathBuf,
    force: bool,
    file: NamedTempFile,
}

/// Writes the history.
pub(crate) fn export(place: &Place, asked: &Export) -> Result<()> {
    let resource = resource(&asked.resource)?;
    let form = form(asked)?;
    let target = Target::open(&asked.to, asked.force)?;
    let hub = Hub::find(place)?;
    let mut sink: Box<dyn Sink> = match form {
        Form::Sqlite => Box::new(Sqlite::open(target.file.path(), asked)?),
        Form::Csv => Box::new(Lines::open(target.file.reopen()?, asked.rows)?),
    };
    let counts = fill(&hub, &resource, asked, sink.as_mut())?;
    sink.finish().with_context(|| format!("cannot write {}", asked.to.display()))?;
    target.keep()?;
    tell(asked, &counts)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Sqlite,
    Csv,
}

/// What kind of file its ending says.
fn form(asked: &Export) -> Result<Form> {
    let ending = asked.to.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    let form = match ending.as_deref() {
        Some("sqlite" | "sqlite3" | "db") => Form::Sqlite,
        Some("csv") => Form::Csv,
        _ => {
            let what = format!("cannot tell from its name what to write to {}", asked.to.display());
            return Err(hinted(what, "end it in .sqlite or .csv"));
        }
    };
    if form == Form::Csv && asked.contents {
        let what = "a CSV file holds no contents";
        return Err(hinted(what, "leave --contents out, or write to a file that ends in .sqlite"));
    }
    Ok(form)
}

impl Target {
    fn open(path: &Path, force: bool) -> Result<Self> {
        let path = match path.canonicalize() {
            Ok(target) if !target.is_file() => {
                return Err(hinted(format!("{} is no file", path.display()), "name another one"));
            }
            Ok(_) if !force => return Err(exists(path)),
            Ok(target) => target,
            Err(_) => path.to_path_buf(),
        };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or_else(|| Path::new("."));
        // As any new file: what the user's umask leaves.
        let all = Permissions::from_mode(0o666);
        let mut builder = tempfile::Builder::new();
        let file = builder.prefix(".esker-export-").permissions(all).tempfile_in(folder);
        let file = file.map_err(plain);
        let file = file.with_context(|| format!("cannot write to {}", folder.display()))?;
        Ok(Self { path, force, file })
    }

    /// Gives the file its name, now that it is whole.
    fn keep(self) -> Result<()> {
        let written = || format!("cannot write {}", self.path.display());
        self.file.as_file().sync_all().with_context(written)?;
        let kept = if self.force {
            self.file.persist(&self.path)
        } else {
            self.file.persist_noclobber(&self.path)
        };
        match kept {
            Ok(_) => Ok(()),
            Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Err(exists(&self.path)),
            Err(error) => Err(error.error).context(format!("cannot write {}", self.path.display())),
        }
    }
}

fn exists(path: &Path) -> anyhow::Error {
    let what = format!("{} is there already", path.display());
    hinted(what, "name another file, or say --force to replace it")
}

/// Writes the revisions asked for, newest first.
fn fill(hub: &Hub, resource: &Resource, asked: &Export, sink: &mut dyn Sink) -> Result<Counts> {
    let stop = Stop::on_signals()?;
    let since = asked.since.as_deref().map(version).transpose()?;
    let until = asked.until.as_deref().map(version).transpose()?;
    let filter = Filter { since, until, ..Filter::default() };
    let log = Log { resource: Some(resource.clone()), filter, ..Log::newest(0) };
    let mut counts = Counts::default();
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    let began = Instant::now();
    pages::walk(hub, &log, |entry| {
        if stop.is_pulled() {
            let what = format!("stopped; {} was not written", asked.to.display());
            return Err(anyhow::Error::msg(what));
        }
        add(hub, &entry, asked, (&mut *sink, &mut counts))?;
        if bar.is_hidden() && began.elapsed() > PATIENCE {
            bar.set_draw_target(ProgressDrawTarget::stderr());
            bar.set_style(ProgressStyle::with_template("{spinner} {pos} versions, {per_sec}")?);
        }
        bar.set_position(counts.revisions);
        Ok(ControlFlow::Continue(()))
    })?;
    bar.finish_and_clear();
    Ok(counts)
}

fn add(
    hub: &Hub,
    entry: &Entry,
    asked: &Export,
    (sink, counts): (&mut dyn Sink, &mut Counts),
) -> Result<()> {
    sink.revision(entry)?;
    counts.revisions += 1;
    let wants_content = sink.wants_content(entry)?;
    if entry.blob.is_none() || !(wants_content || asked.rows) {
        return Ok(());
    }
    let content = content(hub, entry)?;
    if wants_content {
        sink.content(entry, &content)?;
        counts.contents += 1;
    }
    if asked.rows {
        match tables(entry, &content) {
            Some(tables) => {
                sink.rows(entry, &tables)?;
                counts.rows +=
                    tables.iter().map(|table| table.sheet().rows.len() as u64).sum::<u64>();
            }
            None => counts.no_tables += 1,
        }
    }
    Ok(())
}

fn content(hub: &Hub, entry: &Entry) -> Result<Bytes> {
    let get = Get { at: entry.revision.into(), ..Get::head(entry.resource.clone()) };
    hub.call(&get)?.bytes.context("the hub answered without the content")
}

fn tables(entry: &Entry, content: &[u8]) -> Option<Vec<Table>> {
    let suits = table::suits(entry.content_type.as_deref(), content);
    suits.then(|| table::read(content, Instant::now() + READ_MAX).ok())?
}

fn tell(asked: &Export, counts: &Counts) -> Result<()> {
    let file = asked.to.display().to_string();
    if asked.json {
        return Ok(say::json(&json!({
            "resource": asked.resource,
            "file": file,
            "revisions": counts.revisions,
            "contents": counts.contents,
            "rows": counts.rows,
            "no_tables": counts.no_tables,
        }))?);
    }
    let rows = if asked.rows { format!(", {} rows", counts.rows) } else { String::new() };
    say::note(format!("wrote {file}: {} versions{rows}", counts.revisions));
    if counts.no_tables > 0 {
        say::note(format!("{} versions have no rows: they are no tables", counts.no_tables));
    }
    Ok(())
}
