//! What git prints of refs, trees and contents, read.

use bytes::Bytes;

/// A name of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// The last part of its path.
    pub(super) name: String,
    pub(super) id: String,
    pub(super) is_file: bool,
    pub(super) is_folder: bool,
}

/// Of the refs that end as wanted, the one that is meant: a branch before a tag, of a tag its commit.
pub(super) fn choose(told: &str, wanted: &str) -> Option<(String, String)> {
    let refs: Vec<(&str, &str)> = told.lines().filter_map(|line| line.split_once('\t')).collect();
    let find = |name: &str| refs.iter().find(|(_, known)| *known == name).map(|(id, _)| *id);
    let forms = [wanted.to_owned(), format!("refs/heads/{wanted}"), format!("refs/tags/{wanted}")];
    let name = forms.into_iter().find(|form| find(form).is_some())?;
    let id = find(&format!("{name}^{{}}")).or_else(|| find(&name))?;
    Some((name, id.to_owned()))
}

/// Reads `git ls-tree -z`.
pub(super) fn entries(told: &[u8]) -> Vec<Entry> {
    let lines = told.split(|byte| *byte == 0).filter_map(|line| std::str::from_utf8(line).ok());
    lines.filter_map(entry).collect()
}

fn entry(line: &str) -> Option<Entry> {
    let (head, path) = line.split_once('\t')?;
    let mut words = head.split(' ');
    let (mode, kind, id) = (words.next()?, words.next()?, words.next()?);
    let name = path.rsplit('/').next().unwrap_or(path).to_owned();
    // A link is a blob, too.
    let is_file = kind == "blob" && mode != "120000";
    Some(Entry { name, id: id.to_owned(), is_file, is_folder: kind == "tree" })
}

/// Reads `git cat-file --batch`: as many contents as were asked for, or nothing.
pub(super) fn contents(told: &Bytes, count: usize) -> Option<Vec<Bytes>> {
    let mut all = Vec::new();
    let mut at = 0;
    for _ in 0..count {
        let end = at + told[at..].iter().position(|byte| *byte == b'\n')?;
        let head = std::str::from_utf8(&told[at..end]).ok()?;
        let size: usize = head.rsplit(' ').next()?.parse().ok()?;
        let stop = (end + 1).checked_add(size)?;
        if told.get(stop) != Some(&b'\n') {
            return None;
        }
        all.push(told.slice(end + 1..stop));
        at = stop + 1;
    }
    Some(all)
}
