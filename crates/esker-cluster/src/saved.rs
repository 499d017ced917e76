//! The file `members.json`: who was believed to be there, for a start while Consul is away.
//!
//! It is replaced as a whole and synced, so that a crash leaves the old list or the new one. Fields that a later
//! version adds are passed over.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use esker_wire::member::Member;
use serde::{Deserialize, Serialize};

use crate::membership::{MEMBERS_MAX, Membership, Origin, defect};

/// The file's name.
const FILE: &str = "members.json";
/// Its largest size: [`MEMBERS_MAX`] members with the longest texts.
const SIZE_MAX: u64 = 8 << 20;

/// Where members are saved, and of which cluster.
pub(crate) struct Saved {
    folder: PathBuf,
    /// Another cluster's members are nothing to us.
    cluster: String,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    cluster: String,
    version: u64,
    since_ms: u64,
    members: Vec<KeptMember>,
}

#[derive(Serialize, Deserialize)]
struct KeptMember {
    node: String,
    name: String,
    control: String,
    bulk: String,
    cpus: u32,
    memory: u64,
    free: u8,
}

impl KeptMember {
    fn of(member: &Member) -> Self {
        Self {
            node: member.node.to_string(),
            name: member.name.clone(),
            control: member.control.clone(),
            bulk: member.bulk.clone(),
            cpus: member.cpus,
            memory: member.memory,
            free: member.free,
        }
    }

    fn member(self) -> Option<Member> {
        let node = self.node.parse().ok()?;
        let Self { name, control, bulk, cpus, memory, free, .. } = self;
        let member = Member { node, name, control, bulk, cpus, memory, free };
        defect(&member).is_none().then_some(member)
    }
}

impl Saved {
    pub(crate) fn new(folder: PathBuf, cluster: String) -> Self {
        Self { folder, cluster }
    }

    /// What was saved last, if it is readable and of this cluster.
    pub(crate) fn load(&self) -> Option<Membership> {
        let path = self.folder.join(FILE);
        let kept = match read(&path) {
            Ok(kept) => kept,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!(path = %path.display(), "cannot read the saved members: {error}");
                return None;
            }
        };
        if kept.cluster != self.cluster || kept.members.len() > MEMBERS_MAX {
            return None;
        }
        let mut members: Vec<Member> =
            kept.members.into_iter().filter_map(KeptMember::member).collect();
        members.sort();
        members.dedup_by_key(|member| member.node);
        let since = UNIX_EPOCH.checked_add(Duration::from_millis(kept.since_ms))?;
        let (version, warnings) = (kept.version, Vec::new());
        let (held, origin) = (Vec::new(), Origin::Saved);
        Some(Membership { members, held, version, since, origin, warnings })
    }

    /// Saves it, durably.
    pub(crate) fn save(&self, membership: &Membership) -> Result<(), String> {
        let write = || -> io::Result<()> {
            fs::create_dir_all(&self.folder)?;
            let mut file =
                tempfile::Builder::new().prefix(".members-").tempfile_in(&self.folder)?;
            serde_json::to_writer(&mut file, &self.kept(membership))?;
            file.as_file_mut().flush()?;
            file.as_file().sync_all()?;
            file.persist(self.folder.join(FILE)).map_err(|error| error.error)?;
            File::open(&self.folder)?.sync_all()
        };
        let place = self.folder.join(FILE);
        write().map_err(|error| {
            format!(
                "cannot save the members to {}: {error}; started while Consul is away, this process would know nobody",
                place.display()
            )
        })
    }

    fn kept(&self, membership: &Membership) -> Kept {
        Kept {
            cluster: self.cluster.clone(),
            version: membership.version,
            since_ms: milliseconds(membership.since),
            members: membership.members.iter().map(KeptMember::of).collect(),
        }
    }
}

fn read(path: &Path) -> io::Result<Kept> {
    let mut bytes = Vec::new();
    File::open(path)?.take(SIZE_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > SIZE_MAX {
        return Err(io::Error::other(format!("it is larger than {SIZE_MAX} bytes")));
    }
    Ok(serde_json::from_slice(&bytes)?)
}

fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
