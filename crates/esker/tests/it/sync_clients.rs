//! Replicas in Python, written from docs/sync.md alone, beside publishers that are killed and clients that are stopped.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use esker_bus::endpoint::Endpoint;
use serde_json::Value;

use crate::world::{Running, World, repository, signal};

pub(crate) const MODEL: &str = "suite";

/// A world with a published model, on ports that stay the same when it is started again.
pub(crate) struct Model {
    pub(crate) world: World,
    pub(crate) requests: String,
    events: String,
}

impl Model {
    pub(crate) fn new() -> Self {
        let [requests, events] = addresses();
        Self { world: World::new("[project]\nname = \"p\"\n"), requests, events }
    }

    pub(crate) fn serve(&self) -> Running {
        self.serve_with(&["--junction", "[\"tasks\"]"])
    }

    pub(crate) fn serve_with(&self, more: &[&str]) -> Running {
        let running = self.start(more);
        self.wait();
        running
    }

    /// Starts a publisher that may take its time.
    pub(crate) fn start(&self, more: &[&str]) -> Running {
        let [requests, events] = [self.requests.as_str(), &self.events];
        let serve = ["model", "serve", MODEL, "--requests", requests, "--events", events];
        self.world.start(&[&serve[..], more].concat())
    }

    /// Waits until the publisher answers.
    pub(crate) fn wait(&self) {
        self.world.wait_for("the publisher", || {
            let get = ["model", "get", "--at", &self.requests, "--model", MODEL, "--digest"];
            self.world.run(&get).status.success()
        });
    }

    /// Puts the seed's deltas from one number up to another; the digest that all up to there have to make.
    fn drive(&self, seed: &str, from: &str, to: &str) -> String {
        let script = test_program("sync_driver.py");
        let mut python = python();
        python.arg(script).args([&self.requests, MODEL, seed, from, to]);
        let output = python.output().expect("python3");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}\n{}", self.world.logs());
        String::from_utf8(output.stdout).expect("a digest").trim().to_owned()
    }

    /// Where it is asked, and where its changes are published.
    pub(crate) fn addresses(&self) -> [String; 2] {
        [self.requests.clone(), self.events.clone()]
    }

    /// Where its publisher is.
    pub(crate) fn endpoint(&self) -> Endpoint {
        let [requests, events] = self.addresses();
        Endpoint::Tcp { requests, events }
    }

    /// Waits until a replica in Python is so.
    pub(crate) fn wait_for(&self, client: &mut Client, what: &str, holds: impl Fn(&Value) -> bool) {
        let client = std::cell::RefCell::new(client);
        let here = || client.borrow_mut().here();
        self.world.wait_for_or(what, || here().to_string(), || holds(&here()));
    }

    /// What the publisher says of its model.
    pub(crate) fn told(&self) -> Value {
        let get = ["model", "get", "--at", &self.requests, "--model", MODEL, "--digest"];
        self.world.json(&get)
    }
}

/// A replica in Python.
pub(crate) struct Client {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Client {
    pub(crate) fn follow(model: &Model, sections: &[&str]) -> Self {
        let log = model.world.path(format!("client-{}.log", sections.len()));
        let mut python = python();
        python.arg(test_program("sync_client.py")).args([&model.requests, MODEL]).args(sections);
        python.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child =
            python.stderr(std::fs::File::create(log).expect("a log")).spawn().expect("python3");
        let answers = BufReader::new(child.stdout.take().expect("piped"));
        let mut client = Self { child, answers };
        assert_eq!(client.line(), "here\n", "{}", model.world.logs());
        client
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("a line");
        line
    }

    pub(crate) fn pid(&self) -> String {
        self.child.id().to_string()
    }

    /// Where it is.
    pub(crate) fn here(&mut self) -> Value {
        self.ask(&[])
    }

    /// The digests it has at these paths.
    fn digests(&mut self, paths: &[&str]) -> Value {
        self.ask(paths)["digests"].clone()
    }

    fn ask(&mut self, paths: &[&str]) -> Value {
        let line = format!("[{}]\n", paths.join(","));
        self.child.stdin.as_mut().expect("piped").write_all(line.as_bytes()).expect("asked");
        serde_json::from_str(&self.line()).expect("JSON")
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub(crate) fn python() -> Command {
    let mut paths = vec![repository().join("python")];
    paths.extend(std::env::var_os("PYTHONPATH").iter().flat_map(std::env::split_paths));
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", std::env::join_paths(paths).expect("paths"));
    python
}

pub(crate) fn test_program(name: &str) -> PathBuf {
    repository().join("crates/esker/tests/python").join(name)
}

/// Two addresses that are free now; nobody else is given them while others are.
pub(crate) fn addresses() -> [String; 2] {
    let sockets = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a port"));
    sockets.map(|socket| format!("tcp://{}", socket.local_addr().expect("an address")))
}

#[test]
fn a_replica_in_python_agrees_after_100_000_random_deltas() {
    let model = Model::new();
    let publisher = model.serve();
    let mut whole = Client::follow(&model, &[]);
    let sections = ["[\"\"]", "[\"tasks\",\"0\"]", "[\"1\"]"];
    let some = Client::follow(&model, &sections);
    model.drive("1", "0", "30000");

    signal(&whole.pid(), "STOP");
    let before_kill = model.drive("1", "30000", "60000");
    signal(&whole.pid(), "CONT");
    model.wait_for(&mut whole, "the stopped client", |here| here["digest"] == before_kill[..]);
    assert_eq!(model.told()["digest"], before_kill[..]);

    publisher.kill();
    model.wait_for(&mut whole, "silence", |here| here["state"] == "stale");
    assert_eq!(whole.here()["digest"], before_kill[..], "it keeps what it has");
    let _publisher = model.serve();
    let digest = model.drive("2", "0", "40000");
    model.wait_for(&mut whole, "the second publisher's model", |here| {
        here["digest"] == digest[..] && here["state"] == "live"
    });
    let here = whole.here();
    let told = model.told();
    assert_eq!([&told["digest"], &told["epoch"]], [&Value::from(&*digest), &here["epoch"]]);
    assert_eq!([&told["seq"], &here["refused"]], [&here["seq"], &Value::from(0)], "{here}");
    // A fresh whole copy tells what the sections have to be.
    let mut fresh = Client::follow(&model, &[]);
    model.wait_for(&mut fresh, "a copy that is not of a second ago", |here| {
        here["digest"] == digest[..]
    });
    let wanted = fresh.digests(&sections);
    let some = std::cell::RefCell::new(some);
    model.world.wait_for("three sections", || some.borrow_mut().digests(&sections) == wanted);
    assert_eq!(some.borrow_mut().here()["refused"], 0);
}

/// Runs a program of the tests beside a model of its own.
fn beside_a_model(program: &str) {
    let model = Model::new();
    let _publisher = model.serve();
    let mut python = python();
    python.arg(test_program(program)).args([&model.requests, MODEL]);
    let output = python.output().expect("python3");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}\n{}", model.world.logs());
}

#[test]
fn a_replica_in_python_mends_what_it_lost_and_what_was_spoiled() {
    beside_a_model("sync_mending.py");
}

#[test]
fn a_live_model_in_python_is_read_heard_awaited_and_changed() {
    beside_a_model("sync_live.py");
}

#[test]
fn the_python_package_passes_its_own_tests() {
    let mut python = python();
    python.args(["-m", "unittest", "discover", "--start-directory"]);
    let output = python.arg(repository().join("python/tests")).output().expect("python3");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
