//! What the fetches of one shard's connections were given, in all and by topic.

use corelane_engine::hash::IdMap;
use corelane_engine::shard::tally::{Piece, Volume};
use corelane_engine::types::TopicId;

/// Per shard. Rows of topics that exist, from their first records on.
#[derive(Default, Debug)]
pub struct Fetched {
    total: Volume,
    rows: Vec<Option<(TopicId, Volume)>>,
    places: IdMap<TopicId, u32>,
    free: Vec<u32>,
}

impl Fetched {
    /// Counts what an answer gives of a topic: one lookup, two additions. `exists` is asked before a topic's first row.
    pub fn add(&mut self, topic: TopicId, bytes: u64, records: u64, exists: impl FnOnce() -> bool) {
        self.total.add(bytes, records);
        let place = match self.places.get(&topic) {
            Some(place) => *place,
            // Deleted while it was read: nobody would forget it again.
            None if !exists() => return,
            None => self.new_row(topic),
        };
        if let Some((_, volume)) = &mut self.rows[place as usize] {
            volume.add(bytes, records);
        }
    }

    fn new_row(&mut self, topic: TopicId) -> u32 {
        let place = self.free.pop().unwrap_or_else(|| {
            self.rows.push(None);
            self.rows.len() as u32 - 1
        });
        self.rows[place as usize] = Some((topic, Volume::default()));
        self.places.insert(topic, place);
        place
    }

    /// The topic is gone.
    pub fn forget(&mut self, topic: TopicId) {
        if let Some(place) = self.places.remove(&topic) {
            self.rows[place as usize] = None;
            self.free.push(place);
        }
    }

    pub fn total(&self) -> Volume {
        self.total
    }

    /// Some topics' rows, from a place on.
    pub fn piece(&self, place: usize) -> Piece {
        Piece::of(&self.rows, place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deleted_topic_leaves_nothing_but_its_part_of_the_total() {
        let (a, b) = (TopicId([1; 16]), TopicId([2; 16]));
        let mut fetched = Fetched::default();
        fetched.add(a, 100, 2, || true);
        fetched.add(a, 50, 1, || unreachable!("it has a row"));
        fetched.forget(a);
        fetched.add(a, 7, 1, || false);
        fetched.add(b, 10, 1, || true);
        let volume = |bytes, records| Volume { bytes, records };
        assert_eq!(fetched.total(), volume(167, 5));
        assert_eq!(fetched.piece(0).rows, [(b, volume(10, 1))]);
        assert_eq!(fetched.rows.len(), 1, "the place is used again");
    }
}
