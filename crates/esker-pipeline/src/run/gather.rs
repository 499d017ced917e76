//! The inputs of a stage, all as of one commit, as what the program reads.

use bytes::Bytes;
use esker_wire::fault::Code;
use esker_wire::name::Branch;
use esker_wire::provenance::Input;
use esker_wire::revision::At;
use esker_wire::snapshot::Get;
use esker_wire::stacked;

use crate::plan::Run;

use super::failure::Broken;
use super::line::Line;
use super::{Bench, Halt, may_pass};

/// One input is its own bytes; several are one stacked stream, a stream per input, named like the resource.
pub(super) fn inputs(bench: &Bench, run: &Run, line: &Line) -> Result<Bytes, Halt> {
    let mut contents = Vec::new();
    for input in &run.inputs {
        contents.push((input, get((bench, line), run, input)?));
    }
    if let [(_, only)] = contents.as_slice() {
        return Ok(only.clone());
    }
    stack(&contents).map_err(Halt::Broken)
}

fn get((bench, line): (&Bench, &Line), run: &Run, input: &Input) -> Result<Bytes, Halt> {
    let resource = &input.resource;
    let request = Get {
        resource: resource.clone(),
        at: run.at.map_or_else(At::head, At::from),
        branch: Branch::main(),
        range: None,
        unless: None,
    };
    let content = match line.ask(bench, &request)? {
        Ok(content) => content,
        Err(fault) if may_pass(&fault) || fault.code == Code::NotFound => {
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
    content.bytes.ok_or_else(|| Halt::Again(format!("the store sent no content of {resource}")))
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
