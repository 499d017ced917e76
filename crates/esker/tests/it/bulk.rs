//! A cluster from one command, on real agents of Consul: used, told to hold less, robbed of a worker, and ended.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::world::{Running, World, processes, signal};

/// A cluster that runs, and how it is joined.
pub(crate) struct Cluster {
    pub(crate) world: World,
    dev: Running,
    pub(crate) join: String,
}

impl Cluster {
    pub(crate) fn start(nodes: &str) -> Self {
        let world = World::new("[project]\nname = \"p\"\n");
        let folder = world.dir().to_string_lossy().into_owned();
        let arguments = ["cluster", "dev", "-n", nodes, "--memory", "64MiB"];
        let dev = world.start_with(&arguments, &[("TMPDIR", &folder)]);
        let join = |logs: &str| {
            let line = logs.lines().find_map(|line| line.strip_prefix("join:"));
            line.map(|line| line.trim().to_owned())
        };
        world.wait_for("the cluster", || world.logs().contains("try:"));
        let join = join(&world.logs()).expect("how it is joined");
        Self { world, dev, join }
    }

    fn ok(&self, arguments: &[&str], input: &[u8]) -> String {
        self.world.ok_with(&[arguments, &["--join", &self.join]].concat(), input)
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let told = self.ok(&[arguments, &["--json"]].concat(), b"");
        serde_json::from_str(&told).expect("JSON")
    }

    /// What every worker says of itself, by its name.
    fn budgets(&self) -> Vec<u64> {
        let status = self.json(&["cluster", "status"]);
        let budget = |row: &Value| row["standing"]["ledger"]["budget"].as_u64().unwrap_or(0);
        status["workers"].as_array().expect("rows").iter().map(budget).collect()
    }

    /// What the addresses of all of it begin with: a network of its own.
    fn network(&self) -> String {
        let host = self.join.trim_start_matches("consul://");
        host.rsplit_once('.').expect("an address").0.to_owned() + "."
    }

    /// Kills the second worker.
    pub(crate) fn kill_second(&self) {
        let worker = processes(&self.network()).into_iter().find(|pid| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
            words.contains(&&b"node2"[..]) && words.get(1) == Some(&&b"worker"[..])
        });
        signal(&worker.expect("the second worker").to_string(), "KILL");
    }

    /// Puts a key into Consul.
    fn put(&self, key: &str, value: &str) {
        self.ask_consul("PUT", key, value);
    }

    /// The keys that Consul has.
    pub(crate) fn keys(&self) -> String {
        self.ask_consul("GET", "esker/?keys", "")
    }

    fn ask_consul(&self, verb: &str, key: &str, value: &str) -> String {
        let at = self.join.strip_prefix("consul://").expect("an agent");
        let mut stream = TcpStream::connect(at).expect("connected");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("set");
        let length = value.len();
        let request = format!(
            "{verb} /v1/kv/{key} HTTP/1.1\r\nHost: {at}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{value}"
        );
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answered");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        answer
    }

    /// The logs of the workers.
    fn workers(&self) -> String {
        let mut logs = String::new();
        for entry in std::fs::read_dir(self.world.dir()).expect("the folder").flatten() {
            for number in 1..9 {
                let log = entry.path().join(format!("node{number}/worker.log"));
                logs += &std::fs::read_to_string(log).unwrap_or_default();
            }
        }
        logs
    }
}

