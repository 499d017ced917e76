//! What makes a stage run, what does not, and what its program may say with its exit code.

use std::fs;

use crate::world::World;

/// A stage whose program notes each start in `runs.txt`.
pub(crate) fn noted(keys: &str, script: &str) -> World {
    let world = World::new(&format!(
        "[project]\nname = \"p\"\n[stage.s]\ninput = \"raw/a\"\noutput = \"out/a\"\n\
         run = [\"sh\", \"s.sh\"]\n{keys}\n"
    ));
    world.write("s.sh", format!("echo run >> runs.txt\n{script}\n"));
    world
}

pub(crate) fn runs(world: &World) -> usize {
    fs::read_to_string(world.path("runs.txt")).unwrap_or_default().lines().count()
}

pub(crate) fn put(world: &World, content: &str) {
    world.ok_with(&["put", "raw/a"], content.as_bytes());
}

pub(crate) fn wait(world: &World, content: &str) {
    world.wait_for_content("out/a", |found| found == content);
}

#[test]
fn bad_data_is_not_tried_again_however_many_retries_there_are() {
    for (code, meaning) in [(65, "its input is bad"), (78, "set up wrongly")] {
        let world = noted("retry = 3", &format!("exit {code}"));
        let _up = world.up();
        put(&world, "one");
        let problem = world.wait_for_problem("s");
        let text = problem.to_string();
        assert!(text.contains(meaning) && text.contains("\"count\":1"), "{text}");
        assert_eq!(runs(&world), 1);
    }
}

#[test]
fn a_program_may_say_that_nothing_has_changed() {
    let world = noted("", "read word; [ \"$word\" = same ] && exit 99; echo $word");
    let _up = world.up();
    put(&world, "same\n");
    let problem = world.wait_for_problem("s").to_string();
    assert!(problem.contains("there is no out/a yet"), "{problem}");
    put(&world, "first\n");
    wait(&world, "first\n");
    put(&world, "same\n");
    world.wait_for("the third run", || runs(&world) == 3);
    put(&world, "second\n");
    wait(&world, "second\n");
    let log = world.json(&["log", "out/a", "--json"]);
    assert_eq!(log.as_array().map(Vec::len), Some(2), "{log}");
}

#[test]
fn other_exit_codes_may_be_as_good_as_0() {
    let world = noted("ok_exit = [0, 1]\nallow_empty = true", "grep b");
    let _up = world.up();
    put(&world, "a\nb\n");
    wait(&world, "b\n");
    put(&world, "a\n");
    wait(&world, "");
}

#[test]
fn an_optional_input_may_be_missing() {
    let world = World::new(
        "[project]\nname = \"p\"\n[stage.s]\ninput = [\"raw/a\", \"params/p\"]\n\
         optional = \"params/p\"\nrun = [\"cat\"]\noutput = \"out/a\"\n",
    );
    let _up = world.up();
    world.ok_with(&["put", "raw/a"], b"one\n");
    wait(&world, "=====raw/a\n\tone\n");
    world.ok_with(&["put", "params/p"], b"two\n");
    wait(&world, "=====raw/a\n\tone\n=====params/p\n\ttwo\n");
}

#[test]
fn a_stage_may_read_what_it_made_last() {
    let world =
        noted("previous = true", "[ -n \"$ESKER_PREVIOUS_1\" ] && cat $ESKER_PREVIOUS_1; cat");
    let _up = world.up();
    put(&world, "one\n");
    wait(&world, "one\n");
    put(&world, "two\n");
    wait(&world, "one\ntwo\n");
    put(&world, "one\n");
    wait(&world, "one\ntwo\none\n");
    assert_eq!(runs(&world), 3, "its own output starts nothing, and nothing is taken from memory");
}

#[test]
fn salt_has_everything_computed_anew() {
    let world = noted("salt = \"1\"", "date +%N");
    let _up = world.up();
    put(&world, "one");
    world.wait_for("a run", || runs(&world) == 1 && world.content("out/a").is_some());
    let text = fs::read_to_string(world.path("esker.toml")).unwrap();
    world.write("esker.toml", text.replace("salt = \"1\"", "salt = \"2\""));
    world.wait_for("another run", || runs(&world) == 2);
}

