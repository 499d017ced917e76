//! The worker that `esker up` has: used from the project's folder, told of in the model, and no harm to the rest where it cannot work.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

use crate::page::ask;
use crate::world::{World, processes};

const PROJECT: &str = "[project]\nname = \"p\"\n[source.a]\nfile = \"a\"\noutput = \"raw/a\"\n";

fn world(cluster: &str) -> World {
    let world = World::new(&format!("{PROJECT}[cluster]\n{cluster}\n"));
    world.write("a", "one\n");
    world
}

/// A port that is held until the listener is dropped; nobody listens on the next one, nor is given it by chance: it is
/// below those that the system gives.
fn pair() -> (TcpListener, u16) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let begin = std::process::id() % 5_000 * 2;
    let next = || 20_000 + (begin + 2 * NEXT.fetch_add(1, Ordering::Relaxed)) % 10_000;
    let mut ports = (0..5_000).map(|_| next());
    let free = ports.find_map(|port| {
        let port = u16::try_from(port).ok()?;
        let one = TcpListener::bind(("127.0.0.1", port)).ok()?;
        TcpListener::bind(("127.0.0.1", port + 1)).ok()?;
        Some((one, port))
    });
    free.expect("two ports, one after the other")
}

/// What the live model tells of the cluster.
fn told(world: &World) -> Value {
    let output = world.run(&["model", "get", "cluster"]);
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

fn fault(world: &World) -> String {
    told(world)["own"]["fault"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_project_has_a_worker_without_a_word_and_offers_everything() {
    let world = world("");
    world.write("esker.toml", PROJECT);
    let up = world.up();
    world.ok_with(&["cache", "set", "greeting"], b"hello\n");
    assert_eq!(world.ok(&["cache", "get", "greeting"]), "hello\n");
    world.ok(&["cache", "init", "s1/part-{}", "--count", "1000000"]);
    world.ok_with(&["cache", "append", "s1/part-7"], b"abc");
    world.ok_with(&["cache", "init", "-"], b"l/a\nl/b\n");
    assert_eq!(world.ok(&["cache", "get", "l/b"]), "");
    assert!(world.fails(1, &["cache", "get", "l/c"]).contains("there is no l/c"));
    world.ok(&["cache", "seal", "s1"]);
    assert!(world.fails(1, &["cache", "set", "s1/part-7", "a"]).contains("sealed"));
    // The model, the command and the server tell the same.
    let status = world.json(&["cluster", "status", "--json"]);
    let node = status["workers"][0]["node"].as_str().expect("who it is").to_owned();
    let is_told = || told(&world)["spaces"]["s1"]["sealed"] == true;
    world.wait_for("the model", is_told);
    let model = told(&world);
    assert_eq!(model["own"]["node"], *node);
    assert_eq!(model["spaces"]["s1"], status["spaces"][1]);
    let (mut one, mut other) = (model["workers"][&node].clone(), status["workers"][0].clone());
    // What was asked meanwhile counts.
    one["standing"]["tally"] = Value::Null;
    other["standing"]["tally"] = Value::Null;
    assert_eq!(one, other);
    let answer = ask(world.port("/web"), ("GET", "/api/cluster/where?id=s1/part-7"), "", "");
    let found: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(found["workers"], world.json(&["cluster", "locate", "s1/part-7", "--json"]));
    for bad in ["", "a%0Ab", &"a".repeat(1025)] {
        let path = format!("/api/cluster/where?id={bad}");
        assert_eq!(ask(world.port("/web"), ("GET", &path), "", "").status, 400, "{bad}");
    }
    let folder = world.dir().to_string_lossy().into_owned();
    up.stop();
    assert!(world.endpoints()["worker"].is_null());
    assert!(!world.path(".esker/spill").exists(), "nothing is left");
    assert_eq!(processes(&folder), Vec::<u32>::new());
    let gone = world.fails(1, &["cache", "get", "greeting"]);
    assert!(gone.contains("no worker runs") && gone.contains("esker up"), "{gone}");
}

#[test]
fn a_port_that_is_taken_is_told_and_taken_when_it_is_free() {
    let (taken, port) = pair();
    let world = world(&format!("bind = \"127.0.0.1:{port}\""));
    // `--port-base` would move it.
    let addresses = "[hub]\nrequests = \"tcp://127.0.0.1:0\"\nevents = \"tcp://127.0.0.1:0\"\n[web]\nbind = \"127.0.0.1:0\"\n";
    world.write(
        "esker.toml",
        format!("{PROJECT}{addresses}[cluster]\nbind = \"127.0.0.1:{port}\"\n"),
    );
    let up = world.start(&["up"]);
    world.wait_for("the runner", || world.endpoints()["runner"].is_object());
    world.wait_for("the fault", || fault(&world).contains(&port.to_string()));
    assert!(world.logs().contains("the rest does"), "{}", world.logs());
    world.wait_for_content("raw/a", |content| content == "one\n");
    let unfound = ask(world.port("/web"), ("GET", "/api/cluster/where?id=a"), "", "");
    assert_eq!(unfound.status, 503, "{}", unfound.body);
    drop(taken);
    world.wait_for("the worker", || world.endpoints()["worker"].is_object());
    world.ok_with(&["cache", "set", "greeting"], b"hello\n");
    world.wait_for("the end of the fault", || fault(&world).is_empty());
    up.stop();
}

#[test]
fn a_consul_that_is_away_at_the_start_is_told_and_the_rest_goes_on() {
    // Nobody listens there.
    let (free, port) = pair();
    drop(free);
    let world = world(&format!("join = \"consul://127.0.0.1:{port}\"\nbind = \"127.0.0.1:0\""));
    let up = world.up();
    world.wait_for_content("raw/a", |content| content == "one\n");
    world.wait_for("a word", || told(&world)["membership"]["unreachable_since"].is_string());
    world.wait_for("the fault", || fault(&world).contains("does not answer"));
    let status = world.json(&["cluster", "status", "--json"]);
    assert_eq!(status["membership"]["warnings"][0]["trouble"], "away", "{status}");
    up.stop();
}

#[test]
fn a_project_may_have_no_worker_and_a_bad_word_is_refused_before_anything_runs() {
    let none = world("worker = false");
    let up = none.up();
    assert_eq!(told(&none), Value::Null);
    let unfound = ask(none.port("/web"), ("GET", "/api/cluster/where?id=a"), "", "");
    assert_eq!(unfound.status, 503, "{}", unfound.body);
    assert!(none.fails(1, &["cache", "get", "a"]).contains("no worker runs"));
    up.stop();
    let absurd = world("memory = \"12KiB\"");
    assert!(absurd.fails(1, &["up", "--port-base", "0"]).contains("1MiB at least"));
    let wide = world("bind = \"0.0.0.0:5060\"");
    assert!(wide.fails(1, &["check"]).contains("not a loopback address"));
}

#[test]
fn a_list_of_one_worker_offers_spaces_to_everybody() {
    let world = World::new(PROJECT);
    let (free, port) = pair();
    drop(free);
    let list = format!(
        "[[member]]\nname = \"n\"\ncontrol = \"tcp://127.0.0.1:{port}\"\nbulk = \"tcp://127.0.0.1:{}\"\ncpus = 1\nmemory = \"64MiB\"\n",
        port + 1
    );
    world.write("members.toml", list);
    let bind = format!("127.0.0.1:{port}");
    let join = ["--join", "static:members.toml"];
    let worker =
        [&["worker", "--name", "n", "--bind", &bind, "--memory", "64MiB"][..], &join].concat();
    let worker = world.start(&worker);
    world.wait_for("the worker", || world.logs().contains("\"worker\""));
    let run = |arguments: &[&str]| world.ok(&[arguments, &join].concat());
    run(&["cache", "init", "s/part-{}", "--count", "10"]);
    assert_eq!(run(&["cache", "get", "s/part-9"]), "");
    run(&["cache", "drop", "s"]);
    // A project may say so itself, too: the file is meant from its folder.
    world.write(
        "esker.toml",
        format!("{PROJECT}[cluster]\njoin = \"static:members.toml\"\nworker = false\n"),
    );
    world.ok(&["cache", "init", "t/part-{}", "--count", "10"]);
    let status = world.json(&["cluster", "status", "--json"]);
    assert_eq!(status["spaces"][0]["name"], "t");
    let web = world.start(&["hub", "--port-base", "0"]);
    world.wait_for("the model", || told(&world)["spaces"]["t"]["count"] == 10);
    web.stop();
    worker.stop();
}
