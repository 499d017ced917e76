//! The live model of a project, and models of one's own, as commands show them.

use std::io::{BufRead, BufReader};
use std::process::{Child, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{World, esker};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program that prints JSON lines.
pub(crate) struct Lines {
    child: Child,
    lines: Receiver<Value>,
}

impl Lines {
    pub(crate) fn of(world: &World, arguments: &[&str]) -> Self {
        let mut command = esker();
        command.current_dir(world.dir()).args(arguments).stdout(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let stdout = BufReader::new(child.stdout.take().expect("it was asked for"));
        let (told, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).expect("JSON");
                if told.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line that is so; the others before it are passed over.
    pub(crate) fn wait_for(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("waited in vain for {what}"));
            if is_so(&line) {
                return line;
            }
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }
}

const PIPELINE: &str = "[project]\nname = \"p\"\n[stage.upper]\ninput = \"raw/a\"\n\
    run = [\"tr\", \"a-z\", \"A-Z\"]\noutput = \"out/a\"\n";

fn model(world: &World, keys: &[&str]) -> Value {
    world.json(&[&["model", "get"], keys].concat())
}

#[test]
fn a_changed_cell_is_one_change_in_the_content() {
    let world = World::new(PIPELINE);
    let _up = world.up();
    world.ok_with(&["put", "raw/a"], b"id,name\n1,ann\n2,bob\n");
    world.wait_for_content("out/a", |content| content.contains("BOB"));
    world.wait_for("the model to tell of it", || {
        let output = world.run(&["model", "get", "content", "out/a"]);
        String::from_utf8_lossy(&output.stdout).contains("BOB")
    });
    let watch = Lines::of(&world, &["model", "watch", "content", "raw/a", "--json"]);
    watch.wait_for("step", |line| line["state"] == "live");
    world.ok_with(&["put", "raw/a"], b"id,name\n1,ann\n2,eve\n");
    let change = watch.wait_for("a change", |line| line["op"] != json!(null));
    let path = json!(["content", "raw/a", "tables", "", "rows", "2", "name"]);
    assert_eq!(change, json!({ "op": "set", "path": path, "value": "eve" }));
    world.wait_for_content("out/a", |content| content.contains("EVE"));
    world.wait_for("the stage's state", || {
        let upper = model(&world, &["stages", "upper"]);
        upper["state"] == "fresh" && upper["behind"] == false
    });
    let head = world.ok(&["log", "-n", "1", "--json"]);
    world.wait_for("the head", || {
        head.contains(model(&world, &["about"])["head"].as_str().unwrap_or("none yet"))
    });
}

#[test]
fn what_runs_and_how_far_it_is_is_told_while_it_runs() {
    let world = World::new(
        "[project]\nname = \"p\"\n[stage.slow]\ninput = \"raw/a\"\n\
         run = [\"sh\", \"-c\", \"echo esker: progress 1/2 reading >&2; until [ -e go ]; do sleep 0.01; done; cat\"]\n\
         output = \"out/a\"\n",
    );
    let _up = world.up();
    let runs = || world.run(&["model", "get", "runs"]);
    world.wait_for("the runner", || runs().status.success());
    world.ok_with(&["put", "raw/a"], b"x\n");
    world.wait_for("its progress", || {
        let told: Value = serde_json::from_slice(&runs().stdout).unwrap_or_default();
        told["slow"]["kind"] == "stage" && told["slow"]["progress"] == "1/2 reading"
    });
    world.write("go", "");
    world.wait_for_content("out/a", |content| content == "x\n");
    world.wait_for("its end", || runs().stdout == b"{}\n");
}

#[test]
fn a_watcher_outlives_the_hub() {
    let world = World::new(PIPELINE);
    let up = world.up();
    world.ok_with(&["put", "raw/notes"], b"a,b\n1,2\n");
    world.wait_for("the content", || {
        world.run(&["model", "get", "content", "raw/notes"]).status.success()
    });
    let model = world.endpoints()["model"].clone();
    let at = model["requests"].as_str().expect("an address");
    let watch = Lines::of(&world, &["model", "watch", "--json", "--at", at]);
    watch.wait_for("step", |line| line["state"] == "live");
    up.kill();
    watch.wait_for("silence", |line| line["state"] == "stale");
    // At the same addresses, which a restart with `--port-base 0` would not give it.
    let free = "\"tcp://127.0.0.1:0\"";
    let sockets = format!("[hub]\nrequests = {free}\nevents = {free}\n");
    let sockets = format!(
        "{sockets}[model]\nrequests = {}\nevents = {}\n",
        model["requests"], model["events"]
    );
    world.write("esker.toml", format!("{PIPELINE}{sockets}"));
    let _up = world.start(&["up", "--bind", "127.0.0.1:0"]);
    watch.wait_for("step again", |line| line["state"] == "live");
    world.ok_with(&["put", "raw/notes"], b"a,b\n1,3\n");
    let cell = json!(["content", "raw/notes", "tables", "", "rows", "1", "b"]);
    let change = watch.wait_for("the cell", |line| line["path"] == cell && line["op"] == "set");
    assert_eq!(change["value"], "3");
}

/// A model of one's own.
struct Suite<'a> {
    world: &'a World,
    at: String,
}

impl Suite<'_> {
    fn run(&self, name: &str, verb: &str, more: &[&str]) -> Output {
        let which = ["model", verb, "--at", &self.at, "--model", name];
        self.world.run(&[&which, more].concat())
    }

    fn is_set(&self, more: &[&str]) -> bool {
        self.run("suite", "set", more).status.success()
    }
}

