//! The face for C, from Rust: what needs no worker. What needs one is in `crates/esker/tests/it/c.rs`.

mod header;
mod mistakes;

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
