//! WHY: what a resource was made from, back to its sources.

use std::collections::HashSet;

use esker_wire::fault::Fault;
use esker_wire::name::Resource;
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Why, WhyNode};

use crate::resolve::Place;
use crate::store::Store;

/// How far back is gone.
const DEPTH_MAX: u32 = 64;
/// How many nodes are told.
const NODES_MAX: usize = 10_000;

impl Store {
    /// The way back, depth first. What was told already is named again, but not what it was made from.
    ///
    /// # Errors
    /// `not-found` or `ambiguous` for the resource asked for.
    pub fn why(&mut self, ask: &Why) -> Result<Vec<WhyNode>, Fault> {
        let place = self.place(&ask.branch, &ask.at)?;
        let mut nodes = Vec::new();
        let mut told: HashSet<(Resource, Revision)> = HashSet::new();
        let mut rest = vec![(0, place, ask.resource.clone())];
        while let Some((depth, Place { branch, position }, resource)) = rest.pop() {
            let found = match self.find(&branch, position, &resource) {
                Ok(found) => found,
                Err(fault) if depth == 0 => return Err(fault),
                Err(_) => continue,
            };
            let entry = self.described(&branch, &resource, &found)?;
            let is_new = told.insert((found.resource, entry.revision));
            if let Some(provenance) =
                entry.provenance.as_ref().filter(|_| is_new && depth < DEPTH_MAX)
            {
                for input in provenance.inputs.iter().rev() {
                    let found = self.place(&ask.branch, &At::from(input.revision));
                    rest.extend(found.map(|place| (depth + 1, place, input.resource.clone())));
                }
            }
            nodes.push(WhyNode { depth, entry });
            if nodes.len() == NODES_MAX {
                break;
            }
        }
        Ok(nodes)
    }
}
