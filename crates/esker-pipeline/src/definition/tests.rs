//! Definitions in, defects out.

use std::fs;

use super::*;

/// The lines of everything that is wrong with a text.
fn defects(text: &str) -> Vec<String> {
    let now = "2027-01-04T00:00:00Z".parse().unwrap();
    let (definition, defects) = Definition::parse(text, now);
    assert_eq!(definition.is_some(), !defects.iter().any(Defect::is_error));
    defects.iter().map(Defect::to_string).collect()
}

#[track_caller]
fn check_defects(text: &str, expected: &[&str]) {
    let text = format!("project.name = \"p\"\n{text}");
    let found = defects(&text);
    assert_eq!(found, expected, "{}", found.join("\n"));
}

const GOOD: &str = r#"
[project]
name = "qplan"

[hub]
requests = "tcp://127.0.0.1:5001"

[alias]
"qplan app" = "results/plan"

[source.plan]
file = "plan.xlsx"
sheets = ["work", "staff"]
output = "raw/plan"

[source.jira]
run = ["esker", "pull"]
cron = "0 6 * * MON-FRI"
timezone = "Europe/Paris"
output = "raw/jira"

[stage.condition]
input = ["raw/plan", "raw/jira"]
run = ["python3", "condition.py"]
output = ["conditioned/plan", "conditioned/issues"]
timeout = "1h30m"
grace = "0s"
output_max = "1MiB"
retry = 3
allow_empty = true
code = ["condition.py", "lib"]
env = ["TOKEN"]

[stage.schedule]
input = "conditioned/plan"
run = ["esker", "qplan"]
output = "results/plan"

[view.capacity]
resource = "results/plan"
kind = "plan"
title = "Capacity"

[limits]
jobs = 3
"#;

#[test]
fn a_whole_definition_is_read() {
    assert_eq!(defects(GOOD), [""; 0]);
    let (definition, _) = Definition::parse(GOOD, Timestamp::now());
    let definition = definition.unwrap();
    assert_eq!(definition.project, "qplan");
    assert_eq!(definition.hub.requests, "tcp://127.0.0.1:5001");
    assert_eq!(definition.hub.events, "tcp://127.0.0.1:5100");
    assert_eq!(definition.model.requests, "tcp://127.0.0.1:5201");
    assert_eq!(definition.model.events, "tcp://127.0.0.1:5300");
    assert_eq!(definition.web.bind, "127.0.0.1:8000");
    assert_eq!(definition.aliases["qplan app"].as_str(), "results/plan");
    assert_eq!(definition.jobs, 3);
    let names: Vec<&str> = definition.names().collect();
    assert_eq!(names, ["plan", "jira", "condition", "schedule"]);
    let condition = &definition.stages[0];
    assert_eq!(condition.program.timeout, Duration::from_secs(5400));
    assert_eq!(condition.program.grace, Duration::ZERO);
    assert_eq!(condition.program.output_max, 1 << 20);
    assert_eq!(condition.program.retry, 3);
    assert!(condition.allow_empty);
    let schedule = &definition.stages[1].program;
    assert_eq!(schedule.timeout, Duration::from_secs(600));
    assert_eq!(schedule.output_max, 64_000_000);
    assert_eq!(definition.views[0].kind, Some(ViewKind::Plan));
}

#[test]
fn every_defect_is_told_with_its_place() {
    check_defects(
        "[stage.a]\ninptu = \"raw/x\"\noutput = \"plan\"\nrun = \"python3 a.py\"\n[stages.b]\n",
        &[
            "esker.toml:2:8: [stage.a] has no `input`; add input = \"…\"",
            "esker.toml:3:1: unknown key `inptu` in [stage.a]; did you mean `input`?",
            "esker.toml:4:10: \"plan\" is not a resource name: it needs the form stage/name, for example raw/plan",
            "esker.toml:5:7: `run` in [stage.a] is one string; write the program and its arguments as a list: \
             run = [\"python3\", \"clean.py\"]",
            "esker.toml:6:2: unknown key `stages` in the definition; did you mean `stage`?",
        ],
    );
}

#[test]
fn a_text_that_is_no_toml_says_where() {
    let found = defects("[project]\nname = \"p\n");
    assert!(found[0].starts_with("esker.toml:2:"), "{found:?}");
    let found = defects("\u{0}\u{1}garbage = = =");
    assert!(found[0].starts_with("esker.toml:1:"), "{found:?}");
    assert_eq!(
        defects(""),
        ["esker.toml:1:1: the project has no name; write [project] and below it name = \"…\""]
    );
}

