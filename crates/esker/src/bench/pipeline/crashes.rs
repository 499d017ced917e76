//! Hub, runner and programs, killed at random moments again and again: every input has its result, once.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use esker_wire::revision::At;

use super::chain::{result, stages, table};
use super::client::Client;
use super::pair::Pair;
use super::tree::{self, Process};
use crate::bench::Bench;
use crate::bench::contents::Random;
use crate::bench::peers;
use crate::bench::process::output;
use crate::bench::table::{Bound, Case, Rounds, Unit};

/// The chains of two stages, which take turns: a stage whose program was killed is tried again after a while, and
/// meanwhile the others are at work.
const CHAINS: usize = 24;

/// What else the stages say of themselves: killed programs are tried again, and the slow one hinders nobody.
const AGAIN: &str = "retry = 20\n";

/// The longest time from a PUT to the kill, in microseconds.
const MOMENT_MAX: u64 = 25_000;

/// How long to look for a program to be killed.
const HUNT: Duration = Duration::from_millis(40);

/// How long what a killed runner has started may live on.
const ORPHAN_MAX: Duration = Duration::from_secs(3);

/// Who is killed.
#[derive(Debug, Clone, Copy)]
enum Victim {
    Hub,
    Runner,
    Both,
    Child,
}

const VICTIMS: [Victim; 4] = [Victim::Hub, Victim::Runner, Victim::Both, Victim::Child];

/// The faults that were found.
#[derive(Debug, Default)]
struct Faults {
    lost: u64,
    doubled: u64,
    orphans: u64,
    different: u64,
}

/// What goes on.
struct Crashes {
    pair: Pair,
    random: Random,
    /// How many versions each chain was given.
    given: [u64; CHAINS],
    /// What killed runners had started, and by when it must be gone.
    bereft: Vec<(Instant, Process)>,
    faults: Faults,
}

/// Runs the cases.
pub(super) fn run(bench: &mut Bench) -> Result<()> {
    let count = bench.sizes.pipeline.crashes;
    bench.begin(&format!("{count} crashes of hub, runner and programs"));
    let mut crashes = Crashes {
        pair: Pair::start(&bench.bus, &bench.path("crashes"), &definition(true))?,
        random: Random(u64::from(count)),
        given: [0; CHAINS],
        bereft: Vec::new(),
        faults: Faults::default(),
    };
    crashes.pair.client.put("raw/slow", table(0))?;
    for crash in 0..count as usize {
        if bench.stop.is_pulled() {
            bail!("interrupted");
        }
        crashes.one(crash % CHAINS)?;
    }
    for chain in 0..CHAINS {
        crashes.wait(chain)?;
        crashes.count(chain)?;
    }
    crashes.compare(bench)?;
    let clean = crashes.end(bench)?;
    tell(bench, count, &crashes, clean);
    Ok(())
}

fn definition(is_slow: bool) -> String {
    let chains = (0..CHAINS).map(|chain| stages(&chain.to_string(), AGAIN));
    let chains: String = chains.collect();
    let slow = "[stage.slow]\ninput = \"raw/slow\"\nrun = [\"sleep\", \"1000\"]\noutput = \"out/slow\"\nretry = 20\n";
    // The slow one must not have the only place.
    format!("[limits]\njobs = 4\n{chains}{}", if is_slow { slow } else { "" })
}

impl Crashes {
    /// Puts another version, kills somebody meanwhile, and starts again what is gone.
    fn one(&mut self, chain: usize) -> Result<()> {
        self.wait(chain)?;
        self.given[chain] += 1;
        let content = table(number(chain, self.given[chain]));
        let client = self.pair.client.clone();
        let moment = Duration::from_micros(self.random.below(MOMENT_MAX));
        let index = usize::try_from(self.random.below(VICTIMS.len() as u64)).unwrap_or_default();
        std::thread::scope(|scope| {
            let put = scope.spawn(move || client.insist(&format!("raw/{chain}"), &content));
            std::thread::sleep(moment);
            self.kill(VICTIMS[index])?;
            put.join().map_err(|_| anyhow::anyhow!("a client panicked"))?
        })
    }

    fn kill(&mut self, victim: Victim) -> Result<()> {
        if matches!(victim, Victim::Child) {
            return self.kill_child();
        }
        if matches!(victim, Victim::Runner | Victim::Both) {
            let below = self.below();
            self.pair.kill_runner()?;
            let limit = Instant::now() + ORPHAN_MAX;
            self.bereft.extend(below.into_iter().map(|process| (limit, process)));
        }
        if matches!(victim, Victim::Hub | Victim::Both) {
            self.pair.kill_hub()?;
            self.pair.start_hub()?;
        }
        if matches!(victim, Victim::Runner | Victim::Both) {
            self.pair.start_runner()?;
        }
        self.look_for_orphans();
        Ok(())
    }

