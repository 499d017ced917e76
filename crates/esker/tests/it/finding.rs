//! Finding a version among many, by the command line.

use std::io::Write;
use std::process::{Command, Stdio};

use jiff::Timestamp;
use serde_json::Value;

use crate::world::World;

const PROJECT: &str = "[project]\nname = \"p\"\n";

/// The fields of a `--json` list.
fn field(list: &Value, name: &str) -> Vec<String> {
    let entries = list.as_array().expect("a list").iter();
    entries.map(|entry| entry[name].as_str().expect(name).to_owned()).collect()
}

#[test]
fn dates_as_people_write_them() {
    let world = World::new(PROJECT);
    let _up = world.up();
    world.ok_with(&["put", "raw/a"], b"one");
    let zoned = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    world.ok_with(&["put", "raw/a"], b"two");
    for at in ["today", "now", "this week", "2199-12", "HEAD"] {
        assert_eq!(world.content(&format!("raw/a@{at}")).as_deref(), Some("two"), "{at}");
    }
    let day = zoned.strftime("%d %b %Y 23:59:59 UTC").to_string();
    assert!(world.content(&format!("raw/a@{day}")).is_some(), "{day}");
    let stderr = world.fails(1, &["get", "raw/a@last friday of may"]);
    assert!(stderr.contains("last friday of may") && stderr.contains("hint: "), "{stderr}");
    let stderr = world.fails(1, &["get", "raw/a@2001-01-01"]);
    assert!(stderr.contains("its first is of"), "{stderr}");
    let stderr = world.fails(1, &["get", "raw/a@03/04/2025"]);
    assert!(stderr.contains("near: 2025-04-03") && stderr.contains("near: 2025-03-04"), "{stderr}");
}

#[test]
fn logs_by_range_author_and_message() {
    let world = World::new(PROJECT);
    let _up = world.up();
    let put = |author: &str, message: &str, content: &str| {
        let mut put = crate::world::esker();
        put.args(["put", "raw/a", "-m", message]).current_dir(world.dir());
        put.env("ESKER_AUTHOR", author).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut put = put.spawn().expect("esker starts");
        put.stdin.take().expect("piped").write_all(content.as_bytes()).expect("written");
        let output = put.wait_with_output().expect("ended");
        String::from_utf8(output.stdout).expect("a revision").trim().to_owned()
    };
    let first = put("Ann <ann@example.org>", "begin", "1");
    put("Bob <bob@example.org>", "the Holidays", "2");
    put("Ann <ann@example.org>", "more holidays", "3");
    let log = |arguments: &[&str]| {
        let all = [&["log", "--json"], arguments].concat();
        field(&world.json(&all), "summary")
    };
    assert_eq!(log(&[]), ["more holidays", "the Holidays", "begin"]);
    assert_eq!(log(&["--author", "ann"]), ["more holidays", "begin"]);
    assert_eq!(log(&["raw/a", "--grep", "HOLIDAYS", "-n", "1"]), ["more holidays"]);
    assert_eq!(log(&["--since", &first, "--until", "HEAD~1"]), ["the Holidays"]);
    assert_eq!(log(&["--since", "yesterday", "--author", "bob"]), ["the Holidays"]);
    assert_eq!(log(&["raw/a@HEAD~1", "--all"]), ["the Holidays", "begin"]);
    assert!(log(&["--until", "2001-01-01"]).is_empty());
    let output = world.run(&["log", "--grep", "nothing of the sort"]);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && stderr.contains("no version is like that"), "{stderr}");
    let stderr = world.fails(1, &["log", "--since", "v9"]);
    assert!(stderr.contains("no revision \"v9\""), "{stderr}");
}

