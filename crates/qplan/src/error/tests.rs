//! How errors read.

use super::*;

#[test]
fn columns_have_the_letters_spreadsheets_show() {
    for (number, expected) in [(1, "A"), (26, "Z"), (27, "AA"), (52, "AZ"), (703, "AAA")] {
        assert_eq!(letters(number), expected);
    }
}

#[test]
fn a_bad_field_names_stream_line_field_and_input_line() {
    let place = Place { stream: "qplan work v1", line: 3, input_line: 17 };
    let error = Error::Plan(place.field((4, "estimate"), "\"Server\" is wrong".to_owned()));
    assert_eq!(
        error.to_string(),
        "cannot schedule: stream \"qplan work v1\", line 3, field 4 (estimate): \"Server\" is wrong \
         (line 17 of the input)"
    );
    assert!(error.is_data_error());
}

#[test]
fn one_bad_cell_is_told_on_one_line_and_more_on_a_line_each() {
    let cell = BadCell {
        sheet: "Work".to_owned(),
        row: Some(14),
        column: Some((4, "Estimate".to_owned())),
        problem: "\"Server:x\" is not SKILL:NUMBER".to_owned(),
    };
    let one = Error::Cells(vec![cell.clone()]).to_string();
    assert_eq!(
        one,
        "cannot condition: sheet Work, row 14, column D (Estimate): \"Server:x\" is not SKILL:NUMBER"
    );
    let two = Error::Cells(vec![cell.clone(), cell]).to_string();
    assert_eq!(two.lines().count(), 3);
}

#[test]
fn long_values_and_long_lists_are_cut() {
    assert!(quoted(&"é".repeat(100)).chars().count() < 70);
    let names = vec!["x"; 20];
    assert!(quoted_list(names).ends_with("and 8 more"));
    assert_eq!(quoted_list([]), "nothing");
}

#[test]
fn a_limit_is_not_the_fault_of_the_data() {
    let error = Error::TooLarge { deed: "schedule", what: "bytes", found: 2, max: 1 };
    assert!(!error.is_data_error());
}
