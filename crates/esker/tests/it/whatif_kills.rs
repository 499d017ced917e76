//! Killed at any moment while people make, amend, apply and move what-ifs: what was acknowledged is there and comes to an
//! end, what is applied is applied once and whole, and nothing goes on running.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::world::{Running, World, esker, processes};

/// How often something is killed; `ESKER_KILLS` says otherwise.
const KILLS: u32 = 32;
/// How many people there are.
const CLIENTS: usize = 2;

fn kills() -> u32 {
    std::env::var("ESKER_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS)
}

/// Moments that differ from run to run of the loop, not from run to run of the test.
fn moment(round: u32) -> Duration {
    Duration::from_millis(u64::from(round.wrapping_mul(2_654_435_761) % 1_200))
}

fn world(marker: &str) -> World {
    let free = || TcpListener::bind("127.0.0.1:0").expect("a port");
    let (one, other) = (free(), free());
    let ports = [one, other].map(|port| port.local_addr().expect("bound").port());
    let world = World::new(&format!(
        "[project]\nname = \"p\"\n\
         [hub]\nrequests = \"tcp://127.0.0.1:{}\"\nevents = \"tcp://127.0.0.1:{}\"\n\
         [stage.count]\ninput = \"raw/a\"\nrun = [\"sh\", \"-c\", \"sleep 0.05; wc -l # {marker}\"]\noutput = \"out/a\"\n",
        ports[0], ports[1]
    ));
    for resource in ["raw/a", "raw/b"] {
        world.ok_with(&["put", resource], b"id,v\nfirst,0\nlast,0\n");
    }
    world
}

/// What people were told is saved.
#[derive(Default)]
struct Told {
    /// The what-ifs, and the values that were added to each by amending it.
    saved: BTreeMap<String, BTreeSet<String>>,
    applied: BTreeSet<String>,
}

/// A command that ends by itself with success, or is killed when it is to stop.
fn command(world: &World, arguments: &[&str], stop: &AtomicBool) -> bool {
    let mut command = esker();
    command.args(arguments).current_dir(world.dir()).stdin(Stdio::null());
    let mut child: Child =
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("esker starts");
    loop {
        if let Some(status) = child.try_wait().expect("waited") {
            return status.success();
        }
        if stop.load(Ordering::Relaxed) {
            child.kill().expect("killed");
            return child.wait().expect("gone").success();
        }
        thread::park_timeout(Duration::from_millis(2));
    }
}

/// One person, until it is over: makes a what-if, amends it, moves it, applies it.
fn person(world: &World, name: &str, stop: &AtomicBool, told: &Mutex<Told>) {
    for number in 0.. {
        let id = format!("{name}-{number}");
        let add =
            |resource: &str| format!("{resource}={{\"id\":\"{id}\",\"v\":\"1\"}} after first");
        let set = format!("raw/a:[{id}].v=2");
        let is_saved = command(
            world,
            &[
                "whatif",
                "new",
                "--id",
                &id,
                "--add",
                &add("raw/a:"),
                "--add",
                &add("raw/b:"),
                "--no-wait",
            ],
            stop,
        );
        if is_saved {
            told.lock().expect("whole").saved.insert(id.clone(), BTreeSet::new());
        }
        if is_saved && command(world, &["whatif", "amend", &id, "--set", &set, "--no-wait"], stop) {
            let mut told = told.lock().expect("whole");
            told.saved.get_mut(&id).expect("saved").insert(set.clone());
        }
        if is_saved && number % 2 == 1 {
            command(world, &["whatif", "rebase", &id], stop);
        }
        if is_saved && command(world, &["whatif", "apply", &id], stop) {
            told.lock().expect("whole").applied.insert(id.clone());
        }
        if stop.load(Ordering::Relaxed) {
            return;
        }
    }
}

/// People work until what they work with is killed.
fn people(world: &World, round: u32, told: &Mutex<Told>, kill: impl FnOnce()) {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let name = format!("r{round}c{client}");
            let stop = &stop;
            scope.spawn(move || person(world, &name, stop, told));
        }
        thread::park_timeout(moment(round));
        kill();
        stop.store(true, Ordering::Relaxed);
    });
}

fn shown(world: &World) -> Vec<Value> {
    let listed = world.json(&["whatif", "list", "--json"]);
    let ids =
        listed.as_array().expect("a list").iter().map(|one| one["id"].as_str().expect("an id"));
    ids.map(|id| world.json(&["whatif", "show", id, "--json"])).collect()
}

fn is_at_its_end(one: &Value) -> bool {
    one["state"] != "computing"
        && (one["ask"].is_null() || one["ask"]["number"] == one["answer"]["number"])
}

/// Nothing that was saved is lost, and nothing is half.
fn check(world: &World, told: &Told) {
    // Many may be left to be worked on: as long as one after the other comes to its end, all is well.
    for one in shown(world) {
        let id = one["id"].as_str().expect("an id");
        let end = || is_at_its_end(&world.json(&["whatif", "show", id, "--json"]));
        world.wait_for(&format!("the end of {id}"), end);
    }
    let all = shown(world);
    for (id, sets) in &told.saved {
        let one = all.iter().find(|one| one["id"] == id.as_str());
        let one = one.unwrap_or_else(|| panic!("{id} was saved"));
        assert!(is_at_its_end(one), "{one}");
        for set in sets {
            let (at, text) = set.split_once('=').expect("a text");
            let edits = one["edits"].as_array().expect("edits");
            assert!(
                edits.iter().any(|edit| edit["at"] == at && edit["set"] == text),
                "{set}: {one}"
            );
        }
    }
    for resource in ["raw/a", "raw/b"] {
        let text = world.content(resource).expect("there");
        for id in &told.applied {
            assert!(text.contains(&format!("{id},")), "{id} was applied: {text}");
        }
    }
    let mut applied = BTreeMap::<String, u32>::new();
    for line in world.git(&["log", "--format=%s", "main"]).lines() {
        if let Some(rest) = line.strip_prefix("apply what-if ") {
            *applied.entry(rest.to_owned()).or_default() += 1;
        }
    }
    assert!(applied.values().all(|count| *count == 1), "{applied:?}");
    no_half(world);
    world.git(&["fsck", "--strict"]);
}

