//! The runs that are over, over HTTP: newest first, page by page, those that failed, and one with its program's words.

use serde_json::{Value, json};

use crate::page;
use crate::world::World;

fn get(world: &World, path: &str) -> (u16, Value) {
    page::ask(world.port("/web"), ("GET", path), "", "").json()
}

fn runs(world: &World, query: &str) -> (Vec<Value>, Value) {
    let (status, told) = get(world, &format!("/api/runs{query}"));
    assert_eq!(status, 200, "{told}");
    (told["runs"].as_array().expect("a list").clone(), told["next"].clone())
}

fn ended(runs: &[Value]) -> Vec<String> {
    let each = runs.iter().map(|run| format!("{} {}", run["stage"], run["ended"]));
    each.map(|text| text.replace('"', "")).collect()
}

#[test]
fn runs_are_told_newest_first_and_page_by_page() {
    let world = World::new(
        "[project]\nname = \"p\"\n\
         [stage.a]\ninput = \"raw/a\"\nrun = [\"sh\", \"a.sh\"]\noutput = \"out/a\"\n\
         [stage.b]\ninput = \"out/a\"\nrun = [\"cat\"]\noutput = \"out/b\"\n",
    );
    world.write(
        "a.sh",
        "read word\ncase $word in bad*) echo \"$word is bad\" >&2; exit 4;; esac\necho $word\n",
    );
    let _up = world.up();
    assert_eq!(runs(&world, "").0, Vec::<Value>::new(), "nothing has run");
    world.ok_with(&["put", "raw/a"], b"one\n");
    world.wait_for("b to have run", || ended(&runs(&world, "").0) == ["b stored", "a stored"]);
    world.ok_with(&["put", "raw/a"], b"bad\n");
    let all = ["a problem", "b stored", "a stored"];
    world.wait_for("a to have failed", || ended(&runs(&world, "").0) == all);

    let (first, next) = runs(&world, "?limit=2");
    assert_eq!(ended(&first), all[..2]);
    let after = next.as_str().expect("a place to go on").replace(' ', "%20").replace('/', "%2F");
    let (rest, next) = runs(&world, &format!("?limit=2&after={after}"));
    assert_eq!((ended(&rest), next), (vec![all[2].to_owned()], Value::Null));
    assert_eq!(ended(&runs(&world, "?stage=b").0), ["b stored"]);
    assert_eq!(ended(&runs(&world, "?stage=none").0), Vec::<String>::new());
    assert_eq!(ended(&runs(&world, "?stage=b&failed=true").0), Vec::<String>::new());

    let (failed, next) = runs(&world, "?failed=true&limit=5");
    assert_eq!((ended(&failed), next), (vec!["a problem".to_owned()], Value::Null));
    let failed = &failed[0];
    assert_eq!(
        (&failed["inputs"][0]["resource"], &failed["host"]),
        (&json!("raw/a"), &Value::Null)
    );
    assert_eq!(failed.get("detail"), None, "only one alone has its program's words");
    let id = failed["id"].as_str().expect("an id");
    let (status, one) = get(&world, &format!("/api/runs/{id}"));
    assert_eq!((status, &one["detail"]), (200, &json!("bad is bad\n")), "{one}");

    let stored = &rest[0];
    let made = world.json(&["get", "out/a", "--json"])["revision"].clone();
    assert_eq!(stored["outputs"], json!([{ "resource": "out/a", "revision": made }]));
    assert!(stored["host"].as_str().is_some_and(|host| !host.is_empty()), "{stored}");
    for (path, status) in [
        ("/api/runs/0000000000000000000000000000000000000000", 404),
        ("/api/runs/HEAD", 400),
        ("/api/runs?failed=perhaps", 400),
        ("/api/runs?after=there", 400),
        ("/api/runs?stage=a%3Ab", 400),
        ("/api/runs?after=0000000000000000000000000000000000000000", 404),
    ] {
        assert_eq!(get(&world, path).0, status, "{path}");
    }
}
