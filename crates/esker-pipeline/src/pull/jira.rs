//! The issues that a JIRA query finds: what has changed since the last time, and now and then which there still are.
//!
//! Times are asked for relative to the server's clock (`updated >= -15m`): it alone knows the user's time zone.

mod issues;
mod server;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::definition::pull::Jira;
use crate::run::failure::Broken;
use crate::run::{Halt, Made, output};

use self::issues::Issues;
use self::server::Server;
use super::recall::Times;
use super::{Errand, state};

/// How much further back than necessary is asked: what was changed is found a while later, and clocks differ.
const OVERLAP: Duration = Duration::from_secs(10 * 60);
/// Beyond this all issues are fetched.
const SINCE_MAX: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// How many issues are asked for by their ids at once.
const IDS_MAX: usize = 100;

/// How much is to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// Everything.
    Whole,
    /// What has changed within so many minutes; and, if so, what there is at all.
    Changed { minutes: u64, census: bool },
}

pub(super) fn fetch(errand: &Errand<'_>, jira: &Jira) -> Result<Made, Halt> {
    let began = Timestamp::now();
    let known = state::known(errand)?;
    let before = known.as_ref().and_then(times);
    let before = before.map(|before| errand.bench.recall.of(errand.run).unwrap_or(before));
    let extent = extent(before, jira.census, began);
    let mut server = Server::reach(errand, jira);
    // A site takes one whose token has expired for anyone, and shows what anyone may see: perhaps nothing.
    server.check_user()?;
    let (issues, census) = match extent {
        Extent::Whole => (whole(&mut server, &jira.jql)?, began),
        Extent::Changed { minutes, census } => {
            let issues = changed(&mut server, jira, (minutes, census))?;
            (issues, if census { began } else { before.map_or(began, |before| before.census) })
        }
    };
    if issues.is_empty() && !errand.source.allow_empty {
        return Err(output::empty(errand.source.output.as_str()).into());
    }
    let text = issues.text();
    server.check_size(text.len() as u64)?;
    let times = Times { at: began, census };
    let kept = json!({ "at": times.at.to_string(), "census": times.census.to_string() });
    let made = state::made(errand, known.as_ref(), (text.into(), None), kept);
    if matches!(made, Err(Halt::Unchanged)) {
        errand.bench.recall.keep(errand.run, times);
    }
    made
}

/// When the last pull that is remembered was.
fn times(known: &Value) -> Option<Times> {
    let time = |key: &str| known.get(key)?.as_str()?.parse().ok();
    Some(Times { at: time("at")?, census: time("census")? })
}

fn extent(before: Option<Times>, census: Duration, now: Timestamp) -> Extent {
    let Some(before) = before else {
        return Extent::Whole;
    };
    let since = |time: Timestamp| Duration::try_from(now.duration_since(time)).ok();
    match (since(before.at), since(before.census)) {
        (Some(changed), Some(counted)) if changed <= SINCE_MAX => {
            let minutes = (changed + OVERLAP).as_secs().div_ceil(60);
            Extent::Changed { minutes, census: counted >= census }
        }
        // A clock that was set back tells nothing of how long it was.
        _ => Extent::Whole,
    }
}

fn whole(server: &mut Server<'_>, jql: &str) -> Result<Issues, Halt> {
    let mut issues = Issues::default();
    server.search(&format!("({jql}) order by key asc"), |page| issues.take(page))?;
    Ok(issues)
}

/// The issues there were with what has changed.
fn changed(
    server: &mut Server<'_>,
    jira: &Jira,
    (minutes, census): (u64, bool),
) -> Result<Issues, Halt> {
    let mut issues = Issues::read(&server.before()?)?;
    let jql = format!("({}) and updated >= -{minutes}m order by key asc", jira.jql);
    server.search(&jql, |page| issues.take(page))?;
    if !census {
        return Ok(issues);
    }
    let mut there = BTreeSet::new();
    server.count(&format!("({}) order by key asc", jira.jql), |page| {
        there.extend(issues::ids(page)?);
        Ok(())
    })?;
    let lost: Vec<String> = issues.lost(&there).iter().map(u64::to_string).collect();
    for ids in lost.chunks(IDS_MAX) {
        let jql = format!("id in ({}) order by key asc", ids.join(", "));
        server.search(&jql, |page| issues.take(page)).map_err(passing)?;
    }
    issues.keep(&there);
    Ok(issues)
}

/// What is refused of issues that were there a moment ago: one of them may be gone.
fn passing(halt: Halt) -> Halt {
    match halt {
        Halt::Broken(broken) => Halt::Broken(broken.temporary()),
        halt => halt,
    }
}

/// What it means that the answer is not what it should be.
fn strange(why: &str) -> Broken {
    let summary = format!("JIRA's answer cannot be understood: {why}");
    Broken::new(summary, "is the address that of a JIRA Cloud site?")
}

#[cfg(test)]
mod tests;
