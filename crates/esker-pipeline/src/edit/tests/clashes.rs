//! Edits of an older content on a newer one: what is made, what is there already, and what is in conflict.

use esker_wire::edit::Edit;

use super::super::{Clash, Content, Decision, Outcome, Refused, Weighed, merge, weigh};
use super::{PLAN, edits};

fn bare(list: &str) -> Vec<Edit> {
    edits(list).into_iter().map(|(edit, _)| edit).collect()
}

fn merged(
    base: &str,
    theirs: &str,
    list: &str,
    decisions: &[(usize, Decision)],
) -> Result<Weighed, Refused> {
    merge(Content::new(base.as_bytes()), theirs.as_bytes(), &bare(list), decisions)
}

/// Each conflict: the base, theirs, the edit, what stands against it, the three texts, and what `Mine` makes of it.
type Case =
    (&'static str, &'static str, &'static str, Clash, [&'static str; 3], Option<&'static str>);

const CASES: [Case; 17] = [
    (
        "I,N\n1,a\n2,b\n",
        "I,N\n1,x\n2,b\n",
        "=====set a/b:[1].N\n\ty\n",
        Clash::BothChanged,
        ["a", "x", "y"],
        Some("I,N\n1,y\n2,b\n"),
    ),
    (
        "I,N\n1,a\n2,b\n",
        "I,N\n2,b\n",
        "=====set a/b:[1].N\n\ty\n",
        Clash::EditedAndRemoved,
        ["a", "the table has no row [1]; there are: 2", "y"],
        None,
    ),
    (
        "I,N\n1,a\n2,b\n",
        "I,N\n1,x\n2,b\n",
        "=====remove a/b:[1]\n",
        Clash::RemovedAndEdited,
        ["I: 1, N: a", "I: 1, N: x", "removed"],
        Some("I,N\n2,b\n"),
    ),
    (
        "I,N\n1,a\n2,b\n",
        "I,N\n1,a\n2,b\n3,x\n",
        "=====add a/b:[3]\n\tto: first\n\tN: y\n",
        Clash::BothAdded,
        ["absent", "I: 3, N: x", "N: y"],
        Some("I,N\n1,a\n2,b\n3,y\n"),
    ),
    (
        "I,N\n1,a\n2,b\n3,c\n",
        "I,N\n2,b\n1,a\n3,c\n",
        "=====move a/b:[1]\n\tlast\n",
        Clash::BothMoved,
        ["first", "after 2", "last"],
        Some("I,N\n2,b\n3,c\n1,a\n"),
    ),
    (
        "I,N\n1,a\n2,b\n3,c\n",
        "I,N\n1,a\n3,c\n",
        "=====move a/b:[1]\n\tafter 2\n",
        Clash::EditedAndRemoved,
        ["first", "first", "after 2"],
        None,
    ),
    (
        "I,R\na,1\nb,2\nc,3\n",
        "I,R\na,1\nb,3\nc,2\n",
        "=====rank a/b:[c].R\n\t1\n",
        Clash::BothRanked,
        ["3", "2", "1"],
        Some("I,R\na,2\nb,3\nc,1\n"),
    ),
    (
        "I,N\n1,a\n2,b\n",
        "I,M\n1,a\n2,b\n",
        "=====set a/b:[1].N\n\ty\n",
        Clash::ColumnGone,
        ["a", "the table has no column \"N\"; there are: I, M", "y"],
        None,
    ),
    (
        "=====s\n\tI\tN\n\t1\ta\n",
        "=====t\n\tI\tN\n\t1\ta\n",
        "=====set a/b:s[1].N\n\ty\n",
        Clash::StreamGone,
        ["a", "there is no stream \"s\"; there are: t", "y"],
        None,
    ),
    (
        "I,N\n1,a\n2,b\n",
        "I,N\n1,a\n1,b\n",
        "=====set a/b:[1].N\n\ty\n",
        Clash::Ambiguous,
        ["a", "the table has 2 rows [1]; name more columns: [Column=text,…]", "y"],
        None,
    ),
    (
        "I,R\na,1\nb,2\n",
        "I,R\na,x\nb,2\n",
        "=====rank a/b:[a].R\n\t2\n",
        Clash::OtherKind,
        ["1", "\"x\" is no rank: ranks are whole numbers", "2"],
        None,
    ),
    (
        "{\"a\": 1}",
        "{\"a\": 2}",
        "=====set a/b:a\n\t3\n",
        Clash::BothChanged,
        ["1", "2", "3"],
        Some("{\"a\": 3}"),
    ),
    (
        "{\"a\": 1}",
        "{}",
        "=====set a/b:a\n\t3\n",
        Clash::EditedAndRemoved,
        ["1", "absent", "3"],
        Some("{\"a\": 3}"),
    ),
    (
        "{\"a\": 1}",
        "{\"a\": 2}",
        "=====remove a/b:a\n",
        Clash::RemovedAndEdited,
        ["1", "2", "removed"],
        Some("{}"),
    ),
    (
        "{\"a\": 1}",
        "{\"a\": {\"b\": 2}}",
        "=====set a/b:a\n\t3\n",
        Clash::OtherKind,
        ["1", "{\"b\": 2}", "3"],
        Some("{\"a\": 3}"),
    ),
    (
        "{\"a\": {\"b\": 2}}",
        "{\"a\": 1}",
        "=====set a/b:a.b\n\t3\n",
        Clash::OtherKind,
        ["2", "there is no b in 1, which holds nothing", "3"],
        None,
    ),
    (
        "a = 1\n",
        "a = 2\n",
        "=====set a/b:a\n\t3\n",
        Clash::BothChanged,
        ["1", "2", "3"],
        Some("a = 3\n"),
    ),
];

