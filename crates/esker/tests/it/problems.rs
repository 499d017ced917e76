//! Problems in people's hands: shown, tried again, known, out of sight; also after a restart, and while nothing runs.

use serde_json::{Value, json};

use crate::world::World;

/// A project of a source's copy that fails on a bad word, and what is computed from it.
fn project() -> World {
    let world = World::new(
        "[project]\nname = \"p\"\n\
         [stage.a]\ninput = \"raw/a\"\nrun = [\"sh\", \"a.sh\"]\noutput = \"out/a\"\n\
         [stage.b]\ninput = \"out/a\"\nrun = [\"cat\"]\noutput = \"out/b\"\n",
    );
    world.write(
        "a.sh",
        "read word\ncase $word in bad*) seq 30 >&2; echo \"$word is bad\" >&2; exit 1;; esac\necho $word\n",
    );
    world
}

fn listed(world: &World, arguments: &[&str]) -> Vec<Value> {
    let all = [&["problems", "--json"], arguments].concat();
    world.json(&all).as_array().expect("a list").clone()
}

fn put(world: &World, word: &str) -> Value {
    world.ok_with(&["put", "raw/a"], word.as_bytes());
    let is_told = || {
        let problems = listed(world, &["--all"]);
        problems.into_iter().find(|one| one["summary"].to_string().contains(word))
    };
    world.wait_for(&format!("a problem of {word}"), || is_told().is_some());
    is_told().expect("just seen")
}

#[test]
fn a_problem_is_shown_by_its_id_or_its_stage() {
    let world = project();
    let _up = world.up();
    let problem = put(&world, "bad1");
    let id = problem["id"].as_str().expect("an id");
    assert_eq!(id.len(), 7, "{id}");
    assert!(problem["age_s"].as_i64().is_some_and(|age| (0..60).contains(&age)), "{problem}");
    assert_eq!((&problem["acknowledged"], &problem["muted"]), (&Value::Null, &Value::Null));
    let list = world.ok(&["problems"]);
    let first = |list: &str| list.split_once("  since ").map(|(first, _)| first.to_owned());
    assert_eq!(first(&list), first(&world.ok(&["problems", "list"])));
    assert!(list.contains(&format!(" s, id {id}\n")), "{list}");
    assert!(list.contains(&format!("| … 11 lines more: esker problems show {id}\n")), "{list}");
    assert!(!list.contains("| 11\n") && list.contains("| 12\n"), "the last lines: {list}");
    for name in ["a", id, &id[..4]] {
        let shown = world.ok(&["problems", "show", name]);
        for expected in
            ["| 1\n", "| bad1 is bad\n", "behind, on the last good version: b\n", "read raw/a "]
        {
            assert!(shown.contains(expected), "{expected:?} is missing in {shown}");
        }
    }
    assert_eq!(world.json(&["problems", "show", id, "--json"])["run_key"], problem["run_key"]);
    let stderr = world.fails(1, &["problems", "show", "b"]);
    assert!(stderr.contains("b has no problem") && stderr.contains("problems are: a"), "{stderr}");
    let stderr = world.fails(1, &["problems", "show", &id[..3]]);
    assert!(stderr.contains("has no problem"), "{stderr}");
}

