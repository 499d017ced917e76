//! The gate before publishing: a run's outputs are held against its checks and guards.
//!
//! What is refused is not stored as a version of the resource: it is kept on a branch of its own, and the run
//! becomes a problem that says what is wrong and where.

mod around;
mod program;

use std::collections::BTreeMap;

use bytes::Bytes;
use esker_wire::name::Resource;
use esker_wire::record::STDERR_MAX;
use esker_wire::snapshot::{Item, Put};

use crate::definition::gate::{Check, Gate, Judge, Severity};
use crate::gate::file::{Rules, Unusable};
use crate::gate::finding::Findings;
use crate::gate::guard;
use crate::plan::{Run, Task};
use crate::rejected;

use self::around::Around;
use super::failure::Broken;
use super::line::Line;
use super::{Began, Bench, Halt, Made, store};

/// The exit code that says that data is bad, as provenance tells of what was refused.
const BAD_DATA: i32 = 65;

/// What one judge says against one output.
struct Refusal {
    output: Resource,
    by: String,
    findings: Findings,
    severity: Severity,
}

impl Refusal {
    fn line(&self) -> String {
        format!("{}: refused by {}: {}", self.output, self.by, self.findings.summary())
    }
}

/// Lets the outputs pass, with what is to be said of them, or keeps them aside and says why.
pub(super) fn pass(
    (bench, line): (&Bench, &Line),
    run: &mut Run,
    mut made: Made,
    began: Began,
) -> Result<Made, Halt> {
    let gate = match &run.task {
        Task::Stage(stage) => stage.gate.clone(),
        Task::Source(source) => source.gate.clone(),
    };
    if gate.is_open() {
        return Ok(made);
    }
    let mut around = Around::new(bench, line, run);
    let (refused, warned) = parted(judge(&mut around, &gate, &made)?);
    let references = around.references();
    made.warnings.extend(warned.iter().map(Refusal::line));
    if refused.is_empty() {
        return Ok(made);
    }
    let mut broken = broken(&refused);
    match keep((bench, line), run, (made, began), &broken.summary) {
        Ok(true) => {
            let (output, name) = (&refused[0].output, run.name());
            broken.hint = format!("see it: esker get {output} --rejected {name}; {}", broken.hint);
        }
        Ok(false) => {}
        Err(halt) => return Err(halt),
    }
    // The problem is over when these change, too.
    run.inputs.extend(references);
    Err(broken.into())
}

/// Lets the outputs of a run of the past pass, with what is to be said of them, or says why not. They are held against
/// these contents as the versions before, and nothing is kept aside.
pub(super) fn pass_then(
    (bench, line): (&Bench, &Line),
    run: &Run,
    (gate, mut made): (&Gate, Made),
    before: BTreeMap<Resource, Option<Bytes>>,
) -> Result<Made, Halt> {
    if gate.is_open() {
        return Ok(made);
    }
    let mut around = Around::then((bench, line), run, before);
    let (refused, warned) = parted(judge(&mut around, gate, &made)?);
    made.warnings = warned.iter().map(Refusal::line).collect();
    if refused.is_empty() { Ok(made) } else { Err(broken(&refused).into()) }
}

/// What is refused, and what is only warned of.
fn parted(refusals: Vec<Refusal>) -> (Vec<Refusal>, Vec<Refusal>) {
    refusals.into_iter().partition(|refusal| refusal.severity == Severity::Error)
}

