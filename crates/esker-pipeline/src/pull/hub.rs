//! Reading a resource of another esker, by the protocol that everything else speaks.

use esker_bus::endpoint::Endpoint;
use esker_wire::fault::{Code, Fault};
use esker_wire::name::Branch;
use esker_wire::revision::Revision;
use esker_wire::snapshot::Get;
use serde_json::{Value, json};

use crate::definition::pull::OtherHub;
use crate::run::failure::Broken;
use crate::run::{Halt, Made, may_pass, output};

use super::{Errand, known_type, state};

pub(super) fn fetch(errand: &Errand<'_>, hub: &OtherHub) -> Result<Made, Halt> {
    let known = state::known(errand)?;
    let revision = known.as_ref().and_then(|known| known.get("revision")).and_then(Value::as_str);
    let endpoint = Endpoint::Tcp { requests: hub.address.clone(), events: hub.address.clone() };
    let caller = errand.bench.caller.elsewhere(&endpoint);
    let get = Get {
        resource: hub.resource.clone(),
        at: hub.at.clone(),
        branch: Branch::main(),
        range: None,
        unless: revision.and_then(|text| text.parse::<Revision>().ok()),
    };
    let timeout = errand.pull.timeout;
    let answer = errand.aside(&hub.address, move || caller.call_blocking(&get, timeout))?;
    let content = answer.map_err(|fault| of_fault(hub, &fault))?;
    let Some(bytes) = content.bytes else {
        return Err(Halt::Unchanged);
    };
    if bytes.len() as u64 > errand.pull.output_max {
        let summary = format!("{} has more than {} bytes", hub.resource, errand.pull.output_max);
        return Err(Broken::new(summary, "give the source a larger `output_max`").into());
    }
    if bytes.is_empty() && !errand.source.allow_empty {
        return Err(output::empty(errand.source.output.as_str()).into());
    }
    let content_type = content.entry.content_type.as_deref().and_then(known_type);
    let kept = json!({ "revision": content.entry.revision.to_string() });
    state::made(errand, known.as_ref(), (bytes, content_type), kept)
}

fn of_fault(hub: &OtherHub, fault: &Fault) -> Broken {
    let summary = format!("cannot read {} of {}: {}", hub.resource, hub.address, fault.message);
    let broken = Broken::new(summary, fault.hint.clone());
    match fault.code {
        Code::TooLarge => Broken { hint: "a source brings at most 64 MiB".to_owned(), ..broken },
        _ if may_pass(fault) => broken.temporary(),
        _ => broken,
    }
}
