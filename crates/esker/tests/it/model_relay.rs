//! `esker model serve --follow`: a model published again by other processes, which come and go.

use serde_json::Value;

use crate::sync_clients::Model;

/// Where a process is, as told by itself.
fn told(model: &Model) -> Value {
    let [epoch, seq, digest] = ["epoch", "seq", "digest"].map(|key| model.told()[key].clone());
    Value::from(vec![epoch, seq, digest])
}

fn set(model: &Model, keys: &[&str]) -> std::process::Output {
    let set = ["model", "set", "--at", &model.requests, "--model", "suite"];
    model.world.run(&[&set, keys].concat())
}

#[test]
fn a_model_is_published_again_through_kills_of_all_who_do() {
    let (publisher, relay, last) = (Model::new(), Model::new(), Model::new());
    // Whoever is there first waits for the other.
    let follow = ["--follow", &publisher.requests];
    let waiting = relay.start(&follow);
    relay.world.wait_for("it to wait", || relay.world.logs().contains("waiting for the publisher"));
    let first = publisher.serve_with(&[]);
    relay.wait();
    let second = waiting;
    let _third = last.serve_with(&["--follow", &relay.requests]);
    let is_equal = |what: &str| {
        last.world.wait_for_or(
            what,
            || format!("{} {} {}", told(&publisher), told(&relay), told(&last)),
            || told(&publisher) == told(&last) && told(&publisher) == told(&relay),
        );
    };
    assert!(set(&publisher, &["a", "state", "--to", "1"]).status.success());
    is_equal("the first change");
    // Who follows writes as well: its change goes up the line, and comes down again.
    assert!(set(&last, &["a", "state", "--to", "2", "--if", "1"]).status.success());
    let refused = set(&last, &["a", "state", "--to", "3", "--if", "1"]);
    assert_eq!(refused.status.code(), Some(1));
    is_equal("a change from the end of the line");
    second.kill();
    assert!(set(&publisher, &["b", "--to", "{\"x\": [1, null]}"]).status.success());
    let second = relay.serve_with(&follow);
    is_equal("what was told while nobody passed it on");
    first.kill();
    last.world.wait_for("the line to notice", || {
        let output = set(&relay, &["d", "--to", "1"]);
        String::from_utf8_lossy(&output.stderr).contains("the publisher of suite is not heard")
    });
    let _first = publisher.serve_with(&[]);
    assert!(set(&publisher, &["c", "--to", "1"]).status.success());
    is_equal("another start, with nothing of what was there");
    let get = ["model", "get", "--at", &last.requests, "--model", "suite"];
    assert_eq!(last.world.json(&get), serde_json::json!({ "c": 1 }));
    second.stop();
}

#[test]
fn a_relay_that_cannot_be_says_why() {
    let model = Model::new();
    let _serve = model.serve_with(&[]);
    let other = ["model", "serve", "other", "--requests", "tcp://127.0.0.1:0"];
    let other = [&other[..], &["--events", "tcp://127.0.0.1:0", "--follow", &model.requests]];
    let output = model.world.run(&other.concat());
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("no model \"other\"") && stderr.contains("suite"), "{stderr}");
    let taken = ["model", "serve", "suite", "--requests", &model.requests];
    let output = model.world.run(&taken);
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("in use") && stderr.contains("--requests"), "{stderr}");
    let both = ["--follow", "tcp://127.0.0.1:1", "--junction", "[\"a\"]"];
    let output = model.world.run(&[&taken[..], &both].concat());
    assert_eq!(output.status.code(), Some(2));
}
