//! Storing what a run made, all of it or nothing, and what the store says to that.

use std::time::{Duration, Instant};

use esker_wire::fault::{Code, Fault};
use esker_wire::name::Resource;
use esker_wire::provenance::{Input, Provenance};
use esker_wire::record::{Ended, RunRecord};
use esker_wire::snapshot::{Expect, Item, Put, Stored};

use crate::definition::Origin;
use crate::plan::{Run, Task};
use crate::retry;

use super::failure::{Broken, name};
use super::line::{Line, Tale};
use super::{Began, Bench, ENGINE, Halt, Made, may_pass};

/// How long the outputs of a finished run are kept for a store that does not take them.
const PATIENCE: Duration = Duration::from_secs(600);

/// Commits the outputs if the heads are still those the run was planned with; gives the record to keep.
pub(super) fn put(
    (bench, line): (&Bench, &Line),
    run: &Run,
    made: Made,
    began: Began,
) -> Result<RunRecord, Halt> {
    let (warnings, failed_parts) = (made.warnings.clone(), made.failed_parts.clone());
    let mut request = request(bench, run, made, began);
    if let Some(provenance) = &mut request.provenance {
        provenance.failed_parts = failed_parts;
    }
    let stored = send(bench, line, &request)?;
    let changed = stored.items.iter().any(|item| item.is_changed());
    let is_output = |name: &Resource| run.outputs.iter().any(|(output, _)| output == name);
    let outputs = stored
        .items
        .into_iter()
        .filter(|item| is_output(&item.resource))
        .filter_map(|item| Some(Input { resource: item.resource, revision: item.revision? }));
    Ok(RunRecord {
        stage: run.name().to_owned(),
        run_key: run.run_key.clone(),
        ended: if changed { Ended::Stored } else { Ended::Unchanged },
        inputs: run.read(),
        outputs: outputs.collect(),
        started: began.at,
        duration_ms: began.duration_ms(),
        failure: None,
        warnings,
    })
}

/// The condition on the heads makes it safe to send the same PUT again: if the first was done after all, the
/// second is refused, and what is next is decided anew.
fn send(bench: &Bench, line: &Line, request: &Put) -> Result<Stored, Halt> {
    let patience = Instant::now() + PATIENCE;
    let mut count = 0;
    loop {
        let fault = match line.ask(bench, request)? {
            Ok(stored) => return Ok(stored),
            Err(fault) => fault,
        };
        if fault.code == Code::Conflict {
            return Err(Halt::Again(format!("the heads have moved: {fault}")));
        }
        if !may_pass(&fault) {
            return Err(refused(request, &fault).into());
        }
        if Instant::now() > patience {
            return Err(Halt::Again(format!("cannot store the outputs: {fault}")));
        }
        line.tell(Tale::Waits(fault));
        count += 1;
        line.pause(retry::pause(count))?;
    }
}

fn refused(request: &Put, fault: &Fault) -> Broken {
    let names: Vec<&str> = request.items.iter().map(|item| item.resource.as_str()).collect();
    let summary = format!("cannot store {}: {}", names.join(", "), fault.message);
    Broken::new(summary, fault.hint.clone())
}

fn request(bench: &Bench, run: &Run, made: Made, began: Began) -> Put {
    let heads = run.outputs.iter().map(|(_, head)| match head {
        Some(revision) => Expect::Revision(*revision),
        None => Expect::Absent,
    });
    let content_type = made.content_type.map(str::to_owned);
    let contents = made.contents.into_iter().map(|one| (one, content_type.clone()));
    let state = made.state.map(|one| (one, Some("application/json".to_owned())));
    let items = contents.chain(state).zip(heads);
    let items = items.map(|(((resource, content), content_type), head)| Item {
        resource,
        content: Some(content),
        if_head: Some(head),
        content_type,
    });
    Put {
        items: items.chain(made.beside).chain(bench.guard.clone()).collect(),
        branch: bench.branch.clone(),
        message: Some(message(run)),
        author: None,
        provenance: Some(provenance(bench, run, began, 0)),
        base: None,
    }
}

/// What a run says of itself.
pub(super) fn provenance(bench: &Bench, run: &Run, began: Began, exit: i32) -> Provenance {
    Provenance {
        stage: run.name().to_owned(),
        run_key: run.run_key.clone(),
        inputs: run.read(),
        program: program(run),
        code: run.print.code.clone(),
        engine: ENGINE.to_owned(),
        host: bench.host.clone(),
        started: began.at,
        duration_ms: began.duration_ms(),
        exit,
        failed_parts: Vec::new(),
    }
}

fn message(run: &Run) -> String {
    let list = |names: Vec<String>| names.join(", ");
    let outputs = list(run.outputs.iter().map(|(name, _)| name.to_string()).collect());
    let inputs = run.inputs.iter();
    let inputs = list(inputs.map(|input| input.resource.to_string()).collect());
    if inputs.is_empty() {
        format!("{}: {outputs}", run.name())
    } else {
        format!("{}: {outputs} from {inputs}", run.name())
    }
}

fn program(run: &Run) -> String {
    match &run.task {
        Task::Stage(stage) => name(&stage.program.argv),
        Task::Source(source) => match &source.origin {
            Origin::Run(program) => name(&program.argv),
            Origin::Tap(tap) => name(&tap.program.argv),
            Origin::Pull(pull) => pull.title(),
            Origin::Folder(pattern) => pattern.to_string(),
            Origin::File { path, .. } => path.clone(),
        },
    }
}

#[cfg(test)]
mod tests;
