//! The limit of what a service can be: a request socket that answers everything at once with the same bytes.
//! It is there to be measured against, and knows neither queue, owner nor limits.

use std::sync::Arc;

use esker_wire::fault::{Code, Fault};
use tokio::runtime::Builder;

use crate::bus::Limits;
use crate::envelope;
use crate::service::Frames;
use crate::zmq::{Client, Router, Sent};

/// Binds a free port of this machine, tells its address to `announce`, and answers every request with `reply`
/// until the process ends.
///
/// # Errors
/// `unavailable` if there is no port or no thread to be had.
pub fn run(reply: &Frames, announce: impl FnOnce(&str)) -> Result<(), Fault> {
    let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| {
        Fault::new(Code::Unavailable, format!("cannot start the echo: {error}"))
    })?;
    runtime.block_on(async {
        let binds = ["tcp://127.0.0.1:0".to_owned()];
        let (router, bound) = Router::bind(&binds, &Limits::default()).await?;
        announce(&bound[0]);
        let (router, reply) = (Arc::new(router), Arc::new(reply.clone()));
        while let Some(client) = router.client().await {
            // The process ends with the last of them; their handles are of no use.
            drop(tokio::spawn(serve(Arc::clone(&router), client, Arc::clone(&reply))));
        }
        Ok(())
    })
}

async fn serve(router: Arc<Router>, mut client: Client, reply: Arc<Frames>) {
    while let Some(messages) = client.take().await {
        for message in messages {
            answer(&router, message, &reply).await;
            client.placed();
        }
    }
}

async fn answer(router: &Router, message: Frames, reply: &Frames) {
    let (mut way, _) = envelope::split(message, 1);
    way.extend(reply.iter().cloned());
    if let Sent::Full(frames) = router.try_send(way) {
        // A peer that is gone waits for nothing.
        drop(router.send(frames).await);
    }
}