#[test]
fn a_cycle_is_told_with_its_whole_path() {
    let stage = |name: &str, input: &str, output: &str| {
        format!("[stage.{name}]\ninput = \"{input}\"\noutput = \"{output}\"\nrun = [\"esker\"]\n")
    };
    let text = [stage("a", "x/c", "x/a"), stage("b", "x/a", "x/b"), stage("c", "x/b", "x/c")];
    check_defects(
        &text.concat(),
        &[
            "esker.toml:2:8: the stages go round in a circle: a (line 2) -> b (line 6) -> c (line 10) -> a; \
           remove one of these inputs",
        ],
    );
    check_defects(
        &stage("a", "x/a", "x/a"),
        &[
            "esker.toml:2:8: the stages go round in a circle: a (line 2) -> a; remove one of these inputs",
        ],
    );
}

#[test]
fn a_resource_has_one_maker_and_a_name_one_owner() {
    check_defects(
        "[source.a]\nfile = \"a.csv\"\noutput = \"raw/a\"\n\
         [stage.a]\ninput = \"raw/a\"\noutput = \"raw/a\"\nrun = [\"esker\"]\n",
        &[
            "esker.toml:5:8: [stage.a] has the name of [source.a] (line 2); give one of them another name",
            "esker.toml:7:10: raw/a is made by [stage.a] and by [source.a] (line 2); a resource has one maker; \
             give one of them another output",
        ],
    );
}

#[test]
fn an_input_from_outside_is_a_warning() {
    check_defects(
        "[source.a]\nfile = \"a.csv\"\noutput = \"raw/plan\"\n\
         [stage.b]\ninput = [\"raw/plna\", \"params/all\"]\noutput = \"b/b\"\nrun = [\"esker\"]\n",
        &[
            "esker.toml:6:10: warning: no source or stage makes raw/plna; did you mean `raw/plan`?",
            "esker.toml:6:22: warning: no source or stage makes params/all; it has to be put from outside: \
             esker put params/all",
        ],
    );
}

#[test]
fn sources_are_one_thing_and_scheduled_once() {
    check_defects(
        "[source.a]\noutput = \"raw/a\"\n\
         [source.b]\nfile = \"b.csv\"\nrun = [\"esker\"]\noutput = \"raw/b\"\n\
         [source.c]\nrun = [\"esker\"]\nevery = \"5m\"\ncron = \"* * * * *\"\noutput = \"raw/c\"\n\
         [source.d]\nfile = \"d.csv\"\nsheets = [\"x\"]\ntimezone = \"UTC\"\noutput = \"raw/d\"\n",
        &[
            "esker.toml:2:9: [source.a] does not say where its data comes from; a source is a file \
             (file = \"plan.xlsx\"), a folder (folder = \"drop/*.csv\"), a program (run = [\"python3\", \"pull.py\"]), an address (http = \"https://…\"), \
             a query (sql = \"select …\"), a tap (tap = [\"tap-jira\"]), issues (jira = \"https://…\"), a repository (git = \"https://…\") or another \
             esker (hub = \"tcp://…\")",
            "esker.toml:4:9: [source.b] has both `file` and `run`; a source is a file (file = \"plan.xlsx\"), a folder (folder = \"drop/*.csv\"), \
             a program (run = [\"python3\", \"pull.py\"]), an address (http = \"https://…\"), \
             a query (sql = \"select …\"), a tap (tap = [\"tap-jira\"]), issues (jira = \"https://…\"), a repository (git = \"https://…\") or another \
             esker (hub = \"tcp://…\")",
            "esker.toml:11:8: [source.c] has both `every` and `cron`; keep one of them",
            "esker.toml:15:10: `sheets` in [source.d]: d.csv has no sheets; only .xlsx, .xlsm and .ods have",
            "esker.toml:16:12: `timezone` in [source.d] needs a `cron`; remove it",
        ],
    );
}

#[test]
fn a_file_needs_no_schedule() {
    let source = "[source.a]\nfile = \"a.csv\"\noutput = \"raw/a\"\n";
    check_defects(
        &format!("{source}every = \"15m\"\n"),
        &[
            "esker.toml:5:1: warning: `every` in [source.a] is not needed: a file is read whenever it changes; \
           remove it",
        ],
    );
    check_defects(
        &format!("{source}cron = \"* * * * *\"\ntimezone = \"UTC\"\n"),
        &[
            "esker.toml:5:1: warning: `cron` in [source.a] is not needed: a file is read whenever it changes; \
           remove it",
        ],
    );
}

