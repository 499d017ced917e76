//! A project asked and followed in GraphQL by a client that others have written.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};

use crate::docs::blocks;
use crate::let_in::{TOKENS, project};
use crate::sync_clients::{python, test_program};
use crate::world::{PATIENCE, World, repository};

/// A program with the library `gql`.
struct Client {
    child: Child,
    say: ChildStdin,
    told: Receiver<String>,
    /// The newest value of each subscription.
    known: BTreeMap<String, Value>,
}

impl Client {
    fn new(world: &World, token: &str) -> Self {
        let mut python = python();
        python
            .arg(test_program("graphql_client.py"))
            .args([&world.port("/web").to_string(), token]);
        let python = python.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = python.spawn().expect("python3");
        let say = child.stdin.take().expect("piped");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let (tell, told) = channel();
        std::thread::spawn(move || {
            lines.map_while(Result::ok).all(|line| tell.send(line).is_ok());
        });
        Self { child, say, told, known: BTreeMap::new() }
    }

    fn say(&mut self, line: &Value) {
        writeln!(self.say, "{line}").expect("said");
    }

    fn hear(&mut self) -> Value {
        let line = self.told.recv_timeout(PATIENCE).expect("a line");
        serde_json::from_str(&line).expect("JSON")
    }

    fn ask(&mut self, query: &str) -> Value {
        self.say(&json!({ "query": query }));
        let told = self.hear();
        assert!(told["data"].is_object(), "{query}: {told}");
        told["data"].clone()
    }

    /// What is wrong with a query.
    fn refused(&mut self, query: &str) -> Value {
        self.say(&json!({ "query": query }));
        self.hear()["errors"][0].take()
    }

    /// Follows something; the first value.
    fn follow(&mut self, name: &str, query: &str) -> Value {
        self.say(&json!({ "follow": name, "query": query }));
        self.until(name, |_| true)
    }