#[test]
fn every_conflict_and_both_ways_out() {
    for (base, theirs, list, clash, texts, mine) in CASES {
        let open = merged(base, theirs, list, &[]).unwrap();
        let [Outcome::Conflict(conflict)] = open.outcomes.as_slice() else {
            panic!("{list}: {:?}", open.outcomes);
        };
        assert_eq!(conflict.clash, clash, "{list}");
        assert_eq!([&conflict.base, &conflict.theirs, &conflict.mine], texts, "{list}");
        assert_eq!(open.content, theirs.as_bytes(), "{list}");
        assert!(!open.is_settled());
        let left = merged(base, theirs, list, &[(1, Decision::Theirs)]).unwrap();
        assert_eq!((left.outcomes, left.content), (vec![Outcome::Yielded], theirs.into()));
        let taken = merged(base, theirs, list, &[(1, Decision::Mine)]).unwrap();
        assert_eq!(taken.is_settled(), mine.is_some(), "{list}: {:?}", taken.outcomes);
        let content = String::from_utf8(taken.content).unwrap();
        assert_eq!(content, mine.unwrap_or(theirs), "{list}");
    }
}

#[test]
fn a_row_that_is_gone_is_not_brought_back() {
    let list = "=====set a/b:[1].N\n\ty\n=====add a/b:[3]\n\tto: after 1\n\tN: z\n";
    let decided = [(1, Decision::Mine)];
    let kept = merged("I,N\n1,a\n2,b\n", "I,N\n2,b\n", list, &decided).unwrap();
    assert!(!kept.is_settled());
    // A row whose neighbour is gone comes last.
    assert_eq!(kept.content, b"I,N\n2,b\n3,z\n");
}

#[test]
fn what_is_elsewhere_is_no_conflict() {
    let theirs = PLAN.replace("Wallets", "Purses").replace("\tINS-4", "\tINS-3\t9\tNew\n\tINS-4");
    let list = "=====set a/b:Work[CHK-2].Team\n\tEdge\n=====set a/b:Work[CHK-1].Prereqs\n\tX\n\
        =====rank a/b:Work[INS-4].Rank\n\t1\n=====remove a/b:Params[End]\n";
    let all = merged(PLAN, &theirs, list, &[]).unwrap();
    assert!(
        all.outcomes.iter().all(|one| matches!(one, Outcome::Applied { .. })),
        "{:?}",
        all.outcomes
    );
    let wanted = theirs
        .replace("Core\t8", "Edge\t8")
        .replace("\t13\n", "\t13\tX\n")
        .replace("CHK-1\t1\t", "CHK-1\t2\t")
        .replace("CHK-2\t2\t", "CHK-2\t3\t")
        .replace("INS-4\t3\t", "INS-4\t1\t")
        .replace("\tEnd\t2027-03-31\n", "");
    assert_eq!(String::from_utf8(all.content.clone()).unwrap(), wanted);
    let again = merged(PLAN, &wanted, list, &[]).unwrap();
    assert_eq!(
        again.outcomes,
        [Outcome::Already, Outcome::Already, Outcome::Already, Outcome::Already]
    );
    assert_eq!(again.content, all.content);
}

