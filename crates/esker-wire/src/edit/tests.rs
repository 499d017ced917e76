//! Lists of edits are read as they were written, to the byte.

use proptest::prelude::*;

use super::address::{Address, Place, Row, Selector, Step};
use super::{BadEdits, Before, Deed, EDITS_MAX, Edit, Noted, Spot, read, write};

const GOLDEN: &str = "=====set raw/plan:Work[CHK-1].Estimate\n\tDesign:2, Server:8\n\
    =====found text\n\tDesign:2\n\t\n\
    =====set params/plan:note\n\t\n=====found absent\n\
    =====add raw/plan:Work\n\tto: after Id=17,Region=EU\n\tId: CHK-9\n\tto: \"two\\nlines\"\n\t\"a:b\": x: \"y\"\n\
    =====found absent\n\
    =====remove raw/plan:Work[INS-4]\n=====found row\n\tId: INS-4\n\tRank: 4\n\
    =====move raw/plan:Work[INS-5]\n\tfirst\n=====found behind\n\tINS-4\n\
    =====move raw/plan:Work[#2]\n\tbefore #1\n=====found first\n\
    =====rank raw/plan:Work[INS-6].Rank\n\t2\n=====found rank\n\t6\n";

fn at(text: &str) -> Address {
    text.parse().unwrap()
}

fn set(address: &str, text: &str) -> Edit {
    Edit { at: at(address), deed: Deed::Set(text.to_owned()) }
}

fn cells(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(column, text)| ((*column).to_owned(), (*text).to_owned())).collect()
}

fn golden() -> Vec<Noted> {
    let keys = |all: &[(&str, &str)]| {
        let one = |(column, value): &(&str, &str)| Selector {
            column: Some((*column).to_owned()),
            value: (*value).to_owned(),
        };
        Row::Keys(all.iter().map(one).collect())
    };
    let added = cells(&[("Id", "CHK-9"), ("to", "two\nlines"), ("a:b", "x: \"y\"")]);
    let to = Spot::After(keys(&[("Id", "17"), ("Region", "EU")]));
    let edit = |address: &str, deed| Edit { at: at(address), deed };
    vec![
        (
            set("raw/plan:Work[CHK-1].Estimate", "Design:2, Server:8"),
            Some(Before::Text("Design:2\n".into())),
        ),
        (set("params/plan:/note", ""), Some(Before::Absent)),
        (edit("raw/plan:Work", Deed::Add { cells: added, to }), Some(Before::Absent)),
        (
            edit("raw/plan:Work[INS-4]", Deed::Remove),
            Some(Before::Row(cells(&[("Id", "INS-4"), ("Rank", "4")]))),
        ),
        (
            edit("raw/plan:Work[INS-5]", Deed::Move(Spot::First)),
            Some(Before::Behind(Row::key("INS-4"))),
        ),
        (edit("raw/plan:Work[#2]", Deed::Move(Spot::Before(Row::Number(1)))), Some(Before::First)),
        (edit("raw/plan:Work[INS-6].Rank", Deed::Rank(2)), Some(Before::Rank(Some(6)))),
    ]
}

#[test]
fn a_list_has_one_form() {
    assert_eq!(String::from_utf8(write(&golden()).unwrap()).unwrap(), GOLDEN);
    crate::golden::holds("edits.txt", GOLDEN.as_bytes());
    assert_eq!(read(GOLDEN.as_bytes()).unwrap(), golden());
    assert_eq!(read(b"").unwrap(), Vec::new());
    let bare = read(b"=====set a/b:c\n").unwrap();
    assert_eq!(bare, [(set("a/b:c", ""), None)], "no line is read as an empty text");
}

