//! The planner against a small world kept in memory: what it decides, and that disturbances change nothing in
//! the end.

mod each;
mod simulation;
mod world;

use std::time::Duration;

use jiff::SignedDuration;

use super::*;
use world::Sim;

const DIAMOND: &str = r#"
[project]
name = "diamond"
[limits]
jobs = 2
[stage.b]
input = "raw/a"
run = ["esker", "b"]
output = "b/b"
[stage.c]
input = "raw/a"
run = ["esker", "c"]
output = "c/c"
[stage.d]
input = ["b/b", "c/c", "params/p"]
run = ["esker", "d"]
output = "d/d"
[stage.e]
input = "d/d"
run = ["esker", "e"]
output = ["e/one", "e/two"]
"#;

fn started(plan: &Plan) -> Vec<&str> {
    plan.runs.iter().map(Run::name).collect()
}

#[test]
fn what_has_no_input_waits() {
    let sim = Sim::new(DIAMOND);
    let plan = sim.plan();
    assert!(plan.runs.is_empty());
    let why = State::Waiting("for raw/a, which does not exist yet".to_owned());
    assert_eq!(plan.states["b"], why);
}

#[test]
fn a_chain_runs_in_order_and_then_rests() {
    let mut sim = Sim::new(DIAMOND);
    sim.put("raw/a", "1");
    sim.put("params/p", "1");
    assert_eq!(started(&sim.plan()), ["b", "c"]);
    sim.settle();
    assert_eq!(sim.content("e/one"), "e/one(d/d(b/b(1),c/c(1),1))");
    let plan = sim.plan();
    assert!(plan.runs.is_empty());
    assert!(plan.states.values().all(|state| *state == State::Fresh));
}

#[test]
fn a_join_waits_until_both_sides_have_followed() {
    let mut sim = Sim::new(DIAMOND);
    sim.put("raw/a", "1");
    sim.put("params/p", "1");
    sim.settle();
    sim.put("raw/a", "2");
    let run = sim.plan().runs.into_iter().find(|run| run.name() == "b").unwrap();
    sim.finish(&run);
    let plan = sim.plan();
    assert_eq!(started(&plan), ["c"]);
    assert_eq!(plan.states["d"], State::Waiting("for stage c".to_owned()));
}

#[test]
fn a_busy_chain_does_not_hold_what_follows_it() {
    let mut sim = Sim::new(DIAMOND);
    sim.put("raw/a", "1");
    sim.put("params/p", "1");
    sim.settle();
    sim.put("params/p", "2");
    let run = sim.plan().runs.remove(0);
    sim.finish(&run);
    // d is busy again with a third version, but e may follow its second: nothing else can reach e.
    sim.put("params/p", "3");
    sim.busy.insert("d".to_owned(), String::new());
    assert_eq!(started(&sim.plan()), ["e"]);
}

#[test]
fn a_side_that_shares_nothing_does_not_hold_a_join() {
    let own = "[stage.p]\ninput = \"raw/p\"\nrun = [\"esker\", \"p\"]\noutput = \"params/p\"\n";
    let mut sim = Sim::new(&format!("{DIAMOND}{own}"));
    sim.put("raw/a", "1");
    sim.put("raw/p", "1");
    sim.settle();
    sim.put("raw/a", "2");
    for name in ["b", "c"] {
        let plan = sim.plan();
        let run = plan.runs.iter().find(|run| run.name() == name).unwrap();
        sim.finish(run);
    }
    sim.busy.insert("p".to_owned(), String::new());
    assert_eq!(started(&sim.plan()), ["d"]);
}

#[test]
fn a_join_of_any_versions_waits_for_nobody() {
    let any = "run = [\"esker\", \"d\"]\njoin = \"any\"";
    let mut sim = Sim::new(&DIAMOND.replace("run = [\"esker\", \"d\"]", any));
    sim.put("raw/a", "1");
    sim.put("params/p", "1");
    sim.settle();
    sim.put("raw/a", "2");
    let run = sim.plan().runs.into_iter().find(|run| run.name() == "b").unwrap();
    sim.finish(&run);
    assert_eq!(started(&sim.plan()), ["c", "d"]);
}

