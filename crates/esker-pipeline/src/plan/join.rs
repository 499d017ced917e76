//! The diamond rule: a join never mixes two versions of what its inputs have in common.
//!
//! If A feeds B and C and both feed D, then while B is yet to follow A, D would see C of the new A and B of
//! the old. So D waits for B: for every stage above one of its inputs that has yet to run, unless that stage
//! is above all the other inputs that share something with it too, or shares nothing with them. A straight
//! chain never waits, and so a source that changes faster than its stage runs starves nobody.

use std::collections::{BTreeMap, BTreeSet};

use esker_wire::name::Resource;

use crate::definition::{Definition, Stage};

/// Everything a resource comes from.
#[derive(Debug, Default, Clone)]
struct Above<'a> {
    /// The stages on the way.
    stages: BTreeSet<&'a str>,
    /// The resources on the way, itself included.
    resources: BTreeSet<&'a Resource>,
}

/// What every input of every stage comes from.
pub(super) struct Ancestry<'a> {
    stages: BTreeMap<&'a str, Vec<Above<'a>>>,
}

impl<'a> Ancestry<'a> {
    pub(super) fn of(definition: &'a Definition) -> Self {
        let makers: BTreeMap<&Resource, &Stage> = definition
            .stages
            .iter()
            .flat_map(|stage| stage.outputs.iter().map(move |output| (output, stage)))
            .collect();
        let sources = definition.sources.iter().filter(|source| source.has_streams());
        let families: Vec<&Resource> = sources.map(|source| &source.output).collect();
        let mut known = BTreeMap::new();
        let joins = definition.stages.iter().map(|stage| {
            let inputs = stage.inputs.iter();
            let above = inputs.map(|input| above(input, (&makers, &families), &mut known));
            (stage.name.as_str(), above.collect())
        });
        Self { stages: joins.collect() }
    }

    /// The stage among `unsettled` that a stage has to wait for, if there is one.
    pub(super) fn holds<'u>(&self, name: &str, unsettled: &BTreeSet<&'u str>) -> Option<&'u str> {
        let inputs = self.stages.get(name)?;
        unsettled.iter().copied().find(|stage| {
            let (through, past): (Vec<_>, Vec<_>) =
                inputs.iter().partition(|input| input.stages.contains(stage));
            !through.is_empty() && past.iter().any(|other| self.share(stage, other))
        })
    }

    /// Whether what the stage reads and what the other input comes from have anything in common.
    fn share(&self, stage: &str, other: &Above<'_>) -> bool {
        let read = self.stages.get(stage).into_iter().flatten();
        read.flat_map(|input| &input.resources).any(|resource| other.resources.contains(resource))
    }
}

fn above<'a>(
    resource: &'a Resource,
    (makers, families): (&BTreeMap<&'a Resource, &'a Stage>, &[&'a Resource]),
    known: &mut BTreeMap<&'a Resource, Above<'a>>,
) -> Above<'a> {
    if let Some(found) = known.get(resource) {
        return found.clone();
    }
    let mut all = Above::default();
    all.resources.insert(resource);
    // The streams of a tap change together.
    all.resources.extend(families.iter().find(|family| family.is_above(resource)));
    if let Some(stage) = makers.get(resource) {
        all.stages.insert(&stage.name);
        for input in &stage.inputs {
            let more = above(input, (makers, families), known);
            all.stages.extend(more.stages);
            all.resources.extend(more.resources);
        }
    }
    known.insert(resource, all.clone());
    all
}
