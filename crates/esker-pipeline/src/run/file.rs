//! Reading a file, or the files of a folder, with regard to programs that are still writing them.

use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;

use esker_wire::stacked;

use crate::definition::Source;
use crate::definition::folder::Pattern;
use crate::fingerprint::{self, Stamp};
use crate::key::{self, Print, sha256};
use crate::open;
use crate::plan::Run;
use crate::sheets::{self, FILE_MAX};

use super::failure::Broken;
use super::line::Line;
use super::{Bench, Halt, Made, output};

/// How long a file must have been left alone before what is wrong with it, or new in it, counts.
const REST: Duration = Duration::from_millis(300);
/// How long to wait for a file to be left alone.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// How often a file that is never left alone is read before it is given up.
const READS_MAX: u32 = 20;

/// What to read.
pub(super) struct Wanted<'a> {
    pub(super) source: &'a Source,
    /// What it is called in front of people.
    pub(super) path: &'a str,
    /// How long to wait for it to be left alone.
    pub(super) patience: Duration,
}

/// A file, and the sheets wanted of it.
pub(super) fn read(
    (bench, line): (&Bench, &Line),
    run: &mut Run,
    wanted: &Wanted<'_>,
    sheets: &[String],
) -> Result<Made, Halt> {
    let full = bench.dir.join(wanted.path);
    settle(line, run, wanted, || Look::at(&full, (wanted.path, sheets)))
}

/// The files of a folder, as one stacked stream.
pub(super) fn read_folder(
    (bench, line): (&Bench, &Line),
    run: &mut Run,
    wanted: &Wanted<'_>,
    pattern: &Pattern,
) -> Result<Made, Halt> {
    settle(line, run, wanted, || Look::at_folder(&bench.dir, pattern))
}

/// Reads what is wanted and turns it into the source's content. A file that is not what was planned with, or that is
/// unreadable, empty or no workbook, is looked at again until it rests: its writer may not have finished. One
/// that never rests is taken as it is between two changes. The run becomes one for what was read.
fn settle(
    line: &Line,
    run: &mut Run,
    wanted: &Wanted<'_>,
    mut look: impl FnMut() -> Look,
) -> Result<Made, Halt> {
    let planned = run.clone();
    let until = Instant::now() + wanted.patience;
    let mut late_reads = 0;
    loop {
        line.heed()?;
        let late = Instant::now() > until;
        let Look { loaded, calm, rested } = look();
        if !calm {
            late_reads += u32::from(late);
            if late_reads > READS_MAX {
                return Err(restless(wanted.path).into());
            }
            if !late {
                line.pause(REST)?;
            }
            continue;
        }
        *run = match &loaded {
            Ok(loaded) => of_content(&planned, wanted.source, &loaded.hash),
            Err(_) => planned.clone(),
        };
        let rested = rested || late;
        match loaded.and_then(|loaded| content(loaded.content?, wanted)) {
            Ok(content) if rested || run.run_key == planned.run_key => {
                let contents = vec![(wanted.source.output.clone(), content)];
                return Ok(Made::new(contents, content_type(wanted.path)));
            }
            Err(broken) if rested => return Err(broken.into()),
            _ => line.pause(REST)?,
        }
    }
}

/// What was read: what tells it from others, and what it is as a content.
struct Loaded {
    hash: String,
    content: Result<Bytes, Broken>,
}

/// What one look has found.
struct Look {
    loaded: Result<Loaded, Broken>,
    /// Whether it stayed the same while it was read.
    calm: bool,
    /// Whether it had been left alone for a while before.
    rested: bool,
}

impl Look {
    fn at(full: &Path, (path, sheets): (&str, &[String])) -> Self {
        let before = Stamp::at(full);
        let loaded = load(full, path)
            .map(|bytes| Loaded { hash: sha256(&bytes), content: convert(&bytes, path, sheets) });
        let calm = before == Stamp::at(full);
        Self { loaded, calm, rested: before.is_none_or(|stamp| stamp.has_rested(REST)) }
    }

    fn at_folder(dir: &Path, pattern: &Pattern) -> Self {
        let before = stamps(dir, pattern);
        let loaded = load_folder(dir, pattern);
        let calm = before == stamps(dir, pattern);
        let rested = before.iter().flatten().all(|(_, stamp)| stamp.has_rested(REST));
        Self { loaded, calm, rested }
    }
}