#[test]
fn what_is_known_stays_in_the_list_until_it_fails_in_another_way() {
    let world = project();
    let up = world.up();
    let id = put(&world, "bad1")["id"].clone();
    world.fails(1, &["problems", "--exit-code"]);
    let ack = ["problems", "ack", id.as_str().expect("an id"), "--note", "the vendor mends it"];
    let said = world.run(&ack);
    assert!(said.status.success(), "{said:?}");
    world.ok(&["problems", "--exit-code"]);
    let text = world.ok(&["problems"]);
    assert!(text.contains("\n  acknowledged by "), "{text}");
    assert!(text.contains(": the vendor mends it\n"), "{text}");
    // It is in the store: another hub knows it, and so does a command without one.
    up.stop();
    assert_eq!(listed(&world, &[])[0]["acknowledged"]["note"], "the vendor mends it");
    let _up = world.up();
    world.ok(&["problems", "retry", "a"]);
    world.wait_for("the same failure to be known still", || {
        let one = &listed(&world, &[])[0];
        one["count"] == 1 && one["acknowledged"]["note"] == "the vendor mends it"
    });
    assert_eq!(put(&world, "bad2")["acknowledged"], Value::Null, "a new failure");
    assert_eq!(put(&world, "bad1")["acknowledged"], Value::Null, "it has come back");
    world.ok(&["problems", "ack", "a"]);
    world.ok(&["problems", "ack", "a", "--undo"]);
    assert_eq!(listed(&world, &[])[0]["acknowledged"], Value::Null);
    let stderr = world.fails(1, &["problems", "ack", "a", "--undo"]);
    assert!(stderr.contains("a is not acknowledged"), "{stderr}");
    // What is acknowledged comes to where git looks for it a moment later.
    let log = || world.git(&["log", "--format=%s", "refs/esker/records", "--", "ack/a"]);
    world.wait_for_or("three in git's log", log, || log().lines().count() == 3);
    assert!(log().ends_with("a: ack: the vendor mends it\n"), "{}", log());
}

#[test]
fn what_is_muted_is_out_of_sight_for_a_while() {
    let world = project();
    let _up = world.up();
    put(&world, "bad1");
    let said = world.run(&["problems", "mute", "a"]);
    assert_eq!(String::from_utf8_lossy(&said.stderr), "a is muted until the next change\n");
    assert_eq!(listed(&world, &[]), Vec::<Value>::new());
    world.ok(&["problems", "--exit-code"]);
    let told = world.run(&["problems"]);
    let stderr = String::from_utf8_lossy(&told.stderr);
    assert_eq!(stderr, "no problems\n1 muted: `esker problems --all` shows them too\n");
    let text = world.ok(&["problems", "--all"]);
    assert!(text.contains("\n  muted until the next change by "), "{text}");
    assert_eq!(put(&world, "bad2")["muted"], Value::Null, "a change");

    world.ok(&["problems", "mute", "a", "--for", "2d", "--note", "moving house"]);
    assert_eq!(put(&world, "bad3")["muted"]["note"], "moving house", "whatever fails");
    assert_eq!(listed(&world, &[]), Vec::<Value>::new());
    world.ok(&["problems", "mute", "a", "--undo"]);
    assert_eq!(listed(&world, &[]).len(), 1);
    world.ok(&["problems", "mute", "a", "--for", "1ms"]);
    assert_eq!(listed(&world, &[]).len(), 1, "the time is over");
    for (time, expected) in [("400d", "longer than a year"), ("soon", "no duration")] {
        let output = world.run(&["problems", "mute", "a", "--for", time]);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && stderr.contains(expected), "{stderr}");
    }
}

#[test]
fn the_definition_s_own_problem_can_be_known_and_a_warning_cannot() {
    let world = project();
    let _up = world.up();
    world.write("esker.toml", "[project]\nnam = \"p\"\n");
    world.wait_for_problem("esker.toml");
    world.ok(&["problems", "ack", "esker.toml"]);
    assert_ne!(listed(&world, &[])[0]["acknowledged"], json!(null));
    world.write("s.json", "{\"required\": [\"x\"]}");
    world.write(
        "esker.toml",
        "[project]\nname = \"p\"\n[stage.a]\ninput = \"raw/a\"\nrun = [\"cat\"]\noutput = \"out/a\"\n\
         [[stage.a.check]]\nfile = \"s.json\"\nseverity = \"warn\"\n",
    );
    world.ok_with(&["put", "raw/a"], b"{}\n");
    world.wait_for("a warning", || {
        listed(&world, &[]).first().is_some_and(|problem| problem["stage"] == "a")
    });
    let stderr = world.fails(1, &["problems", "ack", "a"]);
    assert!(stderr.contains("a has not failed"), "{stderr}");
    world.ok(&["problems", "--exit-code"]);
}
