//! Workers that announce themselves, and those that stop to answer.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use esker_cluster::announce::Check;
use esker_cluster::membership::Membership;
use serde_json::Value;

use crate::consul::{Running, send, told, within, worker};
use crate::world::{PATIENCE, Worker, always, history, join, member, node, see, until};

const SERVICE: &str = "shoveling-worker";

/// What DNS says at an agent: the lines of `dig +short`, sorted.
fn dig(consul: &Running, number: usize, kind: &str, name: &str) -> Vec<String> {
    let agent = consul.agent(number);
    let output = Command::new("dig")
        .arg(format!("@{}", agent.address))
        .args(["-p", &agent.dns_port().to_string(), "+short", "+tcp", name, kind])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn srv(consul: &Running, number: usize) -> Vec<String> {
    dig(consul, number, "SRV", &format!("{SERVICE}.service.consul."))
}

#[test]
fn workers_see_each_other_and_are_found_by_name() {
    let consul = Running::start(1, 2);
    let clusters: Vec<_> = (0..3).map(|n| join(&consul.agent(n).join())).collect();
    let mut announced = Vec::new();
    for (number, cluster) in (1..).zip(&clusters) {
        let address = format!("{}:5060", consul.agent(usize::from(number) - 1).address);
        announced.push(cluster.announce(member(number, &address), Check::default(), "9").unwrap());
    }
    for cluster in &clusters {
        let seen = see(cluster, &[1, 2, 3]);
        assert!(seen.is_confirmed() && seen.warnings.is_empty(), "{:?}", seen.warnings);
        let address = format!("{}:5060", consul.agent(1).address);
        assert_eq!(seen.get(node(2)), Some(&member(2, &address)));
    }
    let names = [
        "1 1 5060 node1.node.dc1.consul.",
        "1 1 5060 node2.node.dc1.consul.",
        "1 1 5060 node3.node.dc1.consul.",
    ];
    until("names in DNS", || srv(&consul, 1) == names);
    let address = dig(&consul, 2, "A", "node2.node.dc1.consul.");
    assert_eq!(address, [consul.agent(1).address.to_string()]);

    let begun = Instant::now();
    drop(announced.remove(1));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    for cluster in &clusters {
        see(cluster, &[1, 3]);
    }
    assert_eq!(srv(&consul, 0).len(), 2);
    for path in ["/v1/agent/services", "/v1/agent/checks"] {
        assert_eq!(consul.json(1, path), serde_json::json!({}), "{path}");
    }
}

#[test]
fn a_worker_elsewhere_than_its_agent_is_found_at_its_own_address() {
    let consul = Running::start(1, 0);
    let cluster = join(&consul.agent(0).join());
    let _announced = cluster.announce(member(7, "127.0.0.1:5071"), Check::default(), "9").unwrap();
    see(&cluster, &[7]);
    until("a name in DNS", || srv(&consul, 0) == ["1 1 5071 7f000001.addr.dc1.consul."]);
    assert_eq!(dig(&consul, 0, "A", "7f000001.addr.dc1.consul."), ["127.0.0.1"]);
}

#[test]
fn what_is_free_is_told_now_and_then() {
    let consul = Running::start(1, 0);
    let cluster = join(&consul.agent(0).join());
    let announced = cluster.announce(member(1, "127.0.0.1:5060"), Check::default(), "9").unwrap();
    let free = |wanted: u8| {
        let is = |membership: &Membership| {
            membership.get(node(1)).is_some_and(|member| member.free == wanted)
        };
        cluster.wait_for(is, PATIENCE).unwrap()
    };
    let first = free(64).version;
    let (history, _subscription) = history(&cluster);
    announced.update(40);
    assert_eq!(free(40).version, first + 1);
    let told = Instant::now();
    for value in [41, 39, 38, 20] {
        announced.update(value);
    }
    assert_eq!(free(20).version, first + 2, "what lies between is not told");
    assert!(told.elapsed() > Duration::from_secs(8), "{:?}", told.elapsed());
    assert_eq!(always(&history), [1].into(), "telling it takes nobody off the list");
}

#[test]
fn a_worker_that_is_stopped_is_gone_until_it_goes_on() {
    let consul = Running::start(1, 0);
    let cluster = join(&consul.agent(0).join());
    let mut worker = within(None, &worker())
        .args([&consul.agent(0).join(), &node(5).to_string(), "tcp://127.0.0.1:5065", "1500"])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let _other = cluster.announce(member(6, "127.0.0.1:5066"), Check::default(), "9").unwrap();
    see(&cluster, &[5, 6]);
    send(worker.id(), "STOP");
    let stopped = Instant::now();
    see(&cluster, &[6]);
    told(&format!("a stopped worker is gone after {:.1?}", stopped.elapsed()));
    send(worker.id(), "CONT");
    see(&cluster, &[5, 6]);
    worker.kill().unwrap();
    worker.wait().unwrap();
    see(&cluster, &[6]);
}

#[test]
fn an_agent_that_lost_a_worker_hears_of_it_again() {
    let mut consul = Running::start(1, 1);
    let cluster = join(&consul.agent(0).join());
    let worker = join(&consul.agent(1).join());
    let check = Check::Ttl(Duration::from_secs(3));
    let address = format!("{}:5060", consul.agent(1).address);
    let announced = worker.announce(member(1, &address), check, "9").unwrap();
    announced.wait(PATIENCE).unwrap();
    see(&cluster, &[1]);
    consul.kill(1);
    until("beats that fail", || announced.fault().is_some());
    let data = consul.agent(1).folder.join("data");
    for lost in ["services", "checks"] {
        std::fs::remove_dir_all(data.join(lost)).unwrap();
    }
    consul.revive(1);
    until("a beat that is heard", || announced.fault().is_none());
    until("the agent to know", || {
        let services = consul.json(1, "/v1/agent/services");
        services.as_object().is_some_and(|services| services.len() == 1)
    });
    see(&cluster, &[1]);
    let (_, left) = consul.http(
        1,
        "PUT",
        &format!("/v1/agent/service/deregister/{SERVICE}-{}", node(1)),
        &Value::Null,
    );
    assert_eq!(left, "");
    until("the agent to know again", || {
        let services = consul.json(1, "/v1/agent/services");
        services.as_object().is_some_and(|services| services.len() == 1)
    });
}

#[test]
fn agents_can_check_by_themselves() {
    let consul = Running::start(1, 0);
    let cluster = join(&consul.agent(0).join());
    let every = Duration::from_secs(1);
    let mut worker = Worker::at(1, "127.0.0.1");
    let _tcp = cluster.announce(worker.member.clone(), Check::Tcp { every }, "9").unwrap();
    let url = format!("{}/v1/status/leader", consul.agent(0).url());
    let http = Check::Http { url, every };
    let _http = cluster.announce(member(2, "127.0.0.1:5062"), http, "9").unwrap();
    let url = format!("{}/v1/nothing", consul.agent(0).url());
    let http = Check::Http { url, every };
    let bad = cluster.announce(member(3, "127.0.0.1:5063"), http, "9").unwrap();
    bad.wait(PATIENCE).unwrap();
    until("a check that fails", || {
        let checks = consul.json(0, "/v1/agent/checks");
        let mut checks = checks.as_object().unwrap().values();
        checks.any(|check| check["Status"] == "critical")
    });
    see(&cluster, &[1, 2]);
    worker.listener = None;
    see(&cluster, &[2]);
}

#[test]
fn what_cannot_be_announced_is_said_at_once() {
    let cluster = join("consul://127.0.0.1:1");
    let mut inproc = member(1, "127.0.0.1:1");
    inproc.control = "inproc://here".to_owned();
    let fault = cluster.announce(inproc, Check::default(), "9").err().unwrap();
    assert!(fault.message.contains("control is not tcp://HOST:PORT"), "{fault}");
    let check = Check::Ttl(Duration::from_millis(1));
    let fault = cluster.announce(member(1, "127.0.0.1:1"), check, "9").err().unwrap();
    assert!(fault.message.contains("check is not"), "{fault}");
    let announced = cluster.announce(member(1, "127.0.0.1:1"), Check::default(), "9").unwrap();
    let fault = announced.wait(Duration::from_millis(300)).unwrap_err();
    assert!(fault.message.contains("127.0.0.1:1") && fault.hint.contains("agent"), "{fault}");
}