#[test]
fn a_move_is_no_conflict_when_others_come_or_go() {
    let base = "I,N\n1,a\n2,b\n3,c\n4,d\n";
    let list = "=====move a/b:[3]\n\tfirst\n";
    for (theirs, wanted) in [
        ("I,N\n1,a\n2,b\n9,x\n3,c\n4,d\n", "I,N\n3,c\n1,a\n2,b\n9,x\n4,d\n"),
        ("I,N\n1,a\n3,c\n4,d\n", "I,N\n3,c\n1,a\n4,d\n"),
    ] {
        let all = merged(base, theirs, list, &[]).unwrap();
        assert!(all.is_settled(), "{:?}", all.outcomes);
        assert_eq!(String::from_utf8(all.content).unwrap(), wanted);
    }
}

#[test]
fn edits_of_one_place_follow_each_other() {
    let (base, list) = ("I,N\n1,a\n2,b\n", "=====set a/b:[1].N\n\tx\n=====set a/b:[1].N\n\ty\n");
    let one = merged(base, "I,N\n1,a\n2,c\n", list, &[]).unwrap();
    assert_eq!(one.content, b"I,N\n1,y\n2,c\n");
    let there = merged(base, "I,N\n1,y\n2,c\n", list, &[]).unwrap();
    assert_eq!(there.outcomes, [Outcome::Already, Outcome::Already]);
    let half = merged(base, "I,N\n1,x\n2,c\n", list, &[]).unwrap();
    assert!(matches!(half.outcomes[..], [Outcome::Already, Outcome::Applied { .. }]));
    assert_eq!(half.content, b"I,N\n1,y\n2,c\n");
    let list = "=====add a/b:[3]\n\tto: last\n\tN: q\n=====set a/b:[3].N\n\tr\n";
    let there = merged(base, "I,N\n3,r\n1,a\n2,b\n", list, &[]).unwrap();
    assert_eq!(there.outcomes, [Outcome::Already, Outcome::Already]);
}

#[test]
fn rows_are_known_by_the_key_of_the_base() {
    let (base, theirs) = ("I,N\n1,a\n2,b\n", "I,N\n2,b\n2,c\n1,a\n");
    let all = merged(base, theirs, "=====set a/b:[1].N\n\tx\n", &[]).unwrap();
    assert_eq!(all.content, b"I,N\n2,b\n2,c\n1,x\n");
}

#[test]
fn what_was_found_comes_with_an_edit() {
    let noted = edits(
        "=====set a/b:[1].N\n\tx\n=====found text\n\ta\n=====remove a/b:[2]\n=====found row\n\tI: 2\n\tN: b\n",
    );
    let content = |text: &'static str| Content::new(text.as_bytes());
    let fresh = weigh(content("I,N\n1,a\n2,b\n3,c\n"), &noted).unwrap();
    assert_eq!(fresh.content, b"I,N\n1,x\n3,c\n");
    let there = weigh(content("I,N\n1,x\n3,c\n"), &noted).unwrap();
    assert_eq!(there.outcomes, [Outcome::Already, Outcome::Already]);
    let other = weigh(content("I,N\n1,q\n2,c\n"), &noted).unwrap();
    assert!(other.outcomes.iter().all(|one| matches!(one, Outcome::Conflict(_))));
}

#[test]
fn a_content_that_is_something_else_now_is_in_conflict() {
    let list = "=====set a/b:[1].N\n\tx\n";
    for (theirs, why) in [
        ("{\"a\": 1}", "the content is JSON now, and was tables"),
        ("Dear all", "the table has no row [1]; there are: Dear all"),
        (
            "",
            "the table has no column whose cells are all filled and unique; name columns: [Column=text], or the row's number: [#3]",
        ),
        ("I,N\n", "the table has no row [1]; there are none"),
    ] {
        let all = merged("I,N\n1,a\n2,b\n", theirs, list, &[]).unwrap();
        let [Outcome::Conflict(conflict)] = &all.outcomes[..] else {
            panic!("{theirs}: {:?}", all.outcomes);
        };
        assert_eq!(conflict.theirs, why);
        assert_eq!(all.content, theirs.as_bytes());
    }
}
