//! The heads of one commit of the store: read whole once, and from then on brought up to date by what was put since.

use std::collections::{BTreeMap, BTreeSet};

use esker_bus::caller::Caller;
use esker_wire::fault::{Code, Fault};
use esker_wire::name::{Branch, Resource};
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Entry, Filter, List, Listing, Log};

use crate::plan::{Head, Made};

use crate::commits::DEADLINE;

/// How much may have been put for it to be taken in one by one.
const NEWS_MAX: u32 = 1_000;

/// One cut of the store.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cut {
    pub(crate) at: Option<Revision>,
    pub(crate) heads: BTreeMap<Resource, Head>,
    /// The older names among the heads, by what they mean now.
    older: BTreeMap<Resource, Vec<Resource>>,
}

impl Cut {
    /// The heads of a branch's newest commit.
    pub(crate) fn read(caller: &Caller, branch: Branch) -> Result<Self, Fault> {
        let listing = list(caller, List { older: true, ..List::all(branch) })?;
        let heads = listing.entries.into_iter();
        let mut heads: BTreeMap<Resource, Head> = heads.filter_map(head).collect();
        let mut older: BTreeMap<Resource, Vec<Resource>> = BTreeMap::new();
        // A definition that says an older name means what it is called now.
        for (name, now) in listing.older {
            let Some(head) = heads.get(&now).cloned() else {
                continue;
            };
            let head = Head { now: Some(now.clone()), ..head };
            if !heads.contains_key(&name) {
                heads.insert(name.clone(), head);
                older.entry(now).or_default().push(name);
            }
        }
        Ok(Self { at: listing.at, heads, older })
    }

    /// Makes it the cut of a later commit, and gives what has changed; none if it cannot be told what was put since,
    /// so that all has to be read again.
    pub(crate) fn catch_up(
        &mut self,
        caller: &Caller,
        branch: Branch,
        at: Revision,
    ) -> Result<Option<Vec<Resource>>, Fault> {
        let Some(since) = self.at else {
            return Ok(None);
        };
        let Some(news) = news(caller, branch, (since, at))? else {
            return Ok(None);
        };
        let aliases: BTreeSet<&Resource> = self.older.values().flatten().collect();
        if news.iter().any(|entry| aliases.contains(&entry.resource)) {
            return Ok(None);
        }
        self.at = Some(at);
        Ok(Some(news.into_iter().flat_map(|entry| self.take(entry)).collect()))
    }

    /// Takes in one resource; gives all names it has.
    fn take(&mut self, entry: Entry) -> Vec<Resource> {
        let resource = entry.resource.clone();
        let mut names = self.older.get(&resource).cloned().unwrap_or_default();
        names.push(resource.clone());
        let head = head(entry).map(|(_, head)| head);
        for name in &names {
            match &head {
                Some(head) => {
                    let now = (*name != resource).then(|| resource.clone());
                    self.heads.insert(name.clone(), Head { now, ..head.clone() });
                }
                None => drop(self.heads.remove(name)),
            }
        }
        names
    }
}

/// What was put on a branch after one commit, up to another: of each resource the newest. None if that is much, or
/// gave a resource another name, or if the one commit is not on the branch.
pub(super) fn news(
    caller: &Caller,
    branch: Branch,
    (since, at): (Revision, Revision),
) -> Result<Option<Vec<Entry>>, Fault> {
    let filter = Filter { since: Some(At::from(since)), ..Filter::default() };
    let log = Log { at: At::from(at), branch, filter, ..Log::newest(NEWS_MAX) };
    let page = match caller.call_blocking(&log, DEADLINE) {
        Err(fault) if matches!(fault.code, Code::NotFound | Code::BadRequest) => return Ok(None),
        answer => answer?,
    };
    if page.next.is_some() || page.entries.iter().any(|entry| entry.moved_from.is_some()) {
        return Ok(None);
    }
    let mut seen = BTreeSet::new();
    let news = page.entries.into_iter();
    Ok(Some(news.filter(|entry| seen.insert(entry.resource.clone())).collect()))
}

/// The resources of a branch, all pages.
pub(crate) fn list(caller: &Caller, mut request: List) -> Result<Listing, Fault> {
    let mut listing = match caller.call_blocking(&request, DEADLINE) {
        // A branch nobody has written to may not exist yet.
        Err(fault) if fault.code == Code::NotFound => {
            return Ok(Listing { at: None, entries: Vec::new(), next: None, older: Vec::new() });
        }
        answer => answer?,
    };
    while let Some(next) = request.after(&listing) {
        let page = caller.call_blocking(&next, DEADLINE)?;
        listing.entries.extend(page.entries);
        listing.next = page.next;
        request = next;
    }
    Ok(listing)
}

fn head(entry: Entry) -> Option<(Resource, Head)> {
    let made = entry.provenance.map(|provenance| Made {
        run_key: provenance.run_key,
        started: provenance.started,
        inputs: provenance.inputs,
    });
    let head = Head { revision: entry.revision, blob: entry.blob?, made, now: None };
    Some((entry.resource, head))
}