    /// The first value of a subscription, from its newest on, for which something holds.
    fn until(&mut self, name: &str, holds: impl Fn(&Value) -> bool) -> Value {
        loop {
            if let Some(known) = self.known.get(name).filter(|value| holds(value)) {
                return known.clone();
            }
            let mut told = self.hear();
            let of = told["name"].as_str().expect("a name").to_owned();
            self.known.insert(of, told["value"].take());
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

const STAGES: &str = "[stage.fine]\ninput = \"raw/a\"\nrun = [\"cat\"]\noutput = \"out/a\"\n\
    [stage.bad]\ninput = \"raw/b\"\nrun = [\"sh\", \"-c\", \"echo no >&2; exit 4\"]\noutput = \"out/b\"\n";

#[test]
fn a_project_is_asked_in_graphql() {
    let world = project(STAGES);
    let _up = world.up_with(&TOKENS);
    world.ok_with(&["put", "raw/a", "--message", "first"], b"{\"n\": 1}\n");
    world.ok_with(&["put", "raw/a", "--message", "second"], b"{\"n\": 2}\n");
    world.ok_with(&["put", "raw/b"], b"b\n");
    world.wait_for_problem("bad");
    world.wait_for("the result", || world.content("out/a").is_some_and(|text| text.contains('2')));
    let mut client = Client::new(&world, TOKENS[0].1);
    let types = client.hear();
    assert!(types["types"].as_array().is_some_and(|all| all.contains(&json!("Provenance"))));

    let told = client.ask("{ project { name runner head asOf } stages { name kind state } }");
    assert_eq!((&told["project"]["name"], &told["project"]["runner"]), (&json!("p"), &json!(true)));
    assert!(told["project"]["head"].as_str().is_some_and(|head| head.len() == 40), "{told}");
    let bad = json!({ "name": "bad", "kind": "stage", "state": "problem" });
    assert!(told["stages"].as_array().expect("a list").contains(&bad), "{told}");

    let told = client.ask(
        "{ resources(prefix: \"out/\") { name text provenance { stage program inputs { resource revision } durationMs } } }",
    );
    let made = &told["resources"][0];
    let raw = world.json(&["get", "raw/a", "--json"])["revision"].clone();
    assert_eq!((&made["name"], &made["text"]), (&json!("out/a"), &json!("{\"n\": 2}\n")));
    assert_eq!(made["provenance"]["stage"], "fine");
    assert_eq!(made["provenance"]["inputs"], json!([{ "resource": "raw/a", "revision": raw }]));
    let told = client.ask("{ log(resource: \"raw/a\") { revision summary } }");
    let [now, then] = [0, 1].map(|index| told["log"][index].clone());
    assert_eq!((&now["revision"], &then["summary"]), (&raw, &json!("first")), "{told}");
    client.say(&json!({
        "query": "query Both($then: String) {
           now: resource(name: \"raw/a\") { json summary size previous provenance { stage } }
           then: resource(name: \"raw/a\", at: $then) { json revision }
           none: resource(name: \"raw/none\") { json } }",
        "variables": { "then": then["revision"] },
    }));
    let told = client.hear()["data"].take();
    let (first, second) = (json!({ "n": 1 }), json!({ "n": 2 }));
    assert_eq!((&told["now"]["json"], &told["now"]["summary"]), (&second, &json!("second")));
    assert_eq!((&told["now"]["size"], &told["now"]["provenance"]), (&json!(9), &Value::Null));
    assert_eq!(told["now"]["previous"], then["revision"]);
    assert_eq!((&told["then"]["json"], &told["none"]), (&first, &Value::Null));

    let told = client.ask(
        "{ problems { stage summary detail muted { by } inputs { resource } }
           runs(failed: true) { stage ended } whatIfs { id } model(path: [\"stages\", \"fine\", \"state\"]) }",
    );
    let problem = &told["problems"][0];
    assert_eq!((&problem["stage"], &problem["detail"]), (&json!("bad"), &json!("no\n")), "{told}");
    assert_eq!(told["runs"], json!([{ "stage": "bad", "ended": "problem" }]));
    assert_eq!((&told["whatIfs"], &told["model"]), (&json!([]), &json!("fresh")));

    let fault =
        client.refused("{ resource(name: \"raw/a\", at: \"tomorrow or so\") { revision } }");
    assert_eq!(fault["extensions"]["code"], "not-found", "{fault}");
    assert!(fault["extensions"]["hint"].is_string(), "{fault}");
    let fault = client.refused("{ a: resources(limit: 10000) { text } }");
    assert_eq!(fault["extensions"]["code"], "bad-request", "{fault}");
    assert!(fault["message"].as_str().is_some_and(|text| text.contains("complex")), "{fault}");
    let mut nobody = Client::new(&world, "made-up-and-long-enough");
    let told = nobody.hear();
    assert!(told["refused"].as_str().is_some_and(|why| why.contains("401")), "{told}");
}

#[test]
fn a_project_is_followed_in_graphql() {
    let world = project(STAGES);
    let _up = world.up_with(&TOKENS);
    let mut client = Client::new(&world, TOKENS[0].1);
    client.hear();
    let told =
        client.follow("a", "subscription { resource(name: \"raw/a\") { revision summary json } }");
    assert_eq!(told, json!({ "resource": null }));
    let told = client.follow("problems", "subscription { problems { stage } }");
    assert_eq!(told, json!({ "problems": [] }));
    let told = client.follow("stages", "subscription { stages { name state } }");
    assert_eq!(told["stages"].as_array().map(Vec::len), Some(2), "{told}");

    world.ok_with(&["put", "raw/a", "--message", "first"], b"{\"n\": 1}\n");
    let told = client.until("a", |told| !told["resource"].is_null());
    let raw = world.json(&["get", "raw/a", "--json"])["revision"].clone();
    assert_eq!(
        told["resource"],
        json!({ "revision": raw, "summary": "first", "json": { "n": 1 } })
    );
    let fresh = json!({ "name": "fine", "state": "fresh" });
    client
        .until("stages", |told| told["stages"].as_array().is_some_and(|all| all.contains(&fresh)));
    let told =
        client.follow("cell", "subscription { model(path: [\"content\", \"raw/a\", \"value\"]) }");
    assert_eq!(told["model"], json!({ "n": 1 }));
    world.ok_with(&["put", "raw/a"], b"{\"n\": 2}\n");
    client.until("cell", |told| told["model"] == json!({ "n": 2 }));
    world.ok_with(&["put", "raw/b"], b"b\n");
    client.until("problems", |told| told["problems"] == json!([{ "stage": "bad" }]));
}

#[test]
fn what_the_documentation_asks_is_answered() {
    let world = project(STAGES);
    let _up = world.up_with(&TOKENS);
    let mut client = Client::new(&world, TOKENS[0].1);
    client.hear();
    world.ok_with(&["put", "results/plan"], b"Id,Rank\nA,1\n");
    let mut seen = 0;
    for block in blocks(&repository().join("docs/graphql.md")) {
        let told = match block.kind.as_str() {
            "graphql" if block.text.starts_with("subscription") => {
                client.follow(&seen.to_string(), &block.text)
            }
            "graphql" => client.ask(&block.text),
            _ => continue,
        };
        assert!(told.is_object(), "{}: {told}", block.text);
        seen += 1;
    }
    assert!(seen >= 4, "{seen} queries");
}
