//! What the OpenAPI document says is so: whatever a client makes of it, answers are as they are told.

use std::process::Command;

use crate::let_in::{TOKENS, project};
use crate::sync_clients::python;

/// Where Schemathesis's requests are not told apart from what they find: WebSockets, and who logs in.
const LEFT_OUT: &str =
    "^(/sync/1|/login|/login.css|/login.js|/login/oidc|/login/oidc/back|/logout)$";

fn schemathesis() -> Command {
    let mut python = python();
    python.args(["-m", "schemathesis.cli"]);
    python
}

#[test]
fn answers_are_as_they_are_told() {
    let stage =
        "[stage.condition]\ninput = \"raw/plan\"\nrun = [\"false\"]\noutput = \"mid/plan\"\n";
    let world = project(stage);
    let _up = world.up_with(&TOKENS);
    // What the document's examples name.
    world.ok_with(&["put", "raw/plan"], b"Id,Rank\nCHK-1,1\nCHK-2,2\n");
    world.wait_for_problem("condition");
    let base = format!("http://127.0.0.1:{}", world.port("/web"));
    let robot = format!("Authorization: Bearer {}", TOKENS[1].1);
    let mut run = schemathesis();
    run.args(["run", &format!("{base}/api"), "--header", &robot, "--no-color", "--seed", "1"]);
    run.args(["--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "20"]);
    run.args(["--checks", "all"]);
    // What fits a schema may still name what is not there, or is not named so.
    run.args(["--exclude-checks", "positive_data_acceptance"]);
    run.args(["--exclude-path-regex", LEFT_OUT, "--suppress-health-check", "all"]);
    let output = run.current_dir(world.dir()).output().expect("schemathesis runs");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let also = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}\n{also}\n{}", world.logs());
    let cases = told.split(" generated, ").next().and_then(|told| told.split(' ').next_back());
    let cases: u32 = cases.and_then(|cases| cases.parse().ok()).unwrap_or(0);
    assert!(cases > 1_000, "{cases} cases: {told}");

    let looks = format!("Bearer {}", TOKENS[0].1);
    let counted = world.python("read_metrics.py", &[&base, &looks]);
    assert!(counted.contains("esker_http_requests") && counted.contains("histogram"), "{counted}");
}
