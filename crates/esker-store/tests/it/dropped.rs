//! Branches are listed, and those of backfills dropped for good; no other is.

use esker_wire::fault::Code;
use esker_wire::name::Branch;
use esker_wire::snapshot::{Branches, DropBranch, Get, Put};

use crate::support::{Bench, put, resource};

fn branch(name: &str) -> Branch {
    name.parse().unwrap()
}

fn put_on(bench: &mut Bench, name: &str, content: &str) {
    bench.call(&Put { branch: branch(name), ..put("made/plan", content) }).unwrap();
}

fn listed(bench: &mut Bench, prefix: &str) -> Vec<String> {
    let branches = bench.call(&Branches { prefix: prefix.to_owned() }).unwrap();
    branches.into_iter().map(|(branch, _)| branch.to_string()).collect()
}

fn drop_it(bench: &mut Bench, name: &str) -> bool {
    bench.snapshots.settle().unwrap();
    // So that it is noticed.
    bench.put("raw/other", name);
    bench.snapshots.settle().unwrap();
    bench.put("raw/other", "noticed");
    bench.call(&DropBranch { branch: branch(name) }).unwrap()
}

#[test]
fn branches_of_backfills_go_for_good() {
    let mut bench = Bench::new();
    bench.put("raw/plan", "one");
    for name in ["backfill/plan-1", "backfill/plan-2", "records"] {
        put_on(&mut bench, name, name);
    }
    assert_eq!(listed(&mut bench, ""), ["backfill/plan-1", "backfill/plan-2", "records"]);
    assert_eq!(listed(&mut bench, "backfill/"), ["backfill/plan-1", "backfill/plan-2"]);
    assert!(drop_it(&mut bench, "backfill/plan-1"));
    assert!(!drop_it(&mut bench, "backfill/plan-1"));
    assert_eq!(listed(&mut bench, "backfill/"), ["backfill/plan-2"]);
    let get = |name: &str| Get { branch: branch(name), ..Get::head(resource("made/plan")) };
    assert!(bench.call(&get("backfill/plan-1")).is_err());
    bench.assert_sound();
    let mut bench = bench.reopen();
    assert_eq!(listed(&mut bench, "backfill/"), ["backfill/plan-2"]);
    put_on(&mut bench, "backfill/plan-1", "again");
    assert_eq!(bench.call(&get("backfill/plan-1")).unwrap().bytes.unwrap(), "again");
    bench.assert_sound();
}

#[test]
fn what_nothing_else_has_is_not_dropped() {
    let mut bench = Bench::new();
    bench.put("raw/plan", "one");
    for name in ["records", "rejected/plan/k01", "backfills/plan"] {
        put_on(&mut bench, name, name);
    }
    for name in ["main", "records", "rejected/plan/k01", "backfills/plan", "kept/main"] {
        let fault = bench.call(&DropBranch { branch: branch(name) }).unwrap_err();
        assert_eq!(fault.code, Code::BadRequest, "{name}");
    }
    assert_eq!(listed(&mut bench, ""), ["backfills/plan", "records", "rejected/plan/k01"]);
}
