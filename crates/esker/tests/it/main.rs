//! The whole program, end to end: real processes, a real git, real Python clients.

mod bad_definitions;
mod bad_programs;
mod begin;
mod bench;
mod bulk;
mod bulk_hostile;
mod c;
mod cells;
mod chain;
mod clients;
mod commands;
mod compare;
mod crash;
mod cylc;
mod databases;
mod docs;
mod each;
mod examples;
mod excavate;
mod finding;
mod first_hour;
mod fleet;
mod gate;
#[cfg(feature = "graphql")]
mod graphql;
mod hostile;
mod in_cluster;
mod jira;
mod large;
mod let_in;
mod lineage;
mod listed;
mod live_model;
mod model_hostile;
mod model_liar;
mod model_network;
mod model_relay;
mod model_storm;
mod names;
mod once;
mod openapi;
mod order;
mod own_pages;
mod page;
mod past;
mod pictures;
mod places;
mod problems;
mod proxy;
mod replication;
mod runs_http;
mod semantics;
mod several;
mod sort;
mod sources;
mod split;
mod stock_tools;
mod store;
mod storm;
mod sync_clients;
mod taps;
mod webhooks;
mod whatif;
mod whatif_apart;
mod whatif_clash;
mod whatif_crowd;
mod whatif_http;
mod whatif_kills;
mod whatif_odd;
mod whatif_overrides;
mod whatif_programs;
mod whatif_rounds;
mod words;
mod world;

/// A file in this folder that is not named above would be compiled by nobody.
#[test]
fn no_file_is_forgotten() {
    let here = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it");
    let main = include_str!("main.rs");
    for entry in std::fs::read_dir(here).expect("this folder") {
        let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
        let module = name.trim_end_matches(".rs");
        let named = module == "main" || main.contains(&format!("mod {module};"));
        assert!(named, "{name} is not named in main.rs");
    }
}
