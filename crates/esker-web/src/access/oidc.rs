//! People who log in elsewhere: by OpenID Connect, at a provider that answers for them.
//!
//! A browser's way: `flow` sends it to the provider, with a state and a cookie that `pending` remembers → the provider
//! sends it back with a code → `provider` has that exchanged for an ID token, `token` believes it or not, `person` says
//! who that is and what they may do → a session like any other.

pub(crate) mod flow;
pub(super) mod provider;

mod ask;
mod pending;
mod person;
mod signature;
mod token;

use std::collections::BTreeMap;

use esker_wire::role::Role;

/// A provider, and what its answer gives whom.
#[derive(Clone, PartialEq, Eq)]
pub struct Oidc {
    /// Whose log-in it is, exactly as the provider says: `https://login.example.org`.
    pub issuer: String,
    /// What this server is called there.
    pub client: String,
    /// What people read where they begin.
    pub title: String,
    /// By what this server is known there, if by anything.
    pub secret: Option<String>,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// What of the answer gives the name.
    pub claim: String,
    /// What of it gives the groups.
    pub groups_claim: String,
    /// Who may do what, by name: it counts whatever their groups are.
    pub roles: BTreeMap<String, Role>,
    /// Which groups may do what: of several the most counts.
    pub groups: BTreeMap<String, Role>,
    /// What all others may do, if they are let in.
    pub default: Option<Role>,
}
