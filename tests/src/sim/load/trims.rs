//! What goes in a seed's workload: records that are deleted, and names of topics that are used again.

use std::collections::BTreeSet;

use super::{Load, Phase};
use crate::sim::client::Ask;
use crate::sim::history::{Place, TopicNo};
use crate::sim::world::{ClientId, Hands};

/// Logs that begin later as time goes by.
#[derive(Clone, Copy, Debug)]
pub struct Trims {
    /// Of 4 topics, so many have records that go by themselves.
    pub expire_of_4: u64,
    /// A consumer deletes records in place of a fetch, once in so many.
    pub delete_one_in: u64,
}

/// A topic that was deleted. Nothing may be on its way to its name when that is given anew.
pub(super) struct Gone {
    topic: TopicNo,
    /// Clients that have always been waiting for something since.
    busy: BTreeSet<ClientId>,
    /// `None`: not looked at yet.
    quiet_since: Option<u64>,
}

impl Gone {
    pub(super) fn new(topic: TopicNo, busy: BTreeSet<ClientId>) -> Gone {
        let quiet_since = None;
        Gone {
            topic,
            busy,
            quiet_since,
        }
    }
}

/// After so many nanoseconds nothing is on its way any more that nobody waits for.
const QUIET: u64 = 20_000_000;
/// No log is so long.
pub const BEYOND: i64 = 1_000_000;

impl Load {
    /// A topic that is gone, if its name is to be used again.
    pub(super) fn again(&mut self, now: u64) -> Option<TopicNo> {
        for gone in &mut self.gone {
            gone.busy
                .retain(|id| !self.clients[id.0 as usize].is_idle());
            if !gone.busy.is_empty() || gone.quiet_since.is_none() {
                gone.quiet_since = Some(now);
            }
        }
        let quiet = |gone: &Gone| gone.quiet_since.is_some_and(|since| now >= since + QUIET);
        let at = self.gone.iter().position(quiet)?;
        let gone = self.gone.swap_remove(at);
        self.trims.one_in(2).then_some(gone.topic)
    }

    /// In place of a fetch: where a log begins by now, or what is to go of one. False: neither.
    pub(super) fn trim(&mut self, client: ClientId, now: u64, hands: &mut Hands) -> bool {
        let live = self.places();
        let lost = self.lost.iter().filter(|(of, _)| *of == client);
        let lost = lost.map(|(_, place)| *place);
        let lost: Vec<Place> = lost.filter(|place| live.contains(place)).collect();
        self.lost.retain(|(of, _)| *of != client);
        if !lost.is_empty() {
            self.ask(client, Ask::Earliest { places: lost }, now, hands);
            return true;
        }
        let one_in = self.mix.trims.map_or(u64::MAX, |trims| trims.delete_one_in);
        if self.phase != Phase::Running || !self.trims.one_in(one_in) {
            return false;
        }
        let place = live[self.trims.below(live.len() as u64) as usize];
        let read = self.positions.get(&(client, place)).copied().unwrap_or(0);
        let (below, beyond) = match self.trims.below(12) {
            0 => (-1, false),
            1 => (read + BEYOND, true),
            _ => (self.trims.below(read as u64) as i64, false),
        };
        let trim = Ask::Trim {
            place,
            below,
            beyond,
        };
        self.ask(client, trim, now, hands);
        true
    }
}
