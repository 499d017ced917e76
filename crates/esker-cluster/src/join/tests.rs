//! Tests of `join`.
