//! The pure parts of a run: what is fed, what came out, what is remembered.

use esker_wire::name::Resource;
use esker_wire::provenance::Input;
use esker_wire::record::Ended;
use esker_wire::revision::Revision;

use crate::definition::Definition;
use crate::key::Print;

use super::*;

fn resource(name: &str) -> Resource {
    name.parse().unwrap()
}

fn input(name: &str) -> Input {
    Input { resource: resource(name), revision: Revision::from_bytes([1; 20]) }
}

fn a_run(line: &str) -> Run {
    let text = format!(
        "project.name = \"p\"\n[stage.s]\ninput = \"raw/a\"\noutput = [\"x/a\", \"x/b\"]\nrun = [\"esker\"]\n{line}\n"
    );
    let (definition, defects) = Definition::parse(&text, Timestamp::now());
    let mut definition = definition.unwrap_or_else(|| panic!("{defects:?}"));
    Run {
        task: Task::Stage(definition.stages.remove(0)),
        run_key: "key".to_owned(),
        print: Print::default(),
        at: None,
        inputs: vec![input("raw/a")],
        blobs: Vec::new(),
        overrides: Vec::new(),
        beneath: Vec::new(),
        renamed: Vec::new(),
        outputs: vec![(resource("x/a"), None), (resource("x/b"), None)],
        failed: None,
        again: false,
    }
}

#[test]
fn whoever_waits_for_a_run_hears_of_a_fault_of_ours() {
    let outcome = unharmed(|| panic!("a fault"));
    assert!(matches!(outcome, Outcome::Again(why) if why.contains("esker itself failed")));
}

#[test]
fn a_program_is_told_where_its_project_is() {
    let bus = esker_bus::bus::Bus::start().unwrap();
    let bench = crate::stub::bench(&bus, &crate::stub::nowhere(), Path::new("/some/project"));
    let told = variables(&bench, &a_run(""), Path::new("/some/project/.esker/scratch/run-1"));
    let value = |name: &str| told.iter().find(|(known, _)| known == name).unwrap().1.clone();
    assert_eq!(value("ESKER_PROJECT"), "/some/project");
    assert_eq!(value("ESKER_STAGE"), "s");
    assert!(value("ESKER_INPUT_1").to_string_lossy().starts_with("raw/a@"));
}

#[test]
fn several_inputs_are_one_stacked_stream() {
    let (a, b) = (input("raw/a"), input("params/b"));
    let stacked = gather::stack(&[(&a, "1\n2\n".into()), (&b, "=====x\n\t3".into())]).unwrap();
    assert_eq!(stacked, "=====raw/a\n\t1\n\t2\n=====params/b\n\t=====x\n\t\t3\n");
    let error = gather::stack(&[(&a, "1".into()), (&b, "x\0".into())]).unwrap_err();
    assert_eq!(error.summary, "params/b is not text: byte 1 is NUL");
}

#[track_caller]
fn check_split(printed: &str, summary: &str) {
    let error = output::split(&["x/a", "x/b"], printed.as_bytes()).unwrap_err();
    assert_eq!(error.summary, summary);
}

#[test]
fn several_outputs_are_exactly_their_streams() {
    let parts = output::split(&["x/a", "x/b"], b"=====x/b\n\t2\n=====x/a\n\t1\n").unwrap();
    assert_eq!(parts, ["1\n", "2\n"]);
    check_split("=====x/a\n\t1\n", "cannot split the outputs: the stream \"x/b\" is missing");
    check_split(
        "=====x/a\n=====x/b\n=====x/c\n",
        "cannot split the outputs: line 3: the stream \"x/c\" is no output of this stage",
    );
    check_split(
        "=====x/a\n=====x/b\n=====x/a\n",
        "cannot split the outputs: line 3: the stream \"x/a\" comes twice",
    );
    check_split(
        "hello\n",
        "cannot split the outputs: line 1: expected a header `=====NAME`, found \"hello\"",
    );
}

#[test]
fn nothing_is_no_output_unless_it_is_allowed() {
    let run = a_run("");
    let printed = Bytes::from("=====x/a\n\t1\n=====x/b\n");
    let halt = output::take(&run, printed.clone(), false).err().unwrap();
    assert!(matches!(halt, Halt::Broken(broken) if broken.summary == "nothing came out for x/b"));
    assert!(output::take(&run, printed, true).is_ok());
}

#[test]
fn failures_are_counted_from_the_first() {
    let run = a_run("retry = 1");
    let Task::Stage(stage) = &run.task else {
        panic!("it is a stage");
    };
    let began = Began::now();
    let first = began.at;
    let broken = failure::of_program(&stage.program, End::Exited(1), b"oops");
    let record = failure::record(&run, broken.clone(), began, first);
    assert_eq!(record.ended, Ended::Retry);
    let failure = record.failure.unwrap();
    assert_eq!((failure.count, failure.since), (1, first));
    assert_eq!(
        (failure.summary.as_str(), failure.detail.as_str()),
        ("esker exited 1: oops", "oops")
    );
    let again = Run { failed: Some((1, first)), ..run };
    let record = failure::record(&again, broken, began, Timestamp::now());
    assert_eq!(record.ended, Ended::Problem);
    let failure = record.failure.unwrap();
    assert_eq!((failure.count, failure.since, failure.not_before), (2, first, None));
}

#[test]
fn a_failure_that_says_it_may_pass_is_tried_again() {
    let run = a_run("");
    let Task::Stage(stage) = &run.task else {
        panic!("it is a stage");
    };
    for (end, ended) in [
        (End::Exited(75), Ended::Retry),
        (End::Exited(65), Ended::Problem),
        (End::TimedOut, Ended::Problem),
        (End::Unclosed, Ended::Problem),
    ] {
        let broken = failure::of_program(&stage.program, end, b"");
        let record = failure::record(&run, broken, Began::now(), Timestamp::now());
        assert_eq!(record.ended, ended, "{end:?}");
    }
}
