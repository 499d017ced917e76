//! "Why did the end date of TASK-17 change on Tuesday?"

use serde_json::{Value, json};

use crate::cells::{ANN, TASKS, WHY, head, planned, put, wait_for_end};

/// One command: to the raw cell, the person, the time and the commit.
#[test]
fn why_did_the_end_date_of_task_17_change_on_tuesday() {
    let world = planned();
    let _up = world.up();
    wait_for_end(&world, "TASK-17", "2027-01-08");
    let longer = TASKS.replace("build,TASK-16,4", "build,TASK-16,9");
    put(&world, "raw/plan", &longer, "Bob <bob@example.org>", "the ground is wet");
    wait_for_end(&world, "TASK-17", "2027-01-13");
    let (raw, result) = (head(&world, "raw/plan"), head(&world, "results/plan"));
    // What happens afterwards to others is not the answer.
    put(&world, "raw/plan", &longer.replace("rest,,1", "rest,,2"), ANN, "a long rest");
    wait_for_end(&world, "TASK-20", "2027-01-03");

    let text = world.ok(&WHY);
    let short = |entry: &Value| entry["revision"].as_str().expect("a revision")[..10].to_owned();
    let lines: Vec<&str> = text.lines().collect();
    let expected = [
        "end of id=TASK-17 in ends: 2027-01-08 → 2027-01-13".to_owned(),
        format!("results/plan {}  ", short(&result)),
        "by schedule: python3 schedule.py (on ".to_owned(),
        "└─ conditioned/plan ".to_owned(),
        "   by condition: python3 condition.py (on ".to_owned(),
        "   ~ id=TASK-17  days: 4 → 9".to_owned(),
        format!("   └─ raw/plan {}  ", short(&raw)),
        "      put by Bob <bob@example.org>: the ground is wet".to_owned(),
        "      ~ id=TASK-17  days: 4 → 9".to_owned(),
    ];
    assert_eq!(lines.len(), expected.len(), "{text}");
    for (line, expected) in lines.iter().zip(&expected) {
        assert!(
            line.starts_with(expected),
            "{expected:?} is not the beginning of {line:?}\n{text}"
        );
    }

    let told = world.json(&[&WHY[..], &["--json"]].concat());
    let change = &told["changes"][0];
    assert_eq!((&change["old"], &change["new"]), (&json!("2027-01-08"), &json!("2027-01-13")));
    assert_eq!(change["revision"], result["revision"]);
    let source = &change["causes"][0]["causes"][0];
    assert_eq!(
        (&source["revision"], &source["time"], &source["author"]),
        (&raw["revision"], &raw["time"], &json!("Bob <bob@example.org>"))
    );
    let cells = source["changes"].as_array().expect("a list");
    let cell = cells.iter().find(|change| change["op"] == "cell").expect("a cell");
    assert_eq!(
        (&cell["column"], &cell["old"], &cell["new"]),
        (&json!("days"), &json!("4"), &json!("9"))
    );
}
