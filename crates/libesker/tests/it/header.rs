//! The header is what the sources say. `ESKER_GOLDEN=write cargo test -p libesker header` writes it anew.

use std::path::Path;

/// What it is made from, in the order a reader wants it.
const SOURCES: [&str; 6] = ["error", "client", "view", "cache", "future", "space"];

#[test]
fn the_header_is_of_these_sources() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("a configuration");
    let mut builder = cbindgen::Builder::new().with_config(config);
    for name in SOURCES {
        builder = builder.with_src(root.join(format!("src/{name}.rs")));
    }
    let mut made = Vec::new();
    builder.generate().expect("a header").write(&mut made);
    let made = String::from_utf8(made).expect("UTF-8");
    let path = root.join("include/esker.h");
    if std::env::var_os("ESKER_GOLDEN").is_some_and(|it| it == "write") {
        std::fs::write(&path, &made).expect("written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(kept, made, "write it anew: ESKER_GOLDEN=write cargo test -p libesker header");
}

#[test]
fn every_function_for_c_is_in_the_header() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let header = std::fs::read_to_string(root.join("include/esker.h")).expect("the header");
    let mut count = 0;
    for entry in std::fs::read_dir(root.join("src")).expect("sources") {
        let source = std::fs::read_to_string(entry.expect("an entry").path()).expect("a source");
        for line in source.lines().filter(|line| line.contains("extern \"C\" fn ")) {
            let name = line.split("fn ").nth(1).and_then(|rest| rest.split('(').next());
            let name = name.expect("a function has a name");
            assert!(header.contains(&format!("{name}(")), "{name} is not in esker.h");
            count += 1;
        }
    }
    assert!(count > 20, "{count} functions were found");
}
