//! LOG: the revisions of one resource or of all, newest first, a page at a time.

use esker_wire::fault::{Code, Fault};
use esker_wire::name::Resource;
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Filter, Log, Mark, Page};

use crate::lineage::Segment;
use crate::page::Room;
use crate::resolve::Place;
use crate::store::Store;

/// How many commits one request may look at in vain: reading what a commit says takes its time, in which nobody else is
/// answered.
const MISSED_MAX: usize = 5_000;

/// The commits a page may be of.
struct Span {
    first: u32,
    last: u32,
    /// In the last, only the resources that come after this one.
    after: Option<Resource>,
}

impl Store {
    /// The revisions of one resource or of all, newest first.
    ///
    /// # Errors
    /// `not-found` or `ambiguous`.
    pub fn log(&mut self, ask: &Log) -> Result<Page, Fault> {
        let nothing = Page { entries: Vec::new(), next: None };
        if self.history(&ask.branch)?.last().is_none() && ask.at.is_head() {
            return Ok(nothing);
        }
        let place = self.place(&ask.branch, &ask.at)?;
        if place.branch != ask.branch {
            let ask = self.moved_to(ask, place)?;
            return self.log(&ask);
        }
        let at = place.position;
        let names = self.names_of(ask, at)?;
        match self.span(ask, at)? {
            Some(span) => self.page(ask, &span, &names),
            None => Ok(nothing),
        }
    }

    /// The same asked of `main`, from which the branch has the commit.
    fn moved_to(&mut self, ask: &Log, place: Place) -> Result<Log, Fault> {
        let mut moved = ask.clone();
        for at in [&mut moved.filter.since, &mut moved.filter.until].into_iter().flatten() {
            if !self.is_moment(&ask.branch, at)? {
                let Place { branch, position } = self.place(&ask.branch, at)?;
                *at = At::from(self.history(&branch)?.step(position).revision);
            }
        }
        moved.at = At::from(self.history(&place.branch)?.step(place.position).revision);
        moved.branch = place.branch;
        Ok(moved)
    }

    /// The names that the resource asked for had, the newest first; none if all resources are asked for.
    fn names_of(&mut self, ask: &Log, at: u32) -> Result<Vec<Segment>, Fault> {
        let Some(resource) = &ask.resource else {
            return Ok(Vec::new());
        };
        let (history, lineage) = self.lineage(&ask.branch)?;
        match lineage.locate(history, resource, at) {
            Some(name) => Ok(lineage.segments(&name, at)),
            None => Err(self.absent(&ask.branch, resource, at)?),
        }
    }

    /// Where a page begins and where the log ends; none if that is nowhere.
    fn span(&mut self, ask: &Log, at: u32) -> Result<Option<Span>, Fault> {
        let Filter { since, until, .. } = &ask.filter;
        let first = match since {
            Some(since) => self.since(&ask.branch, since)?,
            None => 0,
        };
        let mut last = at;
        if let Some(until) = until {
            let Some(until) = self.until(&ask.branch, until)? else {
                return Ok(None);
            };
            last = last.min(until);
        }
        let mut after = None;
        if let Some(mark) = &ask.after {
            let Some(position) = self.history(&ask.branch)?.position(mark.revision) else {
                let message =
                    format!("the log of {} cannot go on after {}", ask.branch, mark.revision);
                return Err(Fault::new(Code::NotFound, message)
                    .hint("that revision is not on the branch: begin again without `after`"));
            };
            after = mark.resource.clone().filter(|_| ask.resource.is_none() && position <= last);
            let begin = if after.is_some() { Some(position) } else { position.checked_sub(1) };
            let Some(begin) = begin else {
                return Ok(None);
            };
            last = last.min(begin);
        }
        Ok((first <= last).then_some(Span { first, last, after }))
    }

    fn page(&mut self, ask: &Log, span: &Span, names: &[Segment]) -> Result<Page, Fault> {
        let wanted = Wanted::new(&ask.filter);
        let mut room = Room::new(ask.limit as usize);
        let mut page = Page { entries: Vec::new(), next: None };
        // Behind what the page goes on, if it is full or takes too long.
        let mut seen = None;
        let mut missed = 0;
        for (position, name) in self.positions(ask, span, names)? {
            if missed == MISSED_MAX {
                page.next = seen;
                return Ok(page);
            }
            let revision = self.history(&ask.branch)?.step(position).revision;
            let changed = match name {
                Some(name) => vec![names[name].name.clone()],
                None => self.changed(ask, span, position)?,
            };
            if changed.is_empty() || !self.is_wanted(revision, &wanted)? {
                missed += 1;
                seen = Some(Mark { revision, resource: None });
                continue;
            }
            for resource in changed {
                let (history, lineage) = self.lineage(&ask.branch)?;
                let Some(pair) = lineage.pair(history, &resource, position) else {
                    continue;
                };
                let mut entry = self.entry(&ask.branch, &resource, pair)?;
                entry.asked = ask.resource.clone().filter(|asked| *asked != resource);
                if !room.take(&entry) {
                    page.next = seen;
                    return Ok(page);
                }
                seen = Some(Mark { revision, resource: Some(resource) });
                page.entries.push(entry);
            }
        }
        Ok(page)
    }

    /// The commits to look at, newest first, with the place of the name a resource had there: as many as a page can
    /// be full of or miss, and one that tells whether there are more.
    fn positions(
        &mut self,
        ask: &Log,
        span: &Span,
        names: &[Segment],
    ) -> Result<Vec<(u32, Option<usize>)>, Fault> {
        let count = ask.limit as usize + MISSED_MAX + 1;
        let history = self.history(&ask.branch)?;
        if names.is_empty() {
            let all = (span.first..=span.last).rev().map(|position| (position, None));
            return Ok(all.take(count).collect());
        }
        let positions = names.iter().enumerate().flat_map(|(place, segment)| {
            let changes = history.changes(&segment.name, segment.last.min(span.last)).iter().rev();
            let first = segment.first.max(span.first);
            let changes = changes.take_while(move |change| change.position >= first);
            changes.map(move |change| (change.position, Some(place)))
        });
        Ok(positions.take(count).collect())
    }

    /// What a commit changed, by name: the order in memory is another after a restart. What was given another name
    /// is told by that.
    fn changed(&mut self, ask: &Log, span: &Span, position: u32) -> Result<Vec<Resource>, Fault> {
        let after = span.after.as_ref().filter(|_| position == span.last);
        let (history, lineage) = self.lineage(&ask.branch)?;
        let changed = history.changed_at(position);
        let mut changed: Vec<Resource> = changed
            .filter(|resource| !lineage.left(resource, position))
            .filter(|resource| after.is_none_or(|after| *resource > after))
            .cloned()
            .collect();
        changed.sort_unstable();
        Ok(changed)
    }

    fn is_wanted(&mut self, revision: Revision, wanted: &Wanted) -> Result<bool, Fault> {
        if wanted.author.is_none() && wanted.text.is_none() {
            return Ok(true);
        }
        let told = self.told(revision)?;
        let holds = |text: &str, wanted: &Option<String>| {
            wanted.as_ref().is_none_or(|wanted| text.to_lowercase().contains(wanted))
        };
        Ok(holds(&told.commit.author, &wanted.author) && holds(&told.commit.message, &wanted.text))
    }
}

/// The texts looked for, in small letters.
struct Wanted {
    author: Option<String>,
    text: Option<String>,
}

impl Wanted {
    fn new(filter: &Filter) -> Self {
        let small = |text: &Option<String>| text.as_ref().map(|text| text.to_lowercase());
        Self { author: small(&filter.author), text: small(&filter.grep) }
    }
}
