//! The rules, as the book shows them.

use super::*;
use crate::join::Join;

#[test]
fn the_book_shows_the_rules() {
    let book = include_str!("../../../../docs/cluster.md");
    let Ok(Join::Consul(place)) = "consul://h".parse() else { unreachable!() };
    for rules in [worker(&place), client(&place)] {
        let (_, rules) = rules.split_once('\n').unwrap();
        assert!(book.contains(&format!("```text\n{rules}```")), "{rules}");
    }
    let Ok(Join::Consul(place)) = "consul://h?prefix=p&service=w".parse() else { unreachable!() };
    let rules = worker(&place);
    assert!(rules.contains("service \"w\"") && rules.contains("\"p/lease/\""), "{rules}");
    assert!(!rules.contains("esker") && !rules.contains("PREFIX"), "{rules}");
}
