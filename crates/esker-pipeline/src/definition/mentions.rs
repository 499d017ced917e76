//! Where a definition names a resource: what a person changes when the resource gets another name.

use std::path::Path;

use esker_wire::name::Resource;
use toml::de::{DeTable, DeValue};

use super::page::Page;
use super::{keep, read_file};

/// A place where a resource is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// As what it is named: `output` of `[source.plan]`.
    pub role: String,
}

/// The tables whose tables name resources, and by which keys.
const ROLES: [(&str, &[&str]); 3] =
    [("source", &["output"]), ("stage", &["input", "output"]), ("view", &["resource"])];

/// Every place where the definition in a folder names a resource; none if there is no definition that can be read.
pub fn mentions(dir: &Path, resource: &Resource) -> Vec<Mention> {
    read_file(dir).map_or(Vec::new(), |text| in_text(&text, resource))
}

fn in_text(text: &str, resource: &Resource) -> Vec<Mention> {
    let (document, _) = DeTable::parse_recoverable(text);
    let root = document.get_ref();
    let page = Page::new(text);
    let mut found = Vec::new();
    let mut add = |start: usize, role: String| {
        let (line, column) = page.place(start);
        found.push(Mention { line, column, role });
    };
    for (kind, keys) in ROLES {
        for (name, table) in tables(root, kind) {
            for key in keys {
                let role = || format!("{key} of [{kind}.{name}]");
                let places = table.get(*key).map(|value| naming(value, resource));
                places.into_iter().flatten().for_each(|start| add(start, role()));
            }
        }
    }
    if let Some(DeValue::Table(aliases)) = root.get("alias").map(|value| value.get_ref()) {
        for (alias, value) in aliases {
            let role = || format!("alias {:?}", alias.get_ref());
            naming(value, resource).into_iter().for_each(|start| add(start, role()));
        }
    }
    if let Some(DeValue::Table(rules)) = root.get(keep::TABLE).map(|value| value.get_ref()) {
        let named = rules.keys().filter(|key| key.get_ref() == resource.as_str());
        named.for_each(|key| add(key.span().start, format!("[{}]", keep::TABLE)));
    }
    found.sort_by_key(|mention| (mention.line, mention.column));
    found
}

fn tables<'a, 'd>(
    root: &'a DeTable<'d>,
    kind: &str,
) -> impl Iterator<Item = (&'a str, &'a DeTable<'d>)> {
    let outer = root.get(kind).and_then(|value| value.get_ref().as_table());
    outer
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.get_ref().as_ref(), value.get_ref().as_table()?)))
}

/// Where a text or one of a list of texts is the resource's name.
fn naming(value: &toml::Spanned<DeValue<'_>>, resource: &Resource) -> Vec<usize> {
    match value.get_ref() {
        DeValue::String(text) if text == resource.as_str() => vec![value.span().start],
        DeValue::Array(items) => items.iter().flat_map(|item| naming(item, resource)).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
