//! The cluster from outside: real agents of Consul, killed, stopped, refusing; and lists.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod consul;
mod world;

mod announced;
mod away;
mod doubt;
mod keys;
mod lists;
mod partition;
mod places;
mod sessions;
mod tls;

#[test]
fn no_file_is_forgotten() {
    let here = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it");
    let main = std::fs::read_to_string(format!("{here}/main.rs")).unwrap();
    for entry in std::fs::read_dir(here).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(module) = name.strip_suffix(".rs").filter(|name| *name != "main") else {
            continue;
        };
        assert!(main.contains(&format!("mod {module};")), "{name} is not in main.rs");
    }
}
