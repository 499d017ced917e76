//! Changes are read as they are meant, in their order.

use clap::Parser;
use esker_wire::edit::address::Row;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    changes: Changes,
}

fn said(words: &[&str]) -> Result<Vec<Change>, String> {
    let line = Line::try_parse_from([&["esker"], words].concat());
    line.map(|line| line.changes.0).map_err(|error| error.to_string())
}

fn told(words: &[&str]) -> Vec<String> {
    let one = |change: &Change| match change {
        Change::Edit(edit) => format!("{edit} {:?}", edit.deed),
        Change::Edits(path) => format!("edits {}", path.display()),
        Change::Input(resource, path) => format!("input {resource} {}", path.display()),
        Change::File(file, path) => format!("file {file} {}", path.display()),
    };
    said(words).unwrap().iter().map(one).collect()
}

#[test]
fn changes_of_all_kinds_stay_in_their_order() {
    let words = [
        "--remove",
        "raw/a:[3]",
        "--set",
        "raw/a:[1].x=1",
        "--edits",
        "more",
        "--set=raw/a:[2].x=2",
        "--input",
        "raw/b=b.csv",
        "--rank",
        "raw/a:[1].Rank=7",
        "--file",
        "./cook.sh=new.sh",
        "--remove",
        "raw/a:[4]",
        "--move",
        "raw/a:[5]=after 6",
    ];
    let kinds: Vec<String> = told(&words)
        .iter()
        .map(|told| told.split(' ').take(2).collect::<Vec<_>>().join(" "))
        .collect();
    let wanted = [
        "remove raw/a:[3]",
        "set raw/a:[1].x",
        "edits more",
        "set raw/a:[2].x",
        "input raw/b",
        "rank raw/a:[1].Rank",
        "file cook.sh",
        "remove raw/a:[4]",
        "move raw/a:[5]",
    ];
    assert_eq!(kinds, wanted);
}

#[test]
fn an_address_ends_where_it_can() {
    for (text, at, value) in [
        ("raw/p:W[Id=3].X=5", "raw/p:W[Id=3].X", "5"),
        ("raw/p:W[Id=3,Team=a].X=a=b", "raw/p:W[Id=3,Team=a].X", "a=b"),
        ("raw/p:W[\"a=]b\"].X=", "raw/p:W[\"a=]b\"].X", ""),
        ("raw/p:/a/b== ", "raw/p:/a/b", "= "),
    ] {
        let change = said(&["--set", text]).unwrap().remove(0);
        let wanted: Address = at.parse().unwrap();
        assert_eq!(change, edit(wanted, Deed::Set(value.to_owned())), "{text}");
    }
    let error = said(&["--set", "raw/p:W[Id=3.X"]).unwrap_err();
    assert!(error.contains("raw/p:W[Id"), "{error}");
    assert!(said(&["--set", "raw/p:W.X"]).unwrap_err().contains("write ADDRESS=TEXT"));
    assert!(said(&["--set", "raw/p=5"]).unwrap_err().contains("RESOURCE:PLACE"));
}

#[test]
fn rows_are_added_where_it_is_said() {
    let add = |text: &str| said(&["--add", text]).map(|mut changes| changes.remove(0));
    let cells = vec![("Z".to_owned(), "1".to_owned()), ("A".to_owned(), "x} after 9".to_owned())];
    for (behind, to) in [
        ("", Spot::Last),
        (" last", Spot::Last),
        (" first", Spot::First),
        (" after CHK-1", Spot::After(Row::key("CHK-1"))),
        ("  before \"a b\"", Spot::Before(Row::key("a b"))),
    ] {
        let text = format!("raw/p:W={{\"Z\": \"1\", \"A\": \"x}} after 9\"}}{behind}");
        let wanted = Deed::Add { cells: cells.clone(), to };
        assert_eq!(add(&text), Ok(edit("raw/p:W".parse().unwrap(), wanted)), "{text}");
    }
    assert!(add("raw/p:W={\"Z\": 1}").unwrap_err().contains("expected a string"));
    assert!(add("raw/p:W={} somewhere").unwrap_err().contains("is no place"));
    assert!(add("raw/p:W=[1]").unwrap_err().contains("columns and their texts"));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    for (option, text, why) in [
        ("--input", "raw/p", "RESOURCE=FILE"),
        ("--input", "raw/p=", "RESOURCE=FILE"),
        ("--file", "../x=y", "no path within"),
        ("--file", "/etc/x=y", "no path within"),
        ("--rank", "raw/p:W[1].Rank=high", "no whole number"),
        ("--move", "raw/p:W[1]=up", "is no place"),
        ("--remove", "raw/p", "RESOURCE:PLACE"),
    ] {
        let error = said(&[option, text]).unwrap_err();
        assert!(error.contains(why), "{option} {text}: {error}");
    }
}
