//! Storing at stores that refuse.

use std::thread;

use esker_bus::bus::Bus;

use crate::child::Mail;
use crate::stub::{self, Stub};

use super::*;

fn store(bench: &Bench, line: &Line) -> Result<RunRecord, Halt> {
    let run = stub::file_run();
    let contents = vec![(run.outputs[0].0.clone(), "1\n".into())];
    put((bench, line), &run, Made::new(contents, None), Began::now())
}

#[test]
fn outputs_are_kept_until_the_store_takes_them() {
    let dir = tempfile::tempdir().unwrap();
    let codes = [Code::NotWritable, Code::Busy, Code::Timeout];
    let stub = Stub::serve(move |count| codes.get(count).copied());
    let (line, told) = stub::line();
    let record = store(&stub.bench(dir.path()), &line).unwrap();
    assert_eq!(record.ended, Ended::Stored);
    let told: Vec<Code> = told.try_iter().map(|fault| fault.code).collect();
    assert_eq!(told, codes, "each is told");
    assert_eq!(stub.puts.try_iter().count(), 4);
}

#[test]
fn what_the_store_never_takes_is_a_problem_of_the_output() {
    let dir = tempfile::tempdir().unwrap();
    for code in [Code::BadRequest, Code::TooLarge] {
        let stub = Stub::serve(move |_| Some(code));
        let halt = store(&stub.bench(dir.path()), &stub::line().0).err().unwrap();
        let Halt::Broken(broken) = halt else {
            panic!("{halt:?}");
        };
        assert_eq!(broken.summary, format!("cannot store raw/a: the stub says {code:?}"));
        assert!(!broken.temporary);
    }
}

#[test]
fn a_lost_race_is_decided_anew_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let stub = Stub::serve(|_| Some(Code::Conflict));
    let halt = store(&stub.bench(dir.path()), &stub::line().0).err().unwrap();
    assert!(matches!(halt, Halt::Again(_)));
    assert_eq!(stub.puts.try_iter().count(), 1);
}

#[test]
fn waiting_for_the_store_ends_with_the_engine() {
    let dir = tempfile::tempdir().unwrap();
    let stub = Stub::serve(|_| Some(Code::NotWritable));
    let bench = stub.bench(dir.path());
    let (line, told) = stub::line();
    let post = line.mailbox.post.clone();
    let stopping = thread::spawn(move || {
        let fifth = told.iter().nth(4);
        post.send(Mail::Stop).unwrap();
        fifth
    });
    let began = Instant::now();
    let halt = store(&bench, &line).err().unwrap();
    assert!(matches!(halt, Halt::Again(_)));
    assert!(stopping.join().unwrap().is_some());
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}

#[test]
fn asking_a_store_that_is_not_there_ends_with_the_engine() {
    let dir = tempfile::tempdir().unwrap();
    let bus = Bus::start().unwrap();
    let bench = stub::bench(&bus, &stub::nowhere(), dir.path());
    let (line, told) = stub::line();
    line.mailbox.post.send(Mail::Stop).unwrap();
    assert!(matches!(store(&bench, &line), Err(Halt::Again(_))));
    assert!(told.try_recv().is_err(), "it does not wait for the store's answer");
}
