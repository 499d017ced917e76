//! A project in a folder of its own, and the processes that run it.

use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take before a test gives up; a loaded machine is slow.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A project's folder.
pub(crate) struct World {
    folder: TempDir,
}

/// A running process of esker, killed when dropped.
pub(crate) struct Running {
    child: Child,
    name: String,
}

impl World {
    /// A project with this definition.
    pub(crate) fn new(definition: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let world = Self { folder };
        world.write("esker.toml", definition);
        world
    }

    /// A copy of one of the repository's examples.
    pub(crate) fn example(name: &str) -> Self {
        let world = Self::new("");
        let from = repository().join("examples").join(name);
        for entry in fs::read_dir(from).expect("the example") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                fs::copy(&path, world.path(path.file_name().expect("a name"))).expect("a copy");
            }
        }
        world
    }

    pub(crate) fn dir(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.dir().join(name)
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path(".esker/store.git")
    }

    /// Writes a file whole, as an editor that saves by renaming does.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let mut file = tempfile::NamedTempFile::new_in(self.dir()).expect("a file");
        file.write_all(content.as_ref()).expect("written");
        file.persist(self.path(name)).expect("renamed");
    }

    /// Starts `esker up` on free ports and waits until it serves.
    pub(crate) fn up(&self) -> Running {
        self.up_with(&[])
    }

    /// The same with these variables in its environment.
    pub(crate) fn up_with(&self, environment: &[(&str, &str)]) -> Running {
        // What a killed one left behind says nothing about this one.
        drop(fs::remove_file(self.path(".esker/endpoints.json")));
        let running = self.start_with(&["up", "--port-base", "0"], environment);
        // The runner is the last to start: before, it reads the definition, which a test may spoil afterwards.
        self.wait_for("the runner", || self.endpoints()["runner"].is_object());
        running
    }

    /// Starts `esker hub` on free ports and waits until it serves.
    pub(crate) fn hub(&self) -> Running {
        drop(fs::remove_file(self.path(".esker/endpoints.json")));
        let running = self.start(&["hub", "--port-base", "0"]);
        self.wait_for("the hub", || self.endpoints()["hub"].is_object());
        running
    }

    /// Starts esker with these arguments; its log goes to a file of that name.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        self.start_with(arguments, &[])
    }

    /// The same with these variables in its environment.
    pub(crate) fn start_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Running {
        let name = arguments[0].to_owned();
        let log = self.path(format!("{name}.log"));
        let log = fs::OpenOptions::new().create(true).append(true).open(log).expect("a log");
        let child = esker()
            .args(arguments)
            .envs(environment.iter().copied())
            .current_dir(self.dir())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .process_group(0)
            .spawn()
            .expect("esker starts");
        Running { child, name }
    }

    /// What the running processes say of themselves.
    pub(crate) fn endpoints(&self) -> Value {
        let text = fs::read_to_string(self.path(".esker/endpoints.json")).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// The port of an address in the endpoints, for example `/hub/requests`.
    pub(crate) fn port(&self, pointer: &str) -> u16 {
        let endpoints = self.endpoints();
        let address = endpoints.pointer(pointer).and_then(Value::as_str).expect(pointer);
        address.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port")
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, b"")
    }

    /// Runs a command with this on its standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut child = esker()
            .args(arguments)
            .current_dir(self.dir())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("esker starts");
        let mut stdin = child.stdin.take().expect("piped");
        let input = input.to_vec();
        let feeder = std::thread::spawn(move || {
            // A command that reads nothing closes its input: no fault of the test.
            drop(stdin.write_all(&input));
        });
        let output = child.wait_with_output().expect("esker ends");
        feeder.join().expect("fed");
        output
    }

    /// Runs a command that must succeed; its standard output.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        self.ok_with(arguments, b"")
    }

    pub(crate) fn ok_with(&self, arguments: &[&str], input: &[u8]) -> String {
        let output = self.run_with(arguments, input);
        let (stdout, stderr) = texts(&output);
        assert!(
            output.status.success(),
            "{arguments:?}: {}\n{stderr}\n{}",
            output.status,
            self.logs()
        );
        stdout
    }

    /// Runs a command that must fail with this exit code; its standard error.
    pub(crate) fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let (stdout, stderr) = texts(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{stdout}\n{stderr}");
        stderr
    }

    /// What a command prints as JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let text = self.ok(arguments);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {text}"))
    }

    /// The content of a resource at its head; nothing if there is none.
    pub(crate) fn content(&self, resource: &str) -> Option<String> {
        let output = self.run(&["get", resource]);
        output.status.success().then(|| texts(&output).0)
    }

    /// Runs plain git on the store; its standard output.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .arg("-C")
            .arg(self.store())
            .args(arguments)
            .output()
            .expect("git runs");
        let (stdout, stderr) = texts(&output);
        assert!(
            output.status.success(),
            "git {arguments:?}: {}\n{stdout}\n{stderr}",
            output.status
        );
        stdout
    }

    /// Runs a Python program of the tests.
    pub(crate) fn python(&self, script: &str, arguments: &[&str]) -> String {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python").join(script);
        let mut python = Command::new("python3");
        let output =
            python.arg(script).args(arguments).current_dir(self.dir()).output().expect("python3");
        let (stdout, stderr) = texts(&output);
        assert!(output.status.success(), "{arguments:?}\n{stdout}\n{stderr}\n{}", self.logs());
        stdout
    }

    /// Waits until something holds.
    pub(crate) fn wait_for(&self, what: &str, holds: impl Fn() -> bool) {
        self.wait_for_or(what, String::new, holds);
    }

    /// Waits until something holds; what was seen instead is told when it does not.
    pub(crate) fn wait_for_or(
        &self,
        what: &str,
        instead: impl Fn() -> String,
        holds: impl Fn() -> bool,
    ) {
        let begun = Instant::now();
        while !holds() {
            let late = begun.elapsed() > PATIENCE;
            assert!(!late, "waited in vain for {what}\n{}\n{}", instead(), self.logs());
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// Waits until a resource's content is as wanted.
    pub(crate) fn wait_for_content(&self, resource: &str, wanted: impl Fn(&str) -> bool) {
        let what = format!("{resource} to be as wanted");
        self.wait_for(&what, || self.content(resource).is_some_and(|content| wanted(&content)));
    }

    /// The problem of a stage, when there is one.
    pub(crate) fn wait_for_problem(&self, stage: &str) -> Value {
        let find = || {
            let problems = self.json(&["problems", "--json"]);
            let problems = problems.as_array().expect("a list").clone();
            problems.into_iter().find(|problem| problem["stage"] == stage)
        };
        self.wait_for(&format!("a problem of {stage}"), || find().is_some());
        find().expect("just seen")
    }

    /// Every log so far, for a failing test's message.
    pub(crate) fn logs(&self) -> String {
        let mut logs = String::new();
        for entry in fs::read_dir(self.dir()).expect("the folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|extension| extension == "log") {
                logs += &format!("── {}\n", path.display());
                logs += &fs::read_to_string(&path).unwrap_or_default();
            }
        }
        logs
    }
}

impl Running {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills it as power loss would, and waits until it is gone.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }

    /// Asks it to end, as a service manager does, and waits.
    pub(crate) fn stop(self) {
        signal(&self.child.id().to_string(), "TERM");
        self.ends();
    }

    /// Interrupts it and all its group, as Ctrl-C in a terminal does, and waits.
    pub(crate) fn interrupt(self) {
        signal(&format!("-{}", self.child.id()), "INT");
        self.ends();
    }

    fn ends(mut self) {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("waited") {
                assert!(status.success(), "{} ended with {status}", self.name);
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{} does not end", self.name);
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Sends a signal.
pub(crate) fn signal(whom: &str, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), "--", whom]).status();
    assert!(status.is_ok_and(|status| status.success()), "kill -{name} {whom}");
}

/// The program under test.
pub(crate) fn esker() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_esker"));
    command.env("NO_COLOR", "1").env("ESKER_LOG", "info").env_remove("ESKER_AUTHOR");
    command
}

/// The repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// The processes whose command line holds this text.
pub(crate) fn processes(text: &str) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").expect("/proc").flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&line).contains(text) {
            found.push(pid);
        }
    }
    found
}
