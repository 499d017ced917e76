//! The repository's other examples run as they are.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use crate::sync_clients::{addresses, python};
use crate::world::{World, esker, repository, signal};

#[test]
fn weather_comes_from_a_package_through_python_and_awk() {
    let world = World::example("weather");
    world.ok(&["check"]);
    let _up = world.up();
    world.wait_for_content("results/months", |content| content.lines().count() == 49);
    let months = world.content("results/months").expect("just seen");
    assert!(
        months.starts_with(
            "month,days,wet_days,rain_mm,mean_high_c,mean_low_c\n2012-01,31,22,173.3,"
        ),
        "{months}"
    );
}

#[test]
fn what_the_example_makes_is_sorted_as_its_page_says() {
    let world = World::example("sort");
    let program = std::path::PathBuf::from(esker().get_program());
    let folder = program.parent().expect("a folder").to_owned();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").expect("PATH"));
    let mut told = Vec::new();
    for command in commands("examples/sort/README.md") {
        let mut shell = Command::new("sh");
        let shell = shell.args(["-c", &command]).current_dir(world.dir()).env("PATH", &path);
        let output = shell.output().expect("sh");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}: {stderr}");
        told.push(String::from_utf8(output.stdout).expect("text"));
    }
    let [.., sorted, checked] = told.as_slice() else { panic!("{told:?}") };
    let sorted: serde_json::Value = serde_json::from_str(sorted).expect("JSON");
    assert!(sorted["spilled"].as_u64() > Some(0), "{sorted}");
    let checksum = sorted["checksum"].as_str().expect("a checksum");
    assert!(checked.contains("records:    500000") && checked.contains(checksum), "{checked}");
    let by_time = fs::read_to_string(world.path("by-time.csv")).expect("sorted");
    assert!(by_time.starts_with("time,place,value,note\n2026-01-01T00:"));
    assert_eq!(by_time.matches("\"checked\nby hand\"").count(), 200);
}

/// The commands that a page tells to type in terminals.
fn commands(page: &str) -> Vec<String> {
    let text = fs::read_to_string(repository().join(page)).expect("a page");
    let blocks = text.split("```sh\n").skip(1);
    let blocks = blocks.filter_map(|block| block.split("```").next());
    blocks.flat_map(str::lines).map(str::to_owned).collect()
}

/// A command in a terminal of its own, and what it has printed.
struct Terminal {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Terminal {
    fn new(world: &World, command: &str) -> Self {
        let program = std::path::PathBuf::from(esker().get_program());
        let folder = program.parent().expect("a folder").to_owned();
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").expect("PATH"));
        let log = world.path(format!("{}.log", command.replace(['/', ' '], "_")));
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("exec {command}")]).current_dir(world.dir()).env("PATH", path);
        // What programs in Python find beside the tests.
        shell.envs(python().get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell.stderr(fs::File::create(log).expect("a log")).stdout(Stdio::piped());
        let mut child = shell.stdin(Stdio::null()).spawn().expect("sh");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let lines = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&lines);
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                told.lock().expect("nobody panics").push(line);
            }
        });
        Self { child, lines }
    }

    fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("nobody panics").clone()
    }

    /// The newest line that has this.
    fn newest(&self, with: &str) -> Option<String> {
        self.lines().into_iter().rev().find(|line| line.contains(with))
    }

    fn signal(&self, name: &str) {
        signal(&self.child.id().to_string(), name);
    }

    /// Ctrl-C; the last line that is printed, and whether it ended well.
    fn interrupt(mut self) -> (String, bool) {
        self.signal("INT");
        let ended = self.child.wait().expect("it ends").success();
        (self.lines().pop().unwrap_or_default(), ended)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Numbers before, or behind, the names of states.
fn counts(line: &str) -> Vec<u64> {
    let words = line.split([' ', ',', ';']).filter_map(|word| word.parse().ok());
    words.collect()
}

#[test]
fn a_suite_is_followed_whatever_is_killed_and_stopped() {
    let world = World::example("suite");
    let [requests, events] = addresses();
    let commands = commands("examples/suite/README.md");
    let command = |begin: &str| {
        let command = commands.iter().find(|command| command.starts_with(begin)).expect(begin);
        command.replace("tcp://127.0.0.1:5200", &requests)
    };
    let more = format!("--rate 3000 --requests {requests} --events {events}");
    let driver = Terminal::new(&world, &format!("{} {more}", command("python3 driver.py")));
    let pids = || -> Vec<String> {
        let lines = driver.lines();
        let pid = lines.iter().filter_map(|line| line.strip_prefix("the publisher is process "));
        pid.map(str::to_owned).collect()
    };
    let told = || {
        let get = ["model", "get", "--at", &requests, "--model", "suite", "--digest"];
        let output = world.run(&get);
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap_or_default()
    };
    world.wait_for("the publisher", || told()["seq"].as_u64() > Some(0));
    let watch = Terminal::new(&world, &format!("{} --json", command("esker model watch")));
    let follow = format!("{} --at {requests}", command("python3 follower.py"));
    let follower = Terminal::new(&world, &follow);
    world.wait_for("the follower", || follower.newest("live").is_some());

    follower.signal("STOP");
    let before = told()["seq"].as_u64();
    world
        .wait_for("changes that it misses", || told()["seq"].as_u64() > before.map(|seq| seq + 20));
    follower.signal("CONT");
    world.wait_for("the next line", || follower.lines().len() > 2);
    signal(&pids()[0], "KILL");
    world.wait_for("the next publisher", || pids().len() == 2);

    world.wait_for("changes", || driver.newest("20000 changes").is_some());
    driver.signal("INT");
    world.wait_for("the driver to rest", || driver.newest("at rest after").is_some());
    // Once all was published its digest no longer changes, and the follower has the same tasks in the same states.
    let rest = driver.newest("at rest after").expect("just seen");
    world.wait_for_or(
        "the same digest",
        || format!("{rest}\n{:#?}\n{}", follower.lines(), told()),
        || {
            let digest = told()["digest"].as_str().unwrap_or("none").to_owned();
            let same = follower.newest(&format!("  {digest}"));
            same.is_some_and(|line| {
                line.contains("live") && counts(&line)[..6] == counts(&rest)[1..]
            })
        },
    );
    let digest = told()["digest"].as_str().expect("it is told").to_owned();
    let (last, ended) = follower.interrupt();
    assert!(ended && last.starts_with(&format!("ended live at {digest}")), "{last}");
    let progress = r#""progress"],"value""#;
    world.wait_for("changes in the watch", || watch.newest(progress).is_some());
    let (_, ended) = driver.interrupt();
    assert!(ended, "{}", world.logs());
    world.wait_for("the watch to say that it is over", || {
        watch.lines().last().is_some_and(|line| line.contains("stale"))
    });
}
