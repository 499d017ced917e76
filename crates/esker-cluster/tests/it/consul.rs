//! Agents of Consul as processes of a test: started, killed, stopped, started again, and gone with it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use esker_cluster::consul::token::Token;
use esker_cluster::dev::{Agent, Plan};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long agents may take to make a cluster, on a machine that does much else.
const READY_MAX: Duration = Duration::from_secs(60);

/// The program, which `cargo xtask test` installs.
pub(crate) fn program() -> PathBuf {
    let own = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/test-tools/consul/usr/bin/consul");
    let named = std::env::var_os("ESKER_CONSUL").map(PathBuf::from);
    named.unwrap_or_else(|| match std::fs::exists(own).unwrap() {
        true => own.into(),
        false => "consul".into(),
    })
}

/// Agents that run.
pub(crate) struct Running {
    pub(crate) plan: Plan,
    pub(crate) folder: TempDir,
    children: Vec<Child>,
    /// The namespaces of the kernel's network that they run in, if each has its own.
    namespaces: Vec<String>,
}

impl Running {
    /// That many servers and other agents, ready.
    pub(crate) fn start(servers: usize, others: usize) -> Self {
        let running = Self::begin(servers, others, &json!({}));
        running.plan.wait(&Token::Anonymous, READY_MAX).unwrap();
        running
    }

    /// The same with a configuration of Consul's, not ready yet.
    pub(crate) fn begin(servers: usize, others: usize, configuration: &Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let plan = Plan::new(folder.path(), servers, others, configuration).unwrap();
        Self::of(plan, folder, Vec::new())
    }

    /// Agents of a plan, in these namespaces if there are some.
    pub(crate) fn of(plan: Plan, folder: TempDir, namespaces: Vec<String>) -> Self {
        let mut running = Self { plan, folder, children: Vec::new(), namespaces };
        for number in 0..running.plan.agents.len() {
            let child = running.spawn(number);
            running.children.push(child);
        }
        running
    }

    fn spawn(&self, number: usize) -> Child {
        let agent = self.agent(number);
        let log = File::options().append(true).create(true).open(agent.folder.join("log")).unwrap();
        let namespace = self.namespaces.get(number).map(String::as_str);
        within(namespace, &program())
            .args(&agent.arguments)
            .env_remove("CONSUL_HTTP_TOKEN")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap()
    }

    pub(crate) fn wait(&self, token: &Token) {
        self.plan.wait(token, READY_MAX).unwrap();
    }

    pub(crate) fn agent(&self, number: usize) -> &Agent {
        &self.plan.agents[number]
    }

    /// Kills an agent without a word.
    pub(crate) fn kill(&mut self, number: usize) {
        self.children[number].kill().unwrap();
        self.children[number].wait().unwrap();
    }

    /// Starts one again that was killed.
    pub(crate) fn revive(&mut self, number: usize) {
        self.children[number] = self.spawn(number);
    }

    pub(crate) fn signal(&self, number: usize, signal: &str) {
        send(self.children[number].id(), signal);
    }

    /// Asks an agent something, or tells it; its status and what it says.
    pub(crate) fn http(
        &self,
        number: usize,
        verb: &str,
        path: &str,
        body: &Value,
    ) -> (u16, String) {
        self.http_as("", number, (verb, path), body)
    }

    /// The same with a token.
    pub(crate) fn http_as(
        &self,
        token: &str,
        number: usize,
        (verb, path): (&str, &str),
        body: &Value,
    ) -> (u16, String) {
        let url = format!("{}{path}", self.agent(number).url());
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(20)));
        let agent = config.build().new_agent();
        let request = ureq::http::Request::builder().method(verb).uri(url);
        let request = request.header("X-Consul-Token", token);
        let answer = match verb {
            "GET" => agent.run(request.body(()).unwrap()),
            _ => agent.run(request.body(body.to_string()).unwrap()),
        };
        let mut answer = answer.unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    }

    /// What an agent says, as JSON.
    pub(crate) fn json(&self, number: usize, path: &str) -> Value {
        let (status, said) = self.http(number, "GET", path, &Value::Null);
        assert_eq!(status, 200, "{path}: {said}");
        serde_json::from_str(&said).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for child in &mut self.children {
            // It may have been killed before.
            drop(child.kill());
            drop(child.wait());
        }
        if std::thread::panicking() {
            let log = |agent: &Agent| std::fs::read_to_string(agent.folder.join("log"));
            let logs: Vec<_> =
                self.plan.agents.iter().filter_map(|agent| log(agent).ok()).collect();
            // What a test that fails prints is seen.
            told(&logs.join("\n"));
        }
    }
}

/// Prints what is worth to be known of a test.
#[expect(clippy::print_stdout, reason = "the runner shows it where it is wanted")]
pub(crate) fn told(text: &str) {
    println!("{text}");
}

pub(crate) fn send(process: u32, signal: &str) {
    let status = Command::new("kill").arg(format!("-{signal}")).arg(process.to_string()).status();
    assert!(status.unwrap().success());
}

/// A program, in a namespace if there is one, that dies with the test, however that ends.
pub(crate) fn within(namespace: Option<&str>, program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if let Some(namespace) = namespace {
        command.args(["ip", "netns", "exec", namespace]);
    }
    command.arg(program);
    command
}

/// The program of `examples/worker.rs`.
pub(crate) fn worker() -> PathBuf {
    let exe = std::env::current_exe().unwrap();
    exe.parent().unwrap().parent().unwrap().join("examples/worker")
}
