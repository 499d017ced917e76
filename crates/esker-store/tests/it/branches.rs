//! Branches beside `main`: which can be made, and how many.

use std::fmt::Write as _;

use esker_bus::service::{Frames, Service as _};
use esker_wire::fault::Code;
use esker_wire::message::{Message, Request as _, answer};
use esker_wire::snapshot::{Get, Put};

use crate::support::{Bench, git, put, resource};

fn put_on(branch: &str, content: &str) -> Put {
    Put { branch: branch.parse().unwrap(), ..put("raw/plan", content) }
}

#[test]
fn a_branch_is_no_folder_of_branches() {
    let mut bench = Bench::new();
    bench.call(&put_on("records/x", "one")).unwrap();
    let fault = bench.call(&put_on("records", "two")).unwrap_err();
    assert_eq!(fault.code, Code::BadRequest);
    assert!(fault.message.contains("records/x"), "{fault}");
    bench.git(&["update-ref", "-d", "refs/esker/records/x"]);
    let mut bench = bench.reopen();
    bench.call(&put_on("records", "two")).unwrap();
    bench.git(&["pack-refs", "--all"]);
    let fault = bench.call(&put_on("records/x", "three")).unwrap_err();
    assert_eq!(fault.code, Code::BadRequest);
    bench.assert_sound();
}

#[test]
fn one_bad_branch_does_not_hinder_the_others_of_its_batch() {
    let mut bench = Bench::new();
    let long = "l".repeat(251);
    let asks = [
        put_on("x", "1"),
        put_on("x/y", "2"),
        put_on(&long, "3"),
        put_on("z", "4"),
        put("raw/plan", "5"),
    ];
    let requests: Vec<Frames> = asks.iter().map(|ask| ask.to_message().to_frames()).collect();
    let outcomes = bench.snapshots.handle(&requests);
    let codes: Vec<Option<Code>> = outcomes
        .iter()
        .map(|outcome| answer::<Put>(&Message::from_frames(&outcome.reply).unwrap()))
        .map(|stored| stored.err().map(|fault| fault.code))
        .collect();
    assert_eq!(codes, [None, Some(Code::BadRequest), Some(Code::BadRequest), None, None]);
    let mut bench = bench.reopen();
    for (branch, content) in [("x", "1"), ("z", "4"), ("main", "5"), ("l", "")] {
        let branch = branch.parse().unwrap();
        let found = bench.call(&Get { branch, ..Get::head(resource("raw/plan")) });
        assert_eq!(found.map_or("".into(), |found| found.bytes.unwrap()), content);
    }
}

#[test]
fn branches_have_a_limit() {
    let mut bench = Bench::new();
    let head = bench.git_head();
    let mut packed = String::from("# pack-refs with: peeled fully-peeled sorted\n");
    for index in 0..9_999 {
        writeln!(packed, "{head} refs/esker/b{index:05}").unwrap();
    }
    std::fs::write(bench.path().join("packed-refs"), packed).unwrap();
    let fault = bench.call(&put_on("one-more", "x")).unwrap_err();
    assert_eq!(fault.code, Code::TooLarge);
    assert!(fault.message.contains("one-more") && fault.message.contains("10000"), "{fault}");
    bench.call(&put_on("b00007", "x")).unwrap();
    bench.put("raw/plan", "x");
}

/// Someone moves `main` to a commit of which not all is there.
#[test]
fn what_cannot_be_followed_hinders_only_its_branch() {
    let mut bench = Bench::new();
    bench.put("raw/plan", "one");
    bench.call(&put_on("records", "one")).unwrap();
    bench.snapshots.settle().unwrap();
    let folder = bench.path().to_owned();
    let tree = |name: &str| {
        let blob = git(&folder, &["rev-parse", "main:raw/plan"]);
        let (blob, raw) = (blob.trim(), folder.join("mktree"));
        std::fs::write(&raw, format!("100644 blob {blob}\t{name}\n")).unwrap();
        let script = "git mktree < mktree";
        let output =
            std::process::Command::new("sh").args(["-c", script]).current_dir(&folder).output();
        String::from_utf8(output.unwrap().stdout).unwrap().trim().to_owned()
    };
    let commit = |tree: &str, parent: &str| {
        git(&folder, &["commit-tree", tree, "-p", parent, "-m", "by hand"]).trim().to_owned()
    };
    let (good, bad) = (tree("good"), tree("bad"));
    let last = commit(&bad, &commit(&good, "main"));
    let file = folder.join("objects").join(&bad[..2]).join(&bad[2..]);
    let kept = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    std::fs::write(folder.join("refs/heads/main"), format!("{last}\n")).unwrap();
    for _ in 0..2 {
        let fault = bench.call(&put("raw/plan", "two")).unwrap_err();
        assert_eq!(fault.code, Code::NotWritable);
        assert!(fault.message.contains("refs/heads/main"), "{fault}");
        bench.snapshots.tick();
        assert_eq!(bench.get("raw/plan").unwrap().bytes.unwrap(), "one");
    }
    bench.call(&put_on("records", "two")).unwrap();
    std::fs::write(&file, kept).unwrap();
    bench.put("raw/plan", "two");
    bench.snapshots.settle().unwrap();
    assert_eq!(git(&folder, &["rev-parse", "main~1"]).trim(), last);
}
