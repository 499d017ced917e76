//! Others are let in: with a password over TLS, with a token; what they change carries their name.

use std::io::Write as _;
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::page::{self, Answer};
use crate::world::{World, esker, signal};

const PASSWORD: &str = "correct horse battery";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A project that lets Ann in, who may operate, and a program that may look.
pub(crate) fn project(more: &str) -> World {
    let world = World::new("[project]\nname = \"p\"\n");
    let hash = world.ok_with(&["web", "password"], format!("{PASSWORD}\n").as_bytes());
    world.write("ann.hash", &hash);
    world.write(
        "esker.toml",
        format!(
            "[project]\nname = \"p\"\n\
             [web.user.ann]\npassword = {{ file = \"ann.hash\" }}\nrole = \"operate\"\n\
             [web.token.looks]\ntoken = {{ env = \"LOOKS\" }}\nrole = \"view\"\n\
             [web.token.robot]\ntoken = {{ env = \"ROBOT\" }}\nrole = \"operate\"\n{more}"
        ),
    );
    world
}

/// The tokens, as esker is given them.
pub(crate) const TOKENS: [(&str, &str); 2] =
    [("LOOKS", "looks-0123456789abcdef"), ("ROBOT", TOKEN)];

/// One who asks.
struct Client {
    port: u16,
    /// Whole lines of the head.
    known: String,
}

impl Client {
    fn new(world: &World, token: &str) -> Self {
        let known = format!("Authorization: Bearer {token}\r\n");
        Self { port: world.port("/web"), known }
    }

    fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let kind = body.map_or("", |_| "Content-Type: application/json\r\n");
        let text = body.map(Value::to_string).unwrap_or_default();
        page::ask(self.port, (method, path), &format!("{}{kind}", self.known), &text)
    }

    fn get(&self, path: &str) -> Value {
        let (status, told) = self.send("GET", path, None).json();
        assert_eq!(status, 200, "{path}: {told}");
        told
    }

    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.send("POST", path, Some(body)).json()
    }
}

/// The lines of the log that say who did what.
fn audit(world: &World) -> Vec<Value> {
    let log = world.logs();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["message"] == "audit").collect()
}

#[test]
fn a_password_is_hashed_and_never_shown() {
    let world = World::new("[project]\nname = \"p\"\n");
    let hash = world.ok_with(&["web", "password"], b"correct horse\n");
    assert!(hash.starts_with("$argon2id$v=19$") && hash.ends_with('\n'), "{hash}");
    assert_ne!(hash, world.ok_with(&["web", "password"], b"correct horse\n"), "each has its salt");
    for wrong in ["", "short\n", &"long".repeat(1000)] {
        let output = world.run_with(&["web", "password"], wrong.as_bytes());
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains("cannot take this password") && output.stdout.is_empty(), "{told}");
    }
    let refused = esker().args(["web", "password", "hunter2"]).output().expect("esker runs");
    assert_eq!(refused.status.code(), Some(2), "it is no argument");
}

#[test]
fn who_cannot_be_let_in_is_told_at_the_start() {
    let world = project("");
    let up = ["up", "--port-base", "0"];
    let stderr = world.fails(1, &up);
    assert!(stderr.contains("cannot let looks in") && stderr.contains("$LOOKS"), "{stderr}");
    world.write("ann.hash", PASSWORD);
    let start = |more: &[&str]| {
        let mut esker = esker();
        esker.args(up).args(more).envs(TOKENS).current_dir(world.dir());
        let output = esker.output().expect("esker runs");
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let stderr = start(&[]);
    assert!(stderr.contains("esker web password") && !stderr.contains(PASSWORD), "{stderr}");
    let stderr = start(&["--bind", "0.0.0.0:0"]);
    assert!(stderr.contains("0.0.0.0") && stderr.contains("tls = {"), "{stderr}");
}

#[test]
fn people_come_in_by_tls() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("made");
    let tls =
        "[web]\npublic = \"https://localhost\"\ntls = { cert = \"cert.pem\", key = \"key.pem\" }\n";
    let world = project(tls);
    world.write("cert.pem", made.cert.pem());
    world.write("key.pem", made.signing_key.serialize_pem());
    let _up = world.up_with(&TOKENS);
    let web = world.endpoints()["web"].as_str().expect("an address").to_owned();
    assert!(web.starts_with("https://127.0.0.1:"), "{web}");
    let port = world.port("/web").to_string();
    let cert = world.path("cert.pem");
    let told = world.python("log_in.py", &[&port, cert.to_str().expect("a path"), "ann", PASSWORD]);
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(told, json!({ "user": "ann", "role": "operate", "by": "session" }));
    let audit = audit(&world);
    let entered = audit.iter().find(|line| line["route"] == "logIn").expect("a line");
    assert_eq!((&entered["user"], &entered["outcome"]), (&json!("ann"), &json!("done")));
    assert_eq!(entered["address"], "127.0.0.1");
    assert!(!world.logs().contains(PASSWORD) && !world.logs().contains(TOKEN));
}

