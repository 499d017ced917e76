//! One `esker web` that shows the projects of several hubs: each below its name, and one that dies hurts none of the others.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::page::{self, Answer};
use crate::world::{Running, World};

const TOKEN: &str = "Authorization: Bearer looks-0123456789abcdef\r\n";
const OPERATOR: &str = "Authorization: Bearer robot-0123456789abcdef\r\n";
const TOKENS: [(&str, &str); 2] =
    [("LOOKS", "looks-0123456789abcdef"), ("ROBOT", "robot-0123456789abcdef")];

/// A project whose hub is always at the same place, and where that is, as another definition says it.
struct Project {
    world: World,
    at: String,
}

impl Project {
    fn new(name: &str, more: &str) -> Self {
        let definition = format!("[project]\nname = \"{name}\"\n{more}");
        let world = World::new(&definition);
        let hub = world.hub();
        world.wait_for("the model", || world.endpoints()["model"].is_object());
        let at = |pointer: &str| format!("tcp://127.0.0.1:{}", world.port(pointer));
        let [hub_at, events, model, model_events] =
            ["/hub/requests", "/hub/events", "/model/requests", "/model/events"].map(at);
        hub.stop();
        let fixed = format!(
            "[hub]\nrequests = \"{hub_at}\"\nevents = \"{events}\"\n\
             [model]\nrequests = \"{model}\"\nevents = \"{model_events}\"\n"
        );
        world.write("esker.toml", format!("{definition}{fixed}"));
        let at = format!(
            "address = \"{hub_at}\"\nevents = \"{events}\"\n\
             model = \"{model}\"\nmodel_events = \"{model_events}\"\n"
        );
        Self { world, at }
    }

    fn start(&self) -> Running {
        drop(std::fs::remove_file(self.world.path(".esker/endpoints.json")));
        let hub = self.world.start(&["hub"]);
        self.world.wait_for("the model", || self.world.endpoints()["model"].is_object());
        hub
    }
}

/// The server of their pages.
struct Site {
    world: World,
    _web: Running,
    port: u16,
}

impl Site {
    fn new(projects: &[(&str, &Project, &str)]) -> Self {
        let hub = |(name, project, more): &(&str, &Project, &str)| {
            format!("[web.hub.{name}]\n{}{more}", project.at)
        };
        let hubs: String = projects.iter().map(hub).collect();
        let world = World::new(&format!(
            "[project]\nname = \"site\"\n\
             [web.token.looks]\ntoken = {{ env = \"LOOKS\" }}\nrole = \"view\"\n\
             [web.token.robot]\ntoken = {{ env = \"ROBOT\" }}\nrole = \"operate\"\n{hubs}"
        ));
        let web = world.start_with(&["web", "--port-base", "0"], &TOKENS);
        world.wait_for("the pages", || world.endpoints()["web"].is_string());
        let port = world.port("/web");
        Self { world, _web: web, port }
    }

    fn ask(&self, method: &str, path: &str, headers: &str) -> Answer {
        page::ask(self.port, (method, path), headers, "")
    }

    fn get(&self, path: &str) -> (u16, Value) {
        self.ask("GET", path, TOKEN).json()
    }

    /// How one of them stands.
    fn standing(&self, name: &str) -> Value {
        let (status, told) = self.get("/api/hubs");
        assert_eq!(status, 200, "{told}");
        let hubs = told["hubs"].as_array().expect("a list");
        hubs.iter().find(|hub| hub["name"] == name).expect(name).clone()
    }

    fn wait_until_reached(&self, name: &str, is_reached: bool) -> Value {
        let instead = || self.standing(name).to_string();
        let what = format!("{name} to be reached: {is_reached}");
        self.world.wait_for_or(&what, instead, || self.standing(name)["reached"] == is_reached);
        self.standing(name)
    }
}

/// Runs of nobody: what a stage waits for, it waits for.
const STAGE: &str = "[stage.a]\ninput = \"raw/a\"\nrun = [\"cat\"]\noutput = \"out/a\"\n";

