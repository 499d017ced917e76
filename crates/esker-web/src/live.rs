//! Tells every browser the state, whenever it changes, and that the hub lives when it does not.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use esker_bus::follow::Follow;
use esker_wire::fault::Fault;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, timeout};

use crate::hub::Hub;
use crate::looks::Looks;
use crate::project::Project;
use crate::state;

/// How often a browser hears that the hub lives.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// How long events are collected before the state is read again: a run makes several at once.
const COALESCE: Duration = Duration::from_millis(20);

/// How many times longer than reading the state takes it is left alone: a large project must not be read all the time.
const RESTS: u32 = 4;

/// How long it is left alone at most.
const REST_MAX: Duration = Duration::from_secs(1);

/// How long a browser may take to accept a message before it is let go.
const SEND_MAX: Duration = Duration::from_secs(10);

/// What browsers are told; each hears the newest of both, however slow it is.
#[derive(Clone)]
pub(crate) struct News {
    /// The whole state; empty before the first.
    pub(crate) state: watch::Sender<Utf8Bytes>,
    /// The last heartbeat.
    pub(crate) heartbeat: watch::Sender<Utf8Bytes>,
}

impl News {
    pub(crate) fn new() -> Self {
        Self {
            state: watch::Sender::new(Utf8Bytes::default()),
            heartbeat: watch::Sender::new(Utf8Bytes::default()),
        }
    }
}

/// Follows the hub and the definition for ever, renewing the state.
pub(crate) async fn follow(
    hub: Hub,
    mut events: Follow,
    mut project: watch::Receiver<Arc<Project>>,
    news: News,
) {
    let mut looks = Looks::at(hub.clone());
    let mut pulse = tokio::time::interval(HEARTBEAT);
    pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let begun = Instant::now();
        if let Err(fault) = renew(&mut looks, &project, &news).await {
            tracing::warn!(%fault, "cannot read the hub's state");
        }
        let rest = COALESCE.max(begun.elapsed().saturating_mul(RESTS)).min(REST_MAX);
        let rested = Instant::now() + rest;
        loop {
            tokio::select! {
                _ = events.next() => break,
                changed = project.changed() => match changed {
                    Ok(()) => break,
                    // The definition's owner has ended: so does the page.
                    Err(_) => return,
                },
                _ = pulse.tick() => if beat(&hub, &news).await.is_err() {
                    break;
                }
            }
        }
        let until = rested.max(Instant::now() + COALESCE);
        while tokio::time::timeout_at(until, events.next()).await.is_ok() {}
    }
}

async fn renew(
    looks: &mut Looks,
    project: &watch::Receiver<Arc<Project>>,
    news: &News,
) -> Result<(), Fault> {
    let project = Arc::clone(&project.borrow());
    let text = Utf8Bytes::from(looks.look(&project).await?);
    news.state.send_if_modified(|known| {
        let changed = *known != text;
        *known = text;
        changed
    });
    Ok(())
}

/// No heartbeat is sent while the hub is silent, so that pages can tell.
async fn beat(hub: &Hub, news: &News) -> Result<(), Fault> {
    let health = hub.health().await?;
    news.heartbeat.send_replace(Utf8Bytes::from(state::heartbeat(&health)));
    Ok(())
}

/// Serves one browser until it goes.
pub(crate) async fn serve(mut socket: WebSocket, news: News) {
    let mut states = news.state.subscribe();
    let mut heartbeats = news.heartbeat.subscribe();
    states.mark_changed();
    loop {
        let text = tokio::select! {
            changed = states.changed() => match changed {
                Ok(()) => states.borrow_and_update().clone(),
                Err(_) => return,
            },
            changed = heartbeats.changed() => match changed {
                Ok(()) => heartbeats.borrow_and_update().clone(),
                Err(_) => return,
            },
            // Browsers have nothing to say here; reading answers their pings and sees them close.
            heard = socket.recv() => match heard {
                Some(Ok(_)) => continue,
                _ => return,
            },
        };
        if text.is_empty() {
            continue;
        }
        match timeout(SEND_MAX, socket.send(Message::Text(text))).await {
            Ok(Ok(())) => {}
            _ => return,
        }
    }
}
