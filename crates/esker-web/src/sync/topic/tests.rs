//! What a FOLLOW lets through: held against the topics that publishers make.

use esker_replica::path::{Path, path, topic};

use super::*;

fn filter(head: &str) -> Result<Filter, Fault> {
    Filter::read(&vec![head.to_owned().into()])
}

fn sections() -> Vec<Path> {
    let long = "k".repeat(201);
    let odd = ["\u{0}", "\u{1}\u{2}", "", "ä", long.as_str(), "__proto__"];
    let mut all: Vec<Path> = odd.iter().map(|key| path([key])).collect();
    all.push(path(["content", "raw/plan"]));
    all.push(path(["content"]));
    all.push(path([&"ü".repeat(512)]));
    all
}

#[test]
fn without_sections_all_of_one_model_passes() {
    let filter = filter("=====esker/1 FOLLOW m\n").unwrap();
    for section in sections().iter().chain([&Path::new()]) {
        assert!(filter.passes(&topic("m", section)));
        assert!(!filter.passes(&topic("mm", section)));
    }
    assert!(!filter.passes(b"esker/1 stored"));
}

#[test]
fn each_section_passes_alone_with_the_heartbeats_of_the_whole() {
    for wanted in sections() {
        let head = format!(
            "=====esker/1 FOLLOW m\n\tsection: {}\n",
            esker_replica::path::to_json(&wanted)
        );
        let filter = filter(&head).unwrap();
        assert!(filter.passes(&topic("m", &[])));
        for section in sections() {
            let passes = filter.passes(&topic("m", &section));
            assert_eq!(passes, section == wanted, "{wanted:?} against {section:?}");
        }
    }
}

#[test]
fn the_empty_path_asks_for_heartbeats_alone() {
    let filter = filter("=====esker/1 FOLLOW m\n\tsection: []\n").unwrap();
    assert!(filter.passes(&topic("m", &[])));
    assert!(sections().iter().all(|section| !filter.passes(&topic("m", section))));
}

#[test]
fn what_cannot_be_read_is_named() {
    for (head, told) in [
        ("=====esker/1 FOLLOW\n", "names no model"),
        ("=====esker/1 FOLLOWS m\n", "names no model"),
        ("=====esker/1 FOLLOW m\n\tsection: a\n", "the field `section`"),
        ("=====esker/1 FOLLOW m\n\tsection: [1]\n", "the field `section`"),
    ] {
        let fault = filter(head).unwrap_err();
        assert!(fault.message.contains(told), "{head:?}: {fault}");
    }
    let lines = (0..=SECTIONS_MAX).map(|n| format!("\tsection: [\"{n}\"]\n"));
    let fault = filter(&format!("=====esker/1 FOLLOW m\n{}", lines.collect::<String>()));
    assert_eq!(fault.unwrap_err().code, Code::TooLarge);
}
