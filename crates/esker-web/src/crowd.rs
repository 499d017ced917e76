//! How many connections each address has.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::access::Peer;

/// The most connections of one address elsewhere, where a whole office may be: nobody keeps all others out. On this machine is a proxy
/// for many.
const ADDRESS_MAX: usize = 640;

/// Who is connected.
#[derive(Debug, Default)]
pub(crate) struct Crowd(Mutex<HashMap<IpAddr, usize>>);

/// One connection of an address, until it is dropped.
#[derive(Debug)]
pub(crate) struct Among {
    crowd: Arc<Crowd>,
    address: IpAddr,
}

impl Crowd {
    fn all(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a connection, if its address has not too many.
    pub(crate) fn join(self: &Arc<Self>, Peer(address): Peer) -> Option<Among> {
        let mut all = self.all();
        let count = all.entry(address).or_default();
        if *count >= ADDRESS_MAX && !address.is_loopback() {
            return None;
        }
        *count += 1;
        Some(Among { crowd: Arc::clone(self), address })
    }
}

impl Drop for Among {
    fn drop(&mut self) {
        let mut all = self.crowd.all();
        if let Some(count) = all.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests;
