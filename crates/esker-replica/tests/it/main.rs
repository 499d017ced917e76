//! Publishers and replicas together: a simulated network here, real sockets and processes elsewhere.

#![expect(clippy::unwrap_used, reason = "tests")]

mod chain;
mod corners;
mod dice;
mod far;
mod hostile;
mod pair;
mod relay;
mod simulation;
mod slow;
mod sockets;

#[test]
fn no_file_is_forgotten() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let main = std::fs::read_to_string(here.join("main.rs")).unwrap();
    for entry in std::fs::read_dir(here).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.trim_end_matches(".rs");
        assert!(module == "main" || main.contains(&format!("mod {module};")), "{name}");
    }
}
