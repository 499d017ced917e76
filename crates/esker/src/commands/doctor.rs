//! `esker doctor`: looks for what is wrong here and says what to do.

use std::net::TcpListener;
use std::process::ExitCode;
use std::time::Duration;

use anstyle::AnsiColor;
use anyhow::Result;
use esker_pipeline::definition::{self, Definition};
use esker_store::store::Store;
use esker_wire::blobs::Blobs;
use esker_wire::snapshot::{Health, MirrorReport};
use indicatif::ProgressBar;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::cli::Doctor;
use crate::endpoints::Endpoints;
use crate::project::{Place, Project};
use crate::reach::{self, Hub};
use crate::replication::{describe, describe_blobs};
use crate::say;

/// Less free space than this, in bytes, is a finding.
const FREE_MIN: u64 = 256 * 1024 * 1024;

/// A store whose newest commit is further in the future than this tells of a wrong clock.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_secs(300);

/// How often the progress bar shows that it lives.
const LIVES_EVERY: Duration = Duration::from_millis(100);

/// One thing looked at.
struct Finding {
    /// What was looked at.
    what: &'static str,
    /// How it is.
    says: String,
    /// What to do, if it is not well.
    hint: Option<String>,
}

impl Finding {
    fn well(what: &'static str, says: impl Into<String>) -> Self {
        Self { what, says: says.into(), hint: None }
    }

    fn ill(what: &'static str, says: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { what, says: says.into(), hint: Some(hint.into()) }
    }
}

