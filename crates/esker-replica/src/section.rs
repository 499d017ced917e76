//! Sections: the parts of a model that have chains and topics of their own.

use std::collections::BTreeSet;

use crate::digest::{Digest, of_dict};
use crate::model::Model;
use crate::path::{Key, Path};

/// The dicts whose children are sections; the root always is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Junctions(BTreeSet<Path>);

impl Default for Junctions {
    fn default() -> Self {
        Self::new([])
    }
}

impl Junctions {
    /// These, the root, and all between.
    pub fn new(paths: impl IntoIterator<Item = Path>) -> Self {
        let mut all = BTreeSet::from([Path::new()]);
        for path in paths {
            for depth in 1..=path.len() {
                all.insert(path[..depth].to_vec());
            }
        }
        Self(all)
    }

    /// All of them in order, the root first.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.iter()
    }

    /// The section a path belongs to; none if it is a junction itself.
    pub fn section<'a>(&self, path: &'a [Key]) -> Option<&'a [Key]> {
        if self.0.len() == 1 {
            // Only the root: most models are such.
            return path.get(..1);
        }
        // Of the prefixes of a path, those that are junctions are the shortest.
        (1..=path.len()).map(|depth| &path[..depth]).find(|prefix| !self.0.contains(*prefix))
    }

    /// Whether a path is a section's own.
    pub fn is_section(&self, path: &[Key]) -> bool {
        self.section(path) == Some(path)
    }

    /// The digest of these sections of a model with the junctions above them; of all of it if none is named.
    pub(crate) fn digest(&self, model: &Model, sections: &[Path]) -> Digest {
        if sections.is_empty() {
            return model.digest();
        }
        let above: Digest = self.above(sections).iter().map(|path| of_dict(path)).sum();
        above + sections.iter().map(|path| model.digest_at(path)).sum()
    }

    /// The junctions above these sections.
    pub(crate) fn above(&self, sections: &[Path]) -> Vec<&Path> {
        let is_above = |junction: &&Path| {
            sections.iter().any(|section| section.starts_with(junction.as_slice()))
        };
        self.0.iter().filter(is_above).collect()
    }
}

#[cfg(test)]
mod tests;
