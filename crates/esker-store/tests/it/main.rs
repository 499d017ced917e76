//! Every end-to-end test of the store, in one binary.
#![expect(clippy::unwrap_used, reason = "a test may stop")]

mod branches;
#[cfg(feature = "s3")]
mod bucket;
mod collect;
mod crash;
mod deep;
mod dropped;
mod excavate;
mod flips;
mod forks;
mod full;
mod git;
mod golden;
mod large;
mod log;
mod loss;
mod mirrors;
mod model;
mod names;
mod outside;
mod project;
mod prune;
mod rejected;
mod requests;
#[cfg(feature = "s3")]
mod s3;
mod seeds;
mod support;
mod times;

/// A test file that no `mod` names is never run.
#[test]
fn no_file_is_forgotten() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let here = include_str!("main.rs");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.trim_end_matches(".rs");
        assert!(
            module == "main" || here.contains(&format!("mod {module};")),
            "{name} is not in main.rs"
        );
    }
}
