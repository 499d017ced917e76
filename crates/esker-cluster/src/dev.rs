//! A Consul for trying things out, and for tests: several agents on this machine, each at an address of its own.
//!
//! Files and arguments are made here; whoever wants the agents starts them, since this crate starts no program.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use esker_wire::fault::{Code, Fault};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::consul::http::{Consul, Request, Verb};
use crate::consul::tls::Tls;
use crate::consul::token::Token;
use crate::join::Join;
use crate::pace::Backoff;

/// Consul's ports: all agents have the same, as each has its own address.
const HTTP: u16 = 8500;
const DNS: u16 = 8600;
const TCP_PORTS: [u16; 4] = [8300, 8301, HTTP, DNS];
const UDP_PORTS: [u16; 2] = [8301, DNS];
/// The most agents on one machine.
const AGENTS_MAX: usize = 100;
/// How many networks are tried.
const NETWORKS_MAX: usize = 100;
/// The largest list of nodes.
const NODES_MAX: u64 = 4 << 20;

/// Agents that make one Consul.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The servers first.
    pub agents: Vec<Agent>,
}

/// One agent.
#[derive(Debug, Clone)]
pub struct Agent {
    /// The name of its node: `node1`.
    pub name: String,
    /// Where it listens, for all that it does.
    pub address: Ipv4Addr,
    /// What `consul` is given.
    pub arguments: Vec<String>,
    /// Its folder: configuration in `config.json`, data in `data/`.
    pub folder: PathBuf,
}

impl Plan {
    /// That many servers and other agents, in folders under this one, on a part of the loopback network that nobody
    /// uses. `configuration` is laid over that of every agent, in Consul's own words.
    pub fn new(
        folder: &Path,
        servers: usize,
        others: usize,
        configuration: &Value,
    ) -> Result<Self, Fault> {
        let count = servers + others;
        if servers == 0 || count > AGENTS_MAX {
            let message = format!("cannot plan {servers} servers and {others} other agents");
            let hint = format!("there has to be a server, and at most {AGENTS_MAX} agents");
            return Err(Fault::bad_request(message).hint(hint));
        }
        let addresses = free_network(count)?;
        let mut agents = Vec::new();
        for (number, address) in addresses.iter().enumerate() {
            let name = format!("node{}", number + 1);
            let folder = folder.join(&name);
            let mut arguments = arguments(&name, *address, &folder);
            if number < servers {
                arguments.push("-server".to_owned());
                arguments.push(format!("-bootstrap-expect={servers}"));
            }
            for server in addresses[..servers].iter().filter(|server| *server != address) {
                arguments.push(format!("-retry-join={server}"));
            }
            write(&folder, configuration).map_err(|error| {
                let message = format!("cannot write {}: {error}", folder.display());
                Fault::new(Code::NotWritable, message)
            })?;
            agents.push(Agent { name, address: *address, arguments, folder });
        }
        Ok(Self { agents })
    }

    /// Waits until these agents have a leader and know each other.
    pub fn wait(&self, token: &Token, deadline: Duration) -> Result<(), Fault> {
        let until = Instant::now() + deadline;
        for agent in &self.agents {
            agent.wait(self.agents.len(), token, until)?;
        }
        Ok(())
    }
}

impl Agent {
    /// How it is joined.
    pub fn join(&self) -> String {
        format!("consul://{}:{HTTP}", self.address)
    }

    /// Where it answers HTTP.
    pub fn url(&self) -> String {
        format!("http://{}:{HTTP}", self.address)
    }

    /// The port where it answers DNS.
    pub fn dns_port(&self) -> u16 {
        DNS
    }

    fn wait(&self, nodes: usize, token: &Token, until: Instant) -> Result<(), Fault> {
        let Join::Consul(place) = self.join().parse()? else {
            return Err(Fault::new(Code::Internal, "an agent is joined as Consul"));
        };
        let consul = Consul::new(place, token.clone(), &Tls::default())?;
        let mut backoff = Backoff::default();
        loop {
            let why = match self.nodes(&consul) {
                Ok(found) if found >= nodes => return Ok(()),
                Ok(found) => {
                    Fault::new(Code::Timeout, format!("it knows {found} of {nodes} nodes"))
                }
                Err(fault) => fault,
            };
            if Instant::now() >= until {
                let message = format!("Consul's agent {} is not ready: {why}", self.name);
                return Err(Fault::new(Code::Timeout, message));
            }
            std::thread::sleep(backoff.next());
        }
    }

    /// How many nodes it knows that are well.
    fn nodes(&self, consul: &Consul) -> Result<usize, Fault> {
        #[derive(Deserialize)]
        struct Check {}
        let path = "/v1/health/state/passing";
        let mut request = Request::new(Verb::Get, path, "read which nodes are well");
        request.answer_max = NODES_MAX;
        request = request.query("filter", "CheckID == \"serfHealth\"");
        let answer = consul.done(&request).map_err(|failure| failure.fault)?;
        let checks: Vec<Check> = consul.read(&request, &answer).map_err(|failure| failure.fault)?;
        Ok(checks.len())
    }
}

fn arguments(name: &str, address: Ipv4Addr, folder: &Path) -> Vec<String> {
    vec![
        "agent".to_owned(),
        "-disable-host-node-id".to_owned(),
        "-datacenter=dc1".to_owned(),
        format!("-node={name}"),
        format!("-data-dir={}", folder.join("data").display()),
        format!("-config-file={}", folder.join("config.json").display()),
        format!("-bind={address}"),
        format!("-advertise={address}"),
        format!("-client={address}"),
        "-serf-wan-port=-1".to_owned(),
        // Consul's own half a minute is too long to start a cluster with.
        "-retry-interval=1s".to_owned(),
    ]
}

fn write(folder: &Path, configuration: &Value) -> io::Result<()> {
    fs::create_dir_all(folder.join("data"))?;
    let mut all = json!({
        "performance": { "raft_multiplier": 1 },
        "disable_update_check": true,
        "leave_on_terminate": false,
        "skip_leave_on_interrupt": true,
        "ports": { "grpc": -1, "https": -1 },
    });
    if let (Some(all), Some(more)) = (all.as_object_mut(), configuration.as_object()) {
        all.extend(more.clone());
    }
    fs::write(folder.join("config.json"), all.to_string())
}

/// Addresses of the loopback network where nothing listens on Consul's ports.
fn free_network(count: usize) -> Result<Vec<Ipv4Addr>, Fault> {
    for _ in 0..NETWORKS_MAX {
        let (second, third) = (fastrand::u8(64..128), fastrand::u8(..));
        let last = 1..=u8::try_from(count).unwrap_or(u8::MAX);
        let addresses: Vec<Ipv4Addr> =
            last.map(|last| Ipv4Addr::new(127, second, third, last)).collect();
        let is_free = |address: &Ipv4Addr| {
            TCP_PORTS.iter().all(|port| TcpListener::bind((*address, *port)).is_ok())
                && UDP_PORTS.iter().all(|port| UdpSocket::bind((*address, *port)).is_ok())
        };
        if addresses.iter().all(is_free) {
            return Ok(addresses);
        }
    }
    let message = format!("cannot find {count} free addresses on the loopback network");
    Err(Fault::new(Code::Unavailable, message)
        .hint("Consul's ports have to be free there: 8300, 8301, 8500 and 8600"))
}