#[test]
fn what_is_the_same_in_essence_wakes_nobody() {
    let world = noted("stamp = [\"sort\"]", "cat");
    let text = fs::read_to_string(world.path("esker.toml")).unwrap();
    let next = "[stage.next]\ninput = \"out/a\"\noutput = \"out/b\"\nrun = [\"sh\", \"next.sh\"]\n";
    world.write("esker.toml", format!("{text}{next}"));
    world.write("next.sh", "echo run >> next.txt\ncat\n");
    let _up = world.up();
    put(&world, "b\na\n");
    world.wait_for_content("out/b", |found| found == "b\na\n");
    put(&world, "a\nb\n");
    world.wait_for("the second run", || runs(&world) == 2);
    put(&world, "a\nc\n");
    world.wait_for_content("out/b", |found| found == "a\nc\n");
    assert_eq!(fs::read_to_string(world.path("next.txt")).unwrap(), "run\nrun\n");
    let log = world.json(&["log", "out/a", "--json"]);
    assert_eq!(log.as_array().map(Vec::len), Some(2), "the order alone made no version: {log}");
    world.write("esker.toml", format!("{text}{next}").replace("\"sort\"", "\"false\""));
    put(&world, "d\n");
    let problem = world.wait_for_problem("s").to_string();
    assert!(problem.contains("cannot tell whether it has changed"), "{problem}");
}

#[test]
fn what_is_made_from_a_resource_is_told() {
    let world = World::new(
        "[project]\nname = \"p\"\n\
         [source.a]\nrun = [\"echo\"]\noutput = \"raw/a\"\n\
         [stage.b]\ninput = \"raw/a\"\nrun = [\"cat\"]\noutput = \"out/b\"\n\
         [stage.c]\ninput = \"raw/a\"\nrun = [\"cat\"]\noutput = \"out/c\"\n\
         [stage.d]\ninput = [\"out/b\", \"out/c\"]\nrun = [\"cat\"]\noutput = \"out/d\"\n\
         [view.end]\nresource = \"out/d\"\n",
    );
    let expected = "raw/a\n├─ stage b → out/b\n│  └─ stage d → out/d\n│     └─ view end\n\
                    └─ stage c → out/c\n   └─ stage d → out/d  (see above)\n";
    assert_eq!(world.ok(&["uses", "raw/a"]), expected);
    let json = world.json(&["uses", "out/c", "--json"]);
    assert_eq!(json[1]["name"], "end");
    assert_eq!(json[1]["depth"], 2);
    assert_eq!(world.ok(&["uses", "out/d"]), "out/d\n└─ view end\n");
    assert!(world.fails(1, &["uses", "raw/x"]).contains("nothing in esker.toml makes"));
}

#[test]
fn a_program_that_makes_something_else_of_the_same_is_told() {
    let world = noted("", "date +%N");
    let _up = world.up();
    put(&world, "one");
    world.wait_for("a run", || world.content("out/a").is_some());
    world.ok(&["run", "s", "--force"]);
    let warned = world.wait_for_problem("s")["warnings"].to_string();
    assert!(warned.contains("it is not deterministic"), "{warned}");
}

#[test]
fn what_a_program_warns_of_is_told_until_it_runs_again() {
    let world = noted(
        "stamp = [\"sort\"]",
        "read word; [ $word = odd ] && echo esker: warning odd >&2; echo $word",
    );
    let _up = world.up();
    put(&world, "even\n");
    wait(&world, "even\n");
    put(&world, "odd\n");
    let warned = world.wait_for_problem("s");
    assert_eq!(warned["warnings"], serde_json::json!(["s: odd"]), "{warned}");
    put(&world, "even\n");
    world.wait_for("none", || {
        world.json(&["problems", "--json"]).as_array().is_some_and(Vec::is_empty)
    });
}