/// In every commit, both resources have the same rows, and each row once.
fn no_half(world: &World) {
    let rows = |text: &str| {
        text.lines().map(|line| line.split(',').next().map(str::to_owned)).collect::<Vec<_>>()
    };
    for revision in world.git(&["rev-list", "main"]).lines() {
        let names = world.git(&["ls-tree", "-r", "--name-only", revision]);
        if !names.contains("raw/b") {
            continue;
        }
        let of = |resource: &str| {
            rows(&world.git(&["cat-file", "blob", &format!("{revision}:{resource}")]))
        };
        let (a, b) = (of("raw/a"), of("raw/b"));
        assert_eq!(a, b, "{revision}");
        assert_eq!(a.iter().collect::<BTreeSet<_>>().len(), a.len(), "{revision}");
    }
}

#[test]
fn whatever_is_killed_no_edit_is_lost_and_none_is_applied_twice() {
    let marker = format!("what-if-kill-{}", std::process::id());
    let world = world(&marker);
    let told = Mutex::new(Told::default());
    for round in 0..kills() {
        let up = world.up();
        people(&world, round, &told, || up.kill());
        world.wait_for("every child to die with it", || processes(&marker).is_empty());
    }
    let up = world.up();
    let told = told.into_inner().expect("whole");
    assert!(!told.saved.is_empty() && !told.applied.is_empty());
    check(&world, &told);
    up.stop();
    assert!(processes(&marker).is_empty());
}

#[test]
fn a_hub_or_a_runner_that_is_killed_costs_nothing() {
    let marker = format!("what-if-two-{}", std::process::id());
    let world = world(&marker);
    let told = Mutex::new(Told::default());
    let runner = |world: &World| -> Running {
        let runner = world.start(&["runner"]);
        world.wait_for("the runner", || world.endpoints()["runner"].is_object());
        runner
    };
    let hub = |world: &World| {
        drop(std::fs::remove_file(world.path(".esker/endpoints.json")));
        let hub = world.start(&["hub"]);
        world.wait_for("the hub", || world.endpoints()["hub"].is_object());
        hub
    };
    let (mut serves, mut works) = (Some(hub(&world)), Some(runner(&world)));
    for round in 0..kills() {
        if round % 2 == 0 {
            people(&world, round, &told, || works.take().expect("it works").kill());
            world.wait_for("every child to die with it", || processes(&marker).is_empty());
        } else {
            people(&world, round, &told, || serves.take().expect("it serves").kill());
            works.take().expect("it works").kill();
            serves = Some(hub(&world));
        }
        works = Some(runner(&world));
    }
    check(&world, &told.into_inner().expect("whole"));
    works.take().expect("it works").stop();
    serves.take().expect("it serves").stop();
    assert!(processes(&marker).is_empty());
}

/// As if the runner had been killed between applying and saying so.
#[test]
fn what_was_granted_but_not_said_is_not_granted_again() {
    let marker = format!("what-if-said-{}", std::process::id());
    let world = world(&marker);
    let up = world.up();
    world.ok(&["whatif", "new", "--id", "w", "--set", "raw/a:[first].v=5"]);
    let applied = world.ok(&["whatif", "apply", "w"]);
    let applied = applied.trim().strip_prefix("applied as ").expect("a revision").to_owned();
    // Somebody thinks better of it, and changes something else.
    world.ok_with(&["put", "raw/a"], b"id,v\nfirst,0\nlast,7\n");
    up.stop();
    let git = |arguments: &[&str]| {
        let who = ["-c", "user.name=ann", "-c", "user.email=ann@example.org"];
        let mut command = std::process::Command::new("git");
        let output = command.args(who).args(arguments).current_dir(world.dir()).output();
        let output = output.expect("git runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    git(&["clone", "-q", ".esker/store.git", "clone"]);
    git(&["-C", "clone", "fetch", "-q", "origin", "refs/esker/whatif/w:w"]);
    git(&["-C", "clone", "checkout", "-q", "w"]);
    let said = git(&["-C", "clone", "log", "--format=%h", "--", "whatif/state"]);
    let before = said.lines().nth(1).expect("a state before");
    git(&["-C", "clone", "checkout", "-q", before, "--", "whatif/state"]);
    git(&["-C", "clone", "commit", "-q", "-m", "unsaid"]);
    git(&["-C", "clone", "push", "-q", "origin", "w:refs/esker/whatif/w"]);
    let up = world.up();
    world.wait_for("the answer", || is_at_its_end(&world.json(&["whatif", "show", "w", "--json"])));
    let shown = world.json(&["whatif", "show", "w", "--json"]);
    assert_eq!(shown["answer"]["revision"], applied, "{shown}");
    assert_eq!(world.content("raw/a").as_deref(), Some("id,v\nfirst,0\nlast,7\n"));
    // What was taken back by hand is not taken back again, and what others did stays.
    world.ok(&["whatif", "undo", "w"]);
    assert_eq!(world.content("raw/a").as_deref(), Some("id,v\nfirst,0\nlast,7\n"));
    assert_eq!(world.git(&["log", "--format=%s", "main"]).matches("apply what-if w").count(), 1);
    up.stop();
}
