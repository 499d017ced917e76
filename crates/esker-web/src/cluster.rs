//! Where an id of the cluster is, over HTTP: another plane knows, and answers here.

use std::pin::Pin;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use esker_wire::fault::{Code, Fault};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::{Asked, Failed};

/// Finds the workers that have an id.
pub type Find = Arc<dyn Fn(String) -> Finding + Send + Sync>;

/// The workers that have an id, the first one first, once they are found.
pub type Finding = Pin<Box<dyn Future<Output = Result<Vec<Owner>, Fault>> + Send>>;

/// A worker that has an id.
pub struct Owner {
    /// Who it is.
    pub node: String,
    /// What it is called.
    pub name: String,
    /// Where it takes and gives bulk data.
    pub bulk: String,
}

/// Whoever finds, if somebody does.
#[derive(Clone)]
pub(crate) struct Finder(pub(crate) Option<Find>);

#[derive(Deserialize)]
pub(crate) struct WhereQuery {
    id: String,
}

/// `GET /api/cluster/where?id=s1/part-7`: which workers have an id, or would.
pub(crate) async fn find(
    State(Finder(find)): State<Finder>,
    Asked(query): Asked<WhereQuery>,
) -> Result<Json<Value>, Failed> {
    let Some(find) = find else {
        let text = "this server takes part in no cluster";
        let hint = "ask it with `esker cluster locate ID --join ADDRESS`";
        return Err(Fault::new(Code::Unavailable, text).hint(hint).into());
    };
    let owners = find(query.id.clone()).await?;
    let worker =
        |owner: &Owner| json!({ "node": owner.node, "name": owner.name, "bulk": owner.bulk });
    let workers: Vec<Value> = owners.iter().map(worker).collect();
    Ok(Json(json!({ "id": query.id, "workers": workers })))
}
