//! `esker worker`: a worker of a cluster, in a process of its own.

use std::time::Duration;

use anyhow::Result;
use esker_bus::bus::Bus;
use esker_cluster::join::Join;
use esker_wire::member::Member;
use indicatif::MultiProgress;

use crate::cli;
use crate::say;
use crate::stop::Stop;
use crate::working::{Spill, Wanted, Working};

/// How often it looks how much is free.
const LOOK: Duration = Duration::from_secs(1);

/// Runs a worker until it is told to stop.
pub(crate) fn worker(asked: &cli::Worker) -> Result<()> {
    crate::logging::start(asked.log.json, &MultiProgress::new());
    crate::planes::allow_files();
    let stop = Stop::on_signals()?;
    let join: Join = asked.join.parse()?;
    let spill = match (&asked.spill, asked.no_spill) {
        (_, true) => Spill::Nowhere,
        (Some(folder), false) => Spill::Folder(folder.clone()),
        (None, false) => Spill::Own,
    };
    let wanted = Wanted {
        join: Some(join.clone()),
        bind: asked.bind.clone(),
        memory: asked.memory,
        spill,
        name: asked.name.clone(),
    };
    let working = Working::start(&Bus::start()?, wanted)?;
    let Member { node, name, control, bulk, .. } = working.member();
    let memory = say::size(asked.memory);
    tracing::info!(%node, name, control, bulk, memory, %join, "worker");
    until(&working, &stop);
    tracing::info!("stopping: what this worker held is gone with it");
    Ok(())
}

fn until(working: &Working, stop: &Stop) {
    let mut fault = None;
    while !stop.wait(LOOK) {
        let now = working.beat();
        if now != fault {
            match &now {
                Some(fault) => tracing::warn!(%fault, "others cannot be told of this worker"),
                None => tracing::info!("others are told of this worker"),
            }
            fault = now;
        }
    }
}