#[test]
fn who_is_let_in_changes_while_the_page_is_served() {
    let world = project("");
    let _up = world.up_with(&TOKENS);
    let (looks, robot) = (Client::new(&world, TOKENS[0].1), Client::new(&world, TOKEN));
    assert_eq!(looks.send("GET", "/api/me", None).json().0, 200);
    let before = std::fs::read_to_string(world.path("esker.toml")).expect("a definition");
    let without =
        before.replace("[web.token.looks]\ntoken = { env = \"LOOKS\" }\nrole = \"view\"\n", "");
    let oidc = |secret: &str| {
        format!(
            "{without}[web.oidc]\nissuer = \"http://127.0.0.1:1\"\nclient = \"esker\"\n\
             title = \"Example Ltd\"\nsecret = {{ file = \"{secret}\" }}\ndefault = \"view\"\n"
        )
    };
    // What cannot be done leaves all as it was.
    world.write("esker.toml", oidc("not-there"));
    let kept = "those who were let in before still are";
    world.wait_for(kept, || world.logs().contains(kept));
    assert_eq!(looks.send("GET", "/api/me", None).json().0, 200);
    world.write("oidc.secret", "a-secret-of-oidc\n");
    world.write("esker.toml", oidc("oidc.secret"));
    world.wait_for("looks to be out", || looks.send("GET", "/api/me", None).json().0 == 401);
    assert_eq!(robot.get("/api/me")["role"], "operate");
    let page = |path: &str| page::ask(world.port("/web"), ("GET", path), "", "");
    assert!(page("/login").body.contains("Log in with Example Ltd"));
    assert!(page("/login/oidc").body.contains("Example Ltd cannot be reached just now."));
    world.wait_for("a line", || audit(&world).iter().any(|line| line["how"] == "oidc"));
    let audit = audit(&world);
    let away = audit.iter().find(|line| line["how"] == "oidc").expect("a line");
    assert_eq!((&away["outcome"], &away["status"]), (&json!("away"), &json!(503)), "{away}");
    assert!(!world.logs().contains("a-secret-of-oidc"));
    assert!(!world.logs().contains("restart esker"), "that is heeded");
}

