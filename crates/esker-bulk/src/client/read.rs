//! Reading many at once.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use esker_wire::bulk::{Ask, Found, Get, Head, ITEMS_MAX, Part, Reply, Request, Status, Value};
use esker_wire::fault::{Code, Fault};

use crate::client::send::{Group, Patience, Unsent};
use crate::client::{Inner, about_id, unasked};
use crate::compress;

impl Inner {
    /// What is there of contents, as much as came at once.
    pub(crate) async fn read_all(
        self: &Arc<Self>,
        ids: &[Bytes],
    ) -> Result<Vec<Option<Value>>, Fault> {
        let mut patience = Patience::new(self.options.deadline);
        let mut known = self.directory.ready(patience.left()).await?;
        let mut found: Vec<Option<Option<Value>>> = vec![None; ids.len()];
        loop {
            let open = found.iter().enumerate().filter(|(_, it)| it.is_none());
            let open: Vec<usize> = open.map(|(place, _)| place).collect();
            if open.is_empty() {
                return Ok(found.into_iter().map(Option::flatten).collect());
            }
            let groups = self.group(&known, open.iter().map(|at| (*at, ids[*at].as_ref())), 0)?;
            let mut has_moved = false;
            for group in groups {
                for places in group.places.chunks(ITEMS_MAX) {
                    let items =
                        places.iter().map(|place| Get::whole(ids[*place].clone())).collect();
                    let request = Request::Get(items);
                    match self.read((&group, &request), 0, &mut patience).await {
                        Ok(items) => settle(ids, places, items, &mut found)?,
                        Err(Unsent::Moved) => has_moved = true,
                        Err(Unsent::Fault(fault)) => return Err(fault),
                    }
                }
            }
            if has_moved {
                if !patience.wait().await {
                    return Err(Fault::new(
                        Code::Timeout,
                        "where ids are could not be learnt in time",
                    ));
                }
                known = self.directory.known();
            }
        }
    }

    pub(crate) async fn read(
        &self,
        (group, request): (&Group, &Request),
        flags: u8,
        patience: &mut Patience,
    ) -> Result<Vec<Found>, Unsent> {
        let head = Head { flags, ..group.route.head(request.op()) };
        let ask = Ask { head, request: request.clone() };
        match self.send((&group.node, &group.route), &ask, patience).await? {
            Reply::Found(found) => Ok(found),
            _ => Err(Unsent::Fault(unasked())),
        }
    }
}

/// Takes note of what was found; what there was no room for in the answer is left to be asked for again.
fn settle(
    ids: &[Bytes],
    places: &[usize],
    items: Vec<Found>,
    found: &mut [Option<Option<Value>>],
) -> Result<(), Fault> {
    for (place, item) in places.iter().zip(items) {
        found[*place] = match item {
            Found::Value(value) => Some(Some(value)),
            Found::Not(Status::Unknown) => Some(None),
            Found::Not(Status::Again) => None,
            Found::Not(status) => return Err(about_id(&ids[*place], status)),
        };
    }
    Ok(())
}

/// The bytes of parts, one after the other.
pub(crate) fn join(parts: &[Part]) -> Result<Bytes, Fault> {
    if let [part] = parts {
        return compress::read(part);
    }
    let mut bytes = BytesMut::with_capacity(parts.iter().map(|part| part.raw as usize).sum());
    for part in parts {
        bytes.extend_from_slice(&compress::read(part)?);
    }
    Ok(bytes.freeze())
}
