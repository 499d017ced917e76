//! Who takes part in a cluster: a worker as its registry tells of it. Whom to ask, and how much it can hold.

use std::fmt;
use std::str::FromStr;

/// A worker's identity, for as long as its data lives: 16 random bytes made at its start, written as 32 lower-case
/// hexadecimal digits. Not its address, which another worker may have after it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId([u8; 16]);

impl NodeId {
    /// From its 16 bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its 16 bytes.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0
    }
}

/// A text that is not the identity of a worker.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the identity of a worker (32 hexadecimal digits)")]
pub struct BadNodeId(String);

impl FromStr for NodeId {
    type Err = BadNodeId;

    fn from_str(text: &str) -> Result<Self, BadNodeId> {
        let bad = || BadNodeId(text.chars().take(80).collect());
        let is_plain = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u128::from_str_radix(text, 16).ok().filter(|_| is_plain).ok_or_else(bad)?;
        Ok(Self(number.to_be_bytes()))
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A worker as others know it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// Who it is.
    pub node: NodeId,
    /// What people call it: the name of its node in Consul, or in the list of members.
    pub name: String,
    /// Where it takes small requests: `tcp://HOST:PORT`.
    pub control: String,
    /// Where it takes and gives bulk data: `tcp://HOST:PORT`.
    pub bulk: String,
    /// The cores it may use.
    pub cpus: u32,
    /// The bytes it may hold in memory.
    pub memory: u64,
    /// How much of that was free when it last said so, in 64ths of `memory`.
    pub free: u8,
}

#[cfg(test)]
mod tests;
