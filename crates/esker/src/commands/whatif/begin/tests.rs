//! Ids are made from titles.

use super::*;

#[test]
fn ids_are_made_from_titles() {
    for (title, id) in [
        ("Params[End].Value = 2027-04-09", "params-end-value-2027-04-09"),
        ("  Zwei Leute mehr – März! ", "zwei-leute-mehr-m-rz"),
        ("…", "what-if"),
        ("", "what-if"),
    ] {
        assert_eq!(slug(title), id);
        assert!(whatif::branch(&slug(title)).is_some());
    }
    let long = "a title that is a good deal longer than forty letters";
    assert_eq!(slug(long), "a-title-that-is-a-good-deal-longer-than");
    assert_eq!(slug(&"x".repeat(99)), "x".repeat(40));
}

#[test]
fn numbers_make_room() {
    assert_eq!(numbered("plan", 2), "plan-2");
    let long = numbered(&"x".repeat(40), 12);
    assert_eq!((long.len(), long.ends_with("x-12")), (40, true));
}
