//! Definitions with faults: told with place and advice, and never taken up, also while much goes on.

use super::wait_for_no_problem;
use crate::bad_definitions::refused;
use crate::world::World;

#[test]
fn a_cycle() {
    refused(
        "[project]\nname = \"p\"\n\
         [stage.a]\ninput = \"x/b\"\nrun = [\"cat\"]\noutput = \"x/a\"\n\
         [stage.b]\ninput = \"x/a\"\nrun = [\"cat\"]\noutput = \"x/b\"\n",
        &["a (line 3) -> b (line 7) -> a", "esker.toml:"],
    );
}

#[test]
fn an_unknown_input() {
    let world = World::new(
        "[project]\nname = \"p\"\n[source.a]\nfile = \"a.csv\"\noutput = \"raw/plan\"\n\
         [stage.b]\ninput = \"raw/plna\"\nrun = [\"cat\"]\noutput = \"out/b\"\n",
    );
    // It may be put from outside: a warning, and the stage waits for it by name.
    let output = world.run(&["check"]);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let expected =
        "esker.toml:7:9: no source or stage makes raw/plna\nhint: did you mean `raw/plan`?";
    assert!(output.status.success() && stderr.contains(expected), "{stderr}");
    world.write("a.csv", "a,b\n1,2\n");
    let stderr = world.run(&["run"]).stderr;
    let stderr = String::from_utf8_lossy(&stderr).into_owned();
    assert!(stderr.contains("b waits for raw/plna, which does not exist yet"), "{stderr}");
}

#[test]
fn duplicate_names() {
    let source = "[source.a]\nfile = \"a.csv\"\noutput = \"raw/a\"\n";
    let stage = "[stage.a]\ninput = \"raw/a\"\nrun = [\"cat\"]\noutput = \"out/a\"\n";
    let project = "[project]\nname = \"p\"\n";
    refused(&format!("{project}{source}{stage}"), &["esker.toml:6:", "a", "another name"]);
    refused(&format!("{project}{stage}{stage}"), &["esker.toml:7:", "duplicate"]);
    let second = stage.replace("stage.a", "stage.b");
    refused(
        &format!("{project}{stage}{second}"),
        &["esker.toml:10:", "out/a is made by", "line 3"],
    );
}

#[test]
fn a_misspelt_key() {
    refused(
        "[project]\nname = \"p\"\n[source.a]\nfile = \"a.csv\"\noutptu = \"raw/a\"\n",
        &["esker.toml:5:1", "outptu", "output"],
    );
}

#[test]
fn an_empty_file() {
    refused("", &["esker.toml:1:1", "[project]", "name"]);
}

#[test]
fn binary_garbage() {
    let world = World::new("");
    world.write("esker.toml", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff\xfe");
    for arguments in [&["check"][..], &["up", "--port-base", "0"]] {
        let stderr = world.fails(1, arguments);
        assert!(stderr.contains("esker.toml") && stderr.contains("UTF-8"), "{stderr}");
    }
}

#[test]
fn a_broken_one_reloaded_under_load_changes_nothing() {
    let good = "[project]\nname = \"p\"\n[stage.s]\ninput = \"raw/a\"\nrun = [\"sed\", \"s/^/f of /\"]\noutput = \"out/a\"\n";
    let world = World::new(good);
    let up = world.up();
    world.ok_with(&["put", "raw/a"], b"first\n");
    world.wait_for_content("out/a", |content| content == "f of first\n");
    let requests = world.port("/hub/requests").to_string();
    std::thread::scope(|scope| {
        scope.spawn(|| world.python("storm.py", &[&requests, "2000", "raw/a"]));
        let cycle = "[stage.t]\ninput = \"out/a\"\nrun = [\"cat\"]\noutput = \"raw/a\"\n";
        let cases: [(&[u8], &str); 4] = [
            (b"", "[project]"),
            (b"[project\nname", "esker.toml:1:"),
            (b"\xff\xfe\0", "UTF-8"),
            (&[good.as_bytes(), cycle.as_bytes()].concat(), "->"),
        ];
        for (text, expected) in cases {
            world.write("esker.toml", text);
            world.wait_for_or(
                "the broken definition to be told",
                || world.json(&["problems", "--json"]).to_string(),
                || {
                    let problems = world.json(&["problems", "--json"]);
                    problems[0]["stage"] == "esker.toml"
                        && problems[0].to_string().contains(expected)
                },
            );
        }
    });
    // The last good one goes on.
    world.wait_for_content("out/a", |content| content == "f of 1999\n");
    world.write("esker.toml", good.replace("f of", "g of"));
    world.wait_for_content("out/a", |content| content == "g of 1999\n");
    wait_for_no_problem(&world);
    up.stop();
}
