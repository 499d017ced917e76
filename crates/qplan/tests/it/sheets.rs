//! The workbook of the example, conditioned and scheduled.
//!
//! `golden/example.sheets` is `examples/qplan/plan.xlsx` as a stacked stream of sheets.

use qplan::condition::condition;
use qplan::schedule::{ScheduleOptions, schedule};

const SHEETS: &[u8] = include_bytes!("../golden/example.sheets");

fn scheduled(by_name: bool) -> String {
    let conditioned = condition(SHEETS).expect("a workbook");
    assert_eq!(conditioned.warnings, [""; 0], "the example is tidy");
    let options = ScheduleOptions { raw: false, by_name };
    let schedule = schedule(&conditioned.output, options).expect("a plan");
    assert_eq!(schedule.warnings, [""; 0], "the example is tidy");
    String::from_utf8(schedule.output).expect("text")
}

#[test]
fn the_example_is_the_same_by_position_and_by_name() {
    assert_eq!(scheduled(false), scheduled(true));
}

#[test]
fn the_example_has_items_that_fit_and_items_that_do_not() {
    let output = scheduled(false);
    let (_, work) = output.split_once("=====qplan track work v1\n").expect("the last stream");
    let all: Vec<&str> = work.lines().skip(1).take_while(|line| line.starts_with("\t\t")).collect();
    assert_eq!(all.len(), 60);
    let unfinished = all.iter().filter(|line| line.ends_with("\tDNF")).count();
    assert!((10..25).contains(&unfinished), "{unfinished} items do not fit");
    let important = all.iter().filter(|line| line.split('\t').nth(4) == Some("1"));
    assert!(important.clone().count() > 10);
    assert!(important.clone().all(|line| !line.ends_with("\tDNF")), "what matters most fits");
}

#[test]
fn conditioning_is_repeatable() {
    let output = condition(SHEETS).expect("a workbook").output;
    assert_eq!(condition(SHEETS).expect("a workbook").output, output);
    let streams = output.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"====="));
    assert_eq!(streams.count(), 4);
}
