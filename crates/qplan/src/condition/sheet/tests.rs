//! Finding sheets, columns and cells.

use super::*;

#[test]
fn escapes_are_put_back() {
    let cases = [
        (r"a\tb", "a\tb"),
        (r"a\nb\r", "a\nb\r"),
        (r"C:\\new", r"C:\new"),
        (r"odd\x", r"odd\x"),
        ("end\\", "end\\"),
        ("", ""),
    ];
    for (text, expected) in cases {
        assert_eq!(unescaped(text), expected);
    }
}

#[test]
fn names_are_the_same_but_for_case_and_blanks() {
    assert!(is_named(" prereqs ", "Prereqs"));
    assert!(is_named("WORK", "Work"));
    assert!(!is_named("Works", "Work"));
}

#[test]
fn columns_are_found_in_any_order_below_blank_rows() {
    let workbook =
        Workbook::read(b"=====staff\n\t\n\tNote\tSKILL\tname\n\tx\tWeb\n\t\n\t\t\t Ann \n");
    let workbook = workbook.expect("a workbook");
    let mut verdict = Verdict::default();
    let columns = ["Name", "Skill", "Team"].map(|name| Column { name, required: name != "Team" });
    let table = workbook.table("Staff", columns, &mut verdict);
    let texts: Vec<_> =
        table.iter().map(|row| row.each_ref().map(|cell| cell.text.as_str())).collect();
    assert_eq!(texts, [["", "Web", ""], ["Ann", "", ""]]);
    let [name, skill, team] = &table[1];
    assert_eq!(name.column, Some((3, "Name")));
    assert_eq!((skill.row, team.column), (5, None));
    let warnings = verdict.passed().expect("nothing is wrong");
    assert_eq!(warnings, ["sheet Staff, row 2: the column \"Note\" is unknown and ignored"]);
}

#[test]
fn a_line_without_a_tab_is_no_sheet() {
    for input in ["=====Work\nx\n", "=====Work\n\n\tx\n"] {
        let error = Workbook::read(input.as_bytes()).expect_err("no sheet");
        assert!(error.to_string().contains("line 2 of the input does not begin with a tab"));
    }
}
