//! How far a replica has come, of all and of each section.

use super::*;
use crate::path::path;

#[test]
fn of_the_whole_model_there_is_one_place() {
    let mut chain = Chain::new(&[]);
    assert!(chain.is_whole());
    chain.reach(5, &[path(["a"])]);
    assert_eq!((chain.newest(), chain.oldest(&[path(["b"])])), (5, 5));
    assert!(chain.place(12345).is_some(), "every section is part of it");
    assert!(chain.named(12345).is_none() && chain.named(section_id(&[])).is_some());
    let place = chain.named(section_id(&[])).unwrap();
    assert_eq!((place.last, place.touched), (5, 5));
    place.told = 9;
    chain.restart(2);
    let place = chain.named(section_id(&[])).unwrap();
    assert_eq!(
        (place.last, place.touched, place.told),
        (2, 2, 0),
        "a new start may have a smaller number"
    );
}

#[test]
fn each_section_has_its_own() {
    let (a, b) = (path(["a"]), path(["b"]));
    let mut chain = Chain::new(&[a.clone(), b.clone()]);
    chain.reach(3, &[]);
    chain.place(section_id(&a)).unwrap().touched = 3;
    chain.advance(7, std::slice::from_ref(&a));
    chain.advance(2, std::slice::from_ref(&b));
    assert_eq!((chain.newest(), chain.oldest(&[a.clone(), b.clone()])), (7, 3));
    assert_eq!(chain.oldest(std::slice::from_ref(&a)), 7);
    let place = chain.named(section_id(&a)).unwrap();
    assert_eq!((place.last, place.touched), (7, 3), "nothing touched it since");
    assert!(
        chain.place(section_id(&path(["c"]))).is_none() && chain.named(section_id(&[])).is_none()
    );
    chain.reach(9, std::slice::from_ref(&b));
    assert_eq!((chain.newest(), chain.oldest(&[a.clone(), b])), (9, 7));
    chain.named(section_id(&a)).unwrap().told = 99;
    chain.forget_told();
    assert_eq!(chain.named(section_id(&a)).unwrap().told, 0);
}
