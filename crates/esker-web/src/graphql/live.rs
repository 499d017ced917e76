//! The live model as queries and subscriptions see it: a part as it is now, and each time it is another one.

use std::time::Duration;

use esker_wire::fault::{Code, Fault};
use futures_util::stream::{Stream, unfold};
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use super::{DEADLINE, Desk};
use crate::live::{Live, Look, Part};
use crate::sync;

/// The least time between two values of one subscription: of what changes faster, the newest is told.
const PAUSE: Duration = Duration::from_millis(50);

impl Desk {
    fn live(&self) -> Result<&Live, Fault> {
        self.live.as_ref().ok_or_else(sync::none)
    }

    /// What is at a path now, null if nothing is.
    pub(super) async fn at(&self, path: Vec<String>) -> Result<Value, Fault> {
        let part = look(self.live()?, path, None).await?;
        part.map_or(Ok(Value::Null), |part| part.value)
    }

    /// What is at a path now, and then whenever it is another. Whoever takes values slowly gets the newest.
    pub(super) fn follow(
        &self,
        path: Vec<String>,
    ) -> Result<impl Stream<Item = Result<Value, Fault>> + use<>, Fault> {
        let live = self.live()?.clone();
        Ok(unfold((live, path, None), |(mut live, path, known)| async move {
            if known.is_some() {
                sleep(PAUSE).await;
            }
            loop {
                live.changes.mark_unchanged();
                match look(&live, path.clone(), known).await {
                    Ok(Some(part)) => return Some((part.value, (live, path, Some(part.digest)))),
                    Ok(None) => live.changes.changed().await.ok()?,
                    Err(fault) => return Some((Err(fault), (live, path, known))),
                }
            }
        }))
    }
}

async fn look(live: &Live, path: Vec<String>, known: Option<u128>) -> Result<Option<Part>, Fault> {
    let (reply, answer) = oneshot::channel();
    let asked = async {
        live.looks.send(Look { path, known, reply }).await.ok()?;
        answer.await.ok()
    };
    match timeout(DEADLINE, asked).await {
        Ok(Some(part)) => Ok(part),
        Ok(None) => Err(Fault::new(Code::Unavailable, "the live model is followed no more")),
        Err(_) => {
            let text = "the live model is not here yet: its publisher does not answer";
            Err(Fault::new(Code::Timeout, text).hint("GET /readyz tells whether it is heard"))
        }
    }
}
