//! What browsers get of a live model, over real sockets from a real publisher.

mod access;
mod door;
#[cfg(feature = "graphql")]
mod graphql;
mod oidc;
mod provider;
mod sync;
