//! HTTP, WebSocket and the embedded page: what people see. It follows the hub and holds nothing of its own.
//!
//! A request's way: [`server`] accepts and limits, `guard` refuses what comes from elsewhere, `page` serves the
//! embedded files, `api` answers questions, `live` tells every browser what `state` makes of the hub, `sync`
//! passes the live model on.

pub mod looks;
pub mod project;
pub mod server;

mod api;
mod guard;
mod hub;
mod live;
mod page;
mod state;
mod sync;
pub mod whatif;
