//! Why an edit finds nothing to change.

use std::fmt;

/// What is not there, in words; the kinds are those of conflicts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Miss {
    Stream(String),
    Column(String),
    /// The row, the member or the element.
    Row(String),
    /// Several rows are meant.
    Twice(String),
    /// There is something of another kind.
    Kind(String),
    /// Whatever the content is, this cannot be done.
    Never(String),
}

impl Miss {
    /// Whether both say that the same is gone, in whatever words.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(what)
            | Self::Column(what)
            | Self::Row(what)
            | Self::Twice(what)
            | Self::Kind(what)
            | Self::Never(what) => f.write_str(what),
        }
    }
}

/// The most names a wanted one is compared with.
const LOOKED_MAX: usize = 2_000;
/// The most names told.
const TOLD_MAX: usize = 8;
/// The longest names compared letter by letter, in bytes: the time goes with the square.
const COMPARED_MAX: usize = 64;

/// `did you mean` for a name that is not one of `known`, else what there is.
pub(super) fn nearest<T: AsRef<str>>(wanted: &str, known: impl Iterator<Item = T>) -> String {
    let known: Vec<T> = known.take(LOOKED_MAX).collect();
    let known: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
    let near = |name: &&str| {
        let is_short = name.len().max(wanted.len()) <= COMPARED_MAX;
        let far = || strsim::damerau_levenshtein(&wanted.to_lowercase(), &name.to_lowercase());
        is_short.then(far).filter(|distance| *distance <= 2 && *distance < wanted.len())
    };
    let best = known.iter().filter_map(|name| Some((near(name)?, *name))).min();
    if let Some((_, best)) = best {
        return format!("did you mean {best:?}?");
    }
    let told: Vec<&str> = known.iter().take(TOLD_MAX).copied().collect();
    let more = if known.len() > TOLD_MAX { ", …" } else { "" };
    match told.is_empty() {
        true => "there are none".to_owned(),
        false => format!("there are: {}{more}", told.join(", ")),
    }
}
