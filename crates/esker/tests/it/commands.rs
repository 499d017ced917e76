//! The command line: data to standard output, words to standard error, exit codes, `--json` everywhere.

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};

use crate::world::{World, esker, repository};

#[test]
fn help_has_examples_and_usage_errors_exit_2() {
    let help = esker().arg("--help").output().expect("esker runs");
    let text = String::from_utf8_lossy(&help.stdout).into_owned();
    assert!(help.status.success() && text.contains("Examples:"), "{text}");
    for arguments in [&["no-such-command"][..], &["get"], &["put", "raw/a", "--no-such-option"]] {
        let output = esker().args(arguments).output().expect("esker runs");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn put_and_get_keep_every_byte() {
    let world = World::new("[project]\nname = \"p\"\n");
    let _up = world.up();
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let revision =
        world.ok_with(&["put", "raw/a", "--content-type", "application/x-noise"], &bytes);
    assert_eq!(revision.trim().len(), 40);
    assert_eq!(world.run(&["get", "raw/a"]).stdout, bytes);
    world.ok(&["get", "raw/a", "-o", "out.bin"]);
    assert_eq!(fs::read(world.path("out.bin")).expect("written"), bytes);
    fs::set_permissions(world.path("out.bin"), fs::Permissions::from_mode(0o755)).expect("set");
    std::os::unix::fs::symlink("out.bin", world.path("link")).expect("linked");
    world.ok_with(&["put", "raw/b"], b"b");
    world.ok(&["get", "raw/b", "-o", "link"]);
    assert_eq!(fs::read(world.path("out.bin")).expect("through the link"), b"b");
    let mode = fs::metadata(world.path("out.bin")).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
    world.ok(&["get", "raw/b", "-o", "/dev/null"]);
    let null = fs::metadata("/dev/null").expect("there").file_type();
    assert!(null.is_char_device(), "a device stays one");
    let about = world.json(&["get", "raw/a", "--json"]);
    assert_eq!(about["size"], 100_000);
    assert_eq!(about["content_type"], "application/x-noise");
    assert_eq!(about["revision"], revision.trim());
    let empty = world.ok_with(&["put", "raw/empty", "--json"], b"");
    assert!(empty.contains("\"changed\":true"), "{empty}");
    assert_eq!(world.content("raw/empty").as_deref(), Some(""));
}

#[test]
fn a_put_may_expect_a_head() {
    let world = World::new("[project]\nname = \"p\"\n");
    let _up = world.up();
    let first = world.ok_with(&["put", "raw/a", "--if-head", "none"], b"one").trim().to_owned();
    let stderr = world.fails(1, &["put", "raw/a", "--if-head", "none"]);
    assert!(stderr.contains(&first[..8]), "it names the head there is: {stderr}");
    world.ok_with(&["put", "raw/a", "--if-head", &first], b"two");
    let stderr = world.fails(1, &["put", "raw/a", "--if-head", &first]);
    assert!(stderr.contains("raw/a"), "{stderr}");
}

#[test]
fn a_put_of_what_the_runner_makes_is_warned_of_and_a_get_of_it_says_who_makes_it() {
    let world = World::new(
        "[project]\nname = \"p\"\n[stage.up]\ninput = \"raw/a\"\nrun = [\"tr\", \"a-z\", \"A-Z\"]\noutput = \"out/a\"\n",
    );
    let _up = world.up();
    let stderr = world.fails(1, &["get", "out/a"]);
    assert!(stderr.contains("stage up makes it"), "{stderr}");
    let put = world.run_with(&["put", "out/a"], b"by hand");
    let stderr = String::from_utf8_lossy(&put.stderr).into_owned();
    assert!(put.status.success() && stderr.contains("is made by stage up"), "{stderr}");
    let put = world.run_with(&["put", "raw/a"], b"abc");
    assert!(put.stderr.is_empty());
    world.wait_for_content("out/a", |content| content == "ABC");
}

#[test]
fn history_and_differences() {
    let world = World::new("[project]\nname = \"p\"\n");
    let _up = world.up();
    for content in ["a\nb\nc\n", "a\nB\nc\n", "a\nB\nc\nd\n"] {
        world.ok_with(&["put", "raw/a", "-m", "a change"], content.as_bytes());
    }
    world.ok_with(&["put", "raw/b"], b"x");
    let log = world.ok(&["log", "raw/a"]);
    assert_eq!(log.lines().filter(|line| line.contains("a change")).count(), 3, "{log}");
    assert_eq!(world.json(&["log", "--json", "-n", "2"]).as_array().map(Vec::len), Some(2));
    let diff = world.ok(&["diff", "raw/a", "HEAD~2"]);
    assert!(diff.contains("\n+d") && !diff.contains("\n-b"), "{diff}");
    let diff = world.ok(&["diff", "raw/a", "HEAD~3", "HEAD~2"]);
    assert!(diff.contains("\n-b") && diff.contains("\n+B"), "{diff}");
    assert!(world.ok(&["diff", "raw/a"]).contains("\n+d"), "the last change of that resource");
    let ls = world.ok(&["ls"]);
    assert!(ls.contains("raw/a") && ls.contains("raw/b"), "{ls}");
    assert!(!world.ok(&["ls", "--at", "HEAD~1"]).contains("raw/b"));
}

#[test]
fn watch_prints_events_as_they_come() {
    let world = World::new("[project]\nname = \"p\"\n");
    let _up = world.up();
    let mut watch = esker();
    let out = world.path("events.jsonl");
    let file = fs::File::create(&out).expect("made");
    watch.args(["watch", "raw/", "--json", "-n", "2"]).current_dir(world.dir()).stdout(file);
    let mut watch = watch.spawn().expect("esker starts");
    let events = || fs::read_to_string(&out).expect("read");
    world.wait_for("watch to follow", || events().contains("lost"));
    world.ok_with(&["put", "other/a"], b"unseen");
    world.ok_with(&["put", "raw/a"], b"one");
    world.ok_with(&["put", "raw/a"], b"one");
    assert!(watch.wait().expect("ended").success());
    let kinds: Vec<serde_json::Value> =
        events().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let told: Vec<_> = kinds.iter().map(|event| event["kind"].as_str().expect("a kind")).collect();
    assert_eq!(told, ["lost", "put", "unchanged"], "{kinds:?}");
}

#[test]
fn init_writes_a_definition_that_runs() {
    let world = World::new("");
    fs::remove_file(world.path("esker.toml")).expect("removed");
    world.write("Sales 2027.csv", "a,b\n1,2\n");
    world.ok(&["init", "Sales 2027.csv"]);
    world.ok(&["check"]);
    let stderr = world.fails(1, &["init"]);
    assert!(stderr.contains("exists already"), "{stderr}");
    let up = world.up();
    world.wait_for_content("raw/sales-2027", |content| content == "a,b\n1,2\n");
    up.stop();
    fs::remove_file(world.path("esker.toml")).expect("removed");
    world.ok(&["init"]);
    world.ok(&["check"]);
}

#[test]
fn doctor_finds_what_is_wrong() {
    let world = World::new(
        "[project]\nname = \"p\"\n[web]\nbind = \"127.0.0.1:0\"\n[hub]\nrequests = \"tcp://127.0.0.1:0\"\nevents = \"tcp://127.0.0.1:0\"\n",
    );
    world.ok(&["doctor"]);
    let up = world.up();
    world.ok_with(&["put", "raw/a"], b"x");
    let told = world.json(&["doctor", "--json"]);
    assert!(told.as_array().is_some_and(|list| list.iter().all(|f| f["ok"] == true)), "{told}");
    up.stop();
    // A content that nobody has: its pack is taken apart and it is left out.
    let blob = world.git(&["rev-parse", "main:raw/a"]);
    let (folder, file) = blob.trim().split_at(2);
    let apart = "mkdir apart && mv objects/pack/* apart/ && \
                 for pack in apart/*.pack; do git unpack-objects -q < $pack; done";
    world.git(&["-c", &format!("alias.apart=!{apart}"), "apart"]);
    fs::remove_file(world.store().join("objects").join(folder).join(file)).expect("removed");
    world.fails(1, &["doctor"]);
    let told = String::from_utf8_lossy(&world.run(&["doctor", "--json"]).stdout).into_owned();
    assert!(told.contains("raw/a") && told.contains("missing"), "{told}");
}

#[test]
fn output_may_end_early() {
    let world = World::new("[project]\nname = \"p\"\n");
    let line = "x".repeat(1000) + "\n";
    world.ok_with(&["put", "raw/a"], line.repeat(10_000).as_bytes());
    let script = format!("'{}' get raw/a | head -n1", env!("CARGO_BIN_EXE_esker"));
    let output = std::process::Command::new("bash")
        .args(["-o", "pipefail", "-c", &script])
        .current_dir(world.dir())
        .output()
        .expect("bash");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The original filter's recorded inputs, outputs and exit codes, through the command line.
#[test]
fn qplan_schedule_is_the_original_filter() {
    let golden = repository().join("crates/qplan/tests/golden");
    let world = World::new("[project]\nname = \"p\"\n");
    let mut seen = 0;
    for entry in fs::read_dir(&golden).expect("the fixtures") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "in") {
            continue;
        }
        let input = fs::read(&path).expect("read");
        let expected = fs::read(path.with_extension("out")).expect("its output");
        let output = world.run_with(&["qplan", "schedule"], &input);
        assert!(output.status.success() && output.stdout == expected, "{}", path.display());
        let raw = world.run_with(&["qplan", "schedule", "--raw"], &input);
        assert!(raw.stdout == input, "{}", path.display());
        seen += 1;
    }
    assert!(seen >= 5, "{seen} fixtures");
}

#[test]
fn qplan_condition_names_every_bad_cell_and_writes_nothing() {
    let world = World::new("[project]\nname = \"p\"\n");
    let output = world.run_with(&["qplan", "condition"], b"=====Work\n\tId\tRank\n");
    assert_eq!(output.status.code(), Some(65));
    assert!(output.stdout.is_empty());
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.starts_with("error: cannot condition: "), "{stderr}");
    assert!(stderr.contains("Staff"), "{stderr}");
    let output = world.run_with(&["qplan", "schedule"], b"=====qplan work v1\n");
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
}
