//! Which cluster a command means: the one that `--join` names, the one that the project's definition names, or the
//! worker of the project's `esker up`.

use std::path::Path;

use anyhow::Result;
use esker_bulk::client::{Client, Options, joining};
use esker_bus::bus::Bus;
use esker_cluster::cluster::Cluster;
use esker_cluster::join::{Join, Roster};
use esker_pipeline::definition::Definition;

use crate::endpoints::Endpoints;
use crate::project::{Place, Project};
use crate::say::hinted;

/// The cluster where no project is: Consul's agent of this machine.
const ELSEWHERE: &str = "consul://127.0.0.1:8500";

/// The cluster that is meant.
pub(crate) fn which(place: &Place, named: Option<&str>) -> Result<Join> {
    match (named, place.project()) {
        (Some(address), _) => Ok(address.parse()?),
        (None, Ok(project)) => of_project(&project),
        (None, Err(_)) => Ok(ELSEWHERE.parse()?),
    }
}

/// The cluster of a project: as its definition says, or the worker that its `esker up` has.
pub(crate) fn of_project(project: &Project) -> Result<Join> {
    // A definition that cannot be read is the runner's to tell; the worker may be there all the same.
    let defined = Definition::load(&project.dir).ok().and_then(|it| it.cluster.join);
    if let Some(address) = defined {
        return read(&address, &project.dir);
    }
    let worker = Endpoints::read(project).worker.filter(|worker| worker.accepts());
    if let Some(member) = worker.and_then(|worker| worker.member()) {
        return Ok(Join::Static(Roster::Given(vec![member])));
    }
    let what = format!("no worker runs for the project in {}", project.dir.display());
    Err(hinted(what, "start `esker up` there, or say with --join which cluster is meant"))
}

/// Reads an address of a definition; a file's name is meant from the project's folder.
pub(crate) fn read(address: &str, dir: &Path) -> Result<Join> {
    Ok(match address.parse()? {
        Join::Static(Roster::File(path)) => Join::Static(Roster::File(dir.join(path))),
        join => join,
    })
}

/// A client of a cluster, and the cluster.
pub(crate) fn client(bus: &Bus, join: &Join, options: Options) -> Result<(Client, Cluster)> {
    let cluster = Cluster::join(join, joining(bus))?;
    let client = Client::new(bus, &cluster, None, options)?;
    Ok((client, cluster))
}
