//! What-ifs over HTTP and in the live model, as a page makes them.

use serde_json::{Value, json};

use crate::page;
use crate::world::World;

const DEFINITION: &str = "[project]\nname = \"p\"\n\
    [stage.sum]\ninput = \"raw/orders\"\nrun = [\"awk\", \"-F,\", \"NR > 1 { all += $2 } END { print all }\"]\n\
    output = \"results/sum\"\n";

struct Page<'a> {
    world: &'a World,
    port: u16,
}

impl Page<'_> {
    /// One request; the status and what came, as JSON if it is.
    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let (status, text) =
            self.send(method, path, "application/json", body.map(Value::to_string));
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    fn send(&self, method: &str, path: &str, kind: &str, body: Option<String>) -> (u16, String) {
        let kind = format!("Content-Type: {kind}\r\n");
        let answer = page::ask(self.port, (method, path), &kind, &body.unwrap_or_default());
        (answer.status, answer.body)
    }

    /// All of a what-if, as soon as it is computed.
    fn settled(&self, id: &str) -> Value {
        let path = format!("/api/whatif/{id}");
        let is_settled = || self.ask("GET", &path, None).1["state"] != "computing";
        self.world.wait_for(&format!("{id} to be computed"), is_settled);
        self.ask("GET", &path, None).1
    }

    /// What the live model tells of a what-if.
    fn told(&self, id: &str) -> Option<Value> {
        let output = self.world.run(&["model", "get", "whatifs", id]);
        output.status.success().then(|| serde_json::from_slice(&output.stdout).expect("JSON"))
    }
}

fn edits() -> Value {
    json!([{ "at": "raw/orders:[B].Amount", "set": "20" }])
}

#[test]
fn a_page_makes_amends_applies_and_discards_a_what_if() {
    let world = World::new(DEFINITION);
    let _up = world.up();
    world.ok_with(&["put", "raw/orders"], b"Id,Amount\nA,1\nB,2\n");
    world.wait_for_content("results/sum", |sum| sum == "3\n");
    let page = Page { world: &world, port: world.port("/web") };

    let (status, made) =
        page.ask("POST", "/api/whatif", Some(&json!({ "title": "More of B", "edits": edits() })));
    assert_eq!(
        (status, &made["id"], &made["changes"]),
        (201, &json!("more-of-b"), &json!(1)),
        "{made}"
    );
    let case = page.settled("more-of-b");
    assert_eq!(
        (&case["state"], &case["edits"][0]["found"]),
        (&json!("done"), &json!("2")),
        "{case}"
    );
    let get = "/api/get?resource=results/sum&whatif=more-of-b";
    assert_eq!(page.send("GET", get, "", None), (200, "21\n".to_owned()));
    assert_eq!(page.send("GET", "/api/get?resource=results/sum", "", None).1, "3\n");
    let (_, log) = page.ask("GET", "/api/log?resource=results/sum&whatif=more-of-b&limit=1", None);
    assert_eq!(log["entries"][0]["stage"], "sum");
    world.wait_for("the model to tell of it", || {
        page.told("more-of-b").is_some_and(|told| told["state"] == "done" && told["changes"] == 1)
    });

    let (status, second) =
        page.ask("POST", "/api/whatif", Some(&json!({ "title": "More of B", "edits": edits() })));
    assert_eq!((status, &second["id"]), (201, &json!("more-of-b-2")));
    let more = json!([{ "at": "raw/orders:[B].Amount", "set": "30" }]);
    let amend = json!({ "about": case["about"], "edits": more, "pinned": true });
    let (status, amended) = page.ask("PUT", "/api/whatif/more-of-b", Some(&amend));
    assert_eq!((status, &amended["expires"]), (200, &Value::Null), "{amended}");
    let (status, late) = page.ask("PUT", "/api/whatif/more-of-b", Some(&amend));
    assert_eq!((status, &late["error"]["code"]), (409, &json!("conflict")), "amended meanwhile");
    let case = page.settled("more-of-b");
    assert_eq!(page.send("GET", get, "", None).1, "31\n");

    let ask = json!({ "what": "apply", "by": "Ann <ann@example.org>", "why": "it will be so" });
    let (status, _) = page.ask(
        "PUT",
        "/api/whatif/more-of-b",
        Some(&json!({ "about": case["about"], "ask": ask })),
    );
    assert_eq!(status, 200);
    let case = page.settled("more-of-b");
    assert!(case["answer"]["revision"].is_string(), "{case}");
    assert_eq!(case["state"], "applied");
    world.wait_for_content("results/sum", |sum| sum == "31\n");
    let log = world.ok(&["log", "raw/orders", "-n", "1"]);
    assert!(log.contains("apply what-if more-of-b: More of B"), "{log}");

    for id in ["more-of-b", "more-of-b-2", "more-of-b"] {
        assert_eq!(page.ask("DELETE", &format!("/api/whatif/{id}"), None).0, 204);
    }
    assert_eq!(page.ask("GET", "/api/whatif", None), (200, json!([])));
    world.wait_for("the model to forget them", || page.told("more-of-b").is_none());

    // Another of the same id and base: what the first did is not what this one does.
    let edit = json!([{ "at": "raw/orders:[A].Amount", "set": "7" }]);
    let again = json!({ "id": "more-of-b", "base": made["base"], "edits": edit });
    assert_eq!(page.ask("POST", "/api/whatif", Some(&again)).0, 201);
    let case = page.settled("more-of-b");
    let ask = json!({ "about": case["about"], "ask": { "what": "apply" } });
    assert_eq!(page.ask("PUT", "/api/whatif/more-of-b", Some(&ask)).0, 200);
    assert_eq!(page.settled("more-of-b")["state"], "applied");
    world.wait_for_content("results/sum", |sum| sum == "37\n");
}

