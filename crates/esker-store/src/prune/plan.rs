//! What goes and what stays, and why: decided from a store as it lies on disk.
//!
//! Kept in any case: what a branch, a tag or any other reference names now, what is current or tagged was made from,
//! back to its sources, and whatever has the same content as a revision that is kept. A resource without a rule
//! keeps everything, and so does whatever is not in the history of `main`.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use esker_wire::fault::{Code, Fault};
use esker_wire::keep::Keep;
use esker_wire::name::{Branch, Resource};
use esker_wire::pointer::{ContentId, Pointer};
use esker_wire::pruned::PrunedContent;
use esker_wire::revision::Revision;
use esker_wire::snapshot::{PruneReport, PruneTally, Stays, Tally};

use crate::error::Error;
use crate::large::{Walk, tips};
use crate::objects::Kind;
use crate::refs;
use crate::resolve::timestamp;
use crate::store::Store;

/// What was decided.
pub(super) struct Plan {
    pub(super) report: PruneReport,
    /// What goes, by revision.
    pub(super) going: Vec<PrunedContent>,
    /// What was looked at, and which contents stay.
    pub(super) walk: Walk,
    pub(super) tags: Vec<(String, Revision)>,
    /// How far `main` was looked at.
    last: u32,
    /// Whose each revision that goes is: the place in the report.
    places: HashMap<(Resource, Revision), usize>,
}

/// One version of a resource that has a rule.
struct Version {
    place: usize,
    name: Resource,
    revision: Revision,
    blob: Revision,
    pointer: Option<Pointer>,
    /// Whether its rule keeps it.
    is_kept: bool,
    /// Whether its large content is nowhere any more.
    is_gone: bool,
}

impl Plan {
    /// Decides; `there` are the contents in the bucket, if there is one.
    pub(super) fn make(
        store: &mut Store,
        rules: &[(Resource, Keep)],
        there: &HashSet<ContentId>,
    ) -> Result<Self, Fault> {
        let tags = store.tags()?;
        let main = Branch::main();
        let history = store.history(&main)?;
        let Some(last) = history.last() else {
            return Err(Fault::new(Code::NotFound, "there is nothing yet"));
        };
        let commits: HashSet<Revision> = (0..=last).map(|at| history.step(at).revision).collect();
        let mut versions = store.versions(rules, last)?;
        for version in &mut versions {
            version.is_gone = match version.pointer {
                Some(Pointer { id, .. }) => !there.contains(&id) && !store.large.is_known(id)?,
                None => false,
            };
        }
        let mut walk = Walk::default();
        let mut stays: HashMap<ContentId, Stays> = HashMap::new();
        let mut note = |walk: &Walk, why: Stays| {
            for id in walk.named() {
                stays.entry(id).or_insert(why);
            }
        };
        let heads = store.branch_heads()?;
        store.walk_trees(&mut walk, heads.into_iter())?;
        note(&walk, Stays::Head);
        store.walk_trees(&mut walk, tags.iter().map(|(_, revision)| *revision))?;
        note(&walk, Stays::Tag);
        let results = store.results(last, &tags)?;
        store.walk_inputs(&mut walk, results)?;
        note(&walk, Stays::Input);
        let others = tips(&store.dir)?;
        store.walk_trees(&mut walk, others.iter().copied())?;
        walk.pass_over(commits);
        store.walk_from(&mut walk, others)?;
        store.walk_kept(&mut walk, &versions)?;
        note(&walk, Stays::Named);
        let mut plan = Self {
            report: PruneReport::default(),
            going: Vec::new(),
            walk,
            tags,
            last,
            places: HashMap::new(),
        };
        let tally = |(resource, keep): &(Resource, Keep)| PruneTally {
            resource: resource.clone(),
            keep: keep.clone(),
            goes: Tally::default(),
            stays: Vec::new(),
        };
        plan.report.resources = rules.iter().map(tally).collect();
        plan.sort(store, versions, &stays)?;
        plan.count();
        Ok(plan)
    }

