//! Tests of `belief`.
