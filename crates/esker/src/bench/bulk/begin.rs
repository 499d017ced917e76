//! Spaces that begin with a million ids: what Consul is told, what workers are sent, and how long that takes.

use std::collections::HashSet;
use std::fs;
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result};
use bytes::Bytes;
use esker_bulk::client::Init;
use esker_cluster::consul::token::Token;
use esker_cluster::dev::{Agent, Plan};
use serde_json::json;

use super::PATIENCE;
use super::stage::Stage;
use crate::bench::Bench;
use crate::bench::peers::servers::Program;
use crate::bench::process::Running;
use crate::bench::table::{Bound, Case, Rounds, Unit};

/// The cases, for when they cannot be run.
const CASES: [(&str, &str); 6] = [
    ("bulk-begin-pattern", "a space begun with a pattern"),
    ("bulk-begin-writes", "writes to Consul for it"),
    ("bulk-begin-list", "a space begun with a list"),
    ("bulk-begin-sent", "sent for it"),
    ("bulk-over-kept", "memory of a worker, kept contents"),
    ("bulk-ledger-kept", "held after they were forgotten"),
];

/// A worker that Consul knows.
pub(super) struct Agreed {
    pub(super) stage: Stage,
    _consul: Running,
}

/// Starts Consul and a worker; nothing if there is no Consul, which the table says then.
pub(super) fn stage(bench: &mut Bench) -> Result<Option<Agreed>> {
    let program = match bench.tools.servers.consul() {
        Ok(program) => program.clone(),
        Err(lacking) => {
            for (key, what) in CASES {
                bench.table.push(Case::not_run(key, what, lacking));
            }
            return Ok(None);
        }
    };
    let (agent, consul) = consul(bench, &program, "consul")?;
    let bind = format!("{}:5060", agent.address);
    let stage = Stage::start(bench, ("kept", &bind, bench.sizes.bulk.memory), &agent.join())?;
    Ok(Some(Agreed { stage, _consul: consul }))
}

/// Starts Consul, in a folder with this name; its agent.
pub(super) fn consul(bench: &Bench, program: &Program, name: &str) -> Result<(Agent, Running)> {
    let mut plan = Plan::new(&bench.path(name), 1, 0, &json!({}))?;
    let agent = plan.agents.first().context("an agent")?;
    let mut command = program.command();
    command.args(&agent.arguments).stdout(Stdio::null());
    let consul = Running::start(&mut command, &bench.path(&format!("{name}.log")))?;
    plan.wait(&Token::Anonymous, PATIENCE)?;
    Ok((plan.agents.remove(0), consul))
}

pub(super) fn run(bench: &mut Bench, agreed: &Agreed) -> Result<()> {
    pattern(bench, &agreed.stage)?;
    list(bench, &agreed.stage)
}

fn pattern(bench: &mut Bench, stage: &Stage) -> Result<()> {
    let [(key, what), (writes_key, writes), ..] = CASES;
    bench.begin(what);
    let (client, count) = (&stage.client, bench.sizes.bulk.ids as u64);
    let mut written = Vec::new();
    let [times] = bench.rounds([&mut |round| {
        let before = indices(stage)?;
        let pattern = format!("numbered{round}/part-{{}}");
        let begun = Instant::now();
        client.block_on(client.init_numbered(&pattern, count, &Init::default()))?;
        let time = begun.elapsed().as_secs_f64();
        written.push(indices(stage)?.difference(&before).count() as f64);
        Ok(time)
    }])?;
    let times = Rounds::new(Unit::Seconds, times);
    bench.table.push(Case::new(key, what, times).bound(Bound::Within(0.005, 0.005)));
    let written = Rounds::new(Unit::Count, written);
    bench.table.push(Case::new(writes_key, writes, written).bound(Bound::Within(1.0, 1.0)));
    Ok(())
}

/// When keys were written last: those of one write have the same number.
fn indices(stage: &Stage) -> Result<HashSet<u64>> {
    Ok(stage.cluster.kv().list("")?.into_iter().map(|pair| pair.index).collect())
}

fn list(bench: &mut Bench, stage: &Stage) -> Result<()> {
    let [_, _, (key, what), (sent_key, sent_what), ..] = CASES;
    bench.begin(what);
    let (client, count) = (&stage.client, bench.sizes.bulk.ids);
    let mut sent = Vec::new();
    let [times] = bench.rounds([&mut |round| {
        let space = format!("listed{round}");
        let id = |number: usize| Bytes::from(format!("{space}/{:x}", number * 7919));
        let ids: Vec<Bytes> = (0..count).map(id).collect();
        let before = carried()?;
        let begun = Instant::now();
        client.block_on(client.init(&ids, &Init::default()))?;
        let time = begun.elapsed().as_secs_f64();
        sent.push((carried()? - before) as f64);
        client.block_on(client.drop_space(&space))?;
        Ok(time)
    }])?;
    let times = Rounds::new(Unit::Seconds, times);
    bench.table.push(Case::new(key, what, times).bound(Bound::Within(0.5, 0.5)));
    let sent = Rounds::new(Unit::Bytes, sent);
    bench.table.push(Case::new(sent_key, sent_what, sent).bound(Bound::Within(9e6, 9e6)));
    Ok(())
}

/// The bytes that this machine has sent to itself, with all that surrounds them.
fn carried() -> Result<u64> {
    let told = fs::read_to_string("/proc/net/dev")?;
    let line = told.lines().find_map(|line| line.trim().strip_prefix("lo:"));
    let first = line.and_then(|line| line.split_whitespace().next());
    Ok(first.context("the loopback network is counted")?.parse()?)
}