#[test]
fn a_hub_that_dies_hurts_no_other_and_comes_back() {
    let (plan, pay) = (Project::new("plan", STAGE), Project::new("pay", ""));
    let _plan_hub = plan.start();
    // One is not there at the start.
    let site = Site::new(&[("plan", &plan, ""), ("pay", &pay, "")]);
    site.wait_until_reached("plan", true);
    let never = site.standing("pay");
    assert_eq!((&never["reached"], &never["project"]), (&json!(false), &Value::Null), "{never}");
    assert_eq!(site.get("/readyz"), (200, json!({ "hubs": 2, "missing": ["pay"] })));
    assert_eq!(site.get("/pay/healthz").0, 503);

    let pay_hub = pay.start();
    let known = site.wait_until_reached("pay", true);
    assert_eq!(known["project"], "pay", "{known}");
    plan.world.ok_with(&["put", "raw/b"], b"1\n");
    pay.world.ok_with(&["put", "raw/pay"], b"2\n");
    assert_eq!(site.ask("GET", "/plan/api/get?resource=raw/b", TOKEN).body, "1\n");
    assert_eq!(site.ask("GET", "/pay/api/get?resource=raw/pay", TOKEN).body, "2\n");
    assert_eq!(site.get("/pay/api/get?resource=raw/b").0, 404, "that is another's");
    site.world.wait_for("the change", || site.standing("plan")["changed"].is_string());
    let standing = site.standing("plan");
    assert_eq!((&standing["stages"], &standing["waiting"]), (&json!(1), &json!(1)), "{standing}");

    pay_hub.kill();
    let lost = site.wait_until_reached("pay", false);
    assert_eq!(lost["project"], "pay", "what was known of it stays: {lost}");
    let begun = Instant::now();
    assert_eq!(site.ask("GET", "/plan/api/get?resource=raw/b", TOKEN).body, "1\n");
    assert!(begun.elapsed() < Duration::from_secs(4), "nobody waits for a hub that is another's");
    assert_eq!(site.get("/plan/readyz").0, 200);
    assert_eq!(site.get("/healthz").0, 200);
    assert_eq!(site.get("/readyz"), (200, json!({ "hubs": 2, "missing": ["pay"] })));
    let counted = site.ask("GET", "/metrics", TOKEN).body;
    for line in ["esker_hub_up{hub=\"pay\"} 0", "esker_hub_up{hub=\"plan\"} 1"] {
        assert!(counted.contains(line), "{counted}");
    }
    assert!(counted.contains("{hub=\"plan\",operation=\"getContent\",status=\"200\"} 2"));

    let _again = pay.start();
    let back = site.wait_until_reached("pay", true);
    assert_ne!(back["since"], lost["since"]);
    assert_eq!(site.ask("GET", "/pay/api/get?resource=raw/pay", TOKEN).body, "2\n");
    assert_eq!(site.get("/readyz"), (200, json!({ "hubs": 2, "missing": [] })));
}

