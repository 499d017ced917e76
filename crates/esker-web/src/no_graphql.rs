//! Stands for GraphQL in an esker that is built without it.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use esker_wire::fault::{Code, Fault};
use tokio::sync::watch;

use crate::answer::Failed;
use crate::hub::Hub;
use crate::live::Live;
use crate::project::Project;

/// What would be asked.
#[derive(Clone)]
pub(crate) struct Graph;

impl Graph {
    pub(crate) fn new(_: Hub, _: watch::Receiver<Arc<Project>>, _: Option<Live>) -> Self {
        Self
    }

    fn absent(self) -> Failed {
        Fault::new(Code::NotFound, "this esker is built without GraphQL")
            .hint("build it with: cargo install esker --features graphql; GET /api tells what there is")
            .into()
    }
}

/// `POST /graphql`.
pub(crate) async fn ask(State(graph): State<Graph>) -> Failed {
    graph.absent()
}

/// `GET /graphql`.
pub(crate) async fn follow(State(graph): State<Graph>) -> Failed {
    graph.absent()
}

/// The body that is read at most.
pub(crate) fn body_max() -> DefaultBodyLimit {
    DefaultBodyLimit::max(0)
}
