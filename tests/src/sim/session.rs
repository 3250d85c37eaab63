//! The client's half of a fetch session (KIP-227): what the broker was told, so that only differences are asked.
//!
//! ```text
//!  Anew ── full request ─► answer with an id ─► Going(id, 1) ── differences ─► Going(id, n + 1)
//!   ▲                       without: Anew          │ 70, 71, 106, connection lost
//!   └─────────── the old id is given back ─────────┘
//! ```

use std::collections::BTreeMap;

use super::history::Place;

/// What a fetch asks: everything there is to ask, or what a session does not know yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan {
    pub id: i32,
    pub epoch: i32,
    pub asked: Vec<(Place, i64)>,
    pub forgotten: Vec<Place>,
}

impl Plan {
    /// Without a session.
    pub fn full(positions: &[(Place, i64)]) -> Plan {
        Plan {
            id: 0,
            epoch: -1,
            asked: positions.to_vec(),
            forgotten: Vec::new(),
        }
    }
}

/// Per client.
#[derive(Clone, Debug, Default)]
pub struct Session {
    id: i32,
    /// 0: the next request begins a session.
    epoch: i32,
    /// Topics go by id, as from version 13 on; one session keeps to one kind.
    by_id: bool,
    told: BTreeMap<Place, i64>,
}

impl Session {
    /// The next request of the session, for `positions`.
    pub fn plan(&mut self, positions: &[(Place, i64)], by_id: bool) -> Plan {
        if self.by_id != by_id {
            self.restart();
            self.by_id = by_id;
        }
        let wanted: BTreeMap<Place, i64> = positions.iter().copied().collect();
        let before = match self.epoch {
            0 => BTreeMap::new(),
            _ => std::mem::take(&mut self.told),
        };
        let news = |(place, at): &(Place, i64)| before.get(place) != Some(at);
        // By name, a topic that was created again is the one before.
        let wants = |place: &Place| match by_id {
            true => wanted.contains_key(place),
            false => wanted.keys().any(|other| other.first() == place.first()),
        };
        let gone = before.keys().filter(|place| !wants(place));
        let plan = Plan {
            id: self.id,
            epoch: self.epoch,
            asked: positions.iter().copied().filter(news).collect(),
            forgotten: gone.copied().collect(),
        };
        self.told = wanted;
        plan
    }

    /// The answer to the last plan came. True: the session goes on, or has begun.
    pub fn on_answer(&mut self, code: i16, id: i32) -> bool {
        let going = code == 0 && id != 0 && (self.epoch == 0 || id == self.id);
        match going {
            true => (self.id, self.epoch) = (id, self.epoch + 1),
            false => {
                self.id = 0;
                self.restart();
            }
        }
        going
    }

    /// The next request is a full one; it gives the old session back.
    pub fn restart(&mut self) {
        self.epoch = 0;
        self.told.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::history::TopicNo;

    fn place(partition: i32) -> Place {
        let topic = TopicNo(0);
        Place { topic, partition }
    }

    #[test]
    fn only_differences_are_asked_once_a_session_goes_on() {
        let mut session = Session::default();
        let first = session.plan(&[(place(0), 0), (place(1), 5)], false);
        assert_eq!((first.id, first.epoch, first.asked.len()), (0, 0, 2));
        assert!(session.on_answer(0, 7));
        let second = session.plan(&[(place(1), 6), (place(2), 0)], false);
        assert_eq!((second.id, second.epoch), (7, 1));
        assert_eq!(second.asked, [(place(1), 6), (place(2), 0)]);
        assert_eq!(second.forgotten, [place(0)]);
        assert!(session.on_answer(0, 7));
        let third = session.plan(&[(place(1), 6), (place(2), 0)], false);
        assert_eq!(
            (third.epoch, third.asked, third.forgotten),
            (2, vec![], vec![])
        );
    }

    #[test]
    fn a_session_that_is_unknown_or_changes_its_kind_begins_anew() {
        let mut session = Session::default();
        session.plan(&[(place(0), 0)], false);
        session.on_answer(0, 7);
        session.plan(&[(place(0), 0)], false);
        assert!(!session.on_answer(70, 0));
        let again = session.plan(&[(place(0), 0)], false);
        assert_eq!((again.id, again.epoch, again.asked.len()), (0, 0, 1));
        session.on_answer(0, 8);
        let by_id = session.plan(&[(place(0), 0)], true);
        assert_eq!((by_id.id, by_id.epoch, by_id.asked.len()), (8, 0, 1));
    }
}
