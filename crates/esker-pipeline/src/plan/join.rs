//! The diamond rule: a join never mixes two versions of what its inputs have in common.
//!
//! If A feeds B and C and both feed D, then while B is yet to follow A, D would see C of the new A and B of
//! the old. So D waits for B: for every stage above one of its inputs that has yet to run, unless that stage
//! is above all the other inputs that share something with it too, or shares nothing with them. A straight
//! chain never waits, and so a source that changes faster than its stage runs starves nobody.

use std::collections::BTreeMap;

use esker_wire::name::Resource;
use fixedbitset::FixedBitSet;

use crate::definition::{Definition, Stage};

/// What every input of every stage comes from: numbers of stages, and after them of resources that no stage makes.
pub(super) struct Ancestry<'a> {
    stages: BTreeMap<&'a str, usize>,
    names: Vec<&'a str>,
    /// For each stage, for each of its inputs: everything that comes from.
    inputs: Vec<Vec<FixedBitSet>>,
    /// The same for all inputs of a stage together.
    reads: Vec<FixedBitSet>,
}

impl<'a> Ancestry<'a> {
    pub(super) fn of(definition: &'a Definition) -> Self {
        let stages = &definition.stages;
        let makers = stages.iter().enumerate();
        let makers: BTreeMap<&Resource, usize> =
            makers.flat_map(|(at, stage)| stage.outputs.iter().map(move |out| (out, at))).collect();
        let sources = definition.sources.iter().filter(|source| source.has_streams());
        let families: Vec<&Resource> = sources.map(|source| &source.output).collect();
        let mut roots = BTreeMap::new();
        for input in stages.iter().flat_map(|stage| &stage.inputs) {
            let next = stages.len() + roots.len();
            if !makers.contains_key(input) {
                // The streams of a tap change together: they are one root.
                let family = families.iter().find(|family| family.is_above(input));
                let at = *roots.entry(family.copied().unwrap_or(input)).or_insert(next);
                roots.entry(input).or_insert(at);
            }
        }
        let count = stages.len() + roots.len();
        let mut climb = Climb { stages, makers, roots, reads: vec![None; stages.len()], count };
        for at in 0..stages.len() {
            climb.reads(at);
        }
        let inputs = stages.iter().map(|stage| {
            let inputs = stage.inputs.iter();
            inputs.map(|input| climb.above(input)).collect()
        });
        let inputs = inputs.collect();
        let names: Vec<&str> = stages.iter().map(|stage| stage.name.as_str()).collect();
        let stages = names.iter().enumerate().map(|(at, name)| (*name, at)).collect();
        let reads = climb.reads.into_iter().flatten().collect();
        Self { stages, names, inputs, reads }
    }

    /// The stages of these names; sources are above everything they feed, and hold nobody.
    pub(super) fn set<'n>(&self, names: impl Iterator<Item = &'n str>) -> FixedBitSet {
        let mut set = FixedBitSet::with_capacity(self.reads.first().map_or(0, FixedBitSet::len));
        set.extend(names.filter_map(|name| self.stages.get(name).copied()));
        set
    }

    /// The stage among `unsettled` that a stage has to wait for, if there is one.
    pub(super) fn holds(&self, name: &str, unsettled: &FixedBitSet) -> Option<&'a str> {
        let at = *self.stages.get(name)?;
        let inputs = &self.inputs[at];
        if inputs.len() < 2 {
            return None;
        }
        let holds = |stage: &usize| {
            let past = inputs.iter().filter(|input| !input.contains(*stage));
            let read = &self.reads[*stage];
            let mut past = past.map(|other| !read.is_disjoint(other));
            past.any(|shares| shares)
        };
        self.reads[at].intersection(unsettled).find(holds).map(|stage| self.names[stage])
    }
}

/// Going up from stage to stage, each once.
struct Climb<'a> {
    stages: &'a [Stage],
    makers: BTreeMap<&'a Resource, usize>,
    roots: BTreeMap<&'a Resource, usize>,
    reads: Vec<Option<FixedBitSet>>,
    count: usize,
}

impl Climb<'_> {
    /// Makes sure that it is known what a stage reads, without going deeper than one call: chains may be long.
    fn reads(&mut self, at: usize) {
        let mut open = vec![at];
        while let Some(at) = open.last().copied() {
            let makers = self.stages[at].inputs.iter().filter_map(|input| self.makers.get(input));
            let unknown: Vec<usize> =
                makers.copied().filter(|maker| self.reads[*maker].is_none()).collect();
            if unknown.is_empty() {
                let mut all = FixedBitSet::with_capacity(self.count);
                for input in &self.stages[at].inputs {
                    all.union_with(&self.above(input));
                }
                self.reads[at] = Some(all);
                open.pop();
            } else {
                open.extend(unknown);
            }
        }
    }

    /// What a resource comes from, once it is known what its stage reads.
    fn above(&self, resource: &Resource) -> FixedBitSet {
        match self.makers.get(resource) {
            Some(maker) => {
                let mut all = self.reads[*maker].clone().unwrap_or_default();
                all.grow(self.count);
                all.insert(*maker);
                all
            }
            None => {
                let mut all = FixedBitSet::with_capacity(self.count);
                all.extend(self.roots.get(resource).copied());
                all
            }
        }
    }
}
