//! `/graphql` as clients use and misuse it; a model of the test's own stands for what is followed.

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use esker_web::live::{Live, Part};
use esker_wire::role::Role;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

use crate::door::{Answer, Door, PASSWORD, everybody, token};

/// A model with one number, which is another one with every change.
struct Number {
    now: Arc<AtomicU64>,
    changes: watch::Sender<u64>,
}

impl Number {
    /// The number with so many bytes behind it, and who tells it.
    fn new(padding: usize) -> (Self, Live) {
        let (looks, mut asked) = mpsc::channel::<esker_web::live::Look>(16);
        let (told, changes) = watch::channel(0);
        let now = Arc::new(AtomicU64::new(1));
        let number = Arc::clone(&now);
        std::thread::spawn(move || {
            while let Some(look) = asked.blocking_recv() {
                let number = number.load(Ordering::Relaxed);
                let digest = u128::from(number);
                let value = json!({ "number": number, "rest": "x".repeat(padding) });
                let part = Part { digest, value: Ok(value) };
                drop(look.reply.send((look.known != Some(digest)).then_some(part)));
            }
        });
        (Self { now, changes: told }, Live { looks, changes })
    }

    fn change(&self) -> u64 {
        let number = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.changes.send_replace(number);
        number
    }
}

fn view() -> String {
    format!("Bearer {}", token(Role::View))
}

fn ask(door: &Door, headers: &[(&str, &str)], body: &str) -> Answer {
    let json = [("Content-Type", "application/json")];
    door.send(("POST", "/graphql"), &[&json, headers].concat(), body.as_bytes())
}

struct Client(WebSocket<TcpStream>);

fn upgrade(door: &Door, headers: &[(&'static str, &str)]) -> Result<Client, u16> {
    let mut request = format!("ws://{}/graphql", door.at).into_client_request().expect("there");
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().expect("a header"));
    }
    match tungstenite::client(request, door.connect()) {
        Ok((socket, _)) => Ok(Client(socket)),
        Err(tungstenite::HandshakeError::Failure(tungstenite::Error::Http(response))) => {
            Err(response.status().as_u16())
        }
        Err(error) => panic!("{error}"),
    }
}

const SPOKEN: (&str, &str) = ("sec-websocket-protocol", "graphql-transport-ws");

impl Client {
    /// One that may look, and has begun.
    fn new(door: &Door) -> Self {
        let mut client = upgrade(door, &[SPOKEN, ("authorization", &view())]).expect("open");
        client.say(&json!({ "type": "connection_init" }));
        assert_eq!(client.hear(), Ok(json!({ "type": "connection_ack" })));
        client
    }

    fn say(&mut self, message: &Value) {
        self.0.send(Message::text(message.to_string())).expect("sent");
    }

    fn subscribe(&mut self, id: &str, query: &str) {
        self.say(&json!({ "type": "subscribe", "id": id, "payload": { "query": query } }));
    }