/// The files of a folder and the states they are in; nothing if the folder cannot be read.
fn stamps(dir: &Path, pattern: &Pattern) -> Option<Vec<(String, Stamp)>> {
    let files = pattern.files(dir).ok()?.into_iter();
    Some(files.filter_map(|(name, path)| Some((name, Stamp::at(&path)?))).collect())
}

fn load_folder(dir: &Path, pattern: &Pattern) -> Result<Loaded, Broken> {
    let files = pattern.files(dir).map_err(|error| {
        let summary = format!("cannot read the folder of {pattern}: {error}");
        Broken::new(summary, "the source waits until it can be read")
    })?;
    let mut hashes = Vec::new();
    let mut all = Vec::new();
    let mut fault = None;
    for (name, path) in files {
        let bytes = load(&path, &name)?;
        hashes.push((name.clone(), Some(sha256(&bytes))));
        match convert(&bytes, &name, &[]).and_then(|text| check_text(&name, text)) {
            Ok(text) => stacked::write(&mut all, &name, &text),
            Err(broken) => fault = fault.or(Some(broken)),
        }
        if all.len() as u64 > FILE_MAX {
            let summary = format!("{pattern} has more than {} MiB", FILE_MAX >> 20);
            return Err(Broken::new(summary, "move some of the files elsewhere"));
        }
    }
    let content = fault.map_or(Ok(all.into()), Err);
    Ok(Loaded { hash: fingerprint::of_folder(&hashes), content })
}

/// A stacked stream is of lines.
pub(crate) fn check_text(name: &str, text: Bytes) -> Result<Bytes, Broken> {
    match text.contains(&0) {
        true => {
            let summary = format!("the file {name} of the folder is no text");
            Err(Broken::new(
                summary,
                "a folder is read as text; name only such files: folder = \"drop/*.csv\"",
            ))
        }
        false => Ok(text),
    }
}

/// The run for this very content, whatever the file held when it was planned.
fn of_content(planned: &Run, source: &Source, hash: &str) -> Run {
    let print = Print { file: Some(hash.to_owned()), ..planned.print.clone() };
    let run_key = key::of_source(source, &print);
    let failed = planned.failed.filter(|_| run_key == planned.run_key);
    Run { print, run_key, failed, ..planned.clone() }
}

fn restless(path: &str) -> Broken {
    let summary = format!("cannot read {path}: it keeps changing while it is read");
    let hint = "have its writer write another file and rename it when it is complete";
    Broken::new(summary, hint)
}

fn load(full: &Path, path: &str) -> Result<Bytes, Broken> {
    let mut bytes = Vec::new();
    let read = open::regular(full).and_then(|file| file.take(FILE_MAX + 1).read_to_end(&mut bytes));
    if let Err(error) = read {
        let summary = format!("cannot read {path}: {error}");
        return Err(Broken::new(summary, "the source waits until it can be read"));
    }
    if bytes.len() as u64 > FILE_MAX {
        let summary = format!("{path} is larger than {} MiB", FILE_MAX >> 20);
        return Err(Broken::new(summary, "split it, or reduce it with a program first"));
    }
    Ok(bytes.into())
}

fn content(content: Bytes, wanted: &Wanted<'_>) -> Result<Bytes, Broken> {
    if content.is_empty() && !wanted.source.allow_empty {
        return Err(output::empty(wanted.source.output.as_str()));
    }
    Ok(content)
}

pub(crate) fn convert(bytes: &Bytes, path: &str, wanted: &[String]) -> Result<Bytes, Broken> {
    if !sheets::is_workbook(path) {
        return Ok(bytes.clone());
    }
    let text = sheets::to_stacked(path, bytes, wanted);
    let text = text.map_err(|error| Broken::new(error.to_string(), error.hint()))?;
    Ok(text.into())
}

pub(crate) fn content_type(path: &str) -> Option<&'static str> {
    let (_, ending) = path.rsplit_once('.')?;
    match ending.to_ascii_lowercase().as_str() {
        "csv" => Some("text/csv"),
        "tsv" => Some("text/tab-separated-values"),
        "json" => Some("application/json"),
        "txt" | "xlsx" | "xlsm" | "ods" => Some("text/plain"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
