//! The clients of a world: what happens to them, and what they do.

use bytes::Bytes;
use corelane_net::event::ConnId;

use super::Start;

/// A client's number within a world.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ClientId(pub u32);

/// What happens to a client.
#[derive(Debug)]
pub enum ClientEvent {
    Wake,
    /// With the life of the process that answers on it.
    Connected {
        conn: ConnId,
        start: Start,
    },
    Refused,
    Data {
        conn: ConnId,
        bytes: Bytes,
    },
    Closed {
        conn: ConnId,
    },
}

/// The clients of a world.
pub trait Workload {
    /// `now` in nanoseconds.
    fn on(&mut self, now: u64, client: ClientId, event: ClientEvent, hands: &mut Hands);
}

/// What clients do.
#[derive(Debug, Default)]
pub struct Hands {
    pub(super) deeds: Vec<Deed>,
}

#[derive(Debug)]
pub(super) enum Deed {
    Connect(ClientId),
    Send(ConnId, Bytes),
    Close { conn: ConnId, reset: bool },
    Wake(ClientId, u64),
}

impl Hands {
    pub fn connect(&mut self, client: ClientId) {
        self.deeds.push(Deed::Connect(client));
    }

    pub fn send(&mut self, conn: ConnId, bytes: Bytes) {
        self.deeds.push(Deed::Send(conn, bytes));
    }

    pub fn close(&mut self, conn: ConnId) {
        let reset = false;
        self.deeds.push(Deed::Close { conn, reset });
    }

    pub fn reset(&mut self, conn: ConnId) {
        let reset = true;
        self.deeds.push(Deed::Close { conn, reset });
    }

    /// Wakes `client` at a time in nanoseconds.
    pub fn wake(&mut self, client: ClientId, at: u64) {
        self.deeds.push(Deed::Wake(client, at));
    }
}
