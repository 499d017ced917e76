//! Consul: what it is asked, and what its answers mean. Requests and their bounds are `http`'s, words for what fails
//! `fail`'s; `health` and `agent` read answers; `watch` and `register` are threads that go on for as long as it takes.

pub(crate) mod fail;
pub(crate) mod http;
pub(crate) mod keys;
pub mod tls;
pub mod token;

pub(crate) mod health;
pub(crate) mod locks;
pub(crate) mod ping;
pub(crate) mod register;
pub(crate) mod watch;
