//! What free-text names mean: the seeds' `raw qplan` and configured aliases, as resources.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use esker_wire::name::Resource;

/// The names the definition gives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names {
    /// Other names, for the seeds' clients.
    pub aliases: BTreeMap<String, Resource>,
    /// The resources the definition speaks of, whether or not they have been put.
    pub declared: BTreeSet<Resource>,
}

impl Names {
    /// The resource a free text means; `exists` tells whether the store has one.
    pub(crate) fn find(&self, text: &str, exists: impl Fn(&Resource) -> bool) -> Option<Resource> {
        if let Some(resource) = self.aliases.get(text) {
            return Some(resource.clone());
        }
        if let Ok(resource) = text.parse() {
            return Some(resource);
        }
        let (first, second) = text.split_once(' ')?;
        let forms = [format!("{first}/{second}"), format!("{second}/{first}")];
        let mut known = forms.iter().filter_map(|form| form.parse().ok());
        known.find(|resource| self.declared.contains(resource) || exists(resource))
    }

    /// Every alias of a resource.
    pub(crate) fn aliases_of(&self, resource: &Resource) -> impl Iterator<Item = &str> {
        let aliases = self.aliases.iter();
        aliases.filter(move |(_, meant)| *meant == resource).map(|(alias, _)| alias.as_str())
    }
}

/// The names in use, replaceable while the service runs.
#[derive(Debug, Clone, Default)]
pub struct NamesHandle {
    names: Arc<Mutex<Arc<Names>>>,
}

impl NamesHandle {
    /// A handle that starts with these names.
    pub fn new(names: Names) -> Self {
        Self { names: Arc::new(Mutex::new(Arc::new(names))) }
    }

    /// Puts other names in use, from the next batch of requests on.
    pub fn replace(&self, names: Names) {
        *self.names.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(names);
    }

    pub(crate) fn get(&self) -> Arc<Names> {
        Arc::clone(&self.names.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests;
