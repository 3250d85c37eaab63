//! Requests under way on this shard: named by tokens that are never used twice, found in constant time.

use std::collections::BTreeSet;

use corelane_engine::call::RequestToken;
use corelane_engine::group::coordinator::REQUEST_BIT;
use corelane_engine::types::Instant;

use crate::conn::SlotId;
use crate::desk::{Request, Work};
use crate::event::ConnId;
use crate::frame::Charge;

/// The lower bits of a token are its place in the table, the rest a serial number.
const PLACE_BITS: u32 = 24;
/// Serial numbers begin again after this one: the highest bit of a token is the group coordinator's
/// ([`REQUEST_BIT`]).
const SERIAL_MAX: u64 = (1 << (63 - PLACE_BITS)) - 1;
const _: () = assert!((SERIAL_MAX << PLACE_BITS) & REQUEST_BIT == 0);

/// One request whose answer waits for something.
#[derive(Debug)]
pub struct Pending {
    pub conn: ConnId,
    /// `None`: no answer is expected (produce with acks=0).
    pub slot: Option<SlotId>,
    pub request: Request,
    pub charge: Charge,
    pub deadline: Option<Instant>,
    /// When it started; `None` once it is counted.
    pub since: Option<Instant>,
    pub work: Work,
}

/// Per shard.
#[derive(Debug, Default)]
pub struct Requests {
    entries: Vec<Option<(RequestToken, Pending)>>,
    free: Vec<u32>,
    serial: u64,
    deadlines: BTreeSet<(Instant, RequestToken)>,
    /// Those that only wait for something new: in the order of their start, as their serial numbers are.
    parked: BTreeSet<RequestToken>,
}

impl Requests {
    /// The token of the next request to be inserted.
    pub fn next_token(&self) -> RequestToken {
        let place = self
            .free
            .last()
            .copied()
            .unwrap_or(self.entries.len() as u32);
        RequestToken((self.serial << PLACE_BITS) | u64::from(place))
    }

    /// Adds a request under [`Requests::next_token`].
    pub fn insert(&mut self, pending: Pending) {
        let token = self.next_token();
        self.serial = (self.serial + 1) & SERIAL_MAX;
        let place = match self.free.pop() {
            Some(place) => place as usize,
            None => {
                self.entries.push(None);
                self.entries.len() - 1
            }
        };
        assert!(
            place < 1 << PLACE_BITS,
            "requests are bounded by connections and slots"
        );
        if let Some(deadline) = pending.deadline {
            self.deadlines.insert((deadline, token));
        }
        self.entries[place] = Some((token, pending));
    }

    /// `None`: it ended already.
    pub fn get_mut(&mut self, token: RequestToken) -> Option<&mut Pending> {
        match self.entries.get_mut(place(token)) {
            Some(Some((of, pending))) if *of == token => Some(pending),
            _ => None,
        }
    }

    /// The request ends.
    pub fn remove(&mut self, token: RequestToken) -> Option<Pending> {
        self.get_mut(token)?;
        let (_, pending) = self.entries[place(token)].take()?;
        self.free.push(place(token) as u32);
        self.parked.remove(&token);
        if let Some(deadline) = pending.deadline {
            self.deadlines.remove(&(deadline, token));
        }
        Some(pending)
    }

    /// The request only waits for something new.
    pub fn park(&mut self, token: RequestToken) {
        self.parked.insert(token);
    }

    /// The oldest one that does.
    pub fn pop_parked(&mut self) -> Option<RequestToken> {
        self.parked.pop_first()
    }

    /// The next request whose time is up.
    pub fn expired(&mut self, now: Instant) -> Option<RequestToken> {
        match self.deadlines.first() {
            Some(&(deadline, token)) if deadline <= now => {
                self.deadlines.pop_first();
                Some(token)
            }
            _ => None,
        }
    }

    /// When [`Requests::expired`] will have something to say.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|&(deadline, _)| deadline)
    }

    /// How many only wait for something new.
    pub fn parked(&self) -> usize {
        self.parked.len()
    }

    /// How many were ever inserted.
    pub fn started(&self) -> u64 {
        self.serial
    }

    /// How many are under way.
    pub fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// Whether none is under way.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn place(token: RequestToken) -> usize {
    (token.0 & ((1 << PLACE_BITS) - 1)) as usize
}