    /// Tells what goes from what stays.
    fn sort(
        &mut self,
        store: &mut Store,
        versions: Vec<Version>,
        stays: &HashMap<ContentId, Stays>,
    ) -> Result<(), Fault> {
        let mut tallies: BTreeMap<(usize, Stays), Tally> = BTreeMap::new();
        for version in versions {
            let size = store.size_of(version.blob)?.0;
            let why = match version.pointer {
                None => Some(Stays::Git),
                Some(_) if version.is_gone => Some(Stays::Gone),
                Some(_) if version.is_kept => Some(Stays::Rule),
                Some(pointer) => stays.get(&pointer.id).copied(),
            };
            match (why, version.pointer) {
                (None, Some(pointer)) => {
                    let keep = self.report.resources[version.place].keep.to_string();
                    let (resource, revision) = (version.name, version.revision);
                    self.places.insert((resource.clone(), revision), version.place);
                    let Pointer { id, size } = pointer;
                    self.going.push(PrunedContent { id, size, resource, revision, keep });
                }
                (why, _) => {
                    let why = why.unwrap_or(Stays::Git);
                    tallies.entry((version.place, why)).or_default().add(size);
                }
            }
        }
        for ((place, why), tally) in tallies {
            self.report.resources[place].stays.push((why, tally));
        }
        Ok(())
    }

    /// Counts what goes.
    pub(super) fn count(&mut self) {
        let report = &mut self.report;
        report.goes = Tally::default();
        for tally in &mut report.resources {
            tally.goes = Tally::default();
        }
        let mut seen = HashSet::new();
        for content in &self.going {
            let key = (content.resource.clone(), content.revision);
            if let Some(place) = self.places.get(&key) {
                report.resources[*place].goes.add(content.size);
            }
            if seen.insert(content.id) {
                report.goes.add(content.size);
            }
        }
    }

    /// The contents that go.
    pub(super) fn ids(&self) -> BTreeSet<ContentId> {
        self.going.iter().map(|content| content.id).collect()
    }

    /// Keeps what can be reached from here, or what it was made from, and was not looked at.
    pub(super) fn keep_from(
        &mut self,
        store: &mut Store,
        tips: BTreeSet<Revision>,
    ) -> Result<(), Fault> {
        store.walk_trees(&mut self.walk, tips.iter().copied())?;
        store.walk_from(&mut self.walk, tips)?;
        let last = store.history(&Branch::main())?.last().unwrap_or(0);
        let new = (self.last + 1..=last).collect();
        self.last = self.last.max(last);
        store.walk_inputs(&mut self.walk, new)
    }
}

impl Store {
    /// The versions of every resource that has a rule, under whichever name.
    fn versions(&mut self, rules: &[(Resource, Keep)], last: u32) -> Result<Vec<Version>, Fault> {
        let (now, zone) = ((self.options.clock)(), self.options.zone.clone());
        let (history, lineage) = self.lineage(&Branch::main())?;
        let mut versions = Vec::new();
        for (place, (resource, keep)) in rules.iter().enumerate() {
            let Some(name) = lineage.locate(history, resource, last) else {
                continue;
            };
            // From the newest on: each is in force until the one told before.
            let mut until = None;
            for segment in lineage.segments(&name, last) {
                let changes = history.changes(&segment.name, segment.last).iter().rev();
                for change in changes.take_while(|change| change.position >= segment.first) {
                    let step = history.step(change.position);
                    let from = timestamp(step.seconds);
                    if let Some(blob) = change.blob {
                        let is_kept =
                            until.is_none_or(|until| keep.keeps((from, until), now, &zone));
                        let (name, revision) = (segment.name.clone(), step.revision);
                        let (pointer, is_gone) = (None, false);
                        versions.push(Version {
                            place,
                            name,
                            revision,
                            blob,
                            pointer,
                            is_kept,
                            is_gone,
                        });
                    }
                    // Another name replaces nothing.
                    if lineage.came_from(&segment.name, change.position).is_none() {
                        until = Some(from);
                    }
                }
            }
        }
        for version in &mut versions {
            version.pointer = self.pointer(version.blob)?;
        }
        Ok(versions)
    }

