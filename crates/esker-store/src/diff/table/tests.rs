//! Tables: what is told of which change, and that it is enough to make the newer table from the older.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn lines_of(old: &str, new: &str, key: &[&str]) -> Result<Vec<Value>, Stop> {
    let key: Vec<String> = key.iter().map(|column| (*column).to_owned()).collect();
    let body = compare((old.as_bytes(), new.as_bytes()), &key, soon())?;
    let text = String::from_utf8(body.to_vec()).unwrap();
    Ok(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// The answer's lines without the one that says how the tables are compared.
fn changes(old: &str, new: &str, key: &[&str]) -> Vec<String> {
    let lines = lines_of(old, new, key).unwrap();
    lines.iter().filter(|line| line["op"] != "table").map(short).collect()
}

fn short(line: &Value) -> String {
    let text = |name: &str| line.get(name).map_or("-".to_owned(), |value| value.to_string());
    let op = line["op"].as_str().unwrap();
    match op {
        "cell" => {
            format!("cell {} {} {}>{}", text("key"), text("column"), text("old"), text("new"))
        }
        "row-add" | "row-remove" => format!("{op} {} {}", text("row"), text("cells")),
        "column-add" | "column-remove" => format!("{op} {} {}", text("column"), text("at")),
        "stream-add" | "stream-remove" => format!("{op} {}", text("stream")),
        _ => format!("{op} {} {}>{}", text("key"), text("from"), text("to")),
    }
}

fn check(old: &str, new: &str, key: &[&str], expected: &[&str]) {
    assert_eq!(changes(old, new, key), expected, "{old:?} {new:?}");
    assert_eq!(apply(old, new, key), wanted(old, new, key), "{old:?} {new:?}");
}

const PLAN: &str = "id,name,end\n7,seven,2025-01-03\n8,eight,2025-02-01\n9,nine,2025-03-01\n";

#[test]
fn cells_rows_and_moves_by_key() {
    check(PLAN, PLAN, &[], &[]);
    let new = PLAN.replace("2025-01-03", "2025-01-04");
    check(PLAN, &new, &[], &[r#"cell {"id":"7"} "end" "2025-01-03">"2025-01-04""#]);
    let new = "id,name,end\n9,nine,2025-03-01\n10,ten,\n7,seven,2025-01-03\n";
    check(
        PLAN,
        new,
        &[],
        &[
            r#"row-remove 2 {"end":"2025-02-01","id":"8","name":"eight"}"#,
            r#"row-add 2 {"end":"","id":"10","name":"ten"}"#,
            r#"row-move {"id":"9"} 3>1"#,
        ],
    );
}

#[test]
fn columns_come_go_and_move() {
    let new = "name,id,who\nseven,7,ann\neight,8,\nnine,9,bob\n";
    check(
        PLAN,
        new,
        &["id"],
        &[
            r#"column-remove "end" 3"#,
            r#"column-add "who" 3"#,
            r#"column-move - 2>1"#,
            r#"cell {"id":"7"} "who" null>"ann""#,
            r#"cell {"id":"9"} "who" null>"bob""#,
        ],
    );
}

#[test]
fn a_key_of_two_columns_is_guessed_when_one_does_not_do() {
    let old = "day,item,amount\n1,apples,12\n1,pears,7\n2,apples,9\n";
    let new = "day,item,amount\n1,apples,13\n1,pears,7\n2,apples,9\n";
    check(old, new, &[], &[r#"cell {"day":"1","item":"apples"} "amount" "12">"13""#]);
}

#[test]
fn what_measures_names_nothing() {
    let old = "1.5\t3.0\n2.5\t6.0\n";
    check(
        old,
        "1.5\t3.0\n2.0\t6.5\n",
        &[],
        &[r#"cell - "column 1" "2.5">"2.0""#, r#"cell - "column 2" "6.0">"6.5""#],
    );
}

#[test]
fn doubles_are_told_and_rows_then_go_by_their_order() {
    let old = "id,a\n1,x\n1,y\n2,z\n";
    let new = "id,a\n1,x\n1,z\n2,z\n3,q\n";
    let lines = lines_of(old, new, &["id"]).unwrap();
    assert!(lines[0]["note"].as_str().unwrap().contains("two rows have one id"), "{}", lines[0]);
    assert_eq!(lines[0]["key"], serde_json::json!([]));
    check(old, new, &["id"], &[r#"row-add 4 {"a":"q","id":"3"}"#, r#"cell - "a" "y">"z""#]);
    let Err(Stop::NoColumn(why)) = lines_of(old, new, &["no such"]) else {
        panic!("a column that is not there")
    };
    assert!(why.contains("no such"));
}

#[test]
fn how_it_is_written_is_no_difference() {
    let plain = "id,text\n1,\"a, \"\"b\"\"\nc\"\n2,d\n";
    let written = "\u{feff}\"id\",\"text\"\r\n1,\"a, \"\"b\"\"\nc\"\r\n\"2\",d";
    check(plain, written, &[], &[]);
    let new = plain.replace("\nc", "\r\nC");
    check(
        plain,
        &new,
        &[],
        &["cell {\"id\":\"1\"} \"text\" \"a, \\\"b\\\"\\nc\">\"a, \\\"b\\\"\\r\\nC\""],
    );
    check("id;n\n1;1,5\n", "id;n\n1;1,6\n", &[], &[r#"cell {"id":"1"} "n" "1,5">"1,6""#]);
    check("id\tn\n1\ta\"b\n", "id\tn\n1\ta\"c\n", &[], &[r#"cell {"id":"1"} "n" "a\"b">"a\"c""#]);
}

#[test]
fn ragged_rows_and_nameless_columns() {
    check(
        "id,,a,a\n1,x\n",
        "id,,a,a\n1,x,,y,z\n",
        &["id"],
        &[
            r#"column-add "column 5" 5"#,
            r#"cell {"id":"1"} "a 2" "">"y""#,
            r#"cell {"id":"1"} "column 5" null>"z""#,
        ],
    );
    check("1,2\n3,4\n", "1,2\n3,5\n", &[], &[r#"cell {"column 1":"3"} "column 2" "4">"5""#]);
}

#[test]
fn from_nothing_and_to_nothing() {
    check(
        "",
        "id,n\n1,a\n",
        &[],
        &[r#"column-add "id" 1"#, r#"column-add "n" 2"#, r#"row-add 1 {"id":"1","n":"a"}"#],
    );
    assert_eq!(changes("id,n\n1,a\n", "", &[]).len(), 3);
    check("", "", &[], &[]);
    assert!(matches!(lines_of("a,b\n", "a,\u{0}\n", &[]), Ok(lines) if lines.len() == 2));
    let refused = compare((b"a,b\n", b"a,\xff\n"), &[], soon());
    assert!(matches!(refused, Err(Stop::Unreadable(_))));
    let (new, now) = (PLAN.replace("seven", "7"), Instant::now());
    let late = compare((PLAN.as_bytes(), new.as_bytes()), &[], now);
    assert!(matches!(late, Err(Stop::Late)));
}

#[test]
fn streams_in_streams() {
    let old = "=====staff\n\tid\tname\n\t1\tann\n\t2\tbob\n=====work\n\t=====item\n\t\ta\t1\n\t\tb\t2\n\t=====item\n\t\tc\t3\n";
    let new = old.replace("bob", "ben").replace("\t\tc\t3", "\t\tc\t4");
    let lines = lines_of(old, &new, &[]).unwrap();
    let cells: Vec<&Value> = lines.iter().filter(|line| line["op"] == "cell").collect();
    assert_eq!((&cells[0]["stream"], &cells[0]["old"]), (&"staff".into(), &"bob".into()));
    assert_eq!(cells[1]["stream"], "work › item 2");
    check(old, &new, &[], &changes(old, &new, &[]).iter().map(String::as_str).collect::<Vec<_>>());
    let gone = "=====work\n\tid\tn\n\t1\t1\n=====notes\n\tx\n";
    let found = changes(old, gone, &[]);
    assert!(found.contains(&r#"stream-remove "staff""#.to_owned()), "{found:?}");
    assert!(found.contains(&r#"stream-add "notes""#.to_owned()), "{found:?}");
    let bad = "=====staff\nno tab\n";
    assert_eq!(tables(bad)[0].name, "", "what is no stacked stream is one plain table");
}

#[test]
fn what_looks_like_a_table() {
    for yes in [PLAN, "a;b\nx;1\n", "=====s\n\tx\n", "\u{feff}id\tn\n1\t2\n"] {
        assert!(suits(None, yes.as_bytes()), "{yes:?}");
    }
    for no in
        ["", "Dear all,\nthis is prose\n", "one\ntwo\n", "1,2\n3,4\n", "a,b\n1\n", "=====s\nx\n"]
    {
        assert!(!suits(None, no.as_bytes()), "{no:?}");
    }
}

#[test]
fn an_answer_is_cut_at_its_limit() {
    let rows = |cell: &str| (0..100_001).map(|row| format!("{row},{cell}\n")).collect::<String>();
    let lines = lines_of(&format!("id,n\n{}", rows("a")), &format!("id,n\n{}", rows("b")), &[]);
    let lines = lines.unwrap();
    assert_eq!(lines.len(), 1 + 100_000 + 1);
    assert_eq!(lines.last().unwrap().to_string(), r#"{"changes":100000,"op":"cut"}"#);
}

/// A table of cells: its stream, its columns, its rows all as wide.
type Plain = (String, Vec<String>, Vec<Vec<String>>);

fn plain(name: &str, sheet: &Sheet<'_>) -> Plain {
    let wide =
        |row| (0..sheet.columns.len()).map(move |column| sheet::cell(row, column).to_owned());
    let rows = sheet.rows.iter().map(|row| wide(row).collect()).collect();
    (name.to_owned(), sheet.columns.clone(), rows)
}

fn tables(content: &str) -> Vec<Table> {
    read(content.as_bytes(), soon()).unwrap()
}

fn place(line: &Value, name: &str) -> usize {
    usize::try_from(line[name].as_u64().unwrap()).unwrap() - 1
}

/// Takes out what was removed or moved and puts in what was added or moved, by the new places.
fn rearrange<T: Clone>(all: &mut Vec<T>, lines: &[&Value], kind: &str, make: impl Fn(&Value) -> T) {
    let of = |op: &str| {
        let name = format!("{kind}-{op}");
        lines.iter().copied().filter(move |line| line["op"] == name.as_str())
    };
    let at = if kind == "row" { "row" } else { "at" };
    let mut put: Vec<(usize, T)> =
        of("move").map(|line| (place(line, "to"), all[place(line, "from")].clone())).collect();
    put.extend(of("add").map(|line| (place(line, at), make(line))));
    let mut out: Vec<usize> = of("remove").map(|line| place(line, at)).collect();
    out.extend(of("move").map(|line| place(line, "from")));
    out.sort_unstable();
    out.into_iter().rev().for_each(|place| drop(all.remove(place)));
    put.sort_by_key(|(place, _)| *place);
    put.into_iter().for_each(|(place, one)| all.insert(place, one));
}

/// Makes the newer table from the older one and the changes, as a reader of the protocol's page would.
fn apply_one((name, columns, rows): Plain, lines: &[&Value]) -> Plain {
    let before = columns.clone();
    let mut columns = columns;
    rearrange(&mut columns, lines, "column", |line| line["column"].as_str().unwrap().to_owned());
    let widen = |row: &Vec<String>| -> Vec<String> {
        let old = |column| before.iter().position(|known| known == column);
        columns
            .iter()
            .map(|column| old(column).map_or(String::new(), |at| row[at].clone()))
            .collect()
    };
    let mut rows: Vec<Vec<String>> = rows.iter().map(widen).collect();
    rearrange(&mut rows, lines, "row", |line| {
        columns.iter().map(|column| line["cells"][column].as_str().unwrap().to_owned()).collect()
    });
    for line in lines.iter().filter(|line| line["op"] == "cell") {
        let column = columns.iter().position(|known| line["column"] == known.as_str()).unwrap();
        rows[place(line, "row")][column] = line["new"].as_str().unwrap().to_owned();
    }
    (name, columns, rows)
}

fn apply(old: &str, new: &str, key: &[&str]) -> Vec<Plain> {
    let lines = lines_of(old, new, key).unwrap();
    let (mut old, new) = (tables(old), tables(new));
    let (none, key): (Table, Vec<String>) =
        (Table::empty(), key.iter().map(|column| (*column).to_owned()).collect());
    if old.is_empty() && new.len() == 1 && new[0].name.is_empty() {
        old.push(Table::empty());
    }
    let all: Vec<&Value> = lines.iter().collect();
    let mut names: Vec<String> = old.iter().map(|table| table.name.clone()).collect();
    let gone: Vec<&str> = of_op(&all, "stream-remove");
    let moved: Vec<&str> = of_op(&all, "stream-move");
    names.retain(|name| !gone.contains(&name.as_str()) && !moved.contains(&name.as_str()));
    for line in &all {
        let at = match line["op"].as_str() {
            Some("stream-add") => place(line, "at"),
            Some("stream-move") => place(line, "to"),
            _ => continue,
        };
        let stream = line["stream"].as_str().unwrap().to_owned();
        names.insert(at.min(names.len()), stream);
    }
    names.sort_by_key(|name| new.iter().position(|table| table.name == *name));
    let one = |name: &String| {
        let before = old.iter().find(|table| table.name == *name).unwrap_or(&none);
        let after = new.iter().find(|table| table.name == *name).unwrap_or(&none);
        let of: Vec<&Value> = all
            .iter()
            .copied()
            .filter(|line| line.get("stream").map_or("", |stream| stream.as_str().unwrap()) == name)
            .collect();
        apply_one(plain(name, &sheet::pair(before, after, &key).0), &of)
    };
    names.iter().map(one).collect()
}

fn of_op<'a>(lines: &[&'a Value], op: &str) -> Vec<&'a str> {
    let found = lines.iter().filter(|line| line["op"] == op);
    found.map(|line| line["stream"].as_str().unwrap()).collect()
}

/// The newer tables as they are compared: with a heading if both have one.
fn wanted(old: &str, new: &str, key: &[&str]) -> Vec<Plain> {
    let (old, new) = (tables(old), tables(new));
    let key: Vec<String> = key.iter().map(|column| (*column).to_owned()).collect();
    let none = Table::empty();
    let one = |table: &Table| {
        let before = old.iter().find(|known| known.name == table.name).unwrap_or(&none);
        plain(&table.name, &sheet::pair(before, table, &key).1)
    };
    new.iter().map(one).collect()
}

fn any_table() -> impl Strategy<Value = String> {
    let cell = prop_oneof!["[a-c]?", "[0-9]", Just("\"q, \"\"\n\"".to_owned())];
    let row = proptest::collection::vec(cell, 1..5).prop_map(|cells| cells.join(","));
    let rows = proptest::collection::vec(row, 0..8);
    let heading =
        proptest::sample::subsequence(vec!["id", "name", "end", "who"], 0..=4).prop_shuffle();
    (heading, rows).prop_map(|(heading, rows)| {
        let heading = heading.join(",");
        let first = (!heading.is_empty()).then_some(heading);
        first.into_iter().chain(rows).map(|row| row + "\n").collect()
    })
}

fn any_stacked() -> impl Strategy<Value = String> {
    let streams = proptest::collection::vec(("[a-c]", any_table()), 0..4);
    streams.prop_map(|streams| {
        let mut out = Vec::new();
        for (name, content) in streams {
            esker_wire::stacked::write(&mut out, &name, content.replace(',', "\t").as_bytes());
        }
        String::from_utf8(out).unwrap()
    })
}

proptest! {
    #[test]
    fn changes_make_the_newer_table(old in any_table(), new in any_table(), keyed in any::<bool>()) {
        let key: &[&str] = if keyed && old.contains("id") { &["id"] } else { &[] };
        prop_assume!(!new.is_empty());
        prop_assert_eq!(apply(&old, &new, key), wanted(&old, &new, key));
        prop_assert_eq!(changes(&new, &new, &[]), Vec::<String>::new());
    }

    #[test]
    fn changes_make_the_newer_streams(old in any_stacked(), new in any_stacked()) {
        prop_assert_eq!(apply(&old, &new, &[]), wanted(&old, &new, &[]));
        prop_assert_eq!(changes(&new, &new, &[]), Vec::<String>::new());
    }
}
