//! What counts as the same: a program that prints the essence of a content, for which a change of anything else is none.

use esker_wire::provenance::Input;
use esker_wire::revision::At;
use esker_wire::snapshot::Get;

use bytes::Bytes;

use crate::child::End;
use crate::definition::Program;
use crate::plan::Run;
use crate::pull::secrets::Secrets;

use super::failure::{self, Broken};
use super::line::Line;
use super::{Bench, Halt, Made, may_pass, start};

/// Whether everything that was made is in essence what is there already.
pub(super) fn is_same(
    (bench, line): (&Bench, &Line),
    run: &Run,
    stamp: &Program,
    made: &Made,
) -> Result<bool, Halt> {
    for (name, content) in &made.contents {
        let head = run.outputs.iter().find(|(output, _)| output == name);
        let Some(revision) = head.and_then(|(_, head)| *head) else {
            return Ok(false);
        };
        let Some(there) = read((bench, line), &run.plain(name, revision))? else {
            return Ok(false);
        };
        if there != *content {
            let there = essence((bench, line), run, (stamp, there))?;
            if there != essence((bench, line), run, (stamp, content.clone()))? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// What is there, if it fits into memory.
fn read((bench, line): (&Bench, &Line), input: &Input) -> Result<Option<Bytes>, Halt> {
    let (at, branch) = (At::from(input.revision), bench.branch.clone());
    let get = Get { at, branch, ..Get::head(input.resource.clone()) };
    match line.ask(bench, &get)? {
        Ok(content) => Ok(content.bytes),
        Err(fault) if may_pass(&fault) => {
            Err(Halt::Again(format!("cannot read {}: {fault}", input.resource)))
        }
        Err(_) => Ok(None),
    }
}

/// What the program prints for a content.
fn essence(
    (bench, line): (&Bench, &Line),
    run: &Run,
    (stamp, content): (&Program, Bytes),
) -> Result<Bytes, Halt> {
    let mut secrets = Secrets::default();
    secrets.hide_variables(&stamp.env);
    let finished = start(bench, run, (stamp, &secrets), (content.into(), line))?;
    match finished.end {
        End::Exited(0) => Ok(finished.stdout.into()),
        End::Stopped => Err(Halt::Again("the engine ends".to_owned())),
        End::Interrupted => Err(Halt::Again("it was asked to end from outside".to_owned())),
        end => {
            let stderr = secrets.redact_stderr(&finished.stderr);
            let broken = failure::of_program(stamp, end, &stderr);
            let summary = format!("cannot tell whether it has changed: {}", broken.summary);
            let hint = "mend its `stamp`, or what it printed: the stamp reads that";
            Err(Broken { summary, hint: hint.to_owned(), ..broken }.into())
        }
    }
}