#[test]
fn what_is_wrong_names_the_edit() {
    for (text, wanted) in [
        ("=====set a/b:c\n=====sett a/b:c\n", "cannot read edit 2: \"sett\" is no deed"),
        ("=====set a/b:c\n=====set a/b:[\n", "cannot read edit 2: cannot read the address"),
        ("=====set\n", "cannot read edit 1: cannot read the address \"\""),
        ("=====add a/b:c\n", "edit 1: it has no line `to: PLACE`"),
        ("=====add a/b:c\n\tto: up\n", "\"up\" is no place: first, last, after KEY or before KEY"),
        (
            "=====add a/b:c\n\tto: last\n\tx\n",
            "cannot read the cell \"x\": expected `Column: text`",
        ),
        ("=====add a/b:c\n\tto: last\n\tx: \"y\" z\n", "something follows the closing quote"),
        ("=====move a/b:c\n", "a move has one line"),
        ("=====rank a/b:c\n\t-1\n", "\"-1\" is no whole number"),
        ("=====remove a/b:c\n\tx\n", "a removal has no content"),
        ("=====found absent\n", "edit 1: there is a stream `found` before it"),
        ("=====remove a/b:c\n=====found absent\n=====found absent\n", "edit 1: it has two"),
        ("=====remove a/b:c\n=====found up\n", "edit 1: cannot read \"found up\""),
        ("x\n", "cannot read the edits: line 1"),
    ] {
        let error = read(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(wanted), "{text:?}: {error}");
    }
    assert!(matches!(read(b"=====set a/b:c\n\t\xff\n"), Err(BadEdits::List(_))));
}

#[test]
fn lists_have_limits() {
    let many = vec![(set("a/b:c", "x"), None); EDITS_MAX + 1];
    assert!(write(&many).unwrap_err().to_string().contains("more than 10000"));
    assert_eq!(read(&write(&many[1..]).unwrap()).unwrap().len(), EDITS_MAX);
    let text = "=====remove a/b:c\n".repeat(EDITS_MAX + 1);
    assert!(read(text.as_bytes()).unwrap_err().to_string().contains("more than 10000"));
    let large = vec![(set("a/b:c", &"x".repeat(1 << 20)), None); 9];
    assert!(write(&large).unwrap_err().to_string().contains("over 8388608 bytes"));
    assert!(read(&vec![b'x'; 9 << 20]).unwrap_err().to_string().contains("over 8388608 bytes"));
    let long = Place { steps: vec![Step::Name("x".repeat(5000))] };
    let edit = Edit { at: Address { place: long, ..at("a/b:c") }, deed: Deed::Remove };
    assert!(write(&[(edit, None)]).unwrap_err().to_string().contains("edit 1: its address"));
}

fn any_cells() -> impl Strategy<Value = Vec<(String, String)>> {
    proptest::collection::vec((any::<String>(), any::<String>()), 0..4)
}

fn any_row() -> impl Strategy<Value = Row> {
    prop_oneof![any::<String>().prop_map(Row::key), (1..u64::MAX).prop_map(Row::Number)]
}

fn any_spot() -> impl Strategy<Value = Spot> {
    prop_oneof![
        Just(Spot::First),
        Just(Spot::Last),
        any_row().prop_map(Spot::After),
        any_row().prop_map(Spot::Before),
    ]
}

fn any_noted() -> impl Strategy<Value = Noted> {
    let text = || prop_oneof![any::<String>(), "[a\n\r\t]{0,6}"];
    let deed = prop_oneof![
        text().prop_map(Deed::Set),
        (any_cells(), any_spot()).prop_map(|(cells, to)| Deed::Add { cells, to }),
        Just(Deed::Remove),
        any_spot().prop_map(Deed::Move),
        any::<u64>().prop_map(Deed::Rank),
    ];
    let before = prop_oneof![
        Just(Before::Absent),
        Just(Before::First),
        text().prop_map(Before::Text),
        any_cells().prop_map(Before::Row),
        any_row().prop_map(Before::Behind),
        any::<Option<u64>>().prop_map(Before::Rank),
    ];
    let edit = deed.prop_map(|deed| Edit { at: at("raw/plan:x[y].z"), deed });
    (edit, proptest::option::of(before))
}

proptest! {
    #[test]
    fn lists_are_read_as_written(edits in proptest::collection::vec(any_noted(), 0..5)) {
        prop_assert_eq!(read(&write(&edits).unwrap()).unwrap(), edits.clone());
        for before in edits.into_iter().filter_map(|(_, before)| before) {
            prop_assert_eq!(Before::from_bytes(&before.to_bytes()).unwrap(), before);
        }
    }

    #[test]
    fn nothing_makes_it_panic(bytes in any::<Vec<u8>>(), line in "(=====|set |found |add |\t|\n|to: |a/b:|[\"#.=,x1\\[\\]]){0,20}") {
        drop(read(&bytes));
        drop(read(line.as_bytes()));
        drop(Before::from_bytes(line.as_bytes()));
    }
}
