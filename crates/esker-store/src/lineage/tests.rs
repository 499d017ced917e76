//! What names mean, over a history of a few commits.

use esker_wire::name::Resource;
use esker_wire::revision::Revision;

use super::{Lineage, Rename, add};
use crate::history::History;

/// A history written as `put a`, `remove a`, `move a b`; each put has a content of its own.
struct Tale {
    history: History,
    text: Vec<u8>,
}

impl Tale {
    fn of(steps: &[&str]) -> Self {
        let mut tale = Self { history: History::default(), text: Vec::new() };
        for (number, step) in (1..).zip(steps) {
            tale.take(number, step);
        }
        tale
    }

    fn take(&mut self, number: u8, step: &str) {
        let words: Vec<&str> = step.split(' ').collect();
        let changes = match words[..] {
            ["put", one] => vec![(name(one), Some(id(100 + number)))],
            ["remove", one] => vec![(name(one), None)],
            ["move", from, to] => {
                let (revision, blob) = self.history.current(&name(from)).expect("it is there");
                let position = u32::from(number) - 1;
                let rename = Rename { position, revision, from: name(from), to: name(to) };
                self.text = add(&self.text, &rename).expect("ours");
                vec![(name(from), None), (name(to), Some(blob))]
            }
            _ => panic!("{step}"),
        };
        self.history.push(id(number), 0, changes);
    }

    fn lineage(&self) -> Lineage {
        Lineage::read(&self.history, &self.text)
    }

    /// What a name means at a commit, counted from 1, and its content: `b 3`.
    fn at(&self, one: &str, number: u32) -> String {
        let lineage = self.lineage();
        let Some(now) = lineage.locate(&self.history, &name(one), number - 1) else {
            return "nothing".to_owned();
        };
        let (last, _) = lineage.pair(&self.history, &now, number - 1).expect("located");
        let blob =
            last.blob.map_or("removed".to_owned(), |blob| (blob.as_bytes()[0] - 100).to_string());
        format!("{} {blob}", short(&now))
    }

    /// The revisions of a resource, newest first: `3 b, 1 a`.
    fn log(&self, one: &str) -> String {
        let lineage = self.lineage();
        let last = self.history.last().expect("it has one");
        let now = lineage.locate(&self.history, &name(one), last).expect("located");
        let mut out = Vec::new();
        for segment in lineage.segments(&now, last) {
            let changes = self.history.changes(&segment.name, segment.last).iter().rev();
            for change in changes.take_while(|change| change.position >= segment.first) {
                let (_, before) =
                    lineage.pair(&self.history, &segment.name, change.position).expect("one");
                let before = before.map_or(0, |before| before.position + 1);
                out.push(format!(
                    "{} {} after {before}",
                    change.position + 1,
                    short(&segment.name)
                ));
            }
        }
        out.join(", ")
    }

    fn older(&self, one: &str) -> Vec<String> {
        let older = self.lineage().older(&self.history, &name(one));
        older.iter().map(|name| short(name).to_owned()).collect()
    }
}

fn name(short: &str) -> Resource {
    format!("x/{short}").parse().expect("a name")
}

fn short(name: &Resource) -> &str {
    &name.as_str()[2..]
}

fn id(number: u8) -> Revision {
    Revision::from_bytes([number; 20])
}

#[test]
fn a_chain_of_renames() {
    let tale = Tale::of(&["put a", "put a", "move a b", "put b", "move b c"]);
    for one in ["a", "b", "c"] {
        assert_eq!(tale.at(one, 5), "c 4");
        assert_eq!(tale.at(one, 4), "b 4");
        assert_eq!(tale.at(one, 3), "b 2");
        assert_eq!(tale.at(one, 1), "a 1");
        assert_eq!(
            tale.log(one),
            "5 c after 4, 4 b after 3, 3 b after 2, 2 a after 1, 1 a after 0"
        );
    }
    assert_eq!(tale.older("c"), ["b", "a"]);
    assert_eq!(tale.older("b"), [""; 0]);
    assert_eq!(tale.at("d", 5), "nothing");
}

