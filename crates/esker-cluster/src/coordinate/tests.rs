//! Tests of `coordinate`.
