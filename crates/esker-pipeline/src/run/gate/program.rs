//! A program as a check: it reads the output, and its exit code is the verdict.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use esker_wire::name::Resource;
use similar::TextDiff;

use crate::child::{self, End, Order};
use crate::definition::Program;
use crate::definition::gate::{Check, Severity};
use crate::gate::finding::{Finding, Findings};
use crate::gate::table::Part;
use crate::pull::secrets::Secrets;

use super::super::failure::{self, Broken};
use super::super::{Halt, variables};
use super::{Around, BAD_DATA};

/// How long the smallest difference is looked for; after that a larger one is given.
const SEARCH_MAX: Duration = Duration::from_millis(500);

/// What a program says against an output, or a stream of it.
pub(super) fn judge(
    around: &mut Around<'_>,
    (check, program): (&Check, &Program),
    (output, content): (&Resource, &Bytes),
) -> Result<Findings, Halt> {
    let select = |content: &Bytes| match &check.stream {
        None => Ok(content.clone()),
        Some(name) => Part::stream(content, name).map(|part| Bytes::from(part.bytes.into_owned())),
    };
    let candidate = match select(content) {
        Ok(candidate) => candidate,
        Err(finding) => return Ok(Findings::one(finding)),
    };
    // A version before that has no such stream is to the program as none.
    let previous = around.previous(output)?.and_then(|content| select(&content).ok());
    around.line.heed()?;
    let scratch = &around.bench.scratch;
    std::fs::create_dir_all(scratch)?;
    let scratch = tempfile::Builder::new().prefix("check-").tempdir_in(scratch)?;
    let mut env = variables(around.bench, around.run, scratch.path());
    env.push(("ESKER_OUTPUT".into(), output.as_str().into()));
    env.extend(files(scratch.path(), previous.as_deref(), &candidate)?);
    let (esker, dir) = (around.bench.esker.as_path(), around.bench.dir.as_path());
    // How far it is is of no interest: the stage is done.
    let says = |_| {};
    let order = Order { esker, dir, program, env, stdin: candidate.into(), says: &says };
    let mut finished = child::run(&order, &around.line.mailbox)?;
    // A check is given the variables of what it judges.
    let mut secrets = Secrets::default();
    secrets.hide_variables(&program.env);
    finished.stdout = secrets.redact_tail(&finished.stdout, false);
    finished.stderr = secrets.redact_stderr(&finished.stderr);
    match finished.end {
        // What it printed is not needed.
        End::Exited(0) | End::Unclosed => Ok(Findings::default()),
        End::Exited(1 | BAD_DATA) => Ok(told(&finished.stdout, &finished.stderr)),
        End::Stopped => Err(Halt::Again("the engine ends".to_owned())),
        End::Interrupted => Err(Halt::Again("it was asked to end from outside".to_owned())),
        end => {
            let broken = failure::of_program(program, end, &finished.stderr);
            let summary = format!("cannot check {output}: {}", broken.summary);
            if check.severity == Severity::Warn && !broken.temporary {
                return Ok(Findings::one(Finding::new(summary)));
            }
            Err(Broken { summary, ..broken }.into())
        }
    }
}

/// The files that the program may look at: the version before, and the difference to it.
fn files(
    scratch: &Path,
    previous: Option<&[u8]>,
    candidate: &[u8],
) -> std::io::Result<Vec<(OsString, OsString)>> {
    let mut variables = Vec::new();
    let mut file = |variable: &str, name: &str, bytes: &[u8]| {
        let path = scratch.join(name);
        std::fs::write(&path, bytes)?;
        variables.push((variable.into(), path.into()));
        std::io::Result::Ok(())
    };
    if let Some(previous) = previous {
        file("ESKER_PREVIOUS", "previous", previous)?;
    }
    file("ESKER_DIFF", "diff", &difference(previous.unwrap_or_default(), candidate))?;
    Ok(variables)
}

/// The unified diff from the version before.
fn difference(previous: &[u8], candidate: &[u8]) -> Vec<u8> {
    let diff = TextDiff::configure().timeout(SEARCH_MAX).diff_lines(previous, candidate);
    let mut out = Vec::new();
    let mut unified = diff.unified_diff();
    let unified = unified.context_radius(0).header("previous", "candidate");
    unified.to_writer(&mut out).expect("writing into memory cannot fail");
    out
}

/// A finding for each line it printed; if it printed none, the last thing it complained of.
fn told(stdout: &[u8], stderr: &[u8]) -> Findings {
    let mut findings = Findings::default();
    for line in String::from_utf8_lossy(stdout).lines().filter(|line| !line.trim().is_empty()) {
        findings.add(|| Finding::new(line.trim_end()));
    }
    if findings.is_empty() {
        let stderr = String::from_utf8_lossy(stderr);
        let last = stderr.lines().rev().map(str::trim).find(|line| !line.is_empty());
        findings.push(Finding::new(last.unwrap_or("it does not say why")));
    }
    findings
}