    /// Looks at what commits hold, but not at what was before them.
    fn walk_trees(
        &mut self,
        walk: &mut Walk,
        tips: impl Iterator<Item = Revision>,
    ) -> Result<(), Fault> {
        for tip in tips {
            let found = self.objects.find(tip)?;
            if found.is_some_and(|object| object.kind == Kind::Commit) {
                let tree = self.told(tip)?.commit.tree;
                self.walk_from(walk, BTreeSet::from([tree]))?;
            }
        }
        Ok(())
    }

    /// Looks at everything that can be reached from here.
    fn walk_from(&mut self, walk: &mut Walk, tips: BTreeSet<Revision>) -> Result<(), Fault> {
        walk.from(&mut self.objects, tips).map_err(|error| unknown(&error))
    }

    /// The newest commit of every branch.
    fn branch_heads(&mut self) -> Result<BTreeSet<Revision>, Fault> {
        let mut heads = BTreeSet::new();
        for branch in self.branches()? {
            heads.extend(self.reference(&refs::of_branch(&branch))?);
        }
        Ok(heads)
    }

    /// The commits of `main` that made what is current, or was at a tag.
    fn results(&mut self, last: u32, tags: &[(String, Revision)]) -> Result<Vec<u32>, Fault> {
        let (history, lineage) = self.lineage(&Branch::main())?;
        let tagged = tags.iter().filter_map(|(_, revision)| history.position(*revision));
        let mut made = Vec::new();
        for position in tagged.chain([last]).collect::<BTreeSet<_>>() {
            for resource in history.resources() {
                let change = history.changes(resource, position).last();
                if let Some(change) = change.filter(|change| change.blob.is_some()) {
                    made.push(lineage.made(history, resource, change.position).1);
                }
            }
        }
        Ok(made)
    }

    /// Looks at what commits of `main` made their results from, back to its sources.
    fn walk_inputs(&mut self, walk: &mut Walk, made: Vec<u32>) -> Result<(), Fault> {
        let mut seen = HashSet::new();
        let mut next = made;
        while let Some(position) = next.pop() {
            if !seen.insert(position) {
                continue;
            }
            let revision = self.history(&Branch::main())?.step(position).revision;
            let told = self.told(revision)?;
            let inputs = told.trailers.provenance.iter().flat_map(|made| &made.inputs);
            for input in inputs {
                let (history, lineage) = self.lineage(&Branch::main())?;
                let found = history.position(input.revision).and_then(|at| {
                    let name = lineage.locate(history, &input.resource, at)?;
                    let change = history.changes(&name, at).last()?;
                    Some((change.blob?, lineage.made(history, &name, change.position).1))
                });
                if let Some((blob, position)) = found {
                    next.push(position);
                    self.walk_files(walk, [blob])?;
                }
            }
        }
        Ok(())
    }

    /// Looks at every version that no rule lets go.
    fn walk_kept(&mut self, walk: &mut Walk, versions: &[Version]) -> Result<(), Fault> {
        let goes = versions.iter().filter(|version| !version.is_kept);
        let goes: HashSet<(&Resource, Revision)> =
            goes.map(|version| (&version.name, version.revision)).collect();
        let history = self.history(&Branch::main())?;
        let mut blobs = BTreeSet::new();
        for resource in history.resources() {
            for change in history.changes(resource, u32::MAX) {
                let revision = history.step(change.position).revision;
                if !goes.contains(&(resource, revision)) {
                    blobs.extend(change.blob);
                }
            }
        }
        self.walk_files(walk, blobs)
    }

    fn walk_files(
        &mut self,
        walk: &mut Walk,
        blobs: impl IntoIterator<Item = Revision>,
    ) -> Result<(), Fault> {
        walk.files(&mut self.objects, blobs).map_err(|error| unknown(&error))
    }
}

fn unknown(error: &Error) -> Fault {
    let text = format!("cannot tell which large contents are to be kept: {error}");
    Fault::new(Code::Internal, text)
        .hint("nothing was removed; mend the store first: `esker doctor`")
}
