//! The names of the branches of what was refused.

use super::*;

#[track_caller]
fn check(stage: &str, expected: &str) {
    let branch = of_run(stage, "0123456789abcdef0123").unwrap();
    assert_eq!(branch.as_str(), expected);
}

#[test]
fn every_name_of_a_stage_is_part_of_a_branch() {
    check("plan", "rejected/plan/0123456789ab");
    check("plan-2", "rejected/plan-2/0123456789ab");
    check("Plan_2", &format!("rejected/plan-2-{}/0123456789ab", &sha256(b"Plan_2")[..8]));
    check("-", &format!("rejected/{}/0123456789ab", &sha256(b"-")[..8]));
    check(
        "Überlauf",
        &format!("rejected/berlauf-{}/0123456789ab", &sha256("Überlauf".as_bytes())[..8]),
    );
}