#[test]
fn what_is_optional_is_waited_for_no_longer() {
    let some = "run = [\"esker\", \"d\"]\noptional = \"params/p\"";
    let mut sim = Sim::new(&DIAMOND.replace("run = [\"esker\", \"d\"]", some));
    sim.put("raw/a", "1");
    sim.settle();
    assert_eq!(sim.content("d/d"), "d/d(b/b(1),c/c(1))");
    sim.put("params/p", "1");
    sim.settle();
    assert_eq!(sim.content("d/d"), "d/d(b/b(1),c/c(1),1)");
}

#[test]
fn the_preferred_goes_first() {
    let first = "run = [\"esker\", \"c\"]\npriority = 1";
    let text = DIAMOND.replace("run = [\"esker\", \"c\"]", first);
    let mut sim = Sim::new(&text.replace("jobs = 2", "jobs = 1"));
    sim.put("raw/a", "1");
    assert_eq!(started(&sim.plan()), ["c"]);
}

#[test]
fn one_stage_runs_once_at_a_time_and_jobs_are_bounded() {
    let mut sim = Sim::new(DIAMOND);
    sim.put("raw/a", "1");
    sim.busy.insert("b".to_owned(), String::new());
    assert_eq!(started(&sim.plan()), ["c"]);
    sim.busy.insert("elsewhere".to_owned(), String::new());
    assert!(sim.plan().runs.is_empty());
}

#[test]
fn what_is_left_alone_is_not_started_and_takes_no_place() {
    let mut sim = Sim::new(&DIAMOND.replace("jobs = 2", "jobs = 1"));
    sim.put("raw/a", "1");
    sim.held.insert("b".to_owned());
    let plan = sim.plan();
    assert_eq!(started(&plan), ["c"]);
    assert_eq!(plan.states["b"], State::Stale);
    sim.held.clear();
    assert_eq!(started(&sim.plan()), ["b"]);
}

#[test]
fn a_problem_blocks_its_key_but_not_the_next() {
    let mut sim = Sim::new(DIAMOND);
    sim.put("raw/a", "1");
    sim.put("params/p", "1");
    sim.settle();
    sim.put("raw/a", "poison");
    let run = sim.plan().runs.into_iter().find(|run| run.name() == "b").unwrap();
    sim.fail(&run, None);
    let plan = sim.plan();
    assert_eq!(plan.states["b"], State::Problem);
    assert_eq!(started(&plan), ["c"]);
    // The join goes on with what b made last.
    sim.settle();
    assert_eq!(sim.content("d/d"), "d/d(b/b(1),c/c(poison),1)");
    sim.put("raw/a", "2");
    sim.settle();
    assert_eq!(sim.content("d/d"), "d/d(b/b(2),c/c(2),1)");
}

#[test]
fn a_failure_that_is_over_is_settled() {
    let mut sim = Sim::new(DIAMOND);
    sim.put("raw/a", "1");
    sim.settle();
    sim.put("raw/a", "poison");
    let run = sim.plan().runs.into_iter().find(|run| run.name() == "b").unwrap();
    sim.fail(&run, None);
    sim.put("raw/a", "1");
    // Neither output was made anew for the old input: b's never changed.
    let plan = sim.plan();
    assert_eq!(plan.settle.len(), 1);
    assert_eq!(plan.settle[0].stage, "b");
    assert_eq!(plan.settle[0].failure, None);
}

#[test]
fn a_retry_waits_for_its_time_and_counts() {
    let mut sim = Sim::new(DIAMOND);
    sim.put("raw/a", "1");
    let run = sim.plan().runs.into_iter().find(|run| run.name() == "b").unwrap();
    sim.fail(&run, Some(Duration::from_secs(10)));
    let plan = sim.plan();
    let at = sim.now + SignedDuration::from_secs(10);
    assert_eq!(plan.states["b"], State::Retry(at));
    assert_eq!(plan.wake, Some(at));
    sim.now = at;
    let plan = sim.plan();
    let run = plan.runs.iter().find(|run| run.name() == "b").unwrap();
    assert_eq!(run.failed.map(|(count, _)| count), Some(1));
}

#[test]
fn a_retry_set_by_a_clock_that_was_wrong_does_not_wait_for_ever() {
    let mut sim = Sim::new(DIAMOND);
    sim.put("raw/a", "1");
    let run = sim.plan().runs.into_iter().find(|run| run.name() == "b").unwrap();
    sim.fail(&run, Some(Duration::from_secs(86_400)));
    assert!(started(&sim.plan()).contains(&"b"));
}