#[test]
fn problems_are_settled_over_http() {
    let world = project(
        "[stage.a]\ninput = \"raw/a\"\nrun = [\"sh\", \"-c\", \"test -e ok && cat\"]\noutput = \"out/a\"\n\
         [stage.b]\ninput = \"out/a\"\nrun = [\"cat\"]\noutput = \"out/b\"\n",
    );
    let _up = world.up_with(&TOKENS);
    let (robot, looks) = (Client::new(&world, TOKEN), Client::new(&world, TOKENS[0].1));
    world.ok_with(&["put", "raw/a"], b"a\n");
    world.wait_for_problem("a");
    let problem = looks.get("/api/problems/a");
    assert_eq!((&problem["behind"], &problem["muted"]), (&json!(["b"]), &Value::Null), "{problem}");
    let id = problem["id"].as_str().expect("an id").to_owned();
    let without_age = |mut value: Value| {
        value["age_s"].take();
        value
    };
    let listed = without_age(looks.get("/api/problems")[0].clone());
    assert_eq!(listed, without_age(world.json(&["problems", "--json"])[0].clone()));

    let (status, told) = looks.post("/api/problems/a/mute", &json!({}));
    assert_eq!((status, &told["error"]["code"]), (403, &json!("forbidden")), "{told}");
    let (status, told) =
        robot.post("/api/problems/a/acknowledge", &json!({ "note": "known", "by": "eve" }));
    assert_eq!(status, 200, "{told}");
    assert_eq!(
        told["acknowledged"]["by"], "robot <robot@esker>",
        "nobody can say they are another"
    );
    let until = "2020-01-01T00:00:00Z";
    for (path, body, status) in [
        ("a/mute", json!({ "until": "soon" }), 400),
        ("a/mute", json!({ "until": "2999-01-01T00:00:00Z" }), 400),
        ("a/acknowledge", json!({ "until": until }), 400),
        ("a/mute", json!({ "note": "x".repeat(2_000) }), 400),
        ("none/mute", json!({}), 404),
        ("none/retry", json!({}), 404),
    ] {
        assert_eq!(robot.post(&format!("/api/problems/{path}"), &body).0, status, "{path} {body}");
    }
    let (_, told) = robot.post(&format!("/api/problems/{id}/mute"), &json!({ "note": "later" }));
    assert_eq!((&told["muted"]["note"], &told["muted"]["until"]), (&json!("later"), &Value::Null));
    assert!(world.ok(&["problems", "--all"]).contains("muted until the next change by robot"));
    let (_, told) = robot.post("/api/problems/a/clear", &json!({}));
    assert_eq!((&told["muted"], &told["acknowledged"]), (&Value::Null, &Value::Null), "{told}");
    assert_eq!(robot.post("/api/problems/a/clear", &json!({})).0, 200, "there was nothing to say");

    world.write("ok", "");
    assert_eq!(robot.post("/api/problems/a/retry", &json!({})).0, 200);
    world.wait_for_content("out/b", |content| content == "a\n");
    for by in ["robot a: mute: later", "robot a: retry"] {
        world.wait_for(by, || world.git(&["log", "--all", "--format=%an %s"]).contains(by));
    }
    let told: Vec<String> = audit(&world)
        .iter()
        .map(|line| format!("{} {} {}", line["user"], line["route"], line["outcome"]))
        .collect();
    for line in [
        "\"looks\" \"muteProblem\" \"refused\"",
        "\"robot\" \"retryProblem\" \"done\"",
        "\"robot\" \"muteProblem\" \"faulty\"",
    ] {
        assert!(told.iter().any(|told| told == line), "{line}: {told:?}");
    }
}

