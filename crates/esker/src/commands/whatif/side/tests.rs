//! Cells and values stand side by side.

use super::*;

/// A line: where, at the base, in each.
type Told = (String, Option<String>, Vec<String>);

fn lines(base: &'static str, each: &[&'static str]) -> Option<Vec<Told>> {
    let news: Vec<Bytes> = each.iter().map(|new| Bytes::from_static(new.as_bytes())).collect();
    let all = compared("raw/plan", &Bytes::from_static(base.as_bytes()), &news).unwrap();
    let line = |line: Line| {
        let each = line.each.into_iter().map(|new| new.unwrap_or_else(|| "=".to_owned()));
        (format!("{}.{}", line.row, line.column), line.base, each.collect())
    };
    page(&all).map(|page| page.lines.into_iter().map(line).collect())
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

/// Alone, the first is best told by the name of an item, and the second by its rank, which is the first column.
#[test]
fn rows_are_known_by_the_same_columns_in_all() {
    let rows = |all: &[(&str, &str)]| {
        let rows = all.iter().enumerate();
        let text: String =
            rows.map(|(at, (name, end))| format!("{},{name},{end}\n", at + 1)).collect();
        &*Box::leak(format!("rank,name,end\n{text}").into_boxed_str())
    };
    let base = rows(&[("ann", "May 1"), ("bob", "May 2"), ("cyd", "May 3"), ("dan", "May 4")]);
    let moved = rows(&[("dan", "May 1"), ("ann", "May 1"), ("bob", "May 2"), ("cyd", "May 3")]);
    let later = rows(&[("ann", "May 1"), ("bob", "May 2"), ("cyd", "May 3"), ("dan", "May 5")]);
    let found = lines(base, &[moved, later]).unwrap();
    let ends: Vec<&Told> = found.iter().filter(|(at, ..)| at == "dan.end").collect();
    assert_eq!(ends, [&told("dan.end", Some("May 4"), ["May 1", "May 5"])], "{found:?}");
    assert!(!found.iter().any(|(at, ..)| at == "4.end"), "{found:?}");
}
