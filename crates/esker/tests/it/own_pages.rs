//! A project's own pages: served as they lie there, nothing beside them, and kept with the project.

use crate::page::ask;
use crate::world::World;

const DEFINITION: &str = "[project]\nname = \"p\"\n[web]\napp = \"pages\"\n";

#[test]
fn they_are_served_as_they_are_and_nothing_beside_them() {
    let world = World::new(DEFINITION);
    std::fs::create_dir_all(world.path("pages/sub")).expect("made");
    world.write("secret.txt", "nobody's");
    for (path, content) in [
        ("pages/index.html", "<!doctype html><script src=\"plan.js\"></script>"),
        ("pages/plan.js", "import esker from '/esker.js';"),
        ("pages/.env", "KEY=1"),
        ("pages/sub/index.html", "below"),
    ] {
        world.write(path, content);
    }
    let _up = world.up();
    let port = world.port("/web");
    let get = |path: &str| ask(port, ("GET", path), "", "");
    assert!(get("/app/").body.contains("plan.js"));
    assert!(get("/app/plan.js").body.contains("/esker.js"));
    assert_eq!(get("/app/sub/").body, "below");
    assert_eq!(get("/app").status, 308);
    for path in [
        "/app/none.html",
        "/app/../secret.txt",
        "/app/%2e%2e/secret.txt",
        "/app/..%2fsecret.txt",
        "/app//secret.txt",
        "/app/.env",
        "/app/%2Eenv",
        "/app/sub%2F.env",
        "/app/sub/%2e%2e%2F.env",
        "/app/sub/..%5c..%5csecret.txt",
    ] {
        let answer = get(path);
        assert!(!answer.body.contains("nobody's") && !answer.body.contains("KEY"), "{path}");
        assert_eq!(answer.status, 404, "{path}: {}", answer.body);
    }
    assert_eq!(ask(port, ("POST", "/app/plan.js"), "", "").status, 405);
    world.write("pages/plan.js", "another");
    world.wait_for("the new one", || get("/app/plan.js").body == "another");
    world.wait_for("it to be kept", || {
        world.git(&["log", "-p", "refs/esker/project"]).contains("+another")
    });
}

#[test]
fn a_folder_elsewhere_is_refused() {
    for app in ["..", "/etc", ".", "a/../../b", ""] {
        let world = World::new(&DEFINITION.replace("pages", app));
        let stderr = world.fails(1, &["check"]);
        assert!(stderr.contains("is no folder within the project's"), "{app}: {stderr}");
    }
    let key = "tls = { cert = \"cert.pem\", key = \"pages/key.pem\" }\n";
    let world = World::new(&format!("{DEFINITION}{key}"));
    let stderr = world.fails(1, &["check"]);
    assert!(stderr.contains("the private key in [web] is in pages, which is served"), "{stderr}");
}