#[test]
fn a_model_of_one_s_own_is_written_by_those_who_expect_what_is_there() {
    let world = World::new("[project]\nname = \"p\"\n");
    let free = "tcp://127.0.0.1:0";
    let arguments = ["model", "serve", "suite", "--requests", free, "--events", free, "--json"];
    let _serve = world.start(&arguments);
    let log = || std::fs::read_to_string(world.path("model.log")).unwrap_or_default();
    world.wait_for("the addresses", || log().contains("\"what\":\"events\""));
    let log = log();
    let mut lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let requests = lines.find(|line| line["what"] == "requests").expect("it is told");
    let at = requests["address"].as_str().expect("an address").to_owned();
    let suite = Suite { world: &world, at };
    assert!(suite.is_set(&["tasks", "a", "--to", "{\"state\": \"waiting\"}", "--if-absent"]));
    assert!(!suite.is_set(&["tasks", "a", "--to", "{}", "--if-absent"]), "it is there");
    let running = ["tasks", "a", "state", "--to", "\"running\"", "--if", "\"waiting\""];
    assert!(suite.is_set(&running));
    assert!(!suite.is_set(&running), "it is no longer waiting");
    // A dict is expected as it is with all below it.
    let task =
        |expected: &str, to: &str| suite.is_set(&["tasks", "a", "--if", expected, "--to", to]);
    assert!(!task("{}", "-1"));
    assert!(task("{\"state\": \"running\"}", "-1") && task("-1", "{\"state\": \"running\"}"));
    let output = suite.run("suite", "get", &["tasks"]);
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(told, json!({ "a": { "state": "running" } }));
    assert!(suite.is_set(&["tasks", "a", "--remove"]));
    let stderr = |output: Output| {
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let told = stderr(suite.run("suite", "get", &["taskz"]));
    assert!(told.contains("there is: tasks"), "{told}");
    let told = stderr(suite.run("sweet", "get", &[]));
    assert!(told.contains("no model \"sweet\"") && told.contains("suite"), "{told}");
}

#[test]
fn a_model_from_standard_input_ends_with_it_and_says_which_line_is_wrong() {
    let world = World::new("[project]\nname = \"p\"\n");
    let free = "tcp://127.0.0.1:0";
    let serve =
        ["model", "serve", "suite", "--requests", free, "--events", free, "--json", "--stdin"];
    let stderr = |input: &str, code: i32| {
        let output = world.run_with(&serve, input.as_bytes());
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        stderr
    };
    let set = r#"{"op": "set", "path": ["a"], "value": 1}"#;
    assert!(stderr("", 0).contains("stopping"));
    assert!(stderr(&format!("{set}\n[{set}]\n"), 0).contains("stopping"));
    let told = stderr(&format!("{set}\n{set}\n{{}}\n{set}\n"), 1);
    assert!(told.contains("line 3: no path") && told.contains("hint: for example"), "{told}");
    let root = r#"{"op": "clear", "path": []}"#;
    for input in [root.to_owned(), format!("{set}\n{root}\n")] {
        let told = stderr(&input, 1);
        assert!(told.contains("the dict at [] cannot be changed itself"), "{told}");
    }
}
