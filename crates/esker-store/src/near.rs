//! The nearest names there are to one that is not.

/// The most names suggested.
const NEAR_MAX: usize = 5;
/// The most names looked at.
const LOOKED_MAX: usize = 2_000;
/// The longest names compared letter by letter, in bytes: the time goes with the square.
const COMPARED_MAX: usize = 64;

/// The names nearest to `wanted`, nearest first; none if none is like it.
pub(crate) fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let wanted = wanted.to_lowercase();
    let far = wanted.chars().count() / 2;
    let rank = |name: &'a str| {
        let lower = name.to_lowercase();
        let distance = if wanted.len().max(lower.len()) <= COMPARED_MAX {
            strsim::levenshtein(&wanted, &lower)
        } else {
            wanted.len().max(lower.len())
        };
        let inside = lower.contains(&wanted) || ends(&wanted) == ends(&lower);
        (distance <= far || inside).then_some((distance, name))
    };
    let mut near: Vec<(usize, &str)> = names.take(LOOKED_MAX).filter_map(rank).collect();
    near.sort_unstable();
    near.dedup();
    let near = near.into_iter().take(NEAR_MAX);
    near.map(|(_, name)| name.to_owned()).collect()
}

/// What follows the last slash or blank.
fn ends(name: &str) -> &str {
    name.rsplit(['/', ' ']).next().unwrap_or(name)
}

#[cfg(test)]
mod tests;
