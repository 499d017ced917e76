//! What handles stand for. A handle that was given back stays wrong for ever: its place is used again under another
//! number, and not at all when the numbers have run out.

/// The most things that are held at once.
pub(crate) const PLACES_MAX: usize = 1 << 24;

/// The name of something that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    /// Which place.
    pub(crate) place: u32,
    /// How often it has been used, this time included.
    pub(crate) turn: u32,
}

#[derive(Debug)]
struct Place<T> {
    turn: u32,
    held: Option<T>,
}

/// Things by their keys.
#[derive(Debug)]
pub(crate) struct Table<T> {
    places: Vec<Place<T>>,
    free: Vec<u32>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }
}

impl<T> Table<T> {
    /// Holds something; nothing if too much is held.
    pub(crate) fn insert(&mut self, thing: T) -> Option<Key> {
        if let Some(place) = self.free.pop() {
            let free = &mut self.places[place as usize];
            free.held = Some(thing);
            return Some(Key { place, turn: free.turn });
        }
        if self.places.len() >= PLACES_MAX {
            return None;
        }
        let place = self.places.len() as u32;
        self.places.push(Place { turn: 1, held: Some(thing) });
        Some(Key { place, turn: 1 })
    }

    /// What has this key, if it was not given back.
    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        let place = self.places.get(key.place as usize)?;
        place.held.as_ref().filter(|_| place.turn == key.turn)
    }

    /// Gives back what has this key.
    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        let place = self.places.get_mut(key.place as usize)?;
        if place.turn != key.turn {
            return None;
        }
        let thing = place.held.take()?;
        if let Some(turn) = place.turn.checked_add(1) {
            place.turn = turn;
            self.free.push(key.place);
        }
        Some(thing)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_given_back_is_never_found_again() {
        let mut table = Table::default();
        let first = table.insert('a').expect("room");
        assert_eq!(table.remove(first), Some('a'));
        let second = table.insert('b').expect("room");
        assert_eq!(second.place, first.place);
        assert_eq!(table.get(first), None);
        assert_eq!(table.remove(first), None);
        assert_eq!(table.get(second), Some(&'b'));
    }

    #[test]
    fn a_place_whose_numbers_have_run_out_is_not_used_again() {
        let mut table = Table::default();
        let key = table.insert(1).expect("room");
        table.places[0].turn = u32::MAX;
        let last = Key { turn: u32::MAX, ..key };
        assert_eq!(table.remove(last), Some(1));
        assert_ne!(table.insert(2).expect("room").place, key.place);
        assert_eq!(table.get(last), None);
        assert_eq!(table.remove(last), None);
    }

    proptest! {
        #[test]
        fn it_holds_what_a_map_would(steps in prop::collection::vec((any::<bool>(), 0_usize..8), 0..200)) {
            let (mut table, mut keys, mut held) = (Table::default(), Vec::new(), HashMap::new());
            for (step, (is_new, which)) in steps.into_iter().enumerate() {
                if is_new {
                    let key = table.insert(step).expect("room");
                    keys.push(key);
                    held.insert((key.place, key.turn), step);
                } else if let Some(key) = keys.get(which) {
                    prop_assert_eq!(table.remove(*key), held.remove(&(key.place, key.turn)));
                }
                for key in &keys {
                    prop_assert_eq!(table.get(*key), held.get(&(key.place, key.turn)));
                }
            }
        }
    }
}
