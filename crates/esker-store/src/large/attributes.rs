//! `.gitattributes`: by it plain git knows which resources are large, so that git-lfs puts their bytes in place
//! of the pointers.

use esker_wire::name::Resource;

/// The file; a name that begins with a dot is no resource.
pub(super) const FILE: &str = ".gitattributes";

/// What stands behind every resource of ours.
const LARGE: &str = " filter=lfs diff=lfs merge=lfs -text";

/// The text with a line for every resource that is large now, and none for those that are not any more. Other
/// lines stay as they are. None if it stays the same.
pub(super) fn edit(text: &str, changes: &[(&Resource, bool)]) -> Option<String> {
    let lines: Vec<(String, bool)> =
        changes.iter().map(|(resource, large)| (line(resource), *large)).collect();
    let mut kept: Vec<&str> = text
        .lines()
        .filter(|text| !lines.iter().any(|(line, large)| !large && line == text))
        .collect();
    for (line, large) in &lines {
        if *large && !kept.contains(&line.as_str()) {
            kept.push(line);
        }
    }
    let edited: String = kept.iter().map(|line| format!("{line}\n")).collect();
    (edited != text).then_some(edited)
}

/// The line of a resource: its path from the root, with what would be a pattern escaped, in quotes where there
/// are blanks.
fn line(resource: &Resource) -> String {
    let mut path = String::from("/");
    for letter in resource.as_str().chars() {
        if matches!(letter, '*' | '?' | '[') {
            path.push('\\');
        }
        path.push(letter);
    }
    if path.contains([' ', '"']) {
        path = format!("\"{}\"", path.replace('\\', "\\\\").replace('"', "\\\""));
    }
    format!("{path}{LARGE}")
}

#[cfg(test)]
mod tests;
