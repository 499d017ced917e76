//! Where a service is: in this process, or behind addresses.

use esker_wire::fault::Fault;
use tokio::sync::broadcast;

use crate::address::Address;
use crate::bus::Limits;
use crate::queue::Queue;
use crate::service::Frames;

/// Where a service is.
#[derive(Debug, Clone)]
pub enum Endpoint {
    /// In this process.
    Local(LocalEndpoint),
    /// Behind two sockets.
    Tcp {
        /// Where it takes requests: `tcp://HOST:PORT`.
        requests: String,
        /// Where it publishes: `tcp://HOST:PORT`.
        events: String,
    },
}

impl Endpoint {
    /// Whether it is on this machine, as far as the address tells.
    pub fn is_near(&self) -> bool {
        match self {
            Self::Local(_) => true,
            Self::Tcp { requests, .. } => Address::parse(requests).is_ok_and(|at| at.is_loopback()),
        }
    }

    /// Whether the addresses can be read. A caller says so at its first call; a follower only waits.
    ///
    /// # Errors
    /// `bad-request` naming the address.
    pub fn check(&self) -> Result<(), Fault> {
        let Self::Tcp { requests, events } = self else {
            return Ok(());
        };
        for text in [requests, events] {
            Address::parse(text)?.to_connect()?;
        }
        Ok(())
    }
}

/// A service in this process.
#[derive(Debug, Clone)]
pub struct LocalEndpoint {
    pub(crate) queue: Queue,
    pub(crate) events: broadcast::Sender<Frames>,
    pub(crate) limits: Limits,
}
