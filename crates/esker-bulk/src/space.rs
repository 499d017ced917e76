//! What a space is like: which ids there are from the beginning, where they are, and whether they are kept.
//!
//! Ids share a space by what stands before their last `/`. A space that nobody has begun is a cache: its ids are
//! where the table of all nodes says, and may be forgotten. One that was begun says so itself, as JSON; every change
//! of it has a number, and the messages about it name that.

use esker_wire::bulk::{Table, hash};
use esker_wire::fault::Fault;
use serde::{Deserialize, Serialize};

/// The longest description of a space, in bytes.
pub const ABOUT_MAX: usize = 512 * 1024;
/// The most ids that a space begins with.
pub const IDS_MAX: u64 = 1 << 32;

/// By what the ids of a space are dealt out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Every node gets as many.
    #[default]
    UniformNodes,
    /// By the cores that nodes have.
    UniformCpu,
    /// By the memory that is free on nodes.
    UniformMemory,
}

impl Strategy {
    /// What people write and read.
    pub fn name(self) -> &'static str {
        match self {
            Self::UniformNodes => "uniform-nodes",
            Self::UniformCpu => "uniform-cpu",
            Self::UniformMemory => "uniform-memory",
        }
    }
}

/// What becomes of contents when memory is short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// They go to disk: what was acknowledged is there until it is removed.
    #[default]
    All,
    /// They are forgotten, the least asked for first.
    Cache,
}

impl Keep {
    /// What people write and read.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Cache => "cache",
        }
    }
}

/// Which ids there are from the beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Ids {
    /// None.
    None,
    /// `pattern` with the numbers from 0 on, so many, in place of its `{}`.
    Numbered {
        /// Begins with the space's name and `/`, unless that is empty.
        pattern: String,
        /// How many.
        count: u64,
    },
    /// Those of a list, which the workers know the hashes of.
    Listed {
        /// How many.
        count: u64,
        /// The hash of all their hashes, in their order.
        digest: u64,
        /// Where each node's share ends: the hash behind its last, in the order of the table's nodes.
        ends: Vec<u64>,
    },
}

/// What a space is like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The space's name: what stands before the last `/` of its ids.
    pub name: String,
    /// How often it was begun anew.
    pub generation: u32,
    /// What becomes of contents when memory is short.
    pub keep: Keep,
    /// By what its ids are dealt out.
    pub strategy: Strategy,
    /// How many copies there are of each beside the first.
    pub replicas: u8,
    /// Which ids there are from the beginning.
    pub ids: Ids,
    /// The keys of its tables; the last is the one that is written by. One more is an epoch more.
    pub tables: Vec<String>,
}

impl About {
    /// Reads what was written as JSON.
    ///
    /// # Errors
    /// `bad-request` saying what cannot be.
    pub fn from_json(text: &[u8]) -> Result<Self, Fault> {
        if text.len() > ABOUT_MAX {
            let text =
                format!("a space's description of {} bytes; {ABOUT_MAX} are allowed", text.len());
            return Err(Fault::bad_request(text));
        }
        let about: Self = serde_json::from_slice(text).map_err(|error| {
            Fault::bad_request(format!("this does not describe a space: {error}"))
        })?;
        about.check()?;
        Ok(about)
    }

    /// Writes it as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and numbers can always be written")
    }

    /// The hash that messages name the space by.
    pub fn hash(&self) -> u64 {
        hash(self.name.as_bytes())
    }

    /// How many tables it has had: 1 from the beginning, one more whenever its nodes changed.
    pub fn epoch(&self) -> u16 {
        self.tables.len() as u16
    }

    fn check(&self) -> Result<(), Fault> {
        let bad = |why: String| Err(Fault::bad_request(format!("the space {}: {why}", self.name)));
        if !(1..=usize::from(u16::MAX)).contains(&self.tables.len()) {
            return bad(format!("it has {} tables", self.tables.len()));
        }
        if self.generation == 0 {
            return bad("the first generation is 1".to_owned());
        }
        match &self.ids {
            Ids::None => Ok(()),
            Ids::Numbered { pattern, count } => {
                if pattern.matches("{}").count() != 1 {
                    return bad(format!("{pattern} has not one {{}} for the number"));
                }
                let holds = pattern.rsplit_once('/').map_or("", |(space, _)| space) == self.name;
                if !holds {
                    return bad(format!("the ids of {pattern} are in another space"));
                }
                check_count(*count)
            }
            Ids::Listed { count, ends, .. } => {
                if !ends.is_sorted() {
                    return bad("its shares are not in their order".to_owned());
                }
                check_count(*count)
            }
        }
    }

    /// The number of an id that there is from the beginning, if ids are numbered.
    pub fn number(&self, id: &[u8]) -> Option<u64> {
        let Ids::Numbered { pattern, count } = &self.ids else { return None };
        let (before, after) = pattern.split_once("{}")?;
        let digits = id.strip_prefix(before.as_bytes())?.strip_suffix(after.as_bytes())?;
        let is_plain = digits.iter().all(u8::is_ascii_digit)
            && (digits[..] == *b"0" || digits.first() != Some(&b'0'));
        let number = std::str::from_utf8(digits).ok().filter(|_| is_plain)?.parse().ok()?;
        (number < *count).then_some(number)
    }

    /// Which slot of its table an id has; nothing if the table's nodes have shares of a list instead.
    pub fn slot(&self, id: &[u8]) -> usize {
        slot(self.number(id).unwrap_or_else(|| hash(id)))
    }

    /// Which node of the table has the share of a listed id, by its place; nothing if ids are not listed.
    pub fn share(&self, id: &[u8], table: &Table) -> Option<usize> {
        let Ids::Listed { ends, .. } = &self.ids else { return None };
        let hash = hash(id);
        let at = ends.partition_point(|end| *end <= hash);
        Some(at.min(table.nodes().len() - 1))
    }
}

/// The slot that a number or a hash belongs to.
pub fn slot(number: u64) -> usize {
    (number % esker_wire::bulk::SLOTS as u64) as usize
}

fn check_count(count: u64) -> Result<(), Fault> {
    if count <= IDS_MAX {
        return Ok(());
    }
    Err(Fault::bad_request(format!("{count} ids; a space begins with at most {IDS_MAX}")))
}
