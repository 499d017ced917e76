//! The table `[store]`: what becomes of the snapshots.

use esker_wire::remote::Remote;

use super::Store;
use super::blobs;
use super::large;
use super::page::{Page, Table};

/// How many mirrors there may be.
const MIRRORS_MAX: usize = 8;

/// Every key of `[store]`.
pub(super) fn keys() -> Vec<&'static str> {
    large::KEYS.into_iter().chain(["push"]).chain(blobs::KEYS).collect()
}

pub(super) fn store(page: &mut Page<'_>, root: &Table<'_, '_>) -> Store {
    let Some(table) = page.table(root.entries, "store") else {
        return Store::default();
    };
    page.check_keys(&table, &keys());
    let large = large::large(page, &table);
    Store { large, push: push(page, &table), blobs: blobs::blobs(page, &table) }
}

fn push(page: &mut Page<'_>, table: &Table<'_, '_>) -> Vec<Remote> {
    let Some(list) = page.strings(table, "push", true) else {
        return Vec::new();
    };
    if list.value.len() > MIRRORS_MAX {
        let message = format!("`push` names {} mirrors", list.value.len());
        page.error(&list.span, message, format!("at most {MIRRORS_MAX}"));
    }
    let mut remotes: Vec<Remote> = Vec::new();
    for text in list.value {
        let remote: Remote = match text.value.parse() {
            Ok(remote) => remote,
            Err(error) => {
                let hint = "write for example \"git@host:team/data.git\"";
                page.error(&text.span, format!("`push` in [store]: {error}"), hint);
                continue;
            }
        };
        if remote.holds_secret() {
            let message = format!("`push` in [store] holds a password or token for {remote}");
            let hint = "leave it to git: `git config credential.helper`, or an ssh key";
            page.warning(&text.span, message, hint);
        }
        if remotes.contains(&remote) {
            page.error(&text.span, format!("`push` in [store] names {remote} twice"), "");
        }
        remotes.push(remote);
    }
    remotes
}
