//! What was refused is kept for a while, and let go by itself.

use esker_wire::snapshot::{Get, Put};

use crate::support::{Bench, put, resource};

fn refuse(bench: &mut Bench, branch: &str, content: &str) {
    let branch = format!("rejected/{branch}").parse().unwrap();
    bench.call(&Put { branch, ..put("raw/plan", content) }).unwrap();
    bench.snapshots.settle().unwrap();
    // So that it is noticed.
    bench.put("raw/other", content);
}

/// What is kept of a stage, the oldest first.
fn kept(bench: &mut Bench, stage: &str) -> Vec<String> {
    let prefix = format!("refs/esker/rejected/{stage}/");
    let refs = bench.git(&["for-each-ref", "--sort=committerdate", "--format=%(refname)", &prefix]);
    refs.lines().map(|name| name.strip_prefix(&prefix).unwrap().to_owned()).collect()
}

fn names(range: std::ops::RangeInclusive<usize>) -> Vec<String> {
    range.map(|n| format!("k{n:02}")).collect()
}

#[test]
fn the_last_ten_of_each_stage_are_kept() {
    let mut bench = Bench::new();
    refuse(&mut bench, "other/k00", "other");
    for n in 1..=13 {
        refuse(&mut bench, &format!("plan/k{n:02}"), &format!("content {n}"));
        bench.pass(1);
    }
    assert_eq!(kept(&mut bench, "plan"), names(4..=13));
    assert_eq!(kept(&mut bench, "other"), ["k00"]);
    let get = |name: &str| {
        let branch = format!("rejected/plan/{name}").parse().unwrap();
        Get { branch, ..Get::head(resource("raw/plan")) }
    };
    assert!(bench.call(&get("k03")).is_err());
    assert_eq!(bench.call(&get("k04")).unwrap().bytes.unwrap(), "content 4");
    bench.assert_sound();
    let mut bench = bench.reopen();
    assert_eq!(kept(&mut bench, "plan"), names(4..=13));
    assert!(bench.call(&get("k03")).is_err());
    refuse(&mut bench, "plan/k03", "again");
    assert_eq!(bench.call(&get("k03")).unwrap().bytes.unwrap(), "again");
    bench.assert_sound();
}

#[test]
fn all_but_the_newest_go_after_a_month() {
    let mut bench = Bench::new();
    for n in 1..=3 {
        refuse(&mut bench, &format!("plan/k{n:02}"), &n.to_string());
        bench.pass(1);
    }
    bench.pass(31 * 24 * 60 * 60);
    let mut bench = bench.reopen();
    assert_eq!(kept(&mut bench, "plan"), ["k03"]);
    bench.assert_sound();
}

/// `git gc` packs references; they go as well, and nothing else does.
#[test]
fn packed_references_go_too() {
    let mut bench = Bench::new();
    bench.put("raw/plan", "good");
    for n in 1..=12 {
        refuse(&mut bench, &format!("plan/k{n:02}"), &n.to_string());
        bench.git(&["pack-refs", "--all"]);
        bench.pass(1);
    }
    assert_eq!(kept(&mut bench, "plan"), names(3..=12));
    bench.git(&["tag", "-a", "-m", "a tag", "some"]);
    bench.git(&["pack-refs", "--all"]);
    refuse(&mut bench, "plan/k13", "13");
    assert_eq!(kept(&mut bench, "plan"), names(4..=13));
    assert_eq!(
        bench.git(&["for-each-ref", "--format=%(refname)", "refs/tags", "refs/heads"]),
        "refs/heads/main\nrefs/tags/some\n"
    );
    bench.assert_sound();
}

/// What someone else is about to change is left alone.
#[test]
fn a_lock_of_gits_is_heeded() {
    let mut bench = Bench::new();
    for n in 1..=10 {
        refuse(&mut bench, &format!("plan/k{n:02}"), &n.to_string());
        bench.pass(1);
    }
    let lock = bench.path().join("refs/esker/rejected/plan/k01.lock");
    std::fs::write(&lock, "").unwrap();
    refuse(&mut bench, "plan/k11", "11");
    assert_eq!(kept(&mut bench, "plan"), names(1..=11));
    std::fs::remove_file(&lock).unwrap();
    refuse(&mut bench, "plan/k12", "12");
    assert_eq!(kept(&mut bench, "plan"), names(3..=12));
}
