//! A worker that does nothing but to be announced, and prints whom it sees: `worker JOIN NODE ADDRESS TTL_MS`. Tests
//! stop it with signals, and cut it off.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use esker_cluster::announce::Check;
use esker_cluster::cluster::{Cluster, Options};
use esker_cluster::membership::Membership;
use esker_wire::member::Member;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [join, node, address, ttl] = arguments.as_slice() else {
        return Err("usage: worker JOIN NODE ADDRESS TTL_MS".into());
    };
    let member = Member {
        node: node.parse()?,
        name: "worker".to_owned(),
        control: address.clone(),
        bulk: address.clone(),
        cpus: 1,
        memory: 1 << 30,
        free: 64,
    };
    let cluster = Cluster::join(&join.parse()?, Options::new(Arc::new(|_| true)))?;
    let _told = cluster.subscribe(tell);
    let ttl = Duration::from_millis(ttl.parse()?);
    let _announced = cluster.announce(member, Check::Ttl(ttl), env!("CARGO_PKG_VERSION"))?;
    loop {
        std::thread::park();
    }
}

/// One line for each change: how many there are, and what is wrong.
fn tell(now: &Arc<Membership>) {
    let troubles: Vec<_> = now.warnings.iter().map(|warning| warning.trouble).collect();
    let line = format!("{} members {troubles:?}\n", now.members.len());
    // Whoever reads it may be gone.
    drop(std::io::stdout().write_all(line.as_bytes()));
}
