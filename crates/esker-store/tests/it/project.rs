//! Every commit of `main` says which project it was made under, once there is one.

use esker_bus::service::Service as _;
use esker_wire::message::Request as _;
use esker_wire::name::Branch;
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Move, Put, Resolve};

use crate::support::{Bench, put, resource};

fn project(content: &str) -> Put {
    Put { branch: "project".parse().unwrap(), ..put("definition/esker.toml", content) }
}

fn told(bench: &mut Bench, revision: Revision) -> Option<Revision> {
    let ask = Resolve { at: At::from(revision), branch: Branch::main(), zone: None };
    bench.call(&ask).unwrap().project
}

#[test]
fn a_commit_says_which_project_it_was_made_under() {
    let mut bench = Bench::new();
    let before = bench.put("raw/plan", "one").revision;
    let first = bench.call(&project("1")).unwrap().revision;
    let under = bench.put("raw/plan", "two").revision;
    // Of one batch too.
    let asks = [project("2"), put("raw/plan", "three")];
    let requests: Vec<_> = asks.iter().map(|ask| ask.to_message().to_frames()).collect();
    bench.snapshots.handle(&requests);
    let head = |bench: &mut Bench, name: &str| -> Revision {
        bench.git(&["rev-parse", name]).trim().parse().unwrap()
    };
    let second = head(&mut bench, "refs/esker/project");
    let three = head(&mut bench, "refs/heads/main");
    let ask = Move {
        resource: resource("raw/plan"),
        to: resource("raw/the plan"),
        branch: Branch::main(),
        if_head: None,
        message: Some("why\n\nEsker-Project: none".to_owned()),
        author: None,
    };
    let moved = bench.call(&ask).unwrap().revision;
    let mut bench = bench.reopen();
    let four = bench.put("raw/the plan", "four").revision;
    let all = [before, under, three, moved, four].map(|revision| told(&mut bench, revision));
    assert_eq!(all, [None, Some(first), Some(second), Some(second), Some(second)]);
    let text = bench.git(&["log", "-1", "--format=%B", &under.to_string()]);
    assert_eq!(text.trim_end(), format!("put raw/plan\n\nEsker-Project: {first}"));
    let trailers = ["log", "-1", "--format=%(trailers:key=Esker-Project,valueonly)"];
    assert_eq!(bench.git(&trailers).trim(), second.to_string());
    let other = Put { branch: Branch::records(), ..put("run/x", "r") };
    bench.call(&other).unwrap();
    assert_eq!(bench.git(&["log", "-1", "--format=%B", "esker/records"]).trim(), "put run/x");
    bench.assert_sound();
}
