//! Cells and values stand side by side.

use bytes::Bytes;

use super::*;

/// A line: where, at the base, in each.
type Told = (String, Option<String>, Vec<String>);

fn lines(base: &'static str, each: &[&'static str]) -> Option<Vec<Told>> {
    let compare = |new: &&'static str| {
        let contents = (Bytes::from_static(base.as_bytes()), Bytes::from_static(new.as_bytes()));
        Sides::of("raw/plan", contents).compare().unwrap()
    };
    let differences: Vec<Difference> = each.iter().map(compare).collect();
    let line = |line: Line| {
        let each = line.each.into_iter().map(|new| new.unwrap_or_else(|| "=".to_owned()));
        (format!("{}.{}", line.row, line.column), line.base, each.collect())
    };
    page(&differences).unwrap().map(|page| page.lines.into_iter().map(line).collect())
}

fn told(at: &str, base: Option<&str>, each: [&str; 2]) -> Told {
    (at.to_owned(), base.map(str::to_owned), each.map(str::to_owned).to_vec())
}

#[test]
fn cells_that_differ_somewhere_stand_on_one_line() {
    let base = "id,team,days\na,red,1\nb,red,2\nc,blue,3\n";
    let one = "id,team,days\na,red,5\nb,red,2\nc,blue,4\n";
    let other = "id,team,days\na,green,1\nb,red,2\nc,blue,9\nd,blue,1\n";
    let wanted = vec![
        told("a.days", Some("1"), ["5", "="]),
        told("c.days", Some("3"), ["4", "9"]),
        told("a.team", Some("red"), ["=", "green"]),
        told("d.(row)", None, ["=", "days: 1, id: d, team: blue"]),
    ];
    let mut found = lines(base, &[one, other]).unwrap();
    found.sort_by_key(|(at, ..)| wanted.iter().position(|(known, ..)| known == at));
    assert_eq!(found, wanted);
    assert_eq!(lines(base, &[base, base]), Some(Vec::new()));
}

#[test]
fn values_of_json_and_texts() {
    let base = "{\"a\": 1, \"b\": {\"c\": \"x\"}}";
    let one = "{\"a\": 2, \"b\": {\"c\": \"x\"}}";
    let other = "{\"a\": 3, \"b\": {}}";
    let wanted = vec![told("/a.", Some("1"), ["2", "3"]), told("/b/c.", Some("x"), ["=", "gone"])];
    assert_eq!(lines(base, &[one, other]), Some(wanted));
    assert_eq!(lines("some words\n", &["other words\n", "some words\n"]), None);
}
