//! Programs that end badly, and some that only look as if they did.

use super::{peak_kb, versions};
use crate::bad_programs::stage;
use crate::world::{World, processes};

/// A stage that does well first, and for its next input what is written here.
fn after_a_good_run(command: &str, more: &str) -> (World, crate::world::Running) {
    let script = format!("read word; test \"$word\" != good || {{ echo fine; exit; }}; {command}");
    let world = stage(&script, more);
    let up = world.up();
    world.ok_with(&["put", "raw/a"], b"good\n");
    world.wait_for_content("out/a", |content| content == "fine\n");
    world.ok_with(&["put", "raw/a"], b"another\n");
    (world, up)
}

/// That it becomes a problem which says this, and that the last good version is served.
fn fails(command: &str, more: &str, expected: &[&str]) {
    let (world, _up) = after_a_good_run(command, more);
    let problem = world.wait_for_problem("a").to_string();
    for part in expected {
        assert!(problem.contains(part), "{part:?} is missing in {problem}");
    }
    assert_eq!(world.content("out/a").as_deref(), Some("fine\n"));
    assert_eq!(versions(&world, "out/a"), 1);
}

#[test]
fn prints_half_its_json_and_exits_1() {
    let command = "printf '{\"tasks\": [{\"id\": '; echo cannot go on >&2; exit 1";
    fails(command, "", &["exited 1", "cannot go on"]);
}

#[test]
fn is_killed_for_want_of_memory() {
    let greedy = "python3 -c \"print('half', flush=True); x = b'x' * 10**10\"";
    fails(&format!("ulimit -v 1000000; {greedy}"), "", &["exited 1", "MemoryError"]);
    // The kernel's own way of it.
    let killed = "echo half; python3 -c \"import os; os.kill(os.getppid(), 9)\"; sleep 1000";
    fails(killed, "", &["exited 137 (killed by signal 9)"]);
}

#[test]
fn exits_0_and_has_printed_nothing() {
    fails("exit 0", "", &["nothing came out for out/a", "allow_empty"]);
}

#[test]
fn prints_after_closing_its_output() {
    let marker = format!("late-{}", std::process::id());
    // What it closed is closed; and what it leaves behind prints to nobody.
    let command =
        format!("echo early; (sleep 1000; echo later {marker}) & exec >&-; echo late; exit 0");
    let (world, _up) = after_a_good_run(&command, "");
    world.wait_for_content("out/a", |content| content == "early\n");
    world.wait_for("what it left behind to be gone", || processes(&marker).is_empty());
    assert_eq!(versions(&world, "out/a"), 2);
}

#[test]
fn prints_10_gb() {
    let (world, up) = after_a_good_run("head -c 10G /dev/zero", "output_max = \"64MB\"");
    let problem = world.wait_for_problem("a").to_string();
    assert!(problem.contains("output_max"), "{problem}");
    assert_eq!(world.content("out/a").as_deref(), Some("fine\n"));
    let peak = peak_kb(&up);
    assert!(peak < 400 * 1024, "the runner's memory peaked at {peak} kB");
}

#[test]
fn never_reads_its_input_or_only_the_head_of_it() {
    let long = "line\n".repeat(2_000_000);
    for (run, expected) in [("echo done", "done\n"), ("exec head -n 2", "line\nline\n")] {
        let world = stage(run, "");
        let _up = world.up();
        world.ok_with(&["put", "raw/a"], long.as_bytes());
        world.wait_for_content("out/a", |content| content == expected);
        assert_eq!(world.json(&["problems", "--json"]), serde_json::json!([]));
    }
}
