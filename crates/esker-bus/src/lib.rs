//! How it is said: `serve`, `call`, `publish`, `follow`, over ZeroMQ and in process.

pub mod service;
