//! `esker bisect`: the first version of a resource that a program finds bad.

mod search;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use esker_pipeline::trial::{self, Ended, Trial};
use esker_wire::name::{Branch, Resource};
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Diff, Entry, Form, Get, Log, Stat};
use serde_json::{Value, json};

use crate::cli::Bisect;
use crate::commands::{diff, entry_json, pages};
use crate::project::Place;
use crate::reach::{Hub, resource, version};
use crate::say::{self, hinted};
use search::{Search, Verdict};

/// The exit code of a program that cannot tell good from bad.
const SKIP: i32 = 125;
/// How many lines of the difference are shown.
const DIFF_MAX: usize = 20;

/// What is searched, and by what.
struct Bench<'a> {
    hub: Hub,
    resource: Resource,
    esker: PathBuf,
    dir: PathBuf,
    argv: Vec<String>,
    timeout: Duration,
    asked: &'a Bisect,
    /// The revisions with the names of then, oldest first: from the good one to the bad one.
    revisions: Vec<(Resource, Revision)>,
    runs: usize,
}

/// Searches, and prints what was found.
pub(crate) fn bisect(place: &Place, asked: &Bisect) -> Result<()> {
    let hub = Hub::find(place)?;
    let resource = resource(&asked.resource)?;
    let revisions = revisions(&hub, &resource, asked)?;
    let mut bench = Bench {
        hub,
        resource,
        esker: std::env::current_exe().context("cannot find this program's own file")?,
        dir: place.start()?,
        argv: argv(&asked.check)?,
        timeout: timeout(asked)?,
        asked,
        revisions,
        runs: 0,
    };
    let last = bench.check_ends()?;
    let mut search = Search::between(0, last);
    while let Some(place) = search.next() {
        let left = search.left();
        let verdict = bench.judge(place, &format!("{left} to go"))?;
        search.learn(place, verdict);
    }
    bench.tell(&search)
}

/// The words of the command line.
fn argv(check: &str) -> Result<Vec<String>> {
    let words = shlex::split(check).filter(|words| !words.is_empty());
    words.ok_or_else(|| {
        let hint = "write the program and its arguments: --check 'python3 check.py'";
        hinted(format!("cannot read --check {check:?}: nothing in it, or an open quote"), hint)
    })
}

fn timeout(asked: &Bisect) -> Result<Duration> {
    let timeout = Duration::try_from(asked.timeout).ok().filter(|timeout| !timeout.is_zero());
    timeout.ok_or_else(|| hinted("--timeout is no time at all", "write for example --timeout 5m"))
}