/// Whoever asks for a change and goes away before it is done may have had it done: that is written down, too.
#[test]
fn who_leaves_before_it_is_done_is_in_the_audit() {
    let world = project("");
    let hub = world.hub();
    let _web = world.start_with(&["web", "--port-base", "0"], &TOKENS);
    world.wait_for("the page", || world.endpoints()["web"].is_string());
    let robot = Client::new(&world, TOKEN);
    world.wait_for("the project", || robot.send("GET", "/readyz", None).status == 200);
    signal(&hub.pid().to_string(), "STOP");
    world.wait_for("one who has left", || {
        let mut stream = TcpStream::connect(("127.0.0.1", robot.port)).expect("connected");
        let body = r#"{"name":"v1"}"#;
        let request = format!(
            "POST /api/tags HTTP/1.1\r\nHost: localhost\r\n{}Content-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            robot.known,
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("sent");
        drop(stream);
        let has_left = |line: &Value| line["outcome"] == "left" && line["route"] == "makeTag";
        audit(&world).iter().any(|line| has_left(line) && line["user"] == "robot")
    });
    signal(&hub.pid().to_string(), "CONT");
}

#[test]
fn overrides_and_tags_are_settled_over_http() {
    let world = project("[stage.a]\ninput = \"raw/a\"\nrun = [\"cat\"]\noutput = \"out/a\"\n");
    let _up = world.up_with(&TOKENS);
    let robot = Client::new(&world, TOKEN);
    world.ok_with(&["put", "raw/a"], b"id,n\nann,1\nbob,1\n");
    world.wait_for_content("out/a", |content| content.contains("ann,1"));
    for set in ["ann", "bob"] {
        let edits = json!([{ "at": format!("out/a:[{set}].n"), "set": "5" }]);
        let (status, made) =
            robot.post("/api/whatif", &json!({ "id": set, "edits": edits, "owner": "eve" }));
        assert_eq!((status, &made["owner"]), (201, &json!("robot <robot@esker>")), "{made}");
        world.ok(&["whatif", "apply", set]);
    }
    let books = robot.get("/api/overrides");
    assert_eq!(books, world.json(&["override", "list", "--json"]));
    assert_eq!(books[0]["overrides"].as_array().map(Vec::len), Some(2), "{books}");
    let settle = |path: &str, body: Value| robot.post(&format!("/api/overrides/{path}"), &body);
    let (status, kept) = settle("keep", json!({ "resource": "out/a", "numbers": [1] }));
    assert_eq!((status, &kept[0]["overrides"][0]["always"]), (200, &json!(true)), "{kept}");
    let old = json!({ "resource": "out/a", "numbers": [2], "revision": books[0]["revision"] });
    assert_eq!(settle("drop", old).0, 409, "it is another list now");
    assert_eq!(settle("drop", json!({ "resource": "out/a", "numbers": [9] })).0, 404);
    assert_eq!(settle("drop", json!({ "resource": "raw/none" })).0, 404);
    let (_, left) = settle("drop", json!({ "resource": "out/a", "numbers": [2] }));
    assert_eq!(left[0]["overrides"].as_array().map(Vec::len), Some(1), "{left}");
    world.wait_for_content("out/a", |content| content == "id,n\nann,5\nbob,1\n");
    assert_eq!(settle("drop", json!({ "resource": "out/a" })), (200, json!([])));
    let by = "robot overrides of out/a: drop 1";
    world.wait_for(by, || world.git(&["log", "--format=%an %s", "main"]).contains(by));

    let (status, made) = robot.post("/api/tags", &json!({ "name": "v1", "message": "first" }));
    assert_eq!(status, 201, "{made}");
    assert_eq!(robot.get("/api/tags"), json!([made]));
    assert_eq!(robot.get("/api/tags"), world.json(&["tag", "--json"]));
    assert_eq!(
        robot.post("/api/tags", &json!({ "name": "v1", "at": books[0]["revision"] })).0,
        409
    );
    assert_eq!(robot.post("/api/tags", &json!({ "name": "a b" })).0, 400);
}

/// What is done to `main` needs more than what is only computed.
#[test]
fn a_what_if_is_applied_by_those_who_may() {
    let role = "[web.token.plans]\ntoken = { env = \"PLANS\" }\nrole = \"what-if\"\n";
    let world = project(role);
    let plans = "plans-0123456789abcdef";
    let _up = world.up_with(&[&TOKENS[..], &[("PLANS", plans)]].concat());
    let (plans, robot) = (Client::new(&world, plans), Client::new(&world, TOKEN));
    world.ok_with(&["put", "raw/a"], b"id,n\nann,1\n");
    let edits = json!([{ "at": "raw/a:[ann].n", "set": "5" }]);
    let (_, made) = plans.post("/api/whatif", &json!({ "id": "one", "edits": edits }));
    world.wait_for("it to be computed", || plans.get("/api/whatif/one")["state"] == "done");
    let ask = json!({ "about": made["about"], "ask": { "what": "apply", "by": "eve" } });
    let put = |client: &Client| client.send("PUT", "/api/whatif/one", Some(&ask)).json();
    let (status, told) = put(&plans);
    assert_eq!((status, &told["error"]["code"]), (403, &json!("forbidden")), "{told}");
    assert_eq!(world.content("raw/a").as_deref(), Some("id,n\nann,1\n"));
    assert_eq!(put(&robot).0, 200);
    world.wait_for_content("raw/a", |content| content == "id,n\nann,5\n");
    let by = "robot apply what-if one";
    world.wait_for(by, || world.git(&["log", "--format=%an %s", "main"]).contains(by));
}
