//! What a token has to be allowed, as rules of Consul's ACL: the least that works.

use crate::join::Place;

/// What a worker's token has to be allowed. `SERVICE` and `PREFIX` stand for the cluster's.
const WORKER: &str = r#"# A worker announces itself, sees the others, reads what clients agree on, keeps the table of nodes, forgets what is nobody's.
service "SERVICE" { policy = "write" }
node_prefix "" { policy = "read" }
agent_prefix "" { policy = "read" }
key_prefix "PREFIX/" { policy = "read" }
key_prefix "PREFIX/lease/" { policy = "write" }
key_prefix "PREFIX/spaces/" { policy = "write" }
key "PREFIX/tables/root" { policy = "write" }
session_prefix "" { policy = "write" }
"#;

/// What a client's token has to be allowed.
const CLIENT: &str = r#"# A client sees the workers, and agrees with other clients on what lies where.
service "SERVICE" { policy = "read" }
node_prefix "" { policy = "read" }
key_prefix "PREFIX/" { policy = "write" }
session_prefix "" { policy = "write" }
"#;

/// The rules of a worker's token.
pub fn worker(place: &Place) -> String {
    filled(WORKER, place)
}

/// The rules of a client's token.
pub fn client(place: &Place) -> String {
    filled(CLIENT, place)
}

fn filled(rules: &str, place: &Place) -> String {
    rules.replace("SERVICE", &place.service).replace("PREFIX", &place.prefix)
}

#[cfg(test)]
mod tests;
