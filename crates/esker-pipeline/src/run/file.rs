//! Reading a file source, with regard to programs that are still writing it.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::definition::Source;
use crate::fingerprint::Stamp;
use crate::key::{self, Print, sha256};
use crate::plan::Run;
use crate::sheets::{self, FILE_MAX};

use super::failure::Broken;
use super::{Bench, Halt, Made, output};

/// How long a file must have been left alone before what is wrong with it counts.
const REST: Duration = Duration::from_millis(300);
/// How long to wait for a file to be left alone.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads the file and turns it into the source's content. A file that is unreadable, empty or no workbook is
/// looked at again until it rests: its writer may not have finished.
pub(super) fn read(
    bench: &Bench,
    run: &Run,
    source: &Source,
    (path, wanted): (&str, &[String]),
) -> Result<Made, Halt> {
    let full = bench.dir.join(path);
    let patience = Instant::now() + PATIENCE;
    let (bytes, content) = loop {
        let before = Stamp::at(&full);
        let read = load(&full, path).and_then(|bytes| {
            let content = convert(&bytes, path, wanted)?;
            if content.is_empty() && !source.allow_empty {
                return Err(output::empty(source.output.as_str()));
            }
            Ok((bytes, content))
        });
        let calm = before == Stamp::at(&full);
        match read {
            Ok(both) if calm => break both,
            Err(broken) if calm && before.is_none_or(|stamp| stamp.has_rested(REST)) => {
                return Err(broken.into());
            }
            _ if Instant::now() > patience => {
                return Err(Halt::Again(format!("{path} is still being written")));
            }
            _ => thread::sleep(REST),
        }
    };
    let print = Print { file: Some(sha256(&bytes)), ..run.print.clone() };
    if key::of_source(source, &print) != run.run_key {
        return Err(Halt::Again(format!("{path} has changed since")));
    }
    Ok(Made { contents: vec![(source.output.clone(), content)], content_type: content_type(path) })
}

fn load(full: &Path, path: &str) -> Result<Bytes, Broken> {
    let mut bytes = Vec::new();
    let read = File::open(full).and_then(|file| file.take(FILE_MAX + 1).read_to_end(&mut bytes));
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

fn convert(bytes: &Bytes, path: &str, wanted: &[String]) -> Result<Bytes, Broken> {
    if !sheets::is_workbook(path) {
        return Ok(bytes.clone());
    }
    let text = sheets::to_stacked(path, bytes, wanted);
    let text = text.map_err(|error| Broken::new(error.to_string(), error.hint()))?;
    Ok(text.into())
}

fn content_type(path: &str) -> Option<&'static str> {
    let (_, ending) = path.rsplit_once('.')?;
    match ending.to_ascii_lowercase().as_str() {
        "csv" => Some("text/csv"),
        "tsv" => Some("text/tab-separated-values"),
        "json" => Some("application/json"),
        "txt" | "xlsx" | "xlsm" | "ods" => Some("text/plain"),
        _ => None,
    }
}
