//! What the original filter printed, byte for byte, for inputs it was given.
//!
//! `golden/NN.in` and `.out` are inputs and outputs; `golden/edge` has odd inputs with the original's exit code in
//! `.rc` and, where that is 0, its output.

use qplan::schedule::{ScheduleOptions, schedule};
use std::fs;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn bytes(name: &str) -> Vec<u8> {
    let path = folder().join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

fn same(name: &str) {
    let found = schedule(&bytes(&format!("{name}.in")), ScheduleOptions::default())
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let found = String::from_utf8_lossy(&found.output).into_owned();
    let expected = String::from_utf8_lossy(&bytes(&format!("{name}.out"))).into_owned();
    assert_eq!(found, expected, "{name}");
}

fn refused(name: &str, message: &str) {
    assert_eq!(bytes(&format!("{name}.rc")), b"1\n", "{name}: the original refused it too");
    let error = schedule(&bytes(&format!("{name}.in")), ScheduleOptions::default())
        .expect_err("the original refused it");
    assert!(error.is_data_error(), "{name}");
    let found = error.to_string();
    assert!(found.starts_with("cannot schedule: "), "{name}: {found}");
    assert!(found.contains(message), "{name}: {found}");
}

/// Says of each fixture file what it stands for.
macro_rules! goldens {
    ($($test:ident: $name:literal $(, refused $message:literal)?;)*) => {
        $(#[test] fn $test() { goldens!(@check $name $(, $message)?); })*
        const LISTED: &[&str] = &[$($name),*];
    };
    (@check $name:literal) => { same($name) };
    (@check $name:literal, $message:literal) => { refused($name, $message) };
}

goldens! {
    golden_01: "01";
    golden_02: "02";
    golden_03: "03";
    golden_05: "05";
    golden_07: "07";
    golden_10: "10";
    edge_01_empty: "edge/01-empty", refused "the input is empty";
    edge_03_no_header_first: "edge/03-no-header-first", refused "line 1 of the input: expected a header";
    edge_05_crlf: "edge/05-crlf", refused "without a carriage return";
    edge_07_bad_number: "edge/07-bad-number",
        refused "stream \"qplan work v1\", line 1, field 4 (estimate): \"Server:S\" is not SKILL:NUMBER";
    edge_09_short_staff_line: "edge/09-short-staff-line",
        refused "stream \"qplan staff v1\", line 1, field 6 (vacation): the field is missing";
    edge_11_start_after_end: "edge/11-start-after-end";
    edge_13_two_param_fields: "edge/13-two-param-fields",
        refused "stream \"qplan params v1\", line 1, field 3 (scheduled skills): the field is missing";
    edge_15_work_without_skills: "edge/15-work-without-skills";
    edge_17_no_tab_prefix: "edge/17-no-tab-prefix";
    edge_19_no_final_newline: "edge/19-no-final-newline";
    edge_21_params_empty_stream: "edge/21-params-empty-stream",
        refused "stream \"qplan params v1\": the stream has no line";
    edge_23_estimate_3dot: "edge/23-estimate-3dot", refused "\"Server:3.\" is not SKILL:NUMBER";
    edge_25_bad_holiday: "edge/25-bad-holiday",
        refused "stream \"qplan holidays v1\", line 1, field 1 (date): \"never\" is not a date";
}

#[test]
fn no_fixture_is_forgotten() {
    let mut found = Vec::new();
    for (within, prefix) in [("", ""), ("edge", "edge/")] {
        for entry in fs::read_dir(folder().join(within)).expect("the folder is there") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|extension| extension == "in") {
                let stem = path.file_stem().expect("a name").to_string_lossy().into_owned();
                found.push(format!("{prefix}{stem}"));
            }
        }
    }
    found.sort();
    assert_eq!(found, LISTED);
}

#[test]
fn raw_is_an_echo_of_anything() {
    let options = ScheduleOptions { raw: true, by_name: false };
    let input = b"\xff\0 anything";
    assert_eq!(schedule(input, options).expect("an echo").output, input);
}