/// Everything that is refused: files and guards first, programs only for what these let pass.
fn judge(around: &mut Around<'_>, gate: &Gate, made: &Made) -> Result<Vec<Refusal>, Halt> {
    let mut refusals = Vec::new();
    for check in &gate.checks {
        if let Judge::File(path) = &check.judge {
            of_file(around, (check, path), made, &mut refusals)?;
        }
    }
    for (output, content) in &made.contents {
        let before = match gate.guards.compare() {
            true => around.previous(output)?.as_deref().map(guard::rows),
            false => None,
        };
        let findings = guard::judge(&gate.guards, guard::rows(content), before);
        let (by, severity) = ("a guard".to_owned(), Severity::Error);
        refusals.push(Refusal { output: output.clone(), by, findings, severity });
    }
    refusals.retain(|refusal| !refusal.findings.is_empty());
    let is_refused = refusals.iter().any(|refusal| refusal.severity == Severity::Error);
    for check in gate.checks.iter().filter(|_| !is_refused) {
        let Judge::Run(program) = &check.judge else {
            continue;
        };
        for (output, content) in concerned(check, made) {
            let findings = program::judge(around, (check, program), (output, content))?;
            refusals.push(refusal(check, output, findings));
        }
    }
    refusals.retain(|refusal| !refusal.findings.is_empty());
    Ok(refusals)
}

fn of_file(
    around: &mut Around<'_>,
    (check, path): (&Check, &str),
    made: &Made,
    refusals: &mut Vec<Refusal>,
) -> Result<(), Halt> {
    let rules = Rules::load(&around.bench.dir, path).map_err(|Unusable { message, hint }| {
        let hint = if hint.is_empty() { "run: esker check".to_owned() } else { hint };
        Broken::new(message, hint)
    })?;
    let mut known = BTreeMap::new();
    for resource in rules.references() {
        if let Some(content) = around.reference(&resource)? {
            known.insert(resource, content);
        }
    }
    // A content that may be empty has nothing that could be wrong.
    for (output, content) in concerned(check, made).filter(|(_, content)| !content.is_empty()) {
        around.line.heed()?;
        let findings = rules.judge((content, check.stream.as_deref()), &known);
        refusals.push(refusal(check, output, findings));
    }
    Ok(())
}

fn concerned<'m>(
    check: &Check,
    made: &'m Made,
) -> impl Iterator<Item = &'m (Resource, Bytes)> + use<'m> {
    let wanted = check.output.clone();
    made.contents.iter().filter(move |(name, _)| wanted.as_ref().is_none_or(|only| only == name))
}

fn refusal(check: &Check, output: &Resource, findings: Findings) -> Refusal {
    Refusal { output: output.clone(), by: check.title(), findings, severity: check.severity }
}

/// The failure of a run whose outputs are refused.
fn broken(refused: &[Refusal]) -> Broken {
    let mut summary = refused[0].line();
    if refused.len() > 1 {
        let others: Vec<String> = refused[1..]
            .iter()
            .map(|refusal| format!("{} by {}", refusal.output, refusal.by))
            .collect();
        summary += &format!("; also {}", others.join(", "));
    }
    let mut detail = String::new();
    for refusal in refused {
        detail += &format!("{}, {}:\n{}", refusal.output, refusal.by, refusal.findings.lines());
    }
    detail.truncate(detail.floor_char_boundary(STDERR_MAX));
    let hint = "the last good version stays; it runs again when its inputs, program or checks \
        change";
    Broken { detail, ..Broken::new(summary, hint) }
}

/// Stores what is refused on a branch of its own; whether that could be done.
fn keep(
    (bench, line): (&Bench, &Line),
    run: &Run,
    (made, began): (Made, Began),
    why: &str,
) -> Result<bool, Halt> {
    let Some(branch) = rejected::of_run(run.name(), &run.run_key) else {
        return Ok(false);
    };
    let content_type = made.content_type.map(str::to_owned);
    let item = |(resource, content): (Resource, Bytes)| Item {
        resource,
        content: Some(content),
        if_head: None,
        content_type: content_type.clone(),
    };
    let put = Put {
        items: made.contents.into_iter().map(item).collect(),
        branch,
        message: Some(format!("refused: {why}")),
        author: None,
        provenance: Some(store::provenance(bench, run, began, BAD_DATA)),
        base: None,
    };
    match line.ask(bench, &put)? {
        Ok(_) => Ok(true),
        Err(fault) => {
            tracing::warn!(%fault, stage = run.name(), "cannot keep what was refused");
            Ok(false)
        }
    }
}

#[cfg(test)]
mod tests;
