//! How it is said: `serve`, `call`, `publish`, `follow`, over ZeroMQ and in process.
//!
//! A service answers on one thread of its own and never sends; callers and followers are the same whether
//! the service is in this process or behind an address. Only `zmq` knows ZeroMQ.

pub mod service;

pub mod bus;
pub mod server;

pub mod caller;
pub mod endpoint;
pub mod follow;
pub mod hear;

pub mod echo;

mod address;
mod envelope;
mod lines;
mod link;
mod outbox;
mod owner;
mod queue;
mod work;
mod zmq;