/// The revisions with a content from the good one to the bad one, oldest first.
fn revisions(hub: &Hub, resource: &Resource, asked: &Bisect) -> Result<Vec<(Resource, Revision)>> {
    let good = match &asked.good {
        Some(good) => Some(newest(hub, resource, &version(good)?)?),
        None => None,
    };
    let mut revisions = Vec::new();
    let mut met = good.is_none();
    let at = version(&asked.bad)?;
    let log = Log { resource: Some(resource.clone()), at, ..Log::newest(0) };
    pages::walk(hub, &log, |entry| {
        let is_good = good == Some(entry.revision);
        if entry.blob.is_some() {
            revisions.push((entry.resource, entry.revision));
        }
        met |= is_good;
        Ok(if is_good { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    revisions.reverse();
    let (named, bad) = (asked.good.as_deref().unwrap_or("the first"), &asked.bad);
    if !met {
        let what =
            format!("the good version {named} of {resource} is not before the bad one {bad}");
        return Err(hinted(what, "name an older version with --good"));
    }
    if revisions.len() < 2 {
        let what = format!("there is nothing between {named} and {bad}: one version of {resource}");
        return Err(hinted(what, format!("`esker log {resource}` lists its versions")));
    }
    Ok(revisions)
}

/// The revision of a resource as of a version.
fn newest(hub: &Hub, resource: &Resource, at: &At) -> Result<Revision> {
    Ok(describe(hub, resource, at.clone())
        .context(format!("cannot find the good version {at}"))?
        .revision)
}

fn describe(hub: &Hub, resource: &Resource, at: At) -> Result<Entry> {
    hub.call(&Stat { resource: resource.clone(), at, branch: Branch::main() })
}

impl Bench<'_> {
    /// The good end must be good and the bad end bad, or there is no step to find. Gives the place of the bad one.
    fn check_ends(&mut self) -> Result<usize> {
        let last = self.revisions.len() - 1;
        let ends = [(last, Verdict::Bad, "bad"), (0, Verdict::Good, "good")];
        for (place, expected, word) in ends {
            let found = self.judge(place, &format!("should be {word}"))?;
            if found == expected {
                continue;
            }
            let found = match found {
                Verdict::Good => "passes",
                Verdict::Bad => "fails",
                Verdict::Skip => "cannot judge",
            };
            let short = self.revisions[place].1.short();
            let what = format!(
                "the {word} end {short} of {} is not {word}: {} {found} it",
                self.resource, self.asked.check
            );
            let hint = match (expected, &self.asked.good) {
                (Verdict::Good, None) => {
                    "the first version is taken for good; name a good one with --good"
                }
                (Verdict::Good, Some(_)) => "name another version with --good, or mend the program",
                _ => {
                    "name another version with --bad, or mend the program: it exits 0 if all is good"
                }
            };
            return Err(hinted(what, hint));
        }
        Ok(last)
    }

    fn content(&self, place: usize) -> Result<Bytes> {
        let (name, revision) = &self.revisions[place];
        let get = Get { at: (*revision).into(), ..Get::head(name.clone()) };
        self.hub.call(&get)?.bytes.context("the hub answered without the content")
    }

    /// Lets the program judge one revision.
    fn judge(&mut self, place: usize, why: &str) -> Result<Verdict> {
        let revision = self.revisions[place].1;
        let trial = Trial {
            esker: &self.esker,
            dir: &self.dir,
            argv: &self.argv,
            env: vec![
                ("ESKER_RESOURCE".into(), self.resource.as_str().into()),
                ("ESKER_REVISION".into(), revision.to_string().into()),
            ],
            stdin: self.content(place)?,
            timeout: self.timeout,
        };
        self.runs += 1;
        let (ended, words) =
            trial::run(trial).with_context(|| format!("cannot run {}", self.asked.check))?;
        let short = revision.short();
        let (verdict, word) = match ended {
            Ended::Exited(0) => (Verdict::Good, "good"),
            Ended::Exited(SKIP) => (Verdict::Skip, "skipped"),
            Ended::Exited(code @ (126 | 127)) => {
                let what = format!("cannot run {}: it exited {code}", self.asked.check);
                let last = words.lines().last().unwrap_or_default().to_owned();
                return Err(hinted(what, format!("is the program there? {last}")));
            }
            Ended::Exited(_) => (Verdict::Bad, "bad"),
            Ended::Stopped(why) => {
                let what = format!("cannot judge {short} of {}: {why}", self.resource);
                return Err(hinted(what, "mend the program, or give it more time with --timeout"));
            }
        };
        say::note(format!("{short}  {word}  ({why})"));
        Ok(verdict)
    }

    fn entry(&self, place: usize) -> Result<Entry> {
        let (name, revision) = &self.revisions[place];
        describe(&self.hub, name, (*revision).into())
    }

    fn tell(&self, search: &Search) -> Result<()> {
        let (good, bad) = search.ends();
        let (last_good, first_bad) = (self.entry(good)?, self.entry(bad)?);
        if self.asked.json {
            let skipped = self.revisions[good + 1..bad].iter();
            let skipped = skipped.map(|(_, revision)| revision.to_string());
            let skipped: Vec<Value> = skipped.map(Value::from).collect();
            say::json(&json!({
                "resource": self.resource.as_str(),
                "first_bad": entry_json(&first_bad),
                "last_good": entry_json(&last_good),
                "skipped": skipped,
                "runs": self.runs,
            }))?;
        } else {
            let (revision, time) = (first_bad.revision, say::time(first_bad.time));
            say::line(format!("{revision} is the first bad version of {}", self.resource))?;
            say::line(format!("time:    {time}"))?;
            say::line(format!("author:  {}", first_bad.author))?;
            say::line(format!("summary: {}", first_bad.summary))?;
            let ask = Diff {
                resource: first_bad.resource.clone(),
                from: Some(last_good.revision.into()),
                to: revision.into(),
                branch: Branch::main(),
                form: Form::Auto,
                key: Vec::new(),
            };
            diff::print(&self.hub.call(&ask)?, Some(DIFF_MAX))?;
        }
        let between = bad - good - 1;
        if between > 0 {
            say::note(format!(
                "or one of the {between} versions before it, down to {}: they were skipped",
                self.revisions[good + 1].1.short()
            ));
        }
        Ok(())
    }
}