#[test]
fn values_that_cannot_be_are_refused() {
    let source = "[source.a]\nrun = [\"esker\"]\noutput = \"raw/a\"\n";
    for (line, start) in [
        ("every = \"soon\"", "`every` in [source.a]: \"soon\" is no duration"),
        ("every = \"10ms\"", "`every` in [source.a]: \"10ms\" is shorter than 1s"),
        ("every = 15", "`every` in [source.a] must be a string, not an integer"),
        ("cron = \"0 0 31 2 *\"", "`cron` in [source.a]: \"0 0 31 2 *\" never comes true"),
        ("cron = \"often\"", "`cron` in [source.a]: \"often\" is no cron pattern"),
        ("timeout = \"0s\"", "`timeout` in [source.a]: \"0s\" is no time at all"),
        ("output_max = \"big\"", "`output_max` in [source.a]: \"big\" is no size"),
        (
            "output_max = \"9999GB\"",
            "`output_max` in [source.a]: \"9999GB\": at most 64MiB: so much comes in one message",
        ),
        ("retry = -1", "`retry` in [source.a] must be a whole number from 0 to 100"),
        (
            "allow_empty = \"yes\"",
            "`allow_empty` in [source.a] must be true or false, not a string",
        ),
        ("code = [\"../x\"]", "`code` in [source.a] names \"../x\""),
        ("env = [\"A=1\"]", "\"A=1\" cannot name an environment variable"),
    ] {
        let found = defects(&format!("project.name = \"p\"\n{source}{line}\n"));
        assert_eq!(found.len(), 1, "{line}: {found:?}");
        let (_, message) = found[0].split_once(": ").unwrap();
        assert!(message.starts_with(start), "{line}: {message}");
    }
}

#[test]
fn check_asks_the_machine_and_load_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let text = "project.name = \"p\"\n\
                [source.a]\nfile = \"missing.csv\"\noutput = \"raw/a\"\n\
                [stage.b]\ninput = \"raw/a\"\noutput = \"b/b\"\nrun = [\"no-such-program\"]\n\
                [stage.c]\ninput = \"raw/a\"\noutput = \"c/c\"\nrun = [\"clean.sh\"]\n\
                [stage.d]\ninput = \"raw/a\"\noutput = \"d/d\"\nrun = [\"./clean.sh\"]\n";
    fs::write(dir.path().join(FILE), text).unwrap();
    fs::write(dir.path().join("clean.sh"), "#!/bin/sh\n").unwrap();
    assert!(Definition::load(dir.path()).is_ok());
    let (definition, defects) = check(dir.path());
    assert!(definition.is_none());
    let found: Vec<String> = defects.iter().map(Defect::to_string).collect();
    assert_eq!(
        found,
        [
            "esker.toml:3:8: warning: the file missing.csv of source a does not exist; the source waits until it does",
            "esker.toml:8:8: the program no-such-program is not in PATH; install it, or correct the name",
            "esker.toml:12:8: the program clean.sh is not in PATH; write \"./clean.sh\" for the file in the project",
            "esker.toml:16:8: ./clean.sh is not executable; run: chmod +x ./clean.sh",
        ]
    );
}

#[test]
fn a_file_that_is_missing_too_large_or_no_text_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let first = |dir: &Path| Definition::load(dir).unwrap_err()[0].to_string();
    assert!(first(dir.path()).contains("run `esker init`"));
    let path = dir.path().join(FILE);
    fs::write(&path, vec![b'#'; usize::try_from(FILE_MAX).unwrap() + 1]).unwrap();
    assert!(first(dir.path()).contains("is larger than"));
    fs::write(&path, b"a = 1\n\xff\xfe").unwrap();
    assert_eq!(
        first(dir.path()),
        "esker.toml:2:1: a byte that is not UTF-8; save the file as UTF-8"
    );
}

#[test]
fn a_pipe_in_its_place_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(FILE);
    let mode = rustix::fs::Mode::RUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let defects = Definition::load(dir.path()).unwrap_err();
    assert!(defects[0].message.ends_with("it is no file"), "{}", defects[0]);
}

#[test]
fn what_is_large_is_said_under_store() {
    let text = "[project]\nname = \"p\"\n[store]\nlarge = \"8 MB\"\nlarge_max = \"2TB\"\n";
    let (definition, _) = Definition::parse(text, Timestamp::now());
    let large = definition.unwrap().store.large;
    assert_eq!(large, Large { min: Some(8_000_000), max: Some(2_000_000_000_000) });
    check_defects(
        "[store]\nlarge = \"65MiB\"\nlarge_max = \"1MB\"\nsmall = 1\n",
        &[
            "esker.toml:3:9: `large` in [store]: \"65MiB\": at most 64MiB: so much comes in one message",
            "esker.toml:4:13: `large_max` in [store]: \"1MB\": at least 64MiB: so much comes in one message",
            "esker.toml:5:1: unknown key `small` in [store]; known: large, large_max, push, blobs, blobs_endpoint, blobs_region, blobs_allow_http, blobs_cache",
        ],
    );
}

