//! What to believe of a list of members: pure.
//!
//! A catalogue that may not be read is answered with an EMPTY list and no error, and one that has just come back may
//! know only some. So a list without more than half of those known is believed only of those who do not answer
//! themselves; and while Consul has been back for moments only, every list is, since nodes come back to it one by
//! one. Who is kept so is asked again with every list, until it is told again or stops answering: it is neither lost
//! because the next list is as short as this one, nor kept for ever.

use std::collections::{BTreeMap, BTreeSet};

use esker_wire::member::{Member, NodeId};

/// What is believed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Belief {
    /// Who is there.
    pub(crate) members: BTreeMap<NodeId, Member>,
    /// Those of them who are no longer told, but answered.
    pub(crate) held: BTreeSet<NodeId>,
}

impl Belief {
    /// Of what an earlier process believed.
    pub(crate) fn of(members: Vec<Member>) -> Self {
        let members = members.into_iter().map(|member| (member.node, member)).collect();
        Self { members, held: BTreeSet::new() }
    }

    /// Who has to be asked before this list is believed; of one to be wary of, all who are missing.
    pub(crate) fn doubted(&self, told: &[Member], is_wary: bool) -> Vec<Member> {
        let told: BTreeSet<NodeId> = told.iter().map(|member| member.node).collect();
        let is_missing = |member: &&Member| !told.contains(&member.node);
        let missing: Vec<&Member> = self.members.values().filter(is_missing).collect();
        // Others may have come meanwhile: what counts is how many of those known are told still.
        let is_wary = is_wary || missing.len() * 2 > self.members.len();
        let doubted = missing.into_iter();
        doubted.filter(|member| is_wary || self.held.contains(&member.node)).cloned().collect()
    }

    /// What is believed after this list, when of those doubted these answer.
    pub(crate) fn after(
        &self,
        told: &[Member],
        doubted: &[Member],
        answering: &BTreeSet<NodeId>,
    ) -> Self {
        let mut after = Self::of(told.to_vec());
        for member in doubted.iter().filter(|member| answering.contains(&member.node)) {
            after.held.insert(member.node);
            after.members.insert(member.node, member.clone());
        }
        after
    }
}

/// The index to ask with next: Consul's indices may go backwards, after a restore for example, and then one begins
/// anew; one that is 0 would make a query return at once, for ever.
pub(crate) fn next_index(last: u64, told: Option<u64>) -> u64 {
    match told {
        Some(told) if told >= last => told.max(1),
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
