//! `esker cluster dev`: agents of Consul and workers on this machine, until it is stopped.

use std::time::Duration;

use anyhow::Result;
use esker_bulk::client::ping;
use esker_cluster::cluster::{Cluster, Options};
use esker_cluster::consul::token::Token;
use esker_cluster::dev::Plan;
use esker_cluster::join::Join;
use esker_pipeline::beside::Beside;
use indicatif::MultiProgress;
use serde_json::json;

use crate::cli::Log;
use crate::say::{self, hinted};
use crate::stop::Stop;

/// How long Consul may take to begin.
const BEGIN_MAX: Duration = Duration::from_secs(30);
/// How often it is looked whether all are still there.
const LOOK: Duration = Duration::from_millis(500);

/// Runs a cluster of so many nodes, the first with Consul's server.
pub(crate) fn dev(nodes: u16, memory: u64, log: &Log) -> Result<()> {
    crate::logging::start(log.json, &MultiProgress::new());
    let stop = Stop::on_signals()?;
    let folder = tempfile::Builder::new().prefix("esker-cluster-").tempdir()?;
    let plan = Plan::new(folder.path(), 1, usize::from(nodes) - 1, &json!({ "ui": true }))?;
    let consul = std::env::var_os("ESKER_CONSUL").unwrap_or_else(|| "consul".into());
    let mut children = Vec::new();
    for agent in &plan.agents {
        let started = Beside::start(&consul, &agent.arguments, &agent.folder.join("log"));
        children.push(started?);
    }
    let begun = plan.wait(&Token::Anonymous, BEGIN_MAX);
    // Who has ended says more than that nobody answers.
    look(&mut children)?;
    begun?;
    let program = std::env::current_exe()?;
    for agent in &plan.agents {
        let arguments = [
            "worker".to_owned(),
            "--join".to_owned(),
            agent.join(),
            "--bind".to_owned(),
            format!("{}:5060", agent.address),
            "--memory".to_owned(),
            format!("{memory}B"),
            "--name".to_owned(),
            agent.name.clone(),
        ];
        let log = agent.folder.join("worker.log");
        children.push(Beside::start(&program, &arguments, &log)?);
    }
    let first = &plan.agents[0];
    let join: Join = first.join().parse()?;
    let bus = esker_bus::bus::Bus::start()?;
    let cluster = Cluster::join(&join, Options::new(ping(&bus)))?;
    let all = usize::from(nodes);
    cluster.wait_for(|known| known.members.len() == all, BEGIN_MAX)?;
    say::note(format!("{} on this machine; stop with Ctrl-C", say::count(all, "node")));
    say::note(format!("join:   {}", first.join()));
    say::note(format!("Consul: {}/ui", first.url()));
    say::note(format!(
        "DNS:    dig @{} -p {} shoveling-worker.service.consul. SRV",
        first.address,
        first.dns_port()
    ));
    say::note(format!("try:    esker cluster status --join {}", first.join()));
    while !stop.wait(LOOK) {
        // The rest goes on without whoever ends, as on many machines.
        children.retain_mut(|child| match child.ended() {
            Ok(None) => true,
            Ok(Some(ended)) => {
                tracing::warn!(ended, log = %child.log().display(), "one of the cluster is gone");
                false
            }
            Err(error) => {
                tracing::warn!(%error, "cannot tell whether one of the cluster is still there");
                true
            }
        });
    }
    tracing::info!("stopping");
    Ok(())
}

/// Holds that all are still there.
fn look(children: &mut [Beside]) -> Result<()> {
    for child in children {
        if let Some(ended) = child.ended()? {
            let log = std::fs::read_to_string(child.log()).unwrap_or_default();
            let last = log.lines().last().unwrap_or("it has printed nothing").to_owned();
            let hint = "is consul installed? `apt install consul`, or ESKER_CONSUL=/path/to/consul";
            return Err(hinted(format!("{ended}: {last}"), hint));
        }
    }
    Ok(())
}
