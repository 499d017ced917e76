//! The inputs of a stage, all as of one commit, as what the program reads.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::path::Path;

use bytes::Bytes;
use esker_wire::fault::{Code, Fault};
use esker_wire::pointer::ContentId;
use esker_wire::provenance::Input;
use esker_wire::revision::At;
use esker_wire::snapshot::{CHUNK_MAX, Content, Get, Range};
use esker_wire::stacked;
use sha2::{Digest, Sha256};

use crate::child::Stdin;
use crate::definition::ways::Mode;
use crate::plan::{Run, Task};

use super::failure::Broken;
use super::line::Line;
use super::{Bench, Halt, may_pass};

/// One input is its own bytes; several are one stacked stream, a stream per input, named like the resource. Of
/// several that the definition names, those that do not exist yet are left out.
pub(super) fn inputs(
    (bench, line): (&Bench, &Line),
    run: &Run,
    named: usize,
) -> Result<Stdin, Halt> {
    if let ([only], 1) = (run.inputs.as_slice(), named) {
        return match get((bench, line), run, (only, None))? {
            Ok(content) => Ok(content.bytes.unwrap_or_default().into()),
            Err(_) => Ok(Stdin::File(fetch((bench, line), run, only)?)),
        };
    }
    let contents = contents((bench, line), run)?;
    Ok(together(&contents, named)?.into())
}

/// What all inputs hold; each has to fit into memory.
pub(super) fn contents<'r>(
    at: (&Bench, &Line),
    run: &'r Run,
) -> Result<Vec<(&'r Input, Bytes)>, Halt> {
    let mut contents = Vec::new();
    for input in &run.inputs {
        let hint = "a stage with several inputs, or a `split`, reads what fits into memory; \
            give it this one alone and whole";
        let content = get(at, run, (input, None))?;
        let content = content.map_err(|fault| Broken::new(fault.message, hint))?;
        contents.push((input, content.bytes.unwrap_or_default()));
    }
    Ok(contents)
}

/// What one resource holds; it has to fit into memory.
pub(super) fn whole(at: (&Bench, &Line), run: &Run, input: &Input) -> Result<Content, Halt> {
    let content = get(at, run, (input, None))?;
    Ok(content.map_err(|fault| Broken::new(fault.message, fault.hint))?)
}

/// What a program reads, of these inputs of as many as the definition names.
pub(super) fn together(contents: &[(&Input, Bytes)], named: usize) -> Result<Bytes, Halt> {
    match contents {
        [(_, only)] if named == 1 => Ok(only.clone()),
        several => stack(several).map_err(Halt::Broken),
    }
}

/// Writes what the run made last, without its overrides, into its scratch folder; gives the variables that name the
/// files. What does not exist yet has none.
pub(super) fn previous(
    (bench, line): (&Bench, &Line),
    run: &Run,
    scratch: &Path,
) -> Result<Vec<(OsString, OsString)>, Halt> {
    let mut variables = Vec::new();
    for (index, (resource, head)) in run.outputs.iter().enumerate() {
        let Some(revision) = *head else {
            continue;
        };
        let name = format!("previous-{}", index + 1);
        let path = scratch.join(name);
        let mut from = fetch((bench, line), run, &run.plain(resource, revision))?;
        from.rewind()?;
        std::io::copy(&mut from, &mut File::create(&path)?)?;
        variables.push((format!("ESKER_PREVIOUS_{}", index + 1).into(), path.into()));
    }
    Ok(variables)
}

/// Asks for an input or a part of it; the fault if it does not fit into one answer.
fn get(
    (bench, line): (&Bench, &Line),
    run: &Run,
    (input, range): (&Input, Option<Range>),
) -> Result<Result<Content, Fault>, Halt> {
    let resource = &input.resource;
    let request = Get {
        resource: resource.clone(),
        at: At::from(input.revision),
        branch: bench.branch.clone(),
        range,
        unless: None,
    };
    let content = match line.ask(bench, &request)? {
        Ok(content) => content,
        Err(fault) if fault.code == Code::TooLarge => return Ok(Err(fault)),
        // What is read from the past may have been removed there; newer versions come after it.
        Err(fault) if may_pass(&fault) || (fault.code == Code::NotFound && !sees_each(run)) => {
            return Err(Halt::Again(format!("cannot read {resource}: {fault}")));
        }
        Err(fault) => {
            let summary = format!("cannot read {resource}: {}", fault.message);
            return Err(Broken::new(summary, fault.hint).into());
        }
    };
    if content.entry.revision != input.revision {
        return Err(Halt::Again(format!("{resource} is no longer what was planned with")));
    }
    if content.bytes.is_none() {
        return Err(Halt::Again(format!("the store sent no content of {resource}")));
    }
    Ok(Ok(content))
}

/// Fetches a large input part by part into a file without a name, and checks it.
fn fetch((bench, line): (&Bench, &Line), run: &Run, input: &Input) -> Result<File, Halt> {
    std::fs::create_dir_all(&bench.scratch)?;
    let mut file = tempfile::tempfile_in(&bench.scratch)?;
    let mut hash = Sha256::new();
    let mut offset = 0;
    loop {
        let range = Some(Range { offset, length: CHUNK_MAX as u64 });
        let content = get((bench, line), run, (input, range))?;
        let content = content.map_err(|fault| Broken::new(fault.message, fault.hint))?;
        let bytes = content.bytes.unwrap_or_default();
        if !bytes.is_empty() {
            hash.update(&bytes);
            file.write_all(&bytes)?;
            offset += bytes.len() as u64;
            continue;
        }
        let found = ContentId::from_bytes(hash.finalize().into());
        let entry = content.entry;
        if offset == entry.size && entry.content_id.is_none_or(|id| id == found) {
            return Ok(file);
        }
        let summary = format!("cannot read {}: it is damaged", input.resource);
        let hint = "put the same bytes again; `esker doctor` lists all that is missing";
        return Err(Broken::new(summary, hint).into());
    }
}

pub(super) fn stack(contents: &[(&Input, Bytes)]) -> Result<Bytes, Broken> {
    let mut all = Vec::new();
    for (input, bytes) in contents {
        let resource = &input.resource;
        if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
            let summary = format!("{resource} is not text: byte {at} is NUL");
            let hint = "a stage with several inputs reads text; give it this one alone";
            return Err(Broken::new(summary, hint));
        }
        stacked::write(&mut all, resource.as_str(), bytes);
    }
    Ok(all.into())
}

/// Whether a run is of a stage that sees every version of its input.
fn sees_each(run: &Run) -> bool {
    matches!(&run.task, Task::Stage(stage) if stage.ways.mode == Mode::Each)
}
