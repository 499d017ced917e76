//! Tests of `fail`.
