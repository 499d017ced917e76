//! Contents that were replaced are merged by cell, by member, by line, or not at all.

use super::super::{Content, Decision, Outcome, Weighed, merge_whole};
use super::PLAN;

fn merged(base: &str, theirs: &str, mine: &str) -> (String, Weighed) {
    let weighed =
        merge_whole(Content::new(base.as_bytes()), theirs.as_bytes(), mine.as_bytes(), &[])
            .unwrap();
    (String::from_utf8(weighed.content.clone()).unwrap(), weighed)
}

fn check(base: &str, theirs: &str, mine: &str, wanted: &str) {
    let (content, weighed) = merged(base, theirs, mine);
    assert!(weighed.is_settled(), "{:?}", weighed.outcomes);
    assert_eq!(content, wanted);
}

#[test]
fn what_only_one_changed() {
    let (base, other) = ("any\n", "other\n");
    assert_eq!(merged(base, other, base).1.outcomes, []);
    assert_eq!(merged(base, other, other).1.outcomes, [Outcome::Already]);
    assert!(matches!(merged(base, base, other).1.outcomes[..], [Outcome::Applied { .. }]));
    check(base, base, other, other);
}

#[test]
fn tables_by_cell() {
    let theirs = PLAN.replace("Wallets", "Purses");
    let mine =
        PLAN.replace("Server:3\t1", "Server:4\t1").replace("\tINS-4\t3\tInsights\t\t2\n", "");
    check(PLAN, &theirs, &mine, &mine.replace("Wallets", "Purses"));
    let base = "I,N\n1,a\n2,b\n3,c\n4,d\n";
    check(
        base,
        "I,N\n1,a\n2,b\n3,c\n4,x\n",
        "I,N\n3,c\n1,a\n9,n\n2,b\n4,d\n",
        "I,N\n3,c\n1,a\n9,n\n2,b\n4,x\n",
    );
    let (content, weighed) = merged(base, "I,N\n1,x\n2,b\n3,c\n4,d\n", "I,N\n1,y\n2,z\n3,c\n4,d\n");
    assert!(matches!(weighed.outcomes[..], [Outcome::Conflict(_), Outcome::Applied { .. }]));
    assert_eq!(content, "I,N\n1,x\n2,z\n3,c\n4,d\n");
    let base = Content::new(base.as_bytes());
    let mine =
        merge_whole(base, b"I,N\n1,x\n", b"I,N\n1,y\n2,b\n3,c\n4,d\n", &[(1, Decision::Mine)]);
    assert_eq!(mine.unwrap().content, b"I,N\n1,y\n");
}

#[test]
fn objects_by_member() {
    let base = "{\n  \"a\": 1,\n  \"b\": {\"c\": [1, 2], \"d\": true}\n}\n";
    let theirs = base.replace("true", "false");
    check(base, &theirs, &base.replace("\"a\": 1,\n  ", ""), &theirs.replace("\"a\": 1,\n  ", ""));
    check(base, &theirs, &base.replace("[1, 2]", "[1]"), &theirs.replace("[1, 2]", "[1]"));
    let (_, weighed) = merged(base, &theirs, &base.replace("true", "null"));
    assert!(!weighed.is_settled());
}

#[test]
fn texts_by_line() {
    let base = "one\ntwo\nthree\nfour\nfive\n";
    check(
        base,
        "zero\none\ntwo\nthree\nfour\nfive\n",
        "one\ntwo\nthree\nfour\n5\n",
        "zero\none\ntwo\nthree\nfour\n5\n",
    );
    check(
        base,
        "one\n2\nthree\nfour\nfive\n",
        "one\n2\nthree\nfour\nfive\nsix\n",
        "one\n2\nthree\nfour\nfive\nsix\n",
    );
    let (content, weighed) =
        merged(base, "one\n2\nthree\nfour\nfive\n", "one\nII\nthree\nfour\n5\n");
    assert_eq!(content, "one\n2\nthree\nfour\n5\n");
    let [Outcome::Conflict(conflict), Outcome::Applied { .. }] = &weighed.outcomes[..] else {
        panic!("{:?}", weighed.outcomes);
    };
    assert_eq!([&conflict.base, &conflict.theirs, &conflict.mine], ["two\n", "2\n", "II\n"]);
    for (decision, wanted) in [(Decision::Mine, "II"), (Decision::Theirs, "2")] {
        let theirs = b"one\n2\nthree\nfour\nfive\n";
        let mine = b"one\nII\nthree\nfour\n5\n";
        let decided = merge_whole(Content::new(base.as_bytes()), theirs, mine, &[(1, decision)]);
        let decided = decided.unwrap();
        assert!(decided.is_settled());
        assert_eq!(decided.content, format!("one\n{wanted}\nthree\nfour\n5\n").into_bytes());
    }
}

#[test]
fn what_is_no_text_as_a_whole() {
    let (base, theirs, mine) = (Content::new(b"\xff1"), b"\xff2", b"\xff3");
    let open = merge_whole(base, theirs, mine, &[]).unwrap();
    assert!(!open.is_settled() && open.content == theirs);
    assert_eq!(merge_whole(base, theirs, mine, &[(1, Decision::Mine)]).unwrap().content, mine);
    assert!(merge_whole(base, theirs, mine, &[(1, Decision::Theirs)]).unwrap().is_settled());
}