#[test]
fn an_output_changed_by_hand_is_made_again() {
    let mut sim = Sim::new(DIAMOND);
    sim.put("raw/a", "1");
    sim.settle();
    sim.put("b/b", "by hand");
    assert!(started(&sim.plan()).contains(&"b"));
    sim.settle();
    assert_eq!(sim.content("b/b"), "b/b(1)");
}

#[test]
fn equal_outputs_are_recorded_and_wake_nobody() {
    let mut sim = Sim::new(&DIAMOND.replace("\"b\"]", "\"same\"]"));
    sim.put("raw/a", "1");
    sim.put("params/p", "1");
    sim.settle();
    sim.put("raw/a", "2");
    sim.settle();
    assert_eq!(sim.records["b"].ended, esker_wire::record::Ended::Unchanged);
    assert_eq!(sim.content("d/d"), "d/d(same,c/c(2),1)");
}

#[test]
fn changed_code_runs_again_and_other_code_does_not() {
    let mut sim = Sim::new(DIAMOND);
    sim.put("raw/a", "1");
    sim.settle();
    let print = Print { code: "new".to_owned(), ..Print::default() };
    sim.prints.insert("c".to_owned(), print);
    assert_eq!(started(&sim.plan()), ["c"]);
}

#[test]
fn records_of_what_is_gone_are_forgotten() {
    let mut sim = Sim::new(DIAMOND);
    sim.put("raw/a", "1");
    sim.settle();
    sim.redefine(&DIAMOND.replace("[stage.b]", "[stage.renamed]"));
    let plan = sim.plan();
    assert_eq!(plan.forget, ["b"]);
    assert_eq!(plan.states["renamed"], State::Fresh, "a renamed stage keeps its outputs");
}

const SOURCES: &str = r#"
[project]
name = "sources"
[source.pull]
run = ["esker", "pull"]
every = "15m"
output = "raw/pull"
[source.once]
run = ["esker", "once"]
output = "raw/once"
[source.file]
file = "plan.csv"
output = "raw/plan"
"#;

#[test]
fn a_command_runs_at_its_times_and_makes_up_once() {
    let mut sim = Sim::new(SOURCES);
    sim.settle();
    assert!(sim.plan().runs.is_empty());
    let next = sim.now + SignedDuration::from_mins(15);
    assert_eq!(sim.plan().wake, Some(next));
    sim.now += SignedDuration::from_hours(5);
    assert_eq!(started(&sim.plan()), ["pull"]);
    sim.settle();
    assert!(sim.plan().runs.is_empty(), "five hours are made up for by one run");
}

#[test]
fn a_clock_set_back_begins_the_schedule_anew() {
    let mut sim = Sim::new(SOURCES);
    sim.settle();
    sim.now -= SignedDuration::from_hours(1);
    assert_eq!(started(&sim.plan()), ["pull"], "what has no schedule needs no clock");
    // The head keeps a time that is still to come: the pull brought what was there already.
    sim.settle();
    let plan = sim.plan();
    assert!(plan.runs.is_empty(), "it is not due again at once");
    let next = sim.now + SignedDuration::from_mins(15);
    assert_eq!(plan.next["pull"], next);
    sim.now = next;
    assert_eq!(started(&sim.plan()), ["pull"]);
}

#[test]
fn a_person_may_ask_again() {
    let mut sim = Sim::new(SOURCES);
    sim.settle();
    let asked = esker_wire::problem::again(&sim.records["once"], sim.now);
    sim.records.insert("once".to_owned(), asked);
    assert_eq!(started(&sim.plan()), ["once"]);
    sim.settle();
    assert!(sim.plan().runs.is_empty(), "once is enough");
    sim.records.insert("file".to_owned(), crate::record::first("file", sim.now));
    assert_eq!(started(&sim.plan()), ["file"], "although it is what it should be");
}

#[test]
fn a_file_is_read_when_its_content_changes() {
    let mut sim = Sim::new(SOURCES);
    sim.settle();
    let print = Print { file: Some("other content".to_owned()), ..Print::default() };
    sim.prints.insert("file".to_owned(), print);
    assert_eq!(started(&sim.plan()), ["file"]);
}