#[test]
fn contents_are_set_and_got_over_a_cluster_of_one_command() {
    let cluster = Cluster::start("3");
    let members = cluster.json(&["cluster", "members"]);
    assert_eq!(members["members"].as_array().map(Vec::len), Some(3), "{members}");
    let long: Vec<u8> = (0..9_000_000_u32)
        .flat_map(|number| (number.wrapping_mul(2_654_435_761)).to_le_bytes())
        .take(9_000_000)
        .collect();
    cluster.ok(&["cache", "set", "long"], &long);
    let output = cluster.world.run(&["cache", "get", "long", "--join", &cluster.join]);
    assert!(output.stdout == long, "9 MB as they were written");
    cluster.ok(&["cache", "append", "log/today"], b"one\n");
    cluster.ok(&["cache", "append", "log/today"], b"two\n");
    assert_eq!(cluster.ok(&["cache", "get", "log/today"], b""), "one\ntwo\n");
    cluster.ok(&["cache", "init", "s1/part-{}", "--count", "1000000"], b"");
    assert_eq!(cluster.ok(&["cache", "get", "s1/part-999999"], b""), "");
    let absent =
        cluster.world.fails(1, &["cache", "get", "s1/part-1000000", "--join", &cluster.join]);
    assert!(absent.contains("there is no s1/part-1000000"), "{absent}");
    // Whatever their number, as many are on each.
    let mut counts = std::collections::BTreeMap::new();
    for number in 0..9 {
        let at = cluster.json(&["cluster", "locate", &format!("s1/part-{number}")]);
        *counts.entry(at[0]["name"].to_string()).or_insert(0) += 1;
    }
    assert_eq!(counts.values().copied().collect::<Vec<_>>(), [3, 3, 3]);
    let other = cluster
        .world
        .fails(1, &["cache", "init", "s1/part-{}", "--count", "7", "--join", &cluster.join]);
    assert!(other.contains("another one"), "{other}");
    cluster.ok(&["cache", "init", "-"], b"l/a\nl/b\nl/c\n");
    assert_eq!(cluster.ok(&["cache", "get", "l/b"], b""), "");
    cluster.ok(&["cache", "seal", "l"], b"");
    let sealed = cluster.world.fails(1, &["cache", "set", "l/b", "--join", &cluster.join]);
    assert!(sealed.contains("sealed"), "{sealed}");
    for space in ["s1", "l", "log"] {
        cluster.ok(&["cache", "drop", space], b"");
    }
    cluster.ok(&["cache", "rm", "long"], b"");
    let status = cluster.json(&["cluster", "status"]);
    for row in status["workers"].as_array().expect("rows") {
        let ledger = &row["standing"]["ledger"];
        for class in ["cached", "pinned", "staged", "flight", "disk"] {
            assert_eq!(ledger[class], 0, "{class} of {row}");
        }
    }
    let network = cluster.network();
    cluster.dev.interrupt();
    assert_eq!(processes(&network), Vec::<u32>::new(), "nothing is left of it");
}

#[test]
fn consul_says_how_much_a_worker_holds() {
    let cluster = Cluster::start("2");
    let world = &cluster.world;
    cluster.put("esker/config/*/max-memory", "32MiB");
    world.wait_for("less", || cluster.budgets() == [32 << 20; 2]);
    cluster.put("esker/config/node2/max-memory", "48MiB");
    world.wait_for("more for one", || {
        let mut budgets = cluster.budgets();
        budgets.sort_unstable();
        budgets == [32 << 20, 48 << 20]
    });
    for nonsense in ["banana", "-1", "17"] {
        cluster.put("esker/config/*/max-memory", nonsense);
        cluster.put("esker/config/node2/max-memory", nonsense);
        world.wait_for("a word about it", || {
            cluster.workers().matches("stays as it is").count() >= 2
        });
    }
    let mut budgets = cluster.budgets();
    budgets.sort_unstable();
    assert_eq!(budgets, [32 << 20, 48 << 20]);
}

#[test]
fn a_worker_that_is_killed_takes_nothing_else_along() {
    let cluster = Cluster::start("3");
    let world = &cluster.world;
    let ids: Vec<String> = (0..30).map(|number| format!("k{number}")).collect();
    for id in &ids {
        cluster.ok(&["cache", "set", id], id.as_bytes());
    }
    let owner = |id: &str| cluster.json(&["cluster", "locate", id])[0]["name"].clone();
    let of_second: Vec<&String> = ids.iter().filter(|id| owner(id) == "node2").collect();
    assert!(!of_second.is_empty() && of_second.len() < 20, "{of_second:?}");
    let network = cluster.network();
    cluster.kill_second();
    // The others go on meanwhile.
    let kept = ids.iter().find(|id| !of_second.contains(id)).expect("one of another worker");
    assert_eq!(cluster.ok(&["cache", "get", kept], b""), *kept);
    // When Consul has noticed, another has its share, and all can be set again.
    world.wait_for("another owner", || of_second.iter().all(|id| owner(id) != "node2"));
    for id in &of_second {
        let gone = world.run(&["cache", "get", id, "--join", &cluster.join]);
        assert_eq!(gone.status.code(), Some(1), "what it held is gone with it");
        cluster.ok(&["cache", "set", id], b"again");
        assert_eq!(cluster.ok(&["cache", "get", id], b""), "again");
    }
    assert_eq!(cluster.ok(&["cache", "get", kept], b""), *kept);
    cluster.dev.kill();
    world.wait_for("the end of all", || processes(&network).is_empty());
}
