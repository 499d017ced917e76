//! The Cylc experiment's subscriber and publisher, by its rules, beside `esker model serve`.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::sync_clients::{Model, addresses, python, test_program};

#[test]
fn a_subscriber_of_the_experiment_verifies_successfully() {
    let model = Model::new();
    let [requests, events] = addresses();
    let more = ["--interop-requests", &requests, "--interop-events", &events];
    let _publisher = model.serve_with(&more);
    let mut python = python();
    python.arg(test_program("cylc_experiment.py"));
    let output = python.args(["subscribe", &model.requests, &requests, &events]).output();
    let output = output.expect("python3");
    let stderr = String::from_utf8_lossy(&output.stderr);
    let said = "early: Verification successful\nlate: Verification successful\n\
                left out: Verification failed!\nagain left out: Verification failed!\n\
                updated: Verification successful\n\
                unknown: [None, 'unknown request'] [None, 'unknown request']\n";
    let logs = model.world.logs();
    assert_eq!(String::from_utf8_lossy(&output.stdout), said, "{stderr}\n{logs}");
    assert!(logs.contains("changes that interop mode has no words for"), "{logs}");
}

#[test]
fn a_model_follows_a_publisher_of_the_experiment() {
    let model = Model::new();
    let [requests, events] = addresses();
    let mut python = python();
    python.arg(test_program("cylc_experiment.py")).args(["publish", &requests, &events]);
    let python = python.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut publisher = python.spawn().expect("python3");
    let mut lines = BufReader::new(publisher.stdout.take().expect("piped")).lines();
    assert_eq!(lines.next().expect("a line").expect("read"), "publishing");
    let more = ["--original-requests", &requests, "--original-events", &events];
    let _ours = model.serve_with(&more);
    let digest = lines.next().expect("a line").expect("read");
    model.world.wait_for_or(
        "the same digest",
        || model.told().to_string(),
        || model.told()["digest"] == digest[..],
    );
    assert_eq!(model.told()["writable"], false);
    drop(publisher.stdin.take());
    assert!(publisher.wait().expect("ended").success());
}
