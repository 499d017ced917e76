//! Where planes listen, as the definition says and `--port-base` moves it.

use std::net::SocketAddr;

use anyhow::{Context, Result};

use crate::say::hinted;

/// The default ports, which `--port-base` moves together: the hub's two, the model's two, the page's.
pub(super) const PORTS: [u16; 5] = [5000, 5100, 5200, 5300, 8000];

/// An address with its port moved as `--port-base` asks: `base` is where port 5000 goes, 0 means free ports.
pub(super) fn moved(address: &str, default: u16, base: Option<u16>) -> Result<String> {
    let Some(base) = base else {
        return Ok(address.to_owned());
    };
    let (host, _) = address.rsplit_once(':').with_context(|| format!("no port in {address}"))?;
    let port = match base {
        0 => 0,
        base => base.checked_add(default - PORTS[0]).ok_or_else(|| {
            let most = u16::MAX - (PORTS[4] - PORTS[0]);
            hinted(format!("--port-base {base} is too large"), format!("at most {most}"))
        })?,
    };
    Ok(format!("{host}:{port}"))
}

pub(super) fn address(text: &str) -> Result<SocketAddr> {
    use std::net::ToSocketAddrs;
    let mut found = text.to_socket_addrs().with_context(|| format!("cannot use {text}"))?;
    found.next().with_context(|| format!("{text} names no address"))
}
