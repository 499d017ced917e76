//! Runs in progress: what the runner in this process is at, as part of the model.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use esker_bus::bus::Bus;
use esker_pipeline::engine::status::{Kind, Part, Status};
use esker_pipeline::plan::State;
use esker_replica::live::Source;
use esker_replica::path::Key;
use esker_replica::tree::Tree;
use tokio::sync::watch;

use super::change;
use crate::stop::Stop;

/// Where they are in the model.
const RUNS: &str = "runs";

/// How often progress is told at most: programs may say a lot.
const REST: Duration = Duration::from_millis(100);

/// How often to see whether this is to end.
const WAKE_EVERY: Duration = Duration::from_millis(500);

/// Tells of the runs in progress until it is stopped, or the runner ends.
pub(super) fn tell(
    bus: &Bus,
    source: Source,
    mut statuses: watch::Receiver<Arc<Status>>,
    stop: &Stop,
) -> std::io::Result<JoinHandle<()>> {
    let (bus, stop) = (bus.clone(), stop.clone());
    let tell = move || {
        let mut is_over = false;
        while !is_over && !stop.is_pulled() {
            let status = Arc::clone(&statuses.borrow_and_update());
            if let Err(fault) = change(&source, RUNS, &runs(&status)) {
                tracing::warn!(%fault, "cannot tell the model what runs");
            }
            is_over = stop.wait(REST) || !next(&bus, &mut statuses, &stop);
        }
        // Nothing runs without a runner.
        drop(change(&source, RUNS, &Tree::default()));
    };
    std::thread::Builder::new().name("runs".to_owned()).spawn(tell)
}

/// Waits for another status; whether there may be one.
fn next(bus: &Bus, statuses: &mut watch::Receiver<Arc<Status>>, stop: &Stop) -> bool {
    while !stop.is_pulled() {
        let changed =
            bus.block_on(async { tokio::time::timeout(WAKE_EVERY, statuses.changed()).await });
        if let Ok(changed) = changed {
            return changed.is_ok();
        }
    }
    false
}

fn runs(status: &Status) -> Tree {
    let running = status.parts.iter().filter(|part| part.state == State::Running);
    Tree::dict(running.map(|part| (Key::new(&part.name), run(part))))
}

fn run(part: &Part) -> Tree {
    let kind = match part.kind {
        Kind::Source => "source",
        Kind::Stage => "stage",
    };
    let text = |text: &str| Tree::from(text);
    let mut told = vec![(Key::new("kind"), text(kind))];
    told.push((Key::new("since"), text(&part.since.to_string())));
    told.extend(part.progress.as_deref().map(|progress| (Key::new("progress"), text(progress))));
    Tree::dict(told)
}

#[cfg(test)]
mod tests {
    use esker_replica::json;
    use esker_replica::model::Model;
    use esker_replica::path::path;

    use super::*;

    fn part(name: &str, state: State, progress: Option<&str>) -> Part {
        Part {
            name: name.to_owned(),
            kind: Kind::Stage,
            state,
            since: jiff::Timestamp::UNIX_EPOCH,
            next: None,
            progress: progress.map(str::to_owned),
            outputs: Vec::new(),
            failure: None,
            duration_ms: None,
            behind: None,
        }
    }

    #[test]
    fn what_runs_is_told_and_nothing_else() {
        let parts = vec![
            part("a", State::Running, Some("40/100 reading")),
            part("b", State::Fresh, None),
            part("c", State::Running, None),
        ];
        let status = Status { parts, ..Status::default() };
        let mut model = Model::default();
        let mut ops = Vec::new();
        runs(&status).change(None, &mut path([RUNS]), &mut ops);
        model.take(&ops, 1);
        let told = json::of_node(model.get(&path([RUNS])).expect("runs"));
        let since = "1970-01-01T00:00:00Z";
        let a =
            serde_json::json!({ "kind": "stage", "since": since, "progress": "40/100 reading" });
        let c = serde_json::json!({ "kind": "stage", "since": since });
        assert_eq!(told, serde_json::json!({ "a": a, "c": c }));
    }
}
