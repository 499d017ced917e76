//! Webhooks: a real server that takes events, that is down for a while, that hangs, refuses, redirects.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::sources::Certificates;
use crate::world::{World, repository};

const SECRET: &str = "hush-hush/signing+1";
pub(crate) const TOKEN: &str = "hush-hush/token+2";

/// A server that takes events; killed when dropped.
pub(crate) struct Receiver {
    child: Child,
    pub(crate) port: u16,
}

impl Receiver {
    /// Writes its certificates and starts it.
    pub(crate) fn new(world: &World) -> Self {
        let certificates = Certificates::new();
        world.write("ca.pem", certificates.authority);
        world.write("server.pem", certificates.certificate);
        world.write("server.key", certificates.key);
        world.write("token.txt", TOKEN);
        world.write("secret.txt", SECRET);
        fs::create_dir_all(world.path("served")).expect("a folder");
        Self::start(world, 0)
    }

    /// Starts it where it was.
    pub(crate) fn start(world: &World, port: u16) -> Self {
        let script = repository().join("crates/esker/tests/python/events_server.py");
        let mut child = Command::new("python3")
            .arg(script)
            .args(["server.pem", "server.key", "served", SECRET, &port.to_string()])
            .current_dir(world.dir())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        Self { child, port: line.trim().parse().expect("a port") }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What the server has taken, in order.
pub(crate) fn taken(world: &World) -> Vec<Value> {
    let text = fs::read_to_string(world.path("served/events")).unwrap_or_default();
    // The last line may be half written.
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn requests(world: &World) -> usize {
    fs::read_to_string(world.path("served/requests")).unwrap_or_default().lines().count()
}

/// The contents of `raw/a` as far as they were told: the message of each put has none, so its size tells.
fn sizes(world: &World) -> Vec<u64> {
    let puts = taken(world).into_iter().filter(|one| one["event"]["subject"] == "raw/a");
    let puts = puts.filter(|one| one["event"]["type"] == "dev.esker.put.v1");
    puts.map(|one| one["event"]["data"]["size"].as_u64().expect("a size")).collect()
}

/// Whether any file below a folder holds this text.
fn holds(folder: &Path, text: &str) -> bool {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    entries.map(|entry| entry.path()).any(|path| match path.is_dir() {
        true => holds(&path, text),
        false => fs::read(&path)
            .unwrap_or_default()
            .windows(text.len())
            .any(|window| window == text.as_bytes()),
    })
}

fn assert_hushed(world: &World) {
    for secret in [SECRET, TOKEN] {
        assert!(!holds(&world.path(".esker"), secret), "{secret} in the store");
        assert!(!world.logs().contains(secret), "{}", world.logs());
    }
}

fn project(more: &str) -> (World, Receiver) {
    let world = World::new("");
    let server = Receiver::new(&world);
    let definition = format!(
        "[project]\nname = \"p\"\n[source.a]\nfile = \"a.txt\"\noutput = \"raw/a\"\n\
         [stage.b]\ninput = \"raw/a\"\nrun = [\"sh\", \"b.sh\"]\noutput = \"made/b\"\n\
         [webhook.hook]\nurl = \"https://localhost:{}/hook\"\nca = \"ca.pem\"\n\
         token = {{ file = \"token.txt\" }}\nsecret = {{ file = \"secret.txt\" }}\n{more}",
        server.port
    );
    world.write("b.sh", "cat\n");
    world.write("a.txt", "x");
    world.write("esker.toml", definition);
    (world, server)
}

#[test]
fn what_is_wanted_is_told_signed_and_once() {
    let (world, _server) = project("events = [\"put\", \"run\"]\nresources = [\"made/*\"]\n");
    let up = world.up();
    world.wait_for("two events", || taken(&world).len() >= 2);
    world.write("a.txt", "xx");
    world.wait_for("four events", || taken(&world).len() >= 4);
    up.stop();
    let events = taken(&world);
    let kinds: Vec<&str> = events.iter().filter_map(|one| one["event"]["type"].as_str()).collect();
    let (put, ran) = ("dev.esker.put.v1", "dev.esker.run.completed.v1");
    assert_eq!(kinds, [put, ran, put, ran]);
    for (index, one) in events.iter().enumerate() {
        assert_eq!(one["signed"], true);
        assert_eq!(one["token"], format!("Bearer {TOKEN}"));
        assert!(one["type"].as_str().expect("a type").starts_with("application/cloudevents+json"));
        assert_eq!(one["event"]["sequence"], format!("{:020}", index + 1));
    }
    let listed = world.json(&["webhooks", "list", "--json"]);
    assert_eq!((&listed[0]["sent"], &listed[0]["problem"]), (&4.into(), &Value::Null));
    assert_hushed(&world);
}

#[test]
fn whoever_was_down_hears_of_everything_in_order_though_esker_was_killed() {
    let (world, server) = project("events = \"put\"\nresources = \"raw/*\"\nretry = 100\n");
    let port = server.port;
    let up = world.up();
    world.wait_for("the first", || sizes(&world) == [1]);
    drop(server);
    for size in 2..5 {
        world.write("a.txt", "x".repeat(size));
        world.wait_for_content("made/b", |content| content.len() == size);
    }
    // As power loss would: nothing is said to anybody.
    up.kill();
    world.write("a.txt", "x".repeat(5));
    let up = world.up();
    world.wait_for_content("made/b", |content| content.len() == 5);
    let server = Receiver::start(&world, port);
    world.wait_for("the rest", || sizes(&world).len() >= 5);
    assert_eq!(sizes(&world), [1, 2, 3, 4, 5]);
    up.stop();
    drop(server);
    let ids: std::collections::BTreeSet<String> =
        taken(&world).iter().map(|one| one["event"]["id"].to_string()).collect();
    assert_eq!(ids.len(), 5);
}

#[test]
fn a_server_that_hangs_delays_nothing_and_is_a_problem() {
    let (world, _server) = project("events = \"put\"\nretry = 1\ntimeout = \"500ms\"\n");
    world.write("served/behave", "hang");
    let up = world.up();
    for size in 2..4 {
        world.write("a.txt", "x".repeat(size));
        world.wait_for_content("made/b", |content| content.len() == size);
    }
    let problem = world.wait_for_problem("webhook.hook");
    let told = problem.to_string();
    assert!(told.contains("did not answer within 500ms"), "{told}");
    // It is not the planner's: it stays when something else has run.
    world.write("a.txt", "x".repeat(4));
    world.wait_for_content("made/b", |content| content.len() == 4);
    world.wait_for_problem("webhook.hook");
    fs::remove_file(world.path("served/behave")).expect("removed");
    world.ok(&["problems", "retry", "webhook.hook"]);
    world.wait_for("all that waited", || sizes(&world).last() == Some(&4));
    world.wait_for("no problem", || world.json(&["problems", "--json"]) == Value::Array(vec![]));
    up.stop();
    assert_hushed(&world);
}

#[test]
fn what_a_server_refuses_is_left_out_and_a_redirect_is_not_followed() {
    let (world, _server) = project("events = \"put\"\nresources = \"raw/*\"\nretry = 0\n");
    world.write("served/behave", "once\n400\n");
    let up = world.up();
    world.wait_for("it was asked", || requests(&world) >= 1);
    world.write("a.txt", "xx");
    world.wait_for("the second", || sizes(&world) == [2]);
    world
        .wait_for("one refused", || world.json(&["webhooks", "list", "--json"])[0]["refused"] == 1);
    let before = requests(&world);
    world.write("served/behave", "307\nLocation: /elsewhere\n");
    world.write("a.txt", "xxx");
    let told = world.wait_for_problem("webhook.hook").to_string();
    assert!(told.contains("answers 307") && told.contains("not followed"), "{told}");
    let asked = fs::read_to_string(world.path("served/requests")).expect("requests");
    assert!(requests(&world) > before && !asked.contains("elsewhere"), "{asked}");
    fs::remove_file(world.path("served/behave")).expect("removed");
    world.ok(&["problems", "retry", "webhook.hook"]);
    world.wait_for("the third", || sizes(&world) == [2, 3]);
    up.stop();
    assert_hushed(&world);
}

#[test]
fn problems_come_and_go_and_what_checks_refuse_is_told() {
    let (world, _server) = project("events = [\"problem\", \"rejected\"]\nstages = \"b\"\n");
    let text = fs::read_to_string(world.path("esker.toml")).expect("the definition");
    world.write(
        "esker.toml",
        text.replace("output = \"made/b\"", "output = \"made/b\"\nrows_min = 2"),
    );
    let up = world.up();
    world.wait_for("two events", || taken(&world).len() >= 2);
    world.write("a.txt", "x\nx\nx\n");
    world.wait_for("three events", || taken(&world).len() >= 3);
    up.stop();
    let events: Vec<Value> = taken(&world).into_iter().map(|one| one["event"].clone()).collect();
    let kinds: Vec<&str> = events.iter().filter_map(|event| event["type"].as_str()).collect();
    let wanted = [
        "dev.esker.candidate.rejected.v1",
        "dev.esker.problem.v1",
        "dev.esker.problem.resolved.v1",
    ];
    assert_eq!(kinds, wanted);
    assert_eq!(events[0]["data"]["rejected"][0]["resource"], "made/b");
    assert_eq!(events[1]["data"]["id"], events[2]["data"]["id"]);
    assert!(events[1]["text"].as_str().expect("a text").contains("b has a problem"));
}

#[test]
fn a_test_shows_the_answer() {
    let (world, server) = project("");
    let told = world.ok(&["webhooks", "test", "hook"]);
    assert!(told.contains("/hook answers 200") && told.contains("said of"), "{told}");
    assert!(!told.contains(TOKEN), "{told}");
    assert_eq!(taken(&world)[0]["event"]["type"], "dev.esker.test.v1");
    assert_eq!(taken(&world)[0]["signed"], true);
    world.write("served/behave", "503\n");
    assert_eq!(world.run(&["webhooks", "test", "hook"]).status.code(), Some(1));
    drop(server);
    let told = world.fails(1, &["webhooks", "test", "hook"]);
    assert!(told.contains("nobody listens there"), "{told}");
    let told = world.fails(1, &["webhooks", "test", "hoo"]);
    assert!(told.contains("there is no webhook hoo") && told.contains("hook"), "{told}");
}
