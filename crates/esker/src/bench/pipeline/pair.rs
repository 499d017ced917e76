//! A hub and a runner in processes of their own, so that each can be measured, and killed, by itself.

use std::net::TcpListener;
use std::path::Path;
use std::time::Instant;

use anyhow::{Result, bail};
use esker_bus::bus::Bus;
use esker_bus::endpoint::Endpoint;
use esker_wire::snapshot::Health;

use super::client::Client;
use crate::bench::hub::Ground;
use crate::bench::process::{PATIENCE, Running};

/// How long one look may take whether a hub is there.
const LOOK: std::time::Duration = std::time::Duration::from_millis(500);

/// A project whose hub is always in the same place.
pub(super) struct Pair {
    pub(super) ground: Ground,
    pub(super) client: Client,
    bus: Bus,
    endpoint: Endpoint,
    hub: Option<Running>,
    runner: Option<Running>,
}

impl Pair {
    /// Starts both.
    pub(super) fn start(bus: &Bus, dir: &Path, definition: &str) -> Result<Self> {
        let [requests, events] = free()?.map(|port| format!("tcp://127.0.0.1:{port}"));
        let hub = format!("[hub]\nrequests = \"{requests}\"\nevents = \"{events}\"\n");
        let ground = Ground::with(dir, &format!("{hub}{definition}"))?;
        let endpoint = Endpoint::Tcp { requests, events };
        let client = Client::new(bus, &endpoint);
        let mut pair = Self { ground, client, bus: bus.clone(), endpoint, hub: None, runner: None };
        pair.start_hub()?;
        pair.start_runner()?;
        Ok(pair)
    }

    /// Starts the hub and waits until it answers.
    pub(super) fn start_hub(&mut self) -> Result<()> {
        let log = self.ground.log();
        let mut running = Running::start(&mut self.ground.esker(&["hub"])?, &log)?;
        let begun = Instant::now();
        let caller = self.bus.caller(&self.endpoint);
        while caller.call_blocking(&Health, LOOK).is_err() {
            if running.has_ended() || begun.elapsed() > PATIENCE {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                bail!("the hub does not start: {}", said.lines().last().unwrap_or_default());
            }
        }
        self.hub = Some(running);
        Ok(())
    }

    /// Starts the runner; it is at work as soon as it can.
    pub(super) fn start_runner(&mut self) -> Result<()> {
        let log = self.ground.log();
        self.runner = Some(Running::start(&mut self.ground.esker(&["runner"])?, &log)?);
        Ok(())
    }

    /// Kills the hub, as a loss of power would.
    pub(super) fn kill_hub(&mut self) -> Result<()> {
        self.hub.take().map_or(Ok(()), Running::kill)
    }

    /// The same for the runner.
    pub(super) fn kill_runner(&mut self) -> Result<()> {
        self.runner.take().map_or(Ok(()), Running::kill)
    }

    pub(super) fn runner(&self) -> Option<&Running> {
        self.runner.as_ref()
    }

    /// Asks both to end, and waits.
    pub(super) fn stop(&mut self) -> Result<()> {
        self.runner.take().map_or(Ok(()), Running::stop)?;
        self.hub.take().map_or(Ok(()), Running::stop)
    }
}

/// Two ports that nobody listens at.
fn free() -> Result<[u16; 2]> {
    let listeners = [TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?];
    let [requests, events] = listeners.each_ref().map(TcpListener::local_addr);
    Ok([requests?.port(), events?.port()])
}
