//! Differences as cells and paths, the search for what broke something, the history as a table.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::world::World;

const PROJECT: &str = "[project]\nname = \"p\"\n";

fn put(world: &World, resource: &str, content: &str) -> String {
    world.ok_with(&["put", resource, "-m", "a change"], content.as_bytes()).trim().to_owned()
}

/// A table of which version `number` has something else in every cell but the key, and breaks at the 7th.
fn version(number: usize) -> String {
    let city = if number < 7 { "Ulm" } else { "Bonn" };
    format!("id,n,city\n1,{number},Berlin\n2,\"5,\n5\",{city}\n")
}

#[test]
fn cells_and_paths() {
    let world = World::new(PROJECT);
    let _up = world.up();
    put(&world, "raw/a", &version(1));
    put(&world, "raw/a", &(version(7) + "3,1,Kiel\n"));
    let text = world.ok(&["diff", "raw/a", "--as", "auto", "--key", "id"]);
    let expected = "by id\n+ id=3  n: 1  city: Kiel\n~ id=1  n: 1 → 7\n~ id=2  city: Ulm → Bonn\n";
    assert_eq!(text, expected);
    let summary = world.run(&["diff", "raw/a", "--as", "table"]).stderr;
    assert_eq!(String::from_utf8_lossy(&summary), "2 cells in 2 rows, 1 row added\n");
    assert!(world.ok(&["diff", "raw/a"]).starts_with("--- a/raw/a"), "no terminal: as ever");
    let stderr = world.fails(1, &["diff", "raw/a", "--key", "no such"]);
    assert!(stderr.contains("there is no column \"no such\""), "{stderr}");
    world.fails(1, &["diff", "raw/a", "--as", "text", "--key", "id"]);
    let stderr = world.fails(1, &["diff", "raw/a", "--as", "json"]);
    let told = "cannot compare raw/a as JSON: the older version is none (line 1, column 1)";
    assert!(stderr.contains(told), "{stderr}");
    world.fails(2, &["diff", "raw/a", "--as", "pictures"]);
    put(&world, "raw/j", r#"{"items": [{"id": 7, "end": "Mon"}], "n": 1}"#);
    put(&world, "raw/j", r#"{"items": [{"id": 7, "end": "Tue"}]}"#);
    let found = world.json(&["diff", "raw/j", "--as", "auto", "--json"]);
    assert_eq!(
        found,
        json!({ "resource": "raw/j", "as": "json", "changes": [
            { "op": "remove", "path": "/n", "old": 1 },
            { "op": "replace", "path": "/items/id=7/end", "old": "Mon", "new": "Tue" },
        ] })
    );
}

#[test]
fn the_version_that_broke_something_is_found() {
    let world = World::new(PROJECT);
    let _up = world.up();
    let revisions: Vec<String> =
        (1..=12).map(|number| put(&world, "raw/a", &version(number))).collect();
    let check = ["bisect", "raw/a", "--check", "grep -q Ulm"];
    let text = world.ok(&check);
    assert!(text.starts_with(&format!("{} is the first bad version", revisions[6])), "{text}");
    assert!(text.contains("a change") && text.contains("city: Ulm → Bonn"), "{text}");
    // The number in the program's own words decides; versions 6 to 8 cannot be judged.
    let script = "import os, sys
n = int(sys.stdin.read().split(',')[3])
sys.exit(125 if 6 <= n <= 8 else n > 6)";
    fs::write(world.path("check.py"), script).expect("written");
    let found = world.json(&["bisect", "raw/a", "--check", "python3 check.py", "--json"]);
    assert_eq!(found["first_bad"]["revision"], revisions[8].as_str());
    assert_eq!(found["last_good"]["revision"], revisions[4].as_str());
    assert_eq!(found["skipped"], json!(revisions[5..8].to_vec()));
    let with = |more: &[&str]| -> Vec<String> {
        check.iter().chain(more).map(|word| (*word).to_owned()).collect()
    };
    let fails = |more: &[&str], why: &str| {
        let words = with(more);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let stderr = world.fails(1, &words);
        assert!(stderr.contains(why), "{more:?}: {stderr}");
    };
    fails(&["--good", &revisions[8]], "the good end");
    fails(&["--bad", &revisions[2]], "the bad end");
    fails(&["--good", &revisions[8], "--bad", &revisions[2]], "is not before the bad one");
    fails(&["--good", "no-such"], "cannot find the good version");
    for (program, why) in [("no-such-program", "exited 127"), ("'", "an open quote")] {
        let stderr = world.fails(1, &["bisect", "raw/a", "--check", program]);
        assert!(stderr.contains(why), "{stderr}");
    }
    let stderr = world.fails(1, &["bisect", "raw/a", "--check", "sleep 60", "--timeout", "100ms"]);
    assert!(stderr.contains("did not end within 100ms"), "{stderr}");
}

/// What a database answers, as Python's own SQLite reads it.
fn sql(world: &World, query: &str) -> Value {
    let script = "import json, sqlite3, sys
print(json.dumps(sqlite3.connect('history.sqlite').execute(sys.argv[1]).fetchall()))";
    let mut python = Command::new("python3");
    let output = python.args(["-c", script, query]).current_dir(world.dir()).output();
    let output = output.expect("python3");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn a_history_is_a_database() {
    let world = World::new(PROJECT);
    let _up = world.up();
    let revisions: Vec<String> =
        (6..=8).map(|number| put(&world, "raw/a", &version(number))).collect();
    put(&world, "raw/a", "id,City,city\n2,Rome,Bonn\n");
    put(&world, "raw/a", "not a table\n");
    let export = ["export", "raw/a", "--to", "history.sqlite", "--rows", "--contents", "--json"];
    let told = world.json(&export);
    assert_eq!(
        (&told["revisions"], &told["rows"], &told["no_tables"]),
        (&json!(5), &json!(7), &json!(1))
    );
    let stderr = world.fails(1, &export);
    assert!(stderr.contains("is there already"), "{stderr}");
    assert_eq!(sql(&world, "PRAGMA integrity_check"), json!([["ok"]]));
    let log = sql(&world, "SELECT revision, size FROM revisions ORDER BY rowid DESC LIMIT 2");
    let size = version(6).len();
    assert_eq!(log, json!([[revisions[0], size], [revisions[1], version(7).len()]]));
    // A database tells no City from city: the newest version names the one, the other gets a number.
    let cell = "SELECT \"city 2\", City FROM rows WHERE id = '2' ORDER BY rowid DESC";
    let cells = json!([["Ulm", null], ["Bonn", null], ["Bonn", null], ["Bonn", "Rome"]]);
    assert_eq!(sql(&world, cell), cells);
    assert_eq!(sql(&world, "SELECT count(*) FROM rows WHERE \"n\" IS NULL"), json!([[1]]));
    let contents = "SELECT CAST(content AS TEXT) FROM contents JOIN revisions USING (blob)
        ORDER BY revisions.rowid DESC LIMIT 1";
    assert_eq!(sql(&world, contents), json!([[version(6)]]));
    let since = ["--since", &revisions[0], "--until", &revisions[2], "--force"];
    world.ok(&[&export[..4], &since].concat());
    assert_eq!(sql(&world, "SELECT count(*) FROM revisions"), json!([[2]]));
}

#[test]
fn a_history_is_a_file_of_lines() {
    let world = World::new(PROJECT);
    let _up = world.up();
    let first = put(&world, "raw/a", "id,n\n1,\"a\nb\"\n");
    let second = put(&world, "raw/a", "id,n,m\n1,c,d\n");
    world.ok(&["export", "raw/a", "--to", "log.csv"]);
    let text = fs::read_to_string(world.path("log.csv")).expect("written");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[1].starts_with(&format!("{second},{first},")), "newest first: {text}");
    world.ok(&["export", "raw/a", "--to", "rows.csv", "--rows"]);
    let text = fs::read_to_string(world.path("rows.csv")).expect("written");
    assert!(text.starts_with("revision,time,stream,row,id,n,m\n"), "{text}");
    assert!(text.contains(",,1,1,c,d\n") && text.contains(",,1,1,\"a\nb\",\n"), "{text}");
    let left = fs::read_dir(world.dir()).expect("the folder").flatten();
    let left = left.filter(|entry| entry.file_name().to_string_lossy().starts_with(".esker-"));
    assert_eq!(left.count(), 0, "no half file is left");
    for (arguments, why) in [
        (&["--to", "a.txt"][..], "end it in .sqlite or .csv"),
        (&["--to", "a.csv", "--contents"], "holds no contents"),
        (&["--to", "no/a.csv"], "cannot write to no"),
        (&["--to", ".esker/endpoints.json.csv", "--since", "no-such"], "no-such"),
    ] {
        let stderr = world.fails(1, &[&["export", "raw/a"], arguments].concat());
        assert!(stderr.contains(why), "{arguments:?}: {stderr}");
    }
}
