//! Who is there, as believed at a moment, and what is wrong with how that is known.

use std::time::SystemTime;

use esker_wire::member::{Member, NodeId};

/// The most members a cluster may have.
pub const MEMBERS_MAX: usize = 4096;

/// Who is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The members, sorted by their identity.
    pub members: Vec<Member>,
    /// Those of them who are no longer told, but answer; sorted.
    pub held: Vec<NodeId>,
    /// Grows with each change of the members, also over restarts where they are saved.
    pub version: u64,
    /// Since when they have been these.
    pub since: SystemTime,
    /// How they are known.
    pub origin: Origin,
    /// What is wrong with that, each kind of trouble once.
    pub warnings: Vec<Warning>,
}

/// How members are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Nothing is known yet.
    Nowhere,
    /// Read from a file that an earlier process left: nobody has confirmed them yet.
    Saved,
    /// Told by Consul, or by the list.
    Told,
}

/// What is wrong, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Its kind.
    pub trouble: Trouble,
    /// Since when.
    pub since: SystemTime,
    /// What people are told: what, where, and what to do.
    pub message: String,
}

/// The kinds of what can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// Consul does not answer, or answers that it cannot; the last known list is used.
    Away,
    /// Consul refuses, as the token does not allow it; the last known list is used.
    Refused,
    /// Consul answers with an empty list.
    Empty,
    /// Consul answers with less than half of those known.
    Shrunk,
    /// Some entries are not workers of ours, or not readable.
    Unreadable,
    /// More than there may be.
    TooMany,
    /// The list cannot be used; the last good one is.
    BadList,
    /// The members cannot be saved, so that a start while Consul is away will not know them.
    NotSaved,
}

impl Trouble {
    /// What it is called where it is told of.
    pub fn name(self) -> &'static str {
        match self {
            Self::Away => "away",
            Self::Refused => "refused",
            Self::Empty => "empty",
            Self::Shrunk => "shrunk",
            Self::Unreadable => "unreadable",
            Self::TooMany => "too-many",
            Self::BadList => "bad-list",
            Self::NotSaved => "not-saved",
        }
    }
}

impl Membership {
    /// Nobody yet.
    pub(crate) fn nobody() -> Self {
        Self {
            members: Vec::new(),
            held: Vec::new(),
            version: 0,
            since: SystemTime::now(),
            origin: Origin::Nowhere,
            warnings: Vec::new(),
        }
    }

    /// The member with this identity.
    pub fn get(&self, node: NodeId) -> Option<&Member> {
        let at = self.members.binary_search_by_key(&node, |member| member.node).ok()?;
        self.members.get(at)
    }

    /// What is wrong of this kind, if it is.
    pub fn warning(&self, trouble: Trouble) -> Option<&Warning> {
        self.warnings.iter().find(|warning| warning.trouble == trouble)
    }

    /// Since when nothing new is heard of who is there: the last known list is used.
    pub fn blind_since(&self) -> Option<SystemTime> {
        let blind = [Trouble::Away, Trouble::Refused, Trouble::BadList];
        let warnings = self.warnings.iter().filter(|warning| blind.contains(&warning.trouble));
        warnings.map(|warning| warning.since).min()
    }

    /// Whether Consul or the list has said so in this process, and nothing keeps it from saying more.
    pub fn is_confirmed(&self) -> bool {
        self.origin == Origin::Told && self.blind_since().is_none()
    }
}

/// The longest address of a member.
const ADDRESS_MAX: usize = 255;
/// The longest name of a member.
const NAME_MAX: usize = 255;
/// How a member's addresses may begin.
const SCHEMES: [&str; 3] = ["tcp://", "ipc://", "inproc://"];
/// `free` counts these parts of the memory.
pub(crate) const FREE_MAX: u8 = 64;

/// What is wrong with a member, if something is.
pub(crate) fn defect(member: &Member) -> Option<String> {
    let is_name = !member.name.is_empty()
        && member.name.len() <= NAME_MAX
        && !member.name.chars().any(char::is_control);
    if !is_name {
        return Some(format!("its name is not one of 1 to {NAME_MAX} printable characters"));
    }
    for (key, address) in [("control", &member.control), ("bulk", &member.bulk)] {
        let rest = SCHEMES.iter().find_map(|scheme| address.strip_prefix(scheme));
        let plain = |byte: u8| byte.is_ascii_graphic();
        if rest.is_none_or(str::is_empty) || !address.bytes().all(plain) {
            return Some(format!("{key} is not an address as tcp://HOST:PORT"));
        }
        if address.len() > ADDRESS_MAX {
            return Some(format!("{key} is longer than {ADDRESS_MAX} bytes"));
        }
    }
    if member.cpus == 0 {
        return Some("cpus is 0".to_owned());
    }
    (member.free > FREE_MAX).then(|| format!("free is more than {FREE_MAX} 64ths"))
}
