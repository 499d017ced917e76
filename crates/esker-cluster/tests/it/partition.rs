//! A node that is cut off from the others, in namespaces of the kernel's network.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use esker_cluster::consul::token::Token;
use esker_cluster::dev::Plan;
use serde_json::json;

use crate::consul::{Running, told, within, worker};
use crate::world::{join, node, see, until};

/// Three namespaces on one bridge, which the test itself is on too.
struct Network {
    name: String,
    third: u8,
}

fn ip(arguments: &str) -> bool {
    let output = Command::new("ip").args(arguments.split(' ')).stderr(Stdio::null()).output();
    output.is_ok_and(|output| output.status.success())
}

impl Network {
    /// None where this process may not make namespaces.
    fn new() -> Option<Self> {
        let process = std::process::id();
        let third = u8::try_from(process % 250).unwrap();
        let network = Self { name: format!("e{process}"), third };
        if !ip(&format!("netns add {}", network.namespace(0))) {
            return None;
        }
        let bridge = format!("{}b", network.name);
        assert!(ip(&format!("link add {bridge} type bridge")));
        assert!(ip(&format!("addr add 10.99.{third}.254/24 dev {bridge}")));
        assert!(ip(&format!("link set {bridge} up")));
        for number in 0..3 {
            let (namespace, link) = (network.namespace(number), network.link(number));
            assert!(number == 0 || ip(&format!("netns add {namespace}")));
            assert!(ip(&format!("link add {link} type veth peer name eth0 netns {namespace}")));
            assert!(ip(&format!("link set {link} master {bridge} up")));
            let address = network.address(number);
            for what in
                ["link set lo up", "link set eth0 up", &format!("addr add {address}/24 dev eth0")]
            {
                assert!(ip(&format!("-n {namespace} {what}")), "{what}");
            }
        }
        Some(network)
    }

    fn namespace(&self, number: u8) -> String {
        format!("{}n{number}", self.name)
    }

    fn link(&self, number: u8) -> String {
        format!("{}v{number}", self.name)
    }

    fn address(&self, number: u8) -> Ipv4Addr {
        Ipv4Addr::new(10, 99, self.third, number + 1)
    }

    fn cut(&self, number: u8, is_cut: bool) {
        let state = if is_cut { "down" } else { "up" };
        assert!(ip(&format!("link set {} {state}", self.link(number))));
    }

    /// A server and two other agents, each in a namespace of its own.
    fn consul(&self) -> Running {
        let folder = tempfile::tempdir().unwrap();
        let mut plan = Plan::new(folder.path(), 1, 2, &json!({})).unwrap();
        let loopback: Vec<String> =
            plan.agents.iter().map(|agent| format!("={}", agent.address)).collect();
        for (own, agent) in (0..).zip(&mut plan.agents) {
            agent.address = self.address(own);
            for argument in &mut agent.arguments {
                for (number, before) in (0..).zip(&loopback) {
                    *argument = argument.replace(before, &format!("={}", self.address(number)));
                }
            }
        }
        let running =
            Running::of(plan, folder, (0..3).map(|number| self.namespace(number)).collect());
        running.wait(&Token::Anonymous);
        running
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for number in 0..3 {
            ip(&format!("netns del {}", self.namespace(number)));
        }
        ip(&format!("link del {}b", self.name));
    }
}

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn a_node_that_is_cut_off_keeps_what_it_knows_and_comes_back() {
    let Some(network) = Network::new() else {
        // Past what collects the output of tests that pass: that this did not run is to be seen.
        let words = "NOT RUN: partition (it needs root, for network namespaces)\n";
        std::io::stderr().write_all(words.as_bytes()).unwrap();
        return;
    };
    let consul = network.consul();
    let said = |number: u8| consul.folder.path().join(format!("said-{number}"));
    let start = |number: u8| {
        let agent = consul.agent(number.into());
        let address = format!("tcp://{}:5060", agent.address);
        let command = &mut within(Some(&network.namespace(number)), &worker());
        let command =
            command.args([&agent.join(), &node(number + 1).to_string(), &address, "10000"]);
        Process(command.stdout(File::create(said(number)).unwrap()).spawn().unwrap())
    };
    let _workers: Vec<Process> = (0..3).map(start).collect();
    let says = |number: u8, wanted: &str| {
        let text = fs::read_to_string(said(number)).unwrap();
        text.lines().last().is_some_and(|last| last == wanted)
    };
    let watcher = join(&consul.agent(0).join());
    see(&watcher, &[1, 2, 3]);
    until("all to see all", || (0..3).all(|number| says(number, "3 members []")));

    network.cut(2, true);
    let cut = Instant::now();
    see(&watcher, &[1, 2]);
    told(&format!("a node that is cut off is gone after {:.1?}", cut.elapsed()));
    until("the one cut off to notice", || says(2, "3 members [Away]"));
    network.cut(2, false);
    let healed = Instant::now();
    see(&watcher, &[1, 2, 3]);
    told(&format!("it is on the list again after {:.1?}", healed.elapsed()));
    until("all to see all again", || (0..3).all(|number| says(number, "3 members []")));
    told(&format!("all see all {:.1?} after it was connected again", healed.elapsed()));
    let heard = fs::read_to_string(said(2)).unwrap();
    let after = heard.lines().skip_while(|line| !line.starts_with('3'));
    assert!(after.clone().all(|line| line.starts_with('3')), "nobody was given up: {heard}");
}
