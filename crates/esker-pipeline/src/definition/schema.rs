//! The JSON Schema of `esker.toml`, for editors: which keys there are, what each takes, what goes with what.
//!
//! The keys are those that reading a definition knows; what each takes is said in `words`. It is no more than a help
//! while typing: what a definition means, and whether it is right, only reading it tells.

mod words;

use serde_json::{Map, Value, json};

use self::words::{Type, word};
use super::{cluster, deliver, gate, keep, origin, parts, read, store, ways, web as pages};

/// Where the schema says that it is from.
const ID: &str = "https://esker.dev/esker.schema.json";
/// What a name of a source, stage or view is.
const NAME: &str = "^[\\p{L}\\p{N}_-]+$";

/// The schema, JSON Schema 2020-12.
pub fn schema() -> Value {
    let mut properties = Map::new();
    for key in read::KEYS {
        properties.insert(key.to_owned(), table(key));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        "title": "esker.toml",
        "description": "The definition of an esker project: where data comes from, what is computed, what people see.",
        "type": "object",
        "properties": properties,
        "required": ["project"],
        "additionalProperties": false,
        "$defs": words::definitions(),
    })
}

/// What stands under a key of the whole.
fn table(key: &str) -> Value {
    match key {
        "source" => named(key, &source()),
        "stage" => named(key, &fixed(key, &parts::stage_keys(), &["input", "output", "run"])),
        "view" => named(key, &fixed(key, &read::VIEW_KEYS, &["resource"])),
        "project" => fixed(key, &read::PROJECT_KEYS, &["name"]),
        "hub" | "model" => fixed(key, &read::SOCKETS_KEYS, &[]),
        "web" => web(),
        "pool" => named(key, &fixed(key, &ways::POOL_KEYS, &["jobs"])),
        "limits" => fixed(key, &read::LIMITS_KEYS, &[]),
        "lineage" => lineage(),
        "webhook" => named(key, &fixed(key, &deliver::webhook_keys(), &["url"])),
        "store" => fixed(key, &store::keys(), &[]),
        "cluster" => fixed(key, &cluster::KEYS, &[]),
        "alias" => free(key, &Type::Resource),
        keep::TABLE => free(key, &Type::Keep),
        // A test sees to it that there is none.
        _ => json!(true),
    }
}

/// A table of tables with names of their own.
fn named(key: &str, each: &Value) -> Value {
    json!({
        "type": "object",
        "description": words::about(key),
        "patternProperties": { NAME: each },
        "additionalProperties": false,
    })
}

/// A table with any keys.
fn free(key: &str, each: &Type) -> Value {
    json!({
        "type": "object",
        "description": words::about(key),
        "additionalProperties": each.schema(),
    })
}

/// A table with these keys and no others.
fn fixed(place: &str, keys: &[&str], required: &[&str]) -> Value {
    let mut properties = Map::new();
    for key in keys {
        properties.insert((*key).to_owned(), property(place, key));
    }
    json!({
        "type": "object",
        "description": words::about(place),
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// What a key takes; anything if nobody has said.
fn property(place: &str, key: &str) -> Value {
    let Some((kind, about)) = word(place, key) else {
        return json!(true);
    };
    let mut schema = kind.schema();
    schema["description"] = about.into();
    schema
}

/// A source: exactly one key says where its data comes from, and others need one of those.
fn source() -> Value {
    let kinds = origin::kinds();
    let mut schema = fixed("source", &origin::keys(), &["output"]);
    let requires = |kind: &str| json!({ "required": [kind] });
    schema["oneOf"] = kinds.iter().map(|(kind, _)| requires(kind)).collect();
    let mut needs = Map::new();
    for key in origin::keys() {
        let with = kinds.iter().filter(|(_, keys)| keys.contains(&key));
        let with: Vec<Value> = with.map(|(kind, _)| requires(kind)).collect();
        if !with.is_empty() && !origin::is_common(key) {
            needs.insert(key.to_owned(), json!({ "anyOf": with }));
        }
    }
    schema["dependentSchemas"] = needs.into();
    schema
}

/// Where lineage goes: to a file, to a server, or both.
fn lineage() -> Value {
    let mut schema = fixed("lineage", &deliver::lineage_keys(), &[]);
    schema["anyOf"] = json!([{ "required": ["file"] }, { "required": ["url"] }]);
    schema
}

/// Where the page is served, and those who are let in.
fn web() -> Value {
    let mut schema = fixed("web", &pages::KEYS, &[]);
    schema["properties"]["tls"] = fixed("web.tls", &pages::TLS_KEYS, &pages::TLS_KEYS);
    for (key, required) in [("user", "password"), ("token", "token")] {
        let place = format!("web.{key}");
        let keys = [required, pages::ROLE];
        schema["properties"][key] = named(&place, &fixed(&place, &keys, &keys));
    }
    let mut oidc = fixed("web.oidc", &pages::oidc::KEYS, &pages::oidc::KEYS[..2]);
    for key in ["role", "group"] {
        let place = format!("web.oidc.{key}");
        oidc["properties"][key] = free(&place, &words::ROLE);
    }
    schema["properties"]["oidc"] = oidc;
    let hub = fixed("web.hub", &pages::hubs::KEYS, &pages::hubs::KEYS[..1]);
    schema["properties"]["hub"] = named("web.hub", &hub);
    schema
}

/// A check that is written as a table.
fn check() -> Value {
    let mut schema = fixed("check", &gate::CHECK_KEYS, &[]);
    schema["oneOf"] = json!([{ "required": ["file"] }, { "required": ["run"] }]);
    schema
}

#[cfg(test)]
mod tests;
