//! Who waits for news of one partition: mostly nobody or one, and that takes no memory of its own.

use std::collections::BTreeSet;

use crate::call::RequestToken;
use crate::types::ShardId;

/// Whose watch it is. A request has one at most.
pub type Watcher = (ShardId, RequestToken);

/// A consumer of a thousand partitions comes to each of them and leaves it with every fetch.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Watchers {
    #[default]
    Nobody,
    One(Watcher),
    /// In order. Never empty.
    Many(BTreeSet<Watcher>),
}

impl Watchers {
    pub fn insert(&mut self, watcher: Watcher) {
        match self {
            Watchers::Nobody => *self = Watchers::One(watcher),
            Watchers::One(first) if *first == watcher => {}
            Watchers::One(first) => *self = Watchers::Many([*first, watcher].into()),
            Watchers::Many(all) => drop(all.insert(watcher)),
        }
    }

    pub fn remove(&mut self, watcher: &Watcher) {
        match self {
            Watchers::One(only) if only == watcher => *self = Watchers::Nobody,
            Watchers::Nobody | Watchers::One(_) => {}
            Watchers::Many(all) => {
                all.remove(watcher);
                if all.is_empty() {
                    *self = Watchers::Nobody;
                }
            }
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Watcher> {
        let (one, many) = match self {
            Watchers::Nobody => (None, None),
            Watchers::One(only) => (Some(only), None),
            Watchers::Many(all) => (None, Some(all)),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    pub fn len(&self) -> usize {
        self.iter().count()
    }

    pub fn is_empty(&self) -> bool {
        *self == Watchers::Nobody
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn it_is_a_set() {
        let mut rng = Rng::new(1);
        for _ in 0..200 {
            let (mut watchers, mut model) = (Watchers::default(), BTreeSet::new());
            for _ in 0..30 {
                let watcher = (ShardId(rng.below(2) as u16), RequestToken(rng.below(3)));
                match rng.one_in(2) {
                    true => {
                        watchers.insert(watcher);
                        model.insert(watcher);
                    }
                    false => {
                        watchers.remove(&watcher);
                        model.remove(&watcher);
                    }
                }
                assert!(watchers.iter().eq(&model));
                assert_eq!(
                    (watchers.len(), watchers.is_empty()),
                    (model.len(), model.is_empty())
                );
            }
        }
    }
}