#[test]
fn a_bucket_is_named_without_what_opens_it() {
    let text = "[project]\nname = \"p\"\n[store]\nblobs = \"s3://data/a/b\"\n\
        blobs_endpoint = \"http://127.0.0.1:9000\"\nblobs_cache = \"10 GB\"\n";
    let blobs = Definition::parse(text, Timestamp::now()).0.unwrap().store.blobs.unwrap();
    assert_eq!(blobs.to_string(), "s3://data/a/b");
    assert_eq!(blobs.cache_max, Some(10_000_000_000));
    check_defects(
        "[store]\nblobs = \"s3://K:S@data\"\nblobs_endpoint = \"http://far.example.org\"\nblobs_cache = \"1MB\"\n",
        &[
            "esker.toml:3:9: `blobs` in [store]: it holds more than a bucket and a prefix; credentials come from the environment",
            "esker.toml:4:18: `blobs_endpoint` in [store]: \"http://far.example.org\" would be spoken to in the clear: use https://, or set blobs_allow_http = true",
            "esker.toml:5:15: `blobs_cache` in [store]: \"1MB\": at least 100MB",
        ],
    );
}

#[test]
fn mirrors_are_remotes_of_git() {
    let text = |push: &str| format!("project.name = \"p\"\n[store]\npush = {push}\n");
    let now = "2027-01-04T00:00:00Z".parse().unwrap();
    let push = |list: &str| Definition::parse(&text(list), now).0.unwrap().store.push;
    assert_eq!(push("\"git@host:a.git\"").len(), 1);
    assert_eq!(push("[\"git@host:a.git\", \"../b.git\"]").len(), 2);
    check_defects(
        "[store]\npush = \"ext::sh -c x\"",
        &["esker.toml:3:8: `push` in [store]: \"ext::sh -c x\" cannot name a git repository: \
         that transport runs any program; write for example \"git@host:team/data.git\""],
    );
    check_defects(
        "[store]\npush = [\"a\", \"a\"]",
        &["esker.toml:3:14: `push` in [store] names a twice"],
    );
    check_defects(
        "[store]\npush = \"https://me:secret@host/a\"",
        &[
            "esker.toml:3:8: warning: `push` in [store] holds a password or token for https://host/a; \
         leave it to git: `git config credential.helper`, or an ssh key",
        ],
    );
    check_defects(
        "[store]\npull = \"a\"",
        &["esker.toml:3:1: unknown key `pull` in [store]; did you mean `push`?"],
    );
}

#[test]
fn how_a_stage_goes_about_its_inputs_is_checked() {
    let found = |keys: &str| {
        let all = defects(&format!(
            "project.name = \"p\"\n[stage.s]\ninput = [\"raw/a\", \"raw/b\"]\noutput = \"out/a\"\n\
             run = [\"esker\"]\n{keys}"
        ));
        let all = all.into_iter().filter(|defect| !defect.contains("warning"));
        all.collect::<Vec<_>>().join("\n")
    };
    assert_eq!(found("optional = \"raw/b\"\njoin = \"any\"\npriority = 3\nok_exit = [0, 1]"), "");
    for (keys, expected) in [
        ("optional = [\"raw/c\"]", ":6:13: `optional` in [stage.s] names \"raw/c\""),
        ("optional = [\"raw/a\", \"raw/b\"]", "every input of [stage.s] is optional"),
        ("join = \"all\"", ":6:8: `join` in [stage.s]: \"all\" is neither"),
        ("ok_exit = [0, 256]", ":6:11: `ok_exit` in [stage.s] must be whole numbers"),
        ("priority = -1", ":6:12: `priority` in [stage.s] must be a whole number"),
    ] {
        assert!(found(keys).contains(expected), "{keys}: {}", found(keys));
    }
}

#[test]
fn no_resource_is_below_another() {
    let stage = |name: &str, output: &str| {
        format!("[stage.{name}]\ninput = \"raw/a\"\nrun = [\"cat\"]\noutput = \"{output}\"\n")
    };
    for (one, other) in [("x/b", "x/b/c"), ("x/b/c", "x/b")] {
        let text = format!("project.name = \"p\"\n{}{}", stage("a", one), stage("b", other));
        let told = defects(&text).concat();
        assert!(told.contains("x/b/c is below x/b, which [stage."), "{told}");
    }
}
