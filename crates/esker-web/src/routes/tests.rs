//! The table and `openapi.json` say the same.

use std::collections::BTreeSet;

use esker_wire::hubs::TAKEN;
use serde_json::Value;

use super::*;

fn document() -> Value {
    serde_json::from_str(OPENAPI).expect("JSON")
}

/// Every operation: its method, its path and what is said of it.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().expect("paths").iter();
    let each = paths.flat_map(|(path, item)| {
        let methods = item.as_object().expect("operations").iter();
        methods.map(|(method, told)| (method.to_uppercase(), path.clone(), told.clone()))
    });
    each.collect()
}

#[test]
fn every_route_is_told_and_every_told_route_is_there() {
    let document = document();
    let operations = operations(&document);
    for route in ROUTES {
        let of = operations
            .iter()
            .find(|(method, path, _)| method == route.method && path == route.path);
        let (_, _, told) = of.unwrap_or_else(|| panic!("{} {}", route.method, route.path));
        let role = route.needs.map_or("anybody", Role::as_str);
        assert_eq!(told["operationId"], route.id);
        assert_eq!(told["x-esker-role"], role, "{}", route.id);
        let is_open = told["security"].as_array().is_some_and(Vec::is_empty);
        assert_eq!(is_open, route.needs.is_none(), "{}", route.id);
        let is_refused = told["responses"].get("401").is_some();
        assert_eq!(is_refused, route.needs.is_some() || route.id == "logIn", "{}", route.id);
        let servers = (route.about == About::Server).then_some("/");
        assert_eq!(told["servers"][0]["url"].as_str(), servers, "{}", route.id);
    }
    assert_eq!(operations.len(), ROUTES.len());
    let ids: BTreeSet<&str> = ROUTES.iter().map(|route| route.id).collect();
    assert_eq!(ids.len(), ROUTES.len());
}

/// Where a project is stands before where the server's own is: it is that which is replaced.
#[test]
fn where_a_project_is_can_be_told() {
    let (before, _) = OPENAPI.split_once(SERVERS).expect("servers");
    assert!(!before.contains("\"servers\""));
    let told: Value =
        serde_json::from_str(&OPENAPI.replacen(SERVERS, "\"servers\": [7]", 1)).expect("JSON");
    assert_eq!(told["servers"][0], 7);
}

/// No project can be called like what the server has there itself.
#[test]
fn what_the_server_has_is_taken() {
    let own = ROUTES.iter().map(|route| route.path).chain(["/assets/a.js", app::PATH]);
    for path in own {
        let first = path.split('/').nth(1).expect("a part");
        // A name has no dot.
        assert!(TAKEN.contains(&first) || first.contains('.'), "{path}");
    }
}

/// Every `$ref` in a value.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match (name.as_str(), value) {
                    ("$ref", Value::String(to)) => drop(found.insert(to.clone())),
                    _ => references(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn whatever_is_referred_to_is_there_and_is_referred_to() {
    let document = document();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for reference in &found {
        let pointer = reference.strip_prefix('#').expect("within the document");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    for kind in ["parameters", "responses", "schemas"] {
        for name in document["components"][kind].as_object().expect(kind).keys() {
            let reference = format!("#/components/{kind}/{name}");
            assert!(found.contains(&reference), "nobody refers to {reference}");
        }
    }
}

/// A parameter of the path is one of the route's, and the other way round.
#[test]
fn paths_have_their_parameters() {
    let document = document();
    for (method, path, told) in operations(&document) {
        let none = Vec::new();
        let parameters = told["parameters"].as_array().unwrap_or(&none).iter();
        let parameters = parameters.map(|one| match one["$ref"].as_str() {
            Some(to) => document.pointer(&to[1..]).expect("there"),
            None => one,
        });
        let told: BTreeSet<String> = parameters
            .filter(|one| one["in"] == "path")
            .map(|one| one["name"].as_str().expect("a name").to_owned())
            .collect();
        let parts = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        assert_eq!(told, parts.map(str::to_owned).collect(), "{method} {path}");
    }
}

#[test]
fn a_route_is_found_by_its_method() {
    assert_eq!(find(&Method::GET, "/api/whatif").map(|route| route.id), Some("listWhatIfs"));
    assert_eq!(find(&Method::HEAD, "/api/whatif").map(|route| route.id), Some("listWhatIfs"));
    assert!(find(&Method::DELETE, "/api/whatif").is_none());
    assert_eq!(least("/api/whatif"), Some(Role::View));
    assert_eq!(least("/login"), None);
}
