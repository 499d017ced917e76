//! How far nodes are from each other, as Consul tells it and as we compute it.

use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::consul::{Running, program};
use crate::world::{join, until};

fn place(consul: &Running, node: &str, vec: [f64; 8], rest: (f64, f64)) {
    let body = json!({ "Node": node, "Address": "192.0.2.1" });
    assert_eq!(consul.http(0, "PUT", "/v1/catalog/register", &body).0, 200);
    let coord = json!({ "Vec": vec, "Error": 1.5, "Height": rest.0, "Adjustment": rest.1 });
    let body = json!({ "Node": node, "Segment": "", "Coord": coord });
    assert_eq!(consul.http(0, "PUT", "/v1/coordinate/update", &body).0, 200);
}

/// What Consul's own program says, in milliseconds.
fn rtt(consul: &Running, a: &str, b: &str) -> f64 {
    let address = format!("-http-addr={}", consul.agent(0).url());
    let output = Command::new(program()).args(["rtt", &address, a, b]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let number = text.split("rtt: ").nth(1).and_then(|rest| rest.split(' ').next());
    number.unwrap_or_else(|| panic!("{text}")).parse().unwrap()
}

#[test]
fn distances_are_consuls_own() {
    let consul = Running::start(1, 1);
    let cluster = join(&consul.agent(0).join());
    let at = |x: f64, y: f64| [x, y, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    place(&consul, "base", at(0.0, 0.0), (0.000_1, 0.0));
    place(&consul, "farA", at(0.006, 0.007_5), (0.000_2, 0.000_05));
    place(&consul, "farB", at(0.05, 0.0), (0.000_3, -0.000_4));
    place(&consul, "wild", at(0.001, 0.0), (0.000_01, -5.0));
    assert_eq!(
        consul
            .http(
                0,
                "PUT",
                "/v1/catalog/register",
                &json!({ "Node": "new", "Address": "192.0.2.2" })
            )
            .0,
        200
    );
    let names = ["base", "farA", "farB", "wild", "node1", "node2"];
    until("all places", || names.iter().all(|name| cluster.distance("base", name).is_some()));
    let places = cluster.coordinates();
    for a in names {
        for b in
            names.into_iter().filter(|b| *b != a && a.starts_with("node") == b.starts_with("node"))
        {
            let ours = places.distance(a, b).unwrap().as_secs_f64() * 1e3;
            let consuls = rtt(&consul, a, b);
            // Those of living nodes move a little between the two.
            let slack = if a.starts_with("node") { 5.0 } else { 0.001 };
            assert!((ours - consuls).abs() <= slack, "{a} to {b}: {ours} and {consuls}");
        }
    }
    let order = places.nearest_first("base", &["new", "farB", "farA", "base"]);
    assert_eq!(order, ["base", "farA", "farB", "new"]);
    assert_eq!(cluster.distance("base", "new"), None);
    assert!(cluster.distance("base", "farA").unwrap() < Duration::from_millis(11));
    let near = consul.json(0, "/v1/catalog/nodes?near=base");
    let near: Vec<&str> =
        near.as_array().unwrap().iter().map(|one| one["Node"].as_str().unwrap()).collect();
    let far = |name: &str| near.iter().position(|node| *node == name).unwrap();
    assert!(far("farA") < far("farB") && far("farB") < far("new"), "{near:?}");
}
