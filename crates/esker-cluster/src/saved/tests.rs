//! Tests of `saved`.
