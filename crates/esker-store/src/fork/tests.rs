//! What is kept of `main` for a branch that begins at a commit of it.
