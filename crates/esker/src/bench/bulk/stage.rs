//! A worker under test, in a process of its own, and clients of its cluster.

use std::fs;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use esker_bulk::client::{Client, Options};
use esker_cluster::cluster::Cluster;
use esker_cluster::join::Join;
use serde_json::Value;

use super::PATIENCE;
use super::peers::free_port;
use super::store::{Ours, Store};
use crate::bench::Bench;
use crate::bench::process::Running;
use esker_bulk::client::joining;

/// How often to look whether it is there.
const LOOK: Duration = Duration::from_millis(2);

/// A worker.
pub(super) struct Stage {
    pub(super) worker: Running,
    pub(super) cluster: Cluster,
    pub(super) client: Client,
}

impl Stage {
    /// A worker that may hold so many bytes, known by a list.
    pub(super) fn listed(bench: &Bench, name: &str, memory: u64) -> Result<Self> {
        let list = bench.path(&format!("{name}.toml"));
        let (control, bulk) = free_ports()?;
        fs::write(
            &list,
            format!(
                "[[member]]\nname = \"{name}\"\ncontrol = \"tcp://127.0.0.1:{control}\"\n\
                 bulk = \"tcp://127.0.0.1:{bulk}\"\ncpus = 1\nmemory = {memory}\n"
            ),
        )?;
        let bind = format!("127.0.0.1:{control}");
        Self::start(bench, (name, &bind, memory), &format!("static:{}", list.display()))
    }

    /// A worker at an address that may hold so many bytes, in a cluster.
    pub(super) fn start(
        bench: &Bench,
        (name, bind, memory): (&str, &str, u64),
        join: &str,
    ) -> Result<Self> {
        let log = bench.path(&format!("{name}.log"));
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["worker", "--name", name, "--bind", bind, "--join", join]);
        command.args(["--memory", &format!("{memory}B"), "--spill"]);
        command.arg(bench.path(&format!("{name}-spill")));
        command.env("ESKER_LOG", "warn").stdout(Stdio::null());
        let mut worker = Running::start(&mut command, &log)?;
        let join: Join = join.parse()?;
        let cluster = Cluster::join(&join, joining(&bench.bus))?;
        let client = Client::new(&bench.bus, &cluster, None, Options::default())?;
        let begun = Instant::now();
        while standing(&client).is_err() {
            if worker.has_ended() || begun.elapsed() > PATIENCE {
                let said = fs::read_to_string(&log).unwrap_or_default();
                bail!("the worker under test does not start: {said}");
            }
            std::thread::sleep(LOOK);
        }
        Ok(Self { worker, cluster, client })
    }

    /// So many clients, each with connections of its own.
    pub(super) fn clients(&self, bench: &Bench, count: usize) -> Result<Vec<Client>> {
        let client = |_| Client::new(&bench.bus, &self.cluster, None, Options::default());
        Ok((0..count).map(client).collect::<Result<_, _>>()?)
    }

    /// The same, to be compared with peers.
    pub(super) fn stores(&self, bench: &Bench, count: usize) -> Result<Vec<Box<dyn Store>>> {
        let store = |client| -> Box<dyn Store> { Box::new(Ours(client)) };
        Ok(self.clients(bench, count)?.into_iter().map(store).collect())
    }

    /// All that the worker says it holds, in bytes, in memory and on disk.
    pub(super) fn held(&self) -> Result<f64> {
        let told = standing(&self.client)?;
        let count = |class: &str| told["ledger"][class].as_u64().context("a ledger");
        let all = ["cached", "pinned", "staged", "notes", "flight", "disk"].map(count);
        Ok(all.into_iter().sum::<Result<u64>>()? as f64)
    }
}

/// Two ports that nobody has now, one after the other.
fn free_ports() -> Result<(u16, u16)> {
    loop {
        let first = free_port()?;
        let next = first.wrapping_add(1);
        if TcpListener::bind(("127.0.0.1", next)).is_ok() {
            return Ok((first, next));
        }
    }
}

/// What the only worker says of itself.
fn standing(client: &Client) -> Result<Value> {
    let told = client.block_on(client.standing())?.pop().context("a worker")?;
    Ok(serde_json::from_slice(&told.1?)?)
}