#[test]
fn back_again() {
    let tale = Tale::of(&["put a", "move a b", "move b a", "put a"]);
    assert_eq!((tale.at("a", 4), tale.at("b", 4)), ("a 4".into(), "a 4".into()));
    assert_eq!((tale.at("a", 2), tale.at("b", 1)), ("b 1".into(), "a 1".into()));
    assert_eq!(tale.log("b"), "4 a after 3, 3 a after 2, 2 b after 1, 1 a after 0");
    assert_eq!(tale.older("a"), ["b"]);
}

#[test]
fn swapped_by_a_third_name() {
    let tale = Tale::of(&["put a", "put b", "move a t", "move b a", "move t b", "put a", "put b"]);
    assert_eq!((tale.at("a", 7), tale.at("b", 7)), ("a 6".into(), "b 7".into()));
    assert_eq!((tale.at("a", 2), tale.at("b", 2)), ("a 1".into(), "b 2".into()));
    assert_eq!((tale.at("a", 3), tale.at("b", 4)), ("t 1".into(), "a 2".into()));
    assert_eq!(tale.log("a"), "6 a after 4, 4 a after 2, 2 b after 0");
    assert_eq!(tale.log("b"), "7 b after 5, 5 b after 3, 3 t after 1, 1 a after 0");
    assert_eq!(tale.at("t", 7), "b 7");
    assert_eq!((tale.older("a"), tale.older("b")), (vec![], vec!["t".to_owned()]));
}

#[test]
fn a_new_resource_under_an_older_name() {
    let tale = Tale::of(&["put a", "move a b", "put a", "put b", "remove a"]);
    assert_eq!((tale.at("a", 2), tale.at("a", 3)), ("b 1".into(), "a 3".into()));
    assert_eq!((tale.at("a", 5), tale.at("b", 5)), ("a removed".into(), "b 4".into()));
    assert_eq!(tale.log("a"), "5 a after 3, 3 a after 0");
    assert_eq!(tale.log("b"), "4 b after 2, 2 b after 1, 1 a after 0");
    assert_eq!(tale.older("b"), [""; 0]);
    // The older name goes along, wherever its new resource goes.
    let tale = Tale::of(&["put a", "move a b", "move b c", "put b", "move b d"]);
    assert_eq!((tale.at("a", 5), tale.at("b", 5)), ("c 1".into(), "d 4".into()));
    assert_eq!((tale.older("c"), tale.older("d")), (vec!["a".to_owned()], vec!["b".to_owned()]));
}

#[test]
fn a_removed_resource_keeps_its_names() {
    let tale = Tale::of(&["put a", "move a b", "remove b", "put b"]);
    assert_eq!((tale.at("a", 3), tale.at("a", 4)), ("b removed".into(), "b 4".into()));
    assert_eq!(tale.log("a"), "4 b after 3, 3 b after 2, 2 b after 1, 1 a after 0");
    // What had the name before it was removed is another resource.
    let tale = Tale::of(&["put b", "remove b", "put a", "move a b"]);
    assert_eq!(tale.log("b"), "4 b after 3, 3 a after 0");
    assert_eq!((tale.at("b", 1), tale.at("b", 3)), ("b 1".into(), "b removed".into()));
}

#[test]
fn the_file_is_believed_as_far_as_the_history_bears_it_out() {
    let tale = Tale::of(&["put a", "put b", "move a c", "remove b", "put d"]);
    let text = String::from_utf8(tale.text.clone()).expect("text");
    assert_eq!(text, format!("=====names 1\n\t{} x/a: x/c\n", id(1)));
    for (edited, count) in [
        (text.clone(), 1),
        (text.replace("names 1", "names 2"), 0),
        (text.replace("x/c", "x/d"), 0),
        (text.replace("x/a", "x/b"), 0),
        (text.replace("x/a", "../a"), 0),
        (text.replace(": ", " "), 0),
        (format!("{text}\t{} x/b: x/d\n\tnoise\n", id(2)), 1),
        (text.replace('\t', ""), 0),
        (format!("{text}\t{} x/a: x/c\n", id(1)), 1),
    ] {
        let lineage = Lineage::read(&tale.history, edited.as_bytes());
        assert_eq!(lineage.len(), count, "{edited}");
    }
    let rename = Rename { position: 5, revision: id(5), from: name("d"), to: name("e") };
    assert_eq!(add(b"something else", &rename), None);
    assert!(add(&tale.text, &rename).is_some());
    assert_eq!(Lineage::read(&tale.history, b"\xff\xfe").len(), 0);
}
