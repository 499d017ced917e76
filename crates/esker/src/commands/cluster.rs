//! `esker cluster`: who is there, how they stand, where an id is, and a cluster to try things on.

mod dev;

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::Result;
use esker_bulk::client::{Client, Options, ping};
use esker_bus::bus::Bus;
use esker_cluster::cluster::{Cluster, Options as Joined};
use esker_cluster::join::Join;
use esker_cluster::membership::{Membership, Origin};
use esker_wire::member::Member;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::{ClusterCommand, Joining};
use crate::say;

/// How long it may take to learn who is there.
const MEMBERS_MAX: Duration = Duration::from_secs(10);

/// Does what was asked.
pub(crate) fn cluster(asked: &ClusterCommand) -> Result<()> {
    match asked {
        ClusterCommand::Status(told) => status(&told.joining, told.json),
        ClusterCommand::Members(told) => members(&told.joining, told.json),
        ClusterCommand::Locate { id, told } => locate(id, &told.joining, told.json),
        ClusterCommand::Dev { nodes, memory, log } => dev::dev(*nodes, *memory, log),
    }
}

/// A client of a cluster, and the cluster.
pub(crate) fn join(joining: &Joining) -> Result<(Client, Cluster)> {
    crate::logging::quiet();
    let join: Join = joining.join.parse()?;
    let bus = Bus::start()?;
    let cluster = Cluster::join(&join, Joined::new(ping(&bus)))?;
    let client = Client::new(&bus, &cluster, None, Options::default())?;
    Ok((client, cluster))
}

fn known(joining: &Joining) -> Result<Arc<Membership>> {
    let (_client, cluster) = join(joining)?;
    Ok(cluster.wait_for(|known| known.origin == Origin::Told, MEMBERS_MAX)?)
}

fn members(joining: &Joining, as_json: bool) -> Result<()> {
    let known = known(joining)?;
    let since = known.since.duration_since(UNIX_EPOCH).unwrap_or_default();
    let since = Timestamp::from_second(since.as_secs() as i64)?;
    if as_json {
        let members: Vec<Value> = known.members.iter().map(member_json).collect();
        let warnings: Vec<&str> = known.warnings.iter().map(|it| it.message.as_str()).collect();
        let told = json!({
            "version": known.version,
            "since": since.to_string(),
            "members": members,
            "warnings": warnings,
        });
        return Ok(say::json(&told)?);
    }
    for warning in &known.warnings {
        say::note(&warning.message);
    }
    if known.members.is_empty() {
        say::note("no workers: start one with `esker worker`, or several with `esker cluster dev`");
        return Ok(());
    }
    let rows = known.members.iter().map(|member| {
        let free = member.memory / 64 * u64::from(member.free);
        vec![
            member.name.clone(),
            member.node.to_string(),
            member.control.clone(),
            member.bulk.clone(),
            member.cpus.to_string(),
            say::size(member.memory),
            say::size(free),
        ]
    });
    say::table(&["NAME", "NODE", "CONTROL", "BULK", "CPUS", "MEMORY", "FREE"], rows.collect())?;
    Ok(())
}

fn member_json(member: &Member) -> Value {
    json!({
        "node": member.node.to_string(),
        "name": member.name,
        "control": member.control,
        "bulk": member.bulk,
        "cpus": member.cpus,
        "memory": member.memory,
        "free": member.free,
    })
}

fn status(joining: &Joining, as_json: bool) -> Result<()> {
    let (client, _cluster) = join(joining)?;
    let standing = client.block_on(client.standing())?;
    let mut all = Vec::new();
    for (owner, told) in standing {
        let (told, why) = match told {
            Ok(text) => (serde_json::from_slice(&text)?, None),
            Err(fault) => (Value::Null, Some(fault.to_string())),
        };
        all.push((owner, told, why));
    }
    if as_json {
        let row = |(owner, told, why): &(esker_wire::bulk::TableNode, Value, Option<String>)| {
            json!({
                "node": owner.node.to_string(),
                "name": owner.name,
                "bulk": owner.bulk,
                "standing": told,
                "fault": why,
            })
        };
        return Ok(say::json(&all.iter().map(row).collect())?);
    }
    let rows = all.iter().map(|(owner, told, why)| {
        let number = |path: &str| told.pointer(path).and_then(Value::as_u64).unwrap_or(0);
        let in_memory = ["cached", "pinned", "staged", "notes"];
        let memory = in_memory.iter().map(|class| number(&format!("/ledger/{class}"))).sum();
        let said = why.clone().unwrap_or_else(|| told["disk"].as_str().unwrap_or("").to_owned());
        vec![
            owner.name.clone(),
            number("/entries").to_string(),
            say::size(memory),
            say::size(number("/ledger/budget")),
            say::size(number("/ledger/disk")),
            number("/tally/hits").to_string(),
            number("/tally/misses").to_string(),
            number("/tally/evicted").to_string(),
            said,
        ]
    });
    let headings = ["NAME", "IDS", "MEMORY", "OF", "DISK", "HITS", "MISSES", "EVICTED", ""];
    say::table(&headings, rows.collect())?;
    Ok(())
}

fn locate(id: &str, joining: &Joining, as_json: bool) -> Result<()> {
    let (client, _cluster) = join(joining)?;
    let owners = client.block_on(client.node_ids(id))?;
    if as_json {
        let row = |owner: &esker_wire::bulk::TableNode| json!({ "node": owner.node.to_string(), "name": owner.name, "bulk": owner.bulk });
        return Ok(say::json(&owners.iter().map(row).collect())?);
    }
    let rows = owners
        .iter()
        .map(|owner| vec![owner.name.clone(), owner.node.to_string(), owner.bulk.clone()]);
    say::table(&["NAME", "NODE", "BULK"], rows.collect())?;
    Ok(())
}