/// Looks at everything; fails if something is wrong.
pub(crate) fn doctor(place: &Place, doctor: &Doctor) -> Result<ExitCode> {
    let project = place.project()?;
    let mut findings = Vec::new();
    let definition = definition_findings(&project, &mut findings);
    findings.push(disk(&project)?);
    let blobs = definition.as_ref().and_then(|definition| definition.store.blobs.as_ref());
    findings.extend(store(&project, blobs));
    if doctor.deep {
        findings.extend(deep(&project, blobs));
    }
    findings.extend(hub(place, &project, definition.as_ref()));
    findings.push(runner(&project));
    let ill = findings.iter().any(|finding| finding.hint.is_some());
    if doctor.json {
        let findings = findings.iter().map(|finding| {
            json!({
                "what": finding.what,
                "ok": finding.hint.is_none(),
                "says": finding.says,
                "hint": finding.hint,
            })
        });
        say::json(&Value::from(findings.collect::<Vec<_>>()))?;
    } else {
        print(&findings)?;
    }
    Ok(if ill { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn print(findings: &[Finding]) -> Result<()> {
    let (green, red) = (AnsiColor::Green.on_default(), AnsiColor::Red.on_default().bold());
    for finding in findings {
        match &finding.hint {
            None => {
                say::line(format!("{green}ok{green:#}     {:<10} {}", finding.what, finding.says))?
            }
            Some(hint) => {
                say::line(format!("{red}wrong{red:#}  {:<10} {}", finding.what, finding.says))?;
                say::line(format!("       {:<10} hint: {hint}", ""))?;
            }
        }
    }
    Ok(())
}

fn definition_findings(project: &Project, findings: &mut Vec<Finding>) -> Option<Definition> {
    let (definition, defects) = definition::check(&project.dir);
    for defect in &defects {
        let place = format!("line {}: {}", defect.line, defect.message);
        findings.push(if defect.is_error() {
            Finding::ill("esker.toml", place, defect.hint.clone())
        } else {
            Finding::well("esker.toml", format!("{place} (a warning)"))
        });
    }
    if defects.is_empty() {
        findings.push(Finding::well("esker.toml", "is good"));
    }
    definition
}

fn disk(project: &Project) -> Result<Finding> {
    let hidden = project.hidden()?;
    if let Err(error) = tempfile::tempfile_in(&hidden) {
        let says = format!("cannot write in {}: {error}", hidden.display());
        return Ok(Finding::ill("disk", says, "give this user the right to write there"));
    }
    let system = rustix::fs::statvfs(&hidden)?;
    let free = system.f_bavail.saturating_mul(system.f_frsize);
    let says = format!("{} free", say::size(free));
    Ok(if free < FREE_MIN {
        Finding::ill("disk", says, "make room: a full disk refuses every PUT")
    } else {
        Finding::well("disk", says)
    })
}

fn store(project: &Project, blobs: Option<&Blobs>) -> Vec<Finding> {
    let dir = project.store();
    if !dir.exists() {
        return vec![Finding::well("store", "there is none yet; `esker up` makes it")];
    }
    let found = Store::check(&dir, blobs);
    if found.is_empty() {
        return vec![Finding::well("store", format!("{} is sound", dir.display()))];
    }
    found.into_iter().map(|finding| Finding::ill("store", finding.message, finding.hint)).collect()
}

/// Reads all of the store.
fn deep(project: &Project, blobs: Option<&Blobs>) -> Vec<Finding> {
    let dir = project.store();
    if !dir.exists() {
        return Vec::new();
    }
    let bar = ProgressBar::new_spinner().with_message("reading the store");
    bar.enable_steady_tick(LIVES_EVERY);
    let found = Store::check_deep(&dir, blobs, &mut |line| bar.set_message(line.to_owned()));
    bar.finish_and_clear();
    if found.is_empty() {
        return vec![Finding::well("deep", "every object is what its id says, nothing is missing")];
    }
    found.into_iter().map(|finding| Finding::ill("deep", finding.message, finding.hint)).collect()
}

fn hub(place: &Place, project: &Project, definition: Option<&Definition>) -> Vec<Finding> {
    let running = reach::running(project);
    if place.hub.is_none() && running.is_none() {
        let ports = definition.map(ports).unwrap_or_default();
        let free = Finding::well("hub", "none runs; `esker up` starts one");
        return if ports.is_empty() { vec![free] } else { ports };
    }
    let where_from = running
        .map_or_else(|| place.hub.clone().unwrap_or_default(), |addresses| addresses.requests);
    let asked = Hub::find(place).and_then(|hub| {
        let log = esker_wire::snapshot::Log::newest(1);
        Ok((hub.call(&Health)?, hub.call(&log)?.entries))
    });
    let (health, newest) = match asked {
        Ok(answers) => answers,
        Err(error) => {
            let hint = "stop it and start `esker up` again; its log says why it hangs";
            return vec![Finding::ill("hub", format!("{where_from}: {error}"), hint)];
        }
    };
    let runs = Finding::well("hub", format!("{} runs at {where_from}", health.engine));
    let mut findings = vec![match &health.not_writable {
        Some(why) if health.follows.is_none() => {
            let hint = "mend that; the hub tries again by itself. A branch that was moved is put back \
                with `git update-ref`, or accepted with `esker repair --accept BRANCH`";
            Finding::ill("hub", why, hint)
        }
        _ => runs,
    }];
    findings.extend(health.follows.iter().map(follows));
    findings.extend(health.mirrors.iter().map(mirror));
    findings.extend(health.blobs.iter().map(blobs));
    let newest = newest.first().map_or(Timestamp::UNIX_EPOCH, |entry| entry.time);
    if newest.duration_since(Timestamp::now()) > CLOCK_SLACK {
        let says = format!("the newest commit is from {}, which is yet to come", say::time(newest));
        findings.push(Finding::ill(
            "clock",
            says,
            "set the clock of the machine that made it, which is this one unless it came with git; \
                order never depends on it, and by a date it is found from the next PUT on",
        ));
    }
    findings
}

fn mirror(report: &MirrorReport) -> Finding {
    let says = describe(report);
    match &report.trouble {
        None => Finding::well("mirror", says),
        Some(_) => Finding::ill("mirror", says, "mend that there; esker tries again by itself"),
    }
}

fn blobs(report: &MirrorReport) -> Finding {
    let says = describe_blobs(report);
    match &report.trouble {
        None => Finding::well("blobs", says),
        Some(_) => Finding::ill("blobs", says, "mend that; what is behind is kept here until then"),
    }
}

fn follows(report: &MirrorReport) -> Finding {
    match &report.trouble {
        None => Finding::well("follows", format!("it is a read replica of {}", report.url)),
        Some(why) => {
            let hint =
                "what was read before is still served; mend the mirror, or begin a new replica";
            Finding::ill("follows", format!("{}: {why}", report.url), hint)
        }
    }
}

fn runner(project: &Project) -> Finding {
    let all = Endpoints::read(project);
    match (all.has_runner(), all.hub.is_some()) {
        (true, _) => Finding::well("runner", "works"),
        (false, false) => Finding::well("runner", "none works; `esker up` starts one"),
        (false, true) => {
            let says = "none works: nothing is pulled or computed";
            Finding::ill(
                "runner",
                says,
                "start it with `esker runner`, or everything with `esker up`",
            )
        }
    }
}

/// The ports that the hub, the model and the page would need, where something else has them.
fn ports(definition: &Definition) -> Vec<Finding> {
    let Definition { hub, model, .. } = definition;
    let wanted = [
        ("requests", hub.requests.trim_start_matches("tcp://")),
        ("events", hub.events.trim_start_matches("tcp://")),
        ("model requests", model.requests.trim_start_matches("tcp://")),
        ("model events", model.events.trim_start_matches("tcp://")),
        ("page", definition.web.bind.as_str()),
    ];
    let mut findings = Vec::new();
    for (what, address) in wanted {
        if let Err(error) = TcpListener::bind(address) {
            let says = format!("{address} cannot be had: {error}");
            let hint = "stop what listens there, or move the ports: `esker up --port-base 6000`";
            findings.push(Finding::ill(what, says, hint));
        }
    }
    findings
}