#[test]
fn thirty_thousand_resources_are_listed_and_logged() {
    let world = World::new(PROJECT);
    world.ok_with(&["put", "raw/a"], b"x");
    let mut text = String::from("commit refs/heads/main\ncommitter Ann <a@b> 1763640000 +0000\n");
    text += "data 4\nmany\nfrom refs/heads/main^0\n";
    for n in 0..30_000 {
        text += &format!("M 100644 inline many/{n:05}\ndata 1\nx\n");
    }
    let mut import = Command::new("git");
    import.arg("-C").arg(world.store()).args(["fast-import", "--quiet"]).stdin(Stdio::piped());
    let mut import = import.spawn().expect("git runs");
    import.stdin.take().expect("piped").write_all(text.as_bytes()).expect("written");
    assert!(import.wait().expect("ended").success());
    let _up = world.up();
    let listed = field(&world.json(&["ls", "--json"]), "resource");
    assert!(listed.len() == 30_001 && listed.is_sorted(), "{}", listed.len());
    assert_eq!(field(&world.json(&["ls", "many/0000", "--json"]), "resource").len(), 10);
    assert_eq!(world.ok(&["ls", "--at", "HEAD~1"]).lines().count(), 2);
    assert_eq!(world.json(&["log", "--all", "--json"]).as_array().map(Vec::len), Some(30_001));
    let first = world.run(&["log"]);
    assert_eq!(String::from_utf8_lossy(&first.stdout).lines().count(), 21);
    assert!(String::from_utf8_lossy(&first.stderr).contains("there are more"));
    let note = world.run(&["ls", "HEAD~1"]);
    assert!(String::from_utf8_lossy(&note.stderr).contains("`esker ls --at HEAD~1`"));
}

#[test]
fn parts_and_only_if_changed() {
    let world = World::new(PROJECT);
    let _up = world.up();
    let first = world.ok_with(&["put", "raw/a"], b"0123456789").trim().to_owned();
    world.ok_with(&["put", "raw/b"], b"other");
    for (range, expected) in [
        ("0..4", "0123"),
        ("8..", "89"),
        ("..2", "01"),
        ("5..5", ""),
        ("8..100", "89"),
        ("..", "0123456789"),
    ] {
        assert_eq!(world.ok(&["get", "raw/a", "--range", range]), expected, "{range}");
    }
    for bad in ["4..2", "1", "a..b", "-1..2"] {
        let stderr = world.fails(2, &["get", "raw/a", &format!("--range={bad}")]);
        assert!(stderr.contains("no range of bytes"), "{stderr}");
    }
    // HEAD is a commit that did not touch raw/a.
    for since in [first.as_str(), &first[..10], "HEAD", "now"] {
        let get = world.run(&["get", "raw/a", "--if-changed-since", since, "-o", "out"]);
        let stderr = String::from_utf8_lossy(&get.stderr).into_owned();
        assert!(get.status.success() && get.stdout.is_empty(), "{since}: {stderr}");
        assert!(stderr.contains("raw/a is unchanged since"), "{since}: {stderr}");
        assert!(!world.path("out").exists(), "{since}");
    }
    let about = ["get", "raw/a", "--json", "--if-changed-since", "HEAD"];
    assert_eq!(world.json(&about)["unchanged"], true);
    // It was not there at HEAD~2, so it is changed since.
    assert_eq!(world.ok(&["get", "raw/a", "--if-changed-since", "HEAD~2"]), "0123456789");
    world.ok_with(&["put", "raw/a"], b"new");
    assert_eq!(world.ok(&["get", "raw/a", "--if-changed-since", &first]), "new");
    assert_eq!(world.json(&about)["unchanged"], true);
    world.fails(1, &["get", "raw/a", "--if-changed-since", "v9"]);
}

#[test]
fn candidates_are_told_apart() {
    let world = World::new(PROJECT);
    let _up = world.up();
    let requests = world.port("/hub/requests").to_string();
    world.python("storm.py", &[&requests, "2000"]);
    let revisions = world.git(&["rev-list", "main"]);
    let mut prefixes: Vec<&str> = revisions.lines().map(|revision| &revision[..4]).collect();
    prefixes.sort_unstable();
    let twice = prefixes.windows(2).find(|pair| pair[0] == pair[1]).expect("two alike")[0];
    let stderr = world.fails(1, &["get", &format!("storm/0@{twice}")]);
    let mut near = stderr.lines().filter_map(|line| line.trim().strip_prefix("near: "));
    assert!(near.clone().count() >= 2, "{stderr}");
    assert!(
        near.all(|line| {
            let parts: Vec<&str> = line.splitn(3, "  ").collect();
            parts.len() == 3
                && parts[0].len() == 40
                && parts[1].len() == 19
                && parts[2].contains("put")
        }),
        "{stderr}"
    );
}
