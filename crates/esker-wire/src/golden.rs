//! Golden files: forms that others have written programs by, and that docs/whatif-format.md shows.

use std::fs;
use std::path::PathBuf;

/// Compares bytes with the golden file of a name, and that with what the page shows. `ESKER_GOLDEN=write` writes the
/// file anew.
pub(crate) fn holds(name: &str, made: &[u8]) {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let file = root.join("tests/golden").join(name);
    if std::env::var("ESKER_GOLDEN").is_ok_and(|wish| wish == "write") {
        fs::write(&file, made).expect("written");
    }
    let known = fs::read(&file).expect("the golden file");
    assert!(known == made, "{name} has changed: what others were written by no longer holds");
    let page = fs::read_to_string(root.join("../../docs/whatif-format.md")).expect("the page");
    let text = String::from_utf8(known).expect("UTF-8");
    assert!(page.contains(&format!("\n{text}```\n")), "docs/whatif-format.md does not show {name}");
}
