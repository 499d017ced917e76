//! The planning application.
