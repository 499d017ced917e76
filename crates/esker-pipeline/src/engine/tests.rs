//! The engine without a store: its lock, its patience, its eyes on the definition.

use std::path::Path;
use std::time::{Duration, Instant};

use esker_bus::bus::Bus;
use esker_bus::endpoint::Endpoint;
use esker_wire::fault::Code;

use crate::plan::State;
use crate::stub::{self, Stub};

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
    options_with(bus, &stub::nowhere(), dir)
}

fn options_with(bus: &Bus, store: &Endpoint, dir: &Path) -> Options {
    Options {
        dir: dir.to_owned(),
        esker: "/bin/false".into(),
        caller: bus.caller(store),
        follow: bus.follow(store, &["esker/1 "]),
    }
}

/// An engine whose file source is refused by a store, once it shows what is expected.
fn shown(refusal: Code, expected: impl Fn(&Status) -> bool) -> (Stub, Engine) {
    let stub = Stub::serve(move |_| Some(refusal));
    let dir = project();
    fs::write(dir.path().join("a.csv"), "1\n").unwrap();
    let engine = Engine::start(options_with(&stub.bus, &stub.server.local(), dir.path())).unwrap();
    await_status(&engine, expected);
    (stub, engine)
}

fn await_status(engine: &Engine, expected: impl Fn(&Status) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !expected(&engine.status()) {
        assert!(Instant::now() < deadline, "it shows {:?}", engine.status());
        thread::yield_now();
    }
}

/// Whether the only part is tried again for this reason.
fn is_slowed(status: &Status, why: &str) -> bool {
    status.parts.first().is_some_and(|part| {
        matches!(part.state, State::Retry(_))
            && part.failure.as_ref().is_some_and(|failure| failure.contains(why))
    })
}

#[test]
fn runs_of_which_nothing_comes_slow_down_and_are_shown() {
    let told = |status: &Status| is_slowed(status, "the heads have moved");
    let (stub, engine) = shown(Code::Conflict, told);
    assert_eq!(stub.puts.try_iter().count(), 3);
    engine.shutdown();
}

#[test]
fn a_run_that_is_ended_from_outside_is_no_problem() {
    let stub = Stub::serve(|_| None);
    let dir = tempfile::tempdir().unwrap();
    let program = "run = [\"sh\", \"-c\", \"kill -TERM $PPID; sleep 100\"]";
    fs::write(dir.path().join("esker.toml"), GOOD.replace("file = \"a.csv\"", program)).unwrap();
    let options = options_with(&stub.bus, &stub.server.local(), dir.path());
    let engine = Engine::start(Options { esker: stub::supervisor(), ..options }).unwrap();
    await_status(&engine, |status| {
        let problem = status.parts.iter().any(|part| part.state == State::Problem);
        assert!(!problem, "{status:?}");
        is_slowed(status, "asked to end from outside")
    });
    engine.shutdown();
}

#[test]
fn how_far_a_program_says_it_is_is_shown() {
    let stub = Stub::serve(|_| None);
    let dir = tempfile::tempdir().unwrap();
    let script = "echo esker: progress 40/100 reading >&2; read _ < go; echo done";
    let program = format!("run = [\"sh\", \"-c\", \"{script}\"]");
    fs::write(dir.path().join("esker.toml"), GOOD.replace("file = \"a.csv\"", &program)).unwrap();
    let made = std::process::Command::new("mkfifo").arg(dir.path().join("go")).status();
    assert!(made.unwrap().success());
    let options = options_with(&stub.bus, &stub.server.local(), dir.path());
    let engine = Engine::start(Options { esker: stub::supervisor(), ..options }).unwrap();
    let progress = |status: &Status| status.parts.first().and_then(|part| part.progress.clone());
    await_status(&engine, |status| progress(status).as_deref() == Some("40/100 reading"));
    fs::write(dir.path().join("go"), "go\n").unwrap();
    await_status(&engine, |status| progress(status).is_none());
    engine.shutdown();
}

#[test]
fn a_store_that_takes_nothing_is_shown_and_the_run_waits_for_it() {
    let (stub, engine) = shown(Code::NotWritable, |status| {
        status.store.as_ref().is_some_and(|why| why.contains("the stub says NotWritable"))
    });
    let began = Instant::now();
    assert_eq!(engine.status().parts[0].state, State::Running);
    engine.shutdown();
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    drop(stub);
}

#[test]
fn no_hint_keeps_another_out() {
    let (post, mail) = channel();
    let hints = Hints::new(post, None);
    for _ in 0..10_000 {
        hints.files();
    }
    hints.store();
    hints.store();
    let waiting: Vec<Mail> = mail.try_iter().collect();
    assert!(matches!(waiting.as_slice(), [Mail::Files, Mail::Store]), "{waiting:?}");
    hints.store();
    assert!(mail.try_recv().is_err(), "it is not yet known that the first was taken");
    hints.taken(&Mail::Store);
    hints.store();
    assert!(matches!(mail.try_recv(), Ok(Mail::Store)));
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
