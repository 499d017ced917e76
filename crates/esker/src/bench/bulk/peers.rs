//! The peers: Redis and memcached, keeping nothing on a disk, and the bare connection.

use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::PATIENCE;
use super::store::{Bare, Memcached, Redis, Store};
use crate::bench::Bench;
use crate::bench::process::Running;

/// How often to look whether a server is there.
const LOOK: Duration = Duration::from_millis(2);

/// A server at a port.
pub(super) struct Peer {
    _running: Running,
    port: u16,
}

/// The servers; why not, of those that are missing.
pub(super) struct Peers {
    redis: Result<Peer, &'static str>,
    memcached: Result<Peer, &'static str>,
    bare: Peer,
}

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Redis,
    Memcached,
    Bare,
}

impl Who {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Redis => "Redis",
            Self::Memcached => "memcached",
            Self::Bare => "bare TCP",
        }
    }

    /// For the key of a case.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Memcached => "memcached",
            Self::Bare => "tcp",
        }
    }
}

impl Peers {
    pub(super) fn start(bench: &Bench) -> Result<Self> {
        let servers = &bench.tools.servers;
        let log = bench.path("peers.log");
        let redis = servers.redis().map(|program| {
            let port = free_port()?.to_string();
            let mut command = program.command();
            command.args([
                "--port",
                &port,
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
            ]);
            command.arg("--dir").arg(bench.folder.path());
            started(command.stdout(Stdio::null()), &port, &log)
        });
        let memcached = servers.memcached().map(|program| {
            let port = free_port()?.to_string();
            let mut command = program.command();
            command.args(["-p", &port, "-U", "0", "-l", "127.0.0.1", "-m", "1024", "-I", "32m"]);
            // It does not run as root unless it is told so.
            started(command.args(["-u", "root"]), &port, &log)
        });
        let mut command = Command::new(std::env::current_exe()?);
        let (running, port) = Running::that_says(command.args(["bench", "stream"]), &log)?;
        let bare = Peer { _running: running, port: port.parse()? };
        Ok(Self { redis: turned(redis)?, memcached: turned(memcached)?, bare })
    }

    /// So many clients of one of them, for contents of so many bytes.
    ///
    /// # Errors
    /// What is missing, as a reason.
    pub(super) fn clients(
        &self,
        who: Who,
        count: usize,
        size: usize,
    ) -> Result<Result<Vec<Box<dyn Store>>, &'static str>> {
        let port = match who {
            Who::Redis => self.redis.as_ref().map(|peer| peer.port),
            Who::Memcached => self.memcached.as_ref().map(|peer| peer.port),
            Who::Bare => Ok(self.bare.port),
        };
        let port = match port {
            Ok(port) => port,
            Err(lacking) => return Ok(Err(lacking)),
        };
        let client = |_| -> Result<Box<dyn Store>> {
            Ok(match who {
                Who::Redis => Box::new(Redis::connect(port)?),
                Who::Memcached => Box::new(Memcached::connect(port)?),
                Who::Bare => Box::new(Bare::connect(port, size)?),
            })
        };
        (0..count).map(client).collect::<Result<Vec<_>>>().map(Ok)
    }
}

fn turned(started: Result<Result<Peer>, &'static str>) -> Result<Result<Peer, &'static str>> {
    match started {
        Ok(peer) => peer.map(Ok),
        Err(lacking) => Ok(Err(lacking)),
    }
}

fn started(command: &mut Command, port: &str, log: &std::path::Path) -> Result<Peer> {
    let mut running = Running::start(command, log)?;
    let (port, begun) = (port.parse()?, Instant::now());
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if running.has_ended() || begun.elapsed() > PATIENCE {
            let said = std::fs::read_to_string(log).unwrap_or_default();
            bail!("a peer does not start at port {port}: {said}");
        }
        std::thread::sleep(LOOK);
    }
    Ok(Peer { _running: running, port })
}

/// A port that nobody has now.
pub(super) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
