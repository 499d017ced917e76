//! What a supervisor makes of an exit code and of being asked to end; the rest is in the tests of `child`.

use super::*;

fn brood(exit: u8) -> Brood {
    Brood { program: process::getpid(), exit: Some(exit), ended_at: None, kill_from: None }
}

#[test]
fn a_program_that_was_asked_to_end_may_not_have_been_alone() {
    let now = Instant::now();
    for code in ASKED {
        let mut brood = brood(code);
        assert!(brood.listen(false, now).is_some());
        assert!(brood.listen(true, now).is_none());
        assert!(brood.listen(false, now + ECHO).is_none());
        assert_eq!(brood.ended(false), Ended::Exit(code));
    }
    for code in [0, 1, 137] {
        assert!(brood(code).listen(false, now).is_none(), "{code} is told at once");
    }
    assert_eq!(brood(0).ended(true), Ended::Asked);
}
