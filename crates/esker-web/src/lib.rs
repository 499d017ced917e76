//! HTTP, WebSocket and the embedded page: what people see. It follows the hub and holds nothing of its own.
//!
//! A request's way: [`server`] accepts and limits, `tls` decrypts, `guard` refuses what comes from elsewhere,
//! [`access`] looks who asks and whether they may, `routes` knows who answers: `page` serves the embedded files, `app` those of the project, `api`
//! answers questions, `graphql` answers and follows in GraphQL, `sync` passes the live model on, which another plane makes of what [`looks`] sees of the hub.
//! Of several [`hubs`], each has all of this below its name, and `together` finds whose a request is.

pub mod access;
pub mod cluster;
pub mod hubs;
pub mod live;
pub mod looks;
pub mod project;
pub mod server;

mod answer;
mod api;
mod app;
mod crowd;
#[cfg_attr(not(feature = "graphql"), path = "no_graphql.rs")]
mod graphql;
mod guard;
mod health;
mod hub;
mod metrics;
pub mod overrides;
mod page;
pub mod problems;
mod routes;
mod runs;
mod state;
mod sync;
mod tags;
mod tls;
mod together;
pub mod whatif;
