//! The engine without a store: its lock, its patience, its eyes on the definition.

use std::path::Path;
use std::time::{Duration, Instant};

use esker_bus::bus::Bus;
use esker_bus::endpoint::Endpoint;

use super::library::Turn;
use super::*;

const GOOD: &str = "project.name = \"p\"\n[source.a]\nfile = \"a.csv\"\noutput = \"raw/a\"\n";

fn project() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("esker.toml"), GOOD).unwrap();
    dir
}

/// Options with a store that nobody serves.
fn options(bus: &Bus, dir: &Path) -> Options {
    let nowhere = Endpoint::Tcp {
        requests: "tcp://127.0.0.1:1".to_owned(),
        events: "tcp://127.0.0.1:1".to_owned(),
    };
    Options {
        dir: dir.to_owned(),
        esker: "/bin/false".into(),
        caller: bus.caller(&nowhere),
        follow: bus.follow(&nowhere, &["esker/1 "]),
    }
}

#[test]
fn a_project_has_one_engine_and_a_missing_store_is_told() {
    let bus = Bus::start().unwrap();
    let dir = project();
    fs::create_dir_all(dir.path().join(SCRATCH).join("run-left-behind")).unwrap();
    let first = Engine::start(options(&bus, dir.path())).unwrap();
    assert!(!dir.path().join(SCRATCH).exists());
    let second = Engine::start(options(&bus, dir.path())).unwrap_err();
    assert!(matches!(second, Error::Locked(_)), "{second}");
    let deadline = Instant::now() + Duration::from_secs(30);
    while first.status().store.is_none() {
        assert!(Instant::now() < deadline, "the missing store is not told");
        thread::yield_now();
    }
    first.shutdown();
    Engine::start(options(&bus, dir.path())).unwrap().shutdown();
}

#[test]
fn an_unusable_definition_does_not_start() {
    let bus = Bus::start().unwrap();
    let dir = project();
    fs::write(dir.path().join("esker.toml"), "[proj]").unwrap();
    let error = Engine::start(options(&bus, dir.path())).unwrap_err();
    assert!(error.to_string().starts_with("cannot use the definition: esker.toml:1:"), "{error}");
}

#[test]
fn a_bad_edit_keeps_the_last_good_definition() {
    let dir = project();
    let mut library = Library::open(dir.path()).unwrap();
    assert!(matches!(library.turn(), Turn::Same));
    let path = dir.path().join("esker.toml");
    fs::write(&path, "[project").unwrap();
    assert!(matches!(library.turn(), Turn::Bad(_)));
    assert_eq!(library.definition().project, "p");
    assert!(matches!(library.turn(), Turn::Same), "it is told once");
    // Editors save beside the file, then rename.
    let beside = dir.path().join("esker.toml~");
    fs::write(&beside, GOOD.replace("\"p\"", "\"q\"")).unwrap();
    fs::remove_file(&path).unwrap();
    assert!(matches!(library.turn(), Turn::Same), "it may be missing for a moment");
    fs::rename(&beside, &path).unwrap();
    assert!(matches!(library.turn(), Turn::New));
    assert_eq!(library.definition().project, "q");
}

#[test]
fn hints_come_in_bursts_and_failures_slow_down() {
    let start = Instant::now();
    let mut agenda = agenda::Agenda::new(start);
    assert!(agenda.is_due(start));
    let clock = "2027-01-04T00:00:00Z".parse().unwrap();
    agenda.looked(start, None, clock);
    assert!(!agenda.is_due(start + Duration::from_secs(59)));
    assert!(agenda.is_due(start + Duration::from_secs(60)));
    agenda.hinted(start);
    agenda.hinted(start + Duration::from_millis(40));
    assert!(!agenda.is_due(start + Duration::from_millis(49)));
    assert!(agenda.is_due(start + Duration::from_millis(50)));
    agenda.looked(start, None, clock);
    let quiet = start + Duration::from_secs(5);
    agenda.hinted(quiet);
    assert!(agenda.is_due(quiet), "the first after a quiet time does not wait");
    for seconds in [1, 2, 4, 8, 16, 30, 30] {
        agenda.failed(start);
        assert!(!agenda.is_due(start + Duration::from_secs(seconds) - Duration::from_millis(1)));
        assert!(agenda.is_due(start + Duration::from_secs(seconds)));
    }
}