#[test]
fn who_may_do_what_is_the_same_below_every_name() {
    let (plan, pay) = (Project::new("plan", ""), Project::new("pay", ""));
    plan.world.write("note.txt", "beside them");
    std::fs::create_dir(plan.world.path("pages")).expect("made");
    plan.world.write("pages/index.html", "<script src=\"../esker.js\"></script>");
    let _hubs = (plan.start(), pay.start());
    let app = format!("app = \"{}\"\n", plan.world.path("pages").display());
    let site = Site::new(&[("plan", &plan, &app), ("pay", &pay, "")]);
    site.wait_until_reached("plan", true);
    for (method, path) in [
        ("GET", "/plan/api/list"),
        ("GET", "/plan/sync/1"),
        ("GET", "/api/hubs"),
        ("GET", "/sync/1"),
    ] {
        assert_eq!(site.ask(method, path, "").status, 401, "{path}");
    }
    let (status, told) = site.ask("POST", "/plan/api/problems/none/retry", TOKEN).json();
    assert_eq!((status, &told["error"]["code"]), (403, &json!("forbidden")), "{told}");
    assert_eq!(site.ask("POST", "/plan/api/problems/none/retry", OPERATOR).status, 404);
    assert_eq!(site.get("/plan/api/me").1["user"], "looks");
    // What there is once is not there twice, and what is a project's is nobody's else.
    assert_eq!(site.get("/api/list").0, 404);
    assert_eq!(site.get("/plan/api/hubs").0, 404);
    assert_eq!(site.get("/none/api/list").0, 404);
    assert_eq!(site.ask("GET", "/plan", TOKEN).status, 308);
    let html = "Accept: text/html\r\n";
    let page = site.ask("GET", "/plan/", &format!("{TOKEN}{html}"));
    assert!(page.body.starts_with("<!doctype html>"), "{}", page.body);
    assert_eq!(site.ask("GET", "/none/", &format!("{TOKEN}{html}")).status, 404);
    assert_eq!(site.ask("GET", "/plan/r/raw/a", html).status, 303, "they log in first");
    assert!(site.ask("GET", "/plan/app/", TOKEN).body.contains("../esker.js"));
    for path in [
        "/plan/app/../note.txt",
        "/plan/app/%2e%2e/note.txt",
        "/pay/app/",
        "/plan/app/..%2fnote.txt",
    ] {
        assert_eq!(site.get(path).0, 404, "{path}");
    }

    let socket = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for origin in ["http://evil.example", "null"] {
        let headers = format!("{TOKEN}{socket}Origin: {origin}\r\n");
        for path in ["/plan/sync/1", "/sync/1"] {
            assert_eq!(site.ask("GET", path, &headers).status, 403, "{origin} {path}");
        }
    }
    let (status, document) = site.get("/plan/api");
    assert_eq!((status, &document["servers"]), (200, &json!([{ "url": "/plan" }])));
    let (_, document) = site.get("/api");
    assert_eq!(document["servers"][0]["variables"]["hub"]["enum"], json!(["plan", "pay"]));
    let log = std::fs::read_to_string(site.world.path("web.log")).expect("a log");
    let line = log.lines().find(|line| line.contains("retryProblem") && line.contains("refused"));
    assert!(line.is_some_and(|line| line.contains("/plan/api/problems/none/retry")), "{log}");
}

#[test]
fn one_hub_is_shown_as_if_there_were_no_others() {
    let plan = Project::new("plan", "");
    let _hub = plan.start();
    plan.world.ok_with(&["put", "raw/a"], b"1\n");
    let site = Site::new(&[("plan", &plan, "")]);
    assert_eq!(site.ask("GET", "/api/get?resource=raw/a", TOKEN).body, "1\n");
    assert_eq!(site.get("/api/hubs"), (200, json!({ "hubs": [] })));
    assert_eq!(site.get("/api").1["servers"], json!([{ "url": "/" }]));
    site.world.wait_for("the model", || {
        site.get("/readyz") == (200, json!({ "hub": true, "model": true }))
    });
}

#[test]
fn what_cannot_be_shown_is_told() {
    let world = World::new("[project]\nname = \"site\"\n");
    let web = |more: &[&str]| world.fails(1, &[&["web", "--port-base", "0"], more].concat());
    for (hubs, why) in [
        (&["--hub", "api=tcp://127.0.0.1:5000"][..], "/api is the server's own"),
        (&["--hub", "a b=tcp://127.0.0.1:5000"], "a name is letters"),
        (&["--hub", "a=http://127.0.0.1:5000"], "tcp://HOST:PORT"),
        (&["--hub", "a=tcp://127.0.0.1:5000", "--hub", "tcp://127.0.0.1:1"], "--hub NAME="),
        (
            &["--hub", "a=tcp://127.0.0.1:1", "--hub", "a=tcp://127.0.0.1:2"],
            "two hubs are called a",
        ),
    ] {
        let told = web(hubs);
        assert!(told.starts_with("error: ") || told.contains("\nerror: "), "{told}");
        assert!(told.contains(why), "{hubs:?}: {told}");
    }
    let many: Vec<String> = (0..33).map(|n| format!("--hub=h{n}=tcp://127.0.0.1:5000")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert!(web(&many).contains("at most 32"));
    let told = world.fails(1, &["ls", "--hub", "a=tcp://127.0.0.1:5000"]);
    assert!(told.contains("only `esker web` takes several"), "{told}");
}
