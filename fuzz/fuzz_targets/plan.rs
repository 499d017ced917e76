//! Any bytes are a plan, or sheets, or are refused with a place; none makes a filter panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use qplan::condition::condition;
use qplan::schedule::{ScheduleOptions, schedule};

fuzz_target!(|input: &[u8]| {
    for by_name in [false, true] {
        drop(schedule(input, ScheduleOptions { raw: false, by_name }));
    }
    if let Ok(conditioned) = condition(input) {
        schedule(&conditioned.output, ScheduleOptions::default()).expect("what is conditioned can be scheduled");
    }
});
