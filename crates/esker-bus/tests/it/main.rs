//! The bus from outside: the same over both ways, plain ZeroMQ clients, hostile bytes, and what ends badly.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod desk;
mod proxy;
mod python;

mod binds;
mod burst;
mod events;
mod fair;
mod hostile;
mod incoming;
mod interop;
mod life;
mod limits;
mod loss;
mod panics;
mod prompt;
mod same;

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
