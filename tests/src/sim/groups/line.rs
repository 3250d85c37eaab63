//! A member's connection: frames out, frames in, one life of the broker after the other.

use bytes::BytesMut;
use corelane_net::event::ConnId;
use kafka_protocol::protocol::Request;

use crate::sim::wire;
use crate::sim::world::{ClientId, Hands, Start};

pub struct Line {
    id: ClientId,
    conn: Option<ConnId>,
    connecting: bool,
    /// The life of the process that it talks, or last talked, to.
    pub life: Start,
    inbox: BytesMut,
    correlation: i32,
    /// Frames that came.
    pub answered: u64,
}

impl Line {
    pub fn new(id: ClientId) -> Line {
        Line {
            id,
            conn: None,
            connecting: false,
            life: Start(0),
            inbox: BytesMut::new(),
            correlation: 0,
            answered: 0,
        }
    }

    /// Connects when it is not connected; true: it is.
    pub fn ensure(&mut self, hands: &mut Hands) -> bool {
        if self.conn.is_none() && !self.connecting {
            self.connecting = true;
            hands.connect(self.id);
        }
        self.conn.is_some()
    }

    pub fn on_connected(&mut self, conn: ConnId, life: Start) {
        (self.connecting, self.conn, self.life) = (false, Some(conn), life);
        self.inbox.clear();
    }

    pub fn on_refused(&mut self) {
        self.connecting = false;
    }

    /// True: it was this connection.
    pub fn on_closed(&mut self, conn: ConnId) -> bool {
        let ours = self.conn == Some(conn);
        if ours {
            self.conn = None;
        }
        ours
    }

    pub fn hang_up(&mut self, reset: bool, hands: &mut Hands) {
        if let Some(conn) = self.conn.take() {
            match reset {
                true => hands.reset(conn),
                false => hands.close(conn),
            }
        }
    }

    /// The open connection.
    pub fn conn(&self) -> ConnId {
        self.conn.expect("asks on an open connection")
    }

    /// Sends a request on the open connection; its correlation id.
    pub fn send<R: Request>(&mut self, version: i16, request: &R, hands: &mut Hands) -> i32 {
        self.correlation += 1;
        let conn = self.conn();
        hands.send(conn, wire::framed(version, self.correlation, request));
        self.correlation
    }

    /// Bytes came: the whole frames that are there now.
    pub fn on_data(&mut self, conn: ConnId, bytes: &[u8]) -> Vec<BytesMut> {
        let mut frames = Vec::new();
        if self.conn != Some(conn) {
            return frames;
        }
        self.inbox.extend_from_slice(bytes);
        while let Some(frame) = wire::take_frame(&mut self.inbox) {
            self.answered += 1;
            frames.push(frame);
        }
        frames
    }
}
