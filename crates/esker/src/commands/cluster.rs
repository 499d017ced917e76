//! `esker cluster`: who is there, how they stand, where an id is, and a cluster to try things on.

mod dev;

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::Result;
use esker_bulk::client::{Client, Options};
use esker_bulk::survey::{Survey, Surveyor};
use esker_bus::bus::Bus;
use esker_cluster::cluster::Cluster;
use esker_cluster::membership::{Membership, Origin};
use esker_wire::member::Member;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::{ClusterCommand, Joining};
use crate::joined;
use crate::project::Place;
use crate::say;

/// How long it may take to learn who is there.
const MEMBERS_MAX: Duration = Duration::from_secs(10);

/// What is said where nobody is.
const NO_WORKERS: &str =
    "no workers: start one with `esker worker`, or several with `esker cluster dev`";

/// Does what was asked.
pub(crate) fn cluster(place: &Place, asked: &ClusterCommand) -> Result<()> {
    match asked {
        ClusterCommand::Status(told) => status(place, &told.joining, told.json),
        ClusterCommand::Members(told) => members(place, &told.joining, told.json),
        ClusterCommand::Locate { id, told } => locate(place, id, &told.joining, told.json),
        ClusterCommand::Dev { nodes, memory, log } => dev::dev(*nodes, *memory, log),
    }
}

/// A client of a cluster, and the cluster.
pub(crate) fn join(place: &Place, joining: &Joining) -> Result<(Client, Cluster)> {
    crate::logging::quiet();
    let join = joined::which(place, joining.join.as_deref())?;
    joined::client(&Bus::start()?, &join, Options::default())
}

fn known(place: &Place, joining: &Joining) -> Result<Arc<Membership>> {
    let (_client, cluster) = join(place, joining)?;
    Ok(cluster.wait_for(|known| known.origin == Origin::Told, MEMBERS_MAX)?)
}

fn members(place: &Place, joining: &Joining, as_json: bool) -> Result<()> {
    let known = known(place, joining)?;
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
        say::note(NO_WORKERS);
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

fn status(place: &Place, joining: &Joining, as_json: bool) -> Result<()> {
    let (client, cluster) = join(place, joining)?;
    let survey = survey(&client, &cluster);
    if as_json {
        return Ok(say::json(&serde_json::to_value(&survey)?)?);
    }
    for warning in &survey.membership.warnings {
        say::note(&warning.message);
    }
    if survey.workers.is_empty() {
        say::note(NO_WORKERS);
        return Ok(());
    }
    let rows = survey.workers.iter().map(|worker| {
        let told = &worker.standing;
        let number = |path: &str| told.pointer(path).and_then(Value::as_u64).unwrap_or(0);
        let in_memory = ["cached", "pinned", "staged", "notes"];
        let memory = in_memory.iter().map(|class| number(&format!("/ledger/{class}"))).sum();
        let disk = told["disk"].as_str().unwrap_or("");
        vec![
            worker.name.clone(),
            number("/entries").to_string(),
            say::size(memory),
            say::size(number("/ledger/budget")),
            say::size(number("/ledger/disk")),
            number("/tally/hits").to_string(),
            number("/tally/misses").to_string(),
            number("/tally/evicted").to_string(),
            worker.fault.clone().unwrap_or_else(|| disk.to_owned()),
        ]
    });
    let headings = ["NAME", "IDS", "MEMORY", "OF", "DISK", "HITS", "MISSES", "EVICTED", ""];
    say::table(&headings, rows.collect())?;
    if !survey.spaces.is_empty() {
        say::note("");
        spaces(&survey)?;
    }
    Ok(())
}

fn spaces(survey: &Survey) -> Result<()> {
    let rows = survey.spaces.iter().map(|space| {
        vec![
            space.name.clone(),
            space.count.to_string(),
            space.strategy.name().to_owned(),
            space.keep.name().to_owned(),
            space.workers.to_string(),
            space.generation.to_string(),
            (if space.sealed { "sealed" } else { "" }).to_owned(),
        ]
    });
    let headings = ["SPACE", "IDS", "STRATEGY", "KEEP", "WORKERS", "GENERATION", ""];
    Ok(say::table(&headings, rows.collect())?)
}

/// How a cluster stands: as soon as it is known who is there, or as far as that can be known.
fn survey(client: &Client, cluster: &Cluster) -> Survey {
    // Where nobody tells, what is known is told, with why.
    let heard = |known: &Membership| known.origin == Origin::Told || !known.warnings.is_empty();
    drop(cluster.wait_for(heard, MEMBERS_MAX));
    let known = cluster.members();
    if !known.members.is_empty() && known.blind_since().is_none() {
        // What is known of spaces and shares comes a moment later.
        drop(client.block_on(client.node_ids("-")));
    }
    Surveyor::new(client, cluster.join_address()).look()
}

fn locate(place: &Place, id: &str, joining: &Joining, as_json: bool) -> Result<()> {
    let (client, _cluster) = join(place, joining)?;
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
