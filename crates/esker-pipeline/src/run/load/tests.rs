//! Who gets a slot, and who has to wait.

use super::*;

#[test]
fn a_run_may_have_more_slots_until_another_wants_one() {
    let load = Load::default();
    load.set(2);
    assert!(load.begin());
    assert!(load.begin_more());
    assert!(!load.begin_more(), "all are taken");
    assert!(!load.begin(), "another run waits");
    assert!(load.is_wanted());
    load.end();
    assert!(!load.begin_more(), "it is kept for the other run");
    assert!(load.begin());
    assert!(!load.is_wanted());
    assert!(!load.begin());
    load.end();
    load.nobody_waits();
    assert!(load.begin_more(), "what waited is not to run any more");
}