#[test]
fn what_a_page_may_not_ask_is_refused_with_the_reason() {
    let world = World::new(DEFINITION);
    let _up = world.up();
    world.ok_with(&["put", "raw/orders"], b"Id,Amount\nA,1\n");
    let page = Page { world: &world, port: world.port("/web") };
    let whole = |edits: Value| json!({ "edits": edits });
    for (body, status, expected) in [
        (json!({}), 400, "edits"),
        (whole(json!([])), 400, "nothing is to be otherwise"),
        (whole(json!([{ "at": "raw/orders", "set": "x" }])), 400, "edit 1"),
        (json!({ "edits": edits(), "other": 1 }), 400, "unknown field"),
        (json!({ "edits": edits(), "id": "A b" }), 400, "no id of a what-if"),
        (json!({ "edits": edits(), "base": "nonsense" }), 404, "nonsense"),
        (json!({ "edits": edits(), "days": 0 }), 400, "days are from 1"),
        (json!({ "edits": edits(), "title": " " }), 400, "a title has"),
    ] {
        let (found, told) = page.ask("POST", "/api/whatif", Some(&body));
        assert_eq!(found, status, "{body}: {told}");
        assert!(told["error"]["message"].to_string().contains(expected), "{body}: {told}");
    }
    let plain = page.send("POST", "/api/whatif", "text/plain", Some(whole(edits()).to_string()));
    assert_eq!(plain.0, 400, "a form of another site could send it: {}", plain.1);
    let large = "x".repeat(2 * 1024 * 1024);
    assert!(page.send("POST", "/api/whatif", "application/json", Some(large)).0 >= 400);
    for path in ["/api/whatif/none", "/api/get?resource=raw/orders&whatif=none"] {
        assert_eq!(page.ask("GET", path, None).0, 404, "{path}");
    }
    assert_eq!(page.ask("GET", "/api/get?resource=raw/orders&whatif=../x", None).0, 400);
    assert_eq!(page.ask("GET", "/api/whatif", None), (200, json!([])));
    // One whose edits cannot be made is made, and says so.
    let wrong = whole(json!([{ "at": "raw/orders:[Z].Amount", "set": "1" }]));
    let (_, made) = page.ask("POST", "/api/whatif", Some(&wrong));
    let case = page.settled(made["id"].as_str().expect("an id"));
    assert_eq!(case["state"], "invalid", "{case}");
    assert!(case["summary"].to_string().contains("[Z]"), "{case}");
}
