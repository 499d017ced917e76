//! How conflicts are settled, and the line to type.

use clap::Parser;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    settles: Settles,
}

fn settles(words: &[&str]) -> Settles {
    let words = words.iter().flat_map(|word| ["--settle", word]);
    Line::try_parse_from(std::iter::once("esker").chain(words)).unwrap().settles
}

#[test]
fn what_is_said_last_of_a_change_counts() {
    let (mine, theirs) = (Side::Mine, Side::Theirs);
    assert_eq!(settled(3, &settles(&["2=mine"])), [(2, mine)]);
    let all = settled(2, &settles(&["all=theirs", "2=mine"]));
    assert_eq!(all, [(0, theirs), (1, theirs), (2, mine)]);
    assert_eq!(settled(1, &settles(&["1=mine", "all=theirs"])), [(0, theirs), (1, theirs)]);
}

#[test]
fn the_line_that_settles_has_what_was_settled_before() {
    let conflict = |edit: usize| Conflict {
        edit,
        at: "raw/plan:[1].x".to_owned(),
        kind: "both have changed it".to_owned(),
        base: "1".to_owned(),
        theirs: "2".to_owned(),
        mine: "3\n4".to_owned(),
    };
    let ask = Ask {
        number: 7,
        what: Wish::Apply,
        by: None,
        why: None,
        settle: vec![(1, Side::Theirs), (3, Side::Mine)],
    };
    let told = line("more", &ask, &[conflict(3), conflict(3), conflict(5)]);
    assert_eq!(told, "esker whatif apply more --settle 1=theirs --settle 3=mine --settle 5=mine");
    let onto = esker_wire::revision::Revision::from_bytes([0xab; 20]);
    let rebase = Ask { what: Wish::Rebase(onto), settle: Vec::new(), ..ask };
    let told = line("more", &rebase, &[conflict(0)]);
    assert_eq!(told, "esker whatif rebase more --onto ababababab --settle 0=mine");
    assert_eq!(row(&conflict(3)), ["3", "raw/plan:[1].x", "1", "2", "3 4", "both have changed it"]);
}
