//! What lies far back: old revisions and histories, against git on a packed copy of the same store.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, ensure};
use esker_bus::service::Frames;
use esker_wire::revision::Revision;

use super::fill::{Filled, RESOURCES, resource};
use crate::bench::Bench;
use crate::bench::contents::{self, Contents, Random};
use crate::bench::load::{Asking, Crew, Job};
use crate::bench::peers;
use crate::bench::process::output;
use crate::bench::table::{Bound, Case, Rounds, Unit};

/// The requests under way on the one connection that asks for old revisions: git's pipe holds more.
const IN_FLIGHT: usize = 64;

/// The resource whose history is asked for.
const ONE: usize = 7;

/// Old revisions, asked for by all lanes in turn; each answer must hold what was put.
struct Reading {
    numbers: Vec<u64>,
    revisions: Arc<Vec<Revision>>,
    contents: Contents,
}

impl Reading {
    fn number(&self, lane: usize, turn: u64) -> Option<u64> {
        let index = usize::try_from(turn).ok()?.checked_mul(IN_FLIGHT)? + lane;
        self.numbers.get(index).copied()
    }

    fn revision(&self, number: u64) -> Option<Revision> {
        self.revisions.get(usize::try_from(number).ok()?).copied()
    }
}

impl Job for Reading {
    fn ask(&self, lane: usize, turn: u64) -> Option<Frames> {
        let number = self.number(lane, turn)?;
        Some(contents::get(resource(number), Some(self.revision(number)?)))
    }

    fn take(&self, lane: usize, turn: u64, reply: &Frames) -> bool {
        let number = self.number(lane, turn);
        number.is_some_and(|number| reply.last() == Some(&self.contents.get(number)))
    }
}

/// Runs the cases of a store with a past.
pub(super) fn run(bench: &mut Bench, filled: &Filled) -> Result<()> {
    let commits = filled.commits;
    let gets = format!("GET of an old revision among {commits} commits");
    let log = format!("history of one resource among {commits} commits");
    if let Err(reason) = bench.tools.git() {
        bench.table.push(Case::not_run("get-old", gets, reason));
        bench.table.push(Case::not_run("log-one", log, reason));
        return Ok(());
    }
    bench.begin("a copy of the store, packed by git");
    let copy = bench.path("copy.git");
    let from = filled.ground.store();
    let clone = ["clone", "--quiet", "--bare", &from.to_string_lossy(), &copy.to_string_lossy()];
    output(&mut peers::git(bench.folder.path(), &clone))?;
    output(&mut peers::git(&copy, &["gc", "--quiet"]))?;
    old_gets(bench, filled, &copy, gets)?;
    history(bench, filled, &copy, log)
}

fn old_gets(bench: &mut Bench, filled: &Filled, copy: &Path, what: String) -> Result<()> {
    bench.begin(&what);
    let crew = Crew::new(&bench.bus, &filled.hub.endpoint, 1, IN_FLIGHT);
    let asked = bench.sizes.singles as u64 * 50;
    let pick = |round: usize| {
        let mut random = Random(round as u64);
        let numbers = (0..asked).map(|_| random.below(filled.commits)).collect();
        let (revisions, contents) = (Arc::clone(&filled.revisions), filled.contents.clone());
        Reading { numbers, revisions, contents }
    };
    let [ours, theirs] =
        bench.rounds([&mut |round| crew.run(&Arc::new(pick(round))).rate(), &mut |round| {
            let reading = pick(round);
            let line = |number: &u64| {
                let revision = reading.revision(*number)?;
                Some(format!("{revision}:{}\n", contents::path(resource(*number))))
            };
            let lines: Vec<String> = reading.numbers.iter().filter_map(line).collect();
            let time = peers::cat_file(copy, &lines)?;
            Ok(lines.len() as f64 / time.as_secs_f64())
        }])?;
    let case = Case::new("get-old", what, Rounds::new(Unit::PerSecond, ours));
    let case = case.against("git cat-file --batch", Rounds::new(Unit::PerSecond, theirs));
    bench.table.push(case.bound(Bound::AtLeast(1.0, 5.0)));
    Ok(())
}

fn history(bench: &mut Bench, filled: &Filled, copy: &Path, what: String) -> Result<()> {
    bench.begin(&what);
    let crew = Crew::new(&bench.bus, &filled.hub.endpoint, 1, 1);
    let entries = filled.commits / RESOURCES;
    let path = contents::path(ONE);
    let mut ours = |_| {
        let job = Asking::times(5, move |_, _| contents::log(ONE, entries));
        crew.run(&job).quantile(0.5)
    };
    let mut theirs = |_| {
        let begun = std::time::Instant::now();
        let text = output(&mut peers::git(copy, &["log", "main", "--", &path]))?;
        let time = begun.elapsed();
        let found = text.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"commit "));
        ensure!(found.count() as u64 == entries, "git log does not list {entries} commits");
        Ok(time.as_secs_f64())
    };
    let [measured, plain] = bench.rounds([&mut ours, &mut theirs])?;
    let measured = Rounds::new(Unit::Seconds, measured);
    let case = Case::new("log-one", &what, measured.clone());
    let case = case.against("git log", Rounds::new(Unit::Seconds, plain));
    bench.table.push(case.bound(Bound::AtLeast(10.0, 100.0)));
    let paths = ["commit-graph", "write", "--reachable", "--changed-paths"];
    output(&mut peers::git(copy, &paths))?;
    let [filtered] = bench.rounds([&mut theirs])?;
    let case = Case::new("log-one-filtered", what, measured);
    let theirs = Rounds::new(Unit::Seconds, filtered);
    bench.table.push(case.against("git log with changed-path filters", theirs));
    Ok(())
}