    /// Kills one of the processes that the runner has started.
    fn kill_child(&mut self) -> Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < HUNT {
            let below: Vec<Process> = self.below().into_iter().collect();
            let index = usize::try_from(self.random.below(below.len() as u64)).unwrap_or_default();
            if let Some(process) = below.get(index) {
                process.kill();
                return Ok(());
            }
        }
        Ok(())
    }

    fn below(&self) -> BTreeSet<Process> {
        self.pair.runner().map_or_else(BTreeSet::new, |runner| tree::below(runner.pid()))
    }

    /// Counts what should have ended with its runner and has not.
    fn look_for_orphans(&mut self) {
        self.bereft.retain(|(_, process)| process.is_alive());
        let now = Instant::now();
        let before = self.bereft.len();
        self.bereft.retain(|(limit, _)| *limit > now);
        self.faults.orphans += (before - self.bereft.len()) as u64;
    }

    /// Waits until a chain has made what is to be made of its last version.
    fn wait(&mut self, chain: usize) -> Result<()> {
        let given = self.given[chain];
        if given > 0 {
            let wanted = result(number(chain, given));
            let is_there = self.pair.client.wait_for(&format!("out/{chain}"), &wanted)?;
            self.faults.lost += u64::from(!is_there);
        }
        Ok(())
    }

    /// Counts what was made of the versions of a chain: everything once, in their order.
    fn count(&mut self, chain: usize) -> Result<()> {
        let client = &self.pair.client;
        let given = self.given[chain];
        for folder in ["raw", "mid", "out"] {
            let name = format!("{folder}/{chain}");
            let history = if given > 0 { client.history(&name)? } else { Vec::new() };
            self.faults.doubled += (history.len() as u64).saturating_sub(given);
            self.faults.lost += given.saturating_sub(history.len() as u64);
            let keys = history.iter().filter_map(|entry| Some(&entry.provenance.as_ref()?.run_key));
            let (all, distinct) = (keys.clone().count(), keys.collect::<BTreeSet<_>>().len());
            self.faults.doubled += (all - distinct) as u64;
        }
        if given > 0 {
            for (entry, version) in client.history(&format!("out/{chain}"))?.iter().zip(1..) {
                let there = client.get_at(&format!("out/{chain}"), At::from(entry.revision))?;
                let wanted = result(number(chain, version));
                self.faults.lost += u64::from(there.is_none_or(|(_, there)| there != wanted));
            }
        }
        Ok(())
    }

    /// Gives the last versions to a project that is left in peace: the heads must be the same.
    fn compare(&mut self, bench: &Bench) -> Result<()> {
        let mut peace = Pair::start(&bench.bus, &bench.path("peace"), &definition(false))?;
        let chains = (0..CHAINS).filter(|chain| self.given[*chain] > 0);
        let last = |chain: usize| number(chain, self.given[chain]);
        for chain in chains.clone() {
            peace.client.put(&format!("raw/{chain}"), table(last(chain)))?;
        }
        for chain in chains {
            peace.client.wait_for(&format!("out/{chain}"), &result(last(chain)))?;
            for folder in ["raw", "mid", "out"] {
                let name = format!("{folder}/{chain}");
                let [ours, theirs] =
                    [&self.pair.client, &peace.client].map(|client: &Client| client.get(&name));
                self.faults.different += u64::from(ours? != theirs?);
            }
        }
        peace.stop()
    }

    /// Ends everything: whether git finds the store whole, if there is a git.
    fn end(&mut self, bench: &Bench) -> Result<Result<bool, &'static str>> {
        self.pair.stop()?;
        let begun = Instant::now();
        while begun.elapsed() < ORPHAN_MAX && !self.bereft.is_empty() {
            self.bereft.retain(|(_, process)| process.is_alive());
            std::thread::sleep(Duration::from_millis(5));
        }
        let left = tree::inside(self.pair.ground.dir());
        self.faults.orphans += (self.bereft.len() + left.len()) as u64;
        left.into_iter().for_each(Process::kill);
        let store = self.pair.ground.store();
        let fsck = || output(&mut peers::git(&store, &["fsck", "--strict"])).is_ok();
        Ok(bench.tools.git().map(|()| fsck()))
    }
}

/// The number of a chain's version: no other has it.
fn number(chain: usize, version: u64) -> u64 {
    version * CHAINS as u64 + chain as u64
}

fn tell(bench: &mut Bench, count: u32, crashes: &Crashes, clean: Result<bool, &'static str>) {
    let what = format!("{count} random crashes of hub, runner and programs");
    let versions: u64 = crashes.given.iter().sum();
    let Faults { lost, doubled, orphans, different } = crashes.faults;
    let mut zero = |key: &str, of: String, value: u64| {
        let value = Rounds::one(Unit::Count, value as f64);
        bench.table.push(Case::new(key, format!("{what}: {of}"), value).bound(Bound::Zero));
    };
    zero("crash-lost", format!("of {} effects, lost", 2 * versions), lost);
    zero("crash-doubled", "effects doubled".to_owned(), doubled);
    zero("crash-orphans", "processes left behind".to_owned(), orphans);
    zero("crash-heads", "heads unlike those of an undisturbed run".to_owned(), different);
    match clean {
        Ok(clean) => zero(
            "crash-fsck",
            "faults that `git fsck --strict` finds".to_owned(),
            u64::from(!clean),
        ),
        Err(reason) => bench.table.push(Case::not_run("crash-fsck", what, reason)),
    }
}