    /// The next message, or the code the connection is closed with.
    fn hear(&mut self) -> Result<Value, u16> {
        loop {
            match self.0.read() {
                Ok(Message::Text(text)) => return Ok(serde_json::from_str(&text).expect("JSON")),
                Ok(Message::Close(frame)) => return Err(frame.map_or(0, |frame| frame.code.into())),
                Ok(_) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}

const NUMBER: &str = "subscription { model(path: []) }";

#[test]
fn queries_are_for_those_who_may_look() {
    let door = Door::new(everybody());
    let query = r#"{"query": "{ __typename }"}"#;
    assert_eq!(ask(&door, &[], query).status, 401);
    let view = view();
    let known = ("Authorization", view.as_str());
    let told = ask(&door, &[known], query);
    assert_eq!((told.status, told.body.as_str()), (200, r#"{"data":{"__typename":"Query"}}"#));
    let evil = [known, ("Origin", "http://evil.example")];
    assert_eq!(ask(&door, &evil, query).status, 403);
    assert_eq!(ask(&door, &[known, ("Sec-Fetch-Site", "cross-site")], query).status, 403);
    let form = [known, ("Content-Type", "text/plain")];
    assert_eq!(door.send(("POST", "/graphql"), &form, query.as_bytes()).status, 400);
    assert_eq!(door.ask("GET", "/graphql", &[known]).status, 426);
    for (body, status) in [
        ("{}".to_owned(), 400),
        (r#"{"query": 1}"#.to_owned(), 400),
        (json!({ "query": "#".repeat(40_000) }).to_string(), 413),
        (json!({ "query": "{ a }", "variables": { "a": "x".repeat(300_000) } }).to_string(), 413),
    ] {
        assert_eq!(ask(&door, &[known], &body).status, status);
    }
    let variables = r#"{"query": "query A($p: [String!]!) { model(path: $p) } query B { a }",
        "operationName": "A", "variables": {"p": ["about"]}}"#;
    let told: Value = serde_json::from_str(&ask(&door, &[known], variables).body).expect("JSON");
    let told = &told["errors"][0];
    assert!(told["message"].as_str().is_some_and(|text| text.contains("\"a\"")), "{told}");
}

#[test]
fn without_a_model_that_is_told() {
    let door = Door::new(everybody());
    let view = view();
    let told = ask(&door, &[("Authorization", &view)], r#"{"query": "{ project { name } }"}"#);
    let told: Value = serde_json::from_str(&told.body).expect("JSON");
    assert_eq!(told["errors"][0]["extensions"]["code"], "not-found", "{told}");
    assert_eq!(told["errors"][0]["path"], json!(["project"]));
}

#[test]
fn a_websocket_is_for_those_who_may_look_for_as_long_as_they_may() {
    let door = Door::new(everybody());
    let cookie = door.log_in("view", PASSWORD, &[]).cookie();
    let known = ("cookie", cookie.as_str());
    let refused = |headers: &[(&'static str, &str)]| upgrade(&door, headers).err();
    assert_eq!(refused(&[SPOKEN]), Some(401));
    assert_eq!(refused(&[SPOKEN, known, ("origin", "http://evil.example")]), Some(403));
    assert_eq!(refused(&[SPOKEN, known, ("sec-fetch-site", "same-site")]), Some(403));
    assert_eq!(refused(&[known]), Some(400), "it speaks nothing else");
    let mut open = upgrade(&door, &[SPOKEN, known]).expect("open");
    assert_eq!(door.ask("POST", "/logout", &[("Cookie", &cookie)]).status, 303);
    assert_eq!(open.hear(), Err(4401));
    assert_eq!(refused(&[SPOKEN, known]), Some(401));
}

#[test]
fn who_does_not_speak_as_agreed_is_let_go() {
    let door = Door::new(everybody());
    let view = view();
    let open = || upgrade(&door, &[SPOKEN, ("authorization", &view)]).expect("open");
    let mut silent = open();
    let mut early = open();
    early.subscribe("1", NUMBER);
    assert_eq!(early.hear(), Err(4401));
    let mut odd = open();
    odd.say(&json!({ "type": "x".repeat(500) }));
    assert_eq!(odd.hear(), Err(4400));
    let mut twice = Client::new(&door);
    twice.say(&json!({ "type": "connection_init" }));
    assert_eq!(twice.hear(), Err(4429));
    let mut pings = open();
    pings.say(&json!({ "type": "ping" }));
    assert_eq!(pings.hear(), Ok(json!({ "type": "pong" })));
    // A ping is no beginning.
    assert_eq!((silent.hear(), pings.hear()), (Err(4408), Err(4408)));
}

#[test]
fn what_is_followed_is_told_at_once_and_whenever_it_changes() {
    let (number, live) = Number::new(0);
    let door = Door::following(everybody(), live);
    let mut client = Client::new(&door);
    client.subscribe("a", NUMBER);
    let next = |number: u64| {
        let data = json!({ "model": { "number": number, "rest": "" } });
        Ok(json!({ "type": "next", "id": "a", "payload": { "data": data } }))
    };
    assert_eq!(client.hear(), next(1));
    let now = number.change();
    assert_eq!(client.hear(), next(now));
    // Of many changes some are told, and in the end the last.
    for _ in 0..1_000 {
        number.change();
    }
    let last = number.change();
    let told = std::iter::from_fn(|| Some(client.hear().expect("a value")));
    let until = told.take_while(|told| told["payload"]["data"]["model"]["number"] != last);
    assert!(until.count() < 500, "not every one is told");
    client.say(&json!({ "type": "complete", "id": "a" }));
    number.change();
    client.subscribe("b", "{ __typename }");
    let ids =
        [client.hear(), client.hear(), client.hear()].map(|told| told.expect("told")["id"].clone());
    assert!(ids[1..].iter().all(|id| id == "b"), "{ids:?}");
}

#[test]
fn a_connection_has_so_many_subscriptions() {
    let (_number, live) = Number::new(0);
    let door = Door::following(everybody(), live);
    let mut client = Client::new(&door);
    for id in 0..32 {
        client.subscribe(&id.to_string(), NUMBER);
        assert_eq!(client.hear().expect("told")["type"], "next");
    }
    client.subscribe("more", NUMBER);
    let told = client.hear().expect("told");
    assert_eq!(told["payload"]["errors"][0]["extensions"]["code"], "busy", "{told}");
    assert_eq!(client.hear(), Ok(json!({ "type": "complete", "id": "more" })));
    client.say(&json!({ "type": "complete", "id": "0" }));
    assert_eq!(client.hear(), Ok(json!({ "type": "complete", "id": "0" })));
    client.subscribe("more", NUMBER);
    assert_eq!(client.hear().expect("told")["payload"]["data"]["model"]["number"], 1);
}

#[test]
fn connections_have_an_end() {
    let door = Door::new(everybody());
    let view = view();
    let open = || upgrade(&door, &[SPOKEN, ("authorization", &view)]);
    let mut all: Vec<Client> = (0..64).map(|_| open().expect("open")).collect();
    assert_eq!(open().err(), Some(503));
    drop(all.pop());
    let begun = Instant::now();
    while open().is_err() {
        assert!(begun.elapsed() < Duration::from_secs(60), "a place is free again");
    }
}

#[test]
fn who_does_not_read_costs_no_memory_and_is_let_go() {
    let (number, live) = Number::new(1024 * 1024);
    let door = Door::following(everybody(), live);
    let mut client = Client::new(&door);
    client.subscribe("a", NUMBER);
    let view = view();
    let sockets = || {
        let told = door.ask("GET", "/metrics", &[("Authorization", &view)]).body;
        told.lines().any(|line| line == "esker_websockets 1")
    };
    let begun = Instant::now();
    let mut changes = 0;
    while sockets() {
        number.change();
        changes += 1;
        assert!(begun.elapsed() < Duration::from_secs(60), "it is kept");
    }
    let told = std::iter::from_fn(|| client.0.read().ok()).count();
    assert!(told < 64 && changes > 64, "{told} of {changes} were kept for it");
}
