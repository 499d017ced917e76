//! Stages that see every version, pools, and what is stopped for what is newer.

use super::world::Sim;
use super::*;

const EACH: &str = r#"
[project]
name = "each"
[stage.s]
input = "raw/a"
mode = "each"
run = ["esker", "s"]
output = "out/s"
"#;

/// What the next run reads.
fn next(sim: &Sim) -> Option<String> {
    let plan = sim.plan();
    plan.runs.first().map(|run| sim.version(&run.inputs[0]).to_owned())
}

fn finish(sim: &mut Sim) {
    let run = sim.plan().runs.remove(0);
    sim.finish(&run);
}

#[test]
fn every_version_is_seen_in_order() {
    let mut sim = Sim::new(EACH);
    ["1", "2", "3"].iter().for_each(|version| sim.put("raw/a", version));
    for version in ["1", "2", "3"] {
        assert_eq!(next(&sim).as_deref(), Some(version));
        finish(&mut sim);
    }
    assert_eq!(sim.plan().states["s"], State::Fresh);
    assert_eq!(sim.content("out/s"), "out/s(3)");
}

#[test]
fn who_dies_before_the_record_goes_on_behind_what_was_stored() {
    let mut sim = Sim::new(EACH);
    ["1", "2", "3"].iter().for_each(|version| sim.put("raw/a", version));
    finish(&mut sim);
    let run = sim.plan().runs.remove(0);
    sim.store(&run);
    assert_eq!(next(&sim).as_deref(), Some("3"));
    sim.records.clear();
    assert_eq!(next(&sim).as_deref(), Some("3"), "what was made tells what was seen");
}

#[test]
fn a_version_that_fails_is_passed_over_and_may_be_tried_again() {
    let mut sim = Sim::new(EACH);
    ["1", "poison", "3"].iter().for_each(|version| sim.put("raw/a", version));
    finish(&mut sim);
    let poisoned = sim.plan().runs.remove(0);
    sim.fail(&poisoned, Some(Duration::from_secs(5)));
    assert_eq!(next(&sim), None, "the order is kept while it may pass");
    sim.now += SignedDuration::from_secs(5);
    assert_eq!(next(&sim).as_deref(), Some("poison"));
    sim.fail(&poisoned, None);
    let failed = sim.records["s"].clone();
    assert_eq!(next(&sim).as_deref(), Some("3"));
    finish(&mut sim);
    assert_eq!(sim.plan().states["s"], State::Fresh);
    let version = sim.logs[&poisoned.inputs[0].resource][1];
    sim.again.insert("s".to_owned(), (version, esker_wire::problem::again(&failed, sim.now)));
    let run = sim.plan().runs.remove(0);
    assert!(run.again);
    assert_eq!(sim.version(&run.inputs[0]), "poison");
    sim.store(&run);
    sim.again.clear();
    assert_eq!(next(&sim).as_deref(), Some("3"), "the newest version has the last word");
    sim.settle();
    assert_eq!(sim.content("out/s"), "out/s(3)");
}

#[test]
fn the_last_version_that_fails_is_a_problem() {
    let mut sim = Sim::new(EACH);
    sim.put("raw/a", "1");
    let run = sim.plan().runs.remove(0);
    sim.fail(&run, None);
    assert_eq!(sim.plan().states["s"], State::Problem);
    let print = Print { code: "mended".to_owned(), ..Print::default() };
    sim.prints.insert("s".to_owned(), print);
    assert_eq!(next(&sim).as_deref(), Some("1"));
}

const POOL: &str = r#"
[project]
name = "pool"
[limits]
jobs = 3
[pool.heavy]
jobs = 1
[stage.a]
input = "raw/a"
pool = "heavy"
run = ["esker", "a"]
output = "out/a"
[stage.b]
input = "raw/a"
pool = "heavy"
run = ["esker", "b"]
output = "out/b"
[stage.c]
input = "raw/a"
preempt = true
run = ["esker", "c"]
output = "out/c"
"#;

#[test]
fn a_pool_bounds_its_stages_and_no_others() {
    let mut sim = Sim::new(POOL);
    sim.put("raw/a", "1");
    assert_eq!(started(&sim.plan()), ["a", "c"]);
    sim.busy.insert("b".to_owned(), String::new());
    assert_eq!(started(&sim.plan()), ["c"]);
}

#[test]
fn what_is_overtaken_is_stopped_if_it_may_be() {
    let mut sim = Sim::new(POOL);
    sim.put("raw/a", "1");
    for run in sim.plan().runs {
        sim.busy.insert(run.name().to_owned(), run.run_key.clone());
    }
    assert!(sim.plan().stop.is_empty());
    sim.put("raw/a", "2");
    assert_eq!(sim.plan().stop, ["c"]);
}
