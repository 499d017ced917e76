//! What the fuzz target of the same name tries at length.

use super::*;

#[test]
fn nothing_is_of_most_forms() {
    let of_nothing = Form::ALL.into_iter().filter(|form| form.is_of(b""));
    assert_eq!(of_nothing.collect::<Vec<_>>(), [Form::Journal, Form::Tree]);
}
