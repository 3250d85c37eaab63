//! A reader's connection to one broker: one fetch in flight, incremental sessions as real clients use them.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::Ordering;

use super::admin::{self, Partition};
use super::batch;
use super::conn::Conn;
use super::plan::Plan;
use super::worker::{Book, Shared};
use crate::sys;
use crate::wire::{Short, Writer, api, error_name};

struct Part {
    topic: String,
    index: i32,
    offset: i64,
    /// The broker's session does not know this offset yet.
    changed: bool,
}

/// One reader's share of the partitions: those that one broker leads.
pub struct Fetcher {
    /// Which reader this is.
    pub reader: usize,
    address: SocketAddr,
    conn: Option<Conn>,
    parts: Vec<Part>,
    places: BTreeMap<String, BTreeMap<i32, usize>>,
    session: i32,
    epoch: i32,
    correlation: i32,
    stamp_hint: usize,
    /// The socket may hold more.
    unread: bool,
}

impl Fetcher {
    /// Reader number `reader` of `partitions`, all led by `address`.
    pub fn new(reader: usize, address: SocketAddr, partitions: &[Partition]) -> Fetcher {
        let mut places: BTreeMap<String, BTreeMap<i32, usize>> = BTreeMap::new();
        let mut parts = Vec::new();
        for (at, partition) in partitions.iter().enumerate() {
            places
                .entry(partition.topic.clone())
                .or_default()
                .insert(partition.index, at);
            let (topic, index, offset) =
                (partition.topic.clone(), partition.index, partition.offset);
            parts.push(Part {
                topic,
                index,
                offset,
                changed: true,
            });
        }
        let conn = None;
        Fetcher {
            reader,
            address,
            conn,
            parts,
            places,
            session: 0,
            epoch: 0,
            correlation: 0,
            stamp_hint: 0,
            unread: false,
        }
    }

    /// Connects.
    pub fn open(&mut self) -> io::Result<()> {
        self.conn = Some(Conn::connect(self.address)?);
        Ok(())
    }

    /// The socket, after [`Fetcher::open`].
    pub fn stream(&self) -> &TcpStream {
        &self
            .conn
            .as_ref()
            .expect("opened before it is watched")
            .stream
    }

    /// Ends the connection; its reader reads no further.
    pub fn close(&mut self) {
        self.conn = None;
    }

    /// True after [`Fetcher::close`].
    pub fn closed(&self) -> bool {
        self.conn.is_none()
    }

    /// Puts the next fetch into the outbox.
    pub fn request(&mut self, plan: &Plan) {
        let Some(conn) = &mut self.conn else { return };
        self.correlation = self.correlation.wrapping_add(1);
        let mut to = Writer::request(api::FETCH, self.correlation);
        to.i32(-1)
            .i32(plan.fetch_wait.as_millis() as i32)
            .i32(1)
            .i32(plan.fetch_bytes as i32)
            .i8(0);
        to.i32(self.session).i32(self.epoch);
        let full = self.epoch == 0;
        let mut topics: Vec<(&str, Vec<&Part>)> = Vec::new();
        for part in self.parts.iter().filter(|part| full || part.changed) {
            match topics.last_mut() {
                Some((topic, parts)) if *topic == part.topic => parts.push(part),
                _ => topics.push((&part.topic, vec![part])),
            }
        }
        to.i32(topics.len() as i32);
        for (topic, parts) in topics {
            to.str(topic).i32(parts.len() as i32);
            for part in parts {
                to.i32(part.index)
                    .i32(-1)
                    .i64(part.offset)
                    .i64(-1)
                    .i32(plan.fetch_partition_bytes as i32);
            }
        }
        to.i32(0).str("");
        for part in &mut self.parts {
            part.changed = false;
        }
        let frame = to.frame();
        conn.push(|out| out.extend_from_slice(&frame));
    }

    /// Whether [`Fetcher::on_ready`] has more to do at once.
    pub fn is_ready(&self) -> bool {
        self.unread && !self.closed()
    }

    /// Sends what is possible and reads a piece: a long answer must not keep the sends that become due meanwhile.
    pub fn on_ready(&mut self, shared: &Shared, book: &mut Book) -> io::Result<()> {
        let mut filled = false;
        loop {
            let Some(conn) = &mut self.conn else {
                return Ok(());
            };
            conn.flush()?;
            if !filled {
                self.unread = conn.fill()?;
                filled = true;
            }
            // An answer is taken out for a moment, because the connection and the offsets change together.
            let Some(mut conn) = self.conn.take() else {
                return Ok(());
            };
            let answer = match conn.frame() {
                Ok(Some(frame)) => Some(self.on_answer(frame, shared, book)),
                Ok(None) => None,
                Err(error) => return Err(error),
            };
            self.conn = Some(conn);
            match answer {
                Some(done) => {
                    done?;
                    self.request(&shared.plan);
                }
                None => return Ok(()),
            }
        }
    }

    fn on_answer(&mut self, frame: &[u8], shared: &Shared, book: &mut Book) -> io::Result<()> {
        let now = sys::now();
        let in_time = shared.measured(now);
        let body = frame.get(4..).unwrap_or_default();
        let Fetcher {
            places,
            parts,
            stamp_hint,
            ..
        } = self;
        let (mut records, mut bytes) = (0, 0);
        let read = admin::read_fetch(body, |fetched| {
            if fetched.error != 0 {
                book.tally
                    .error(format!("reader: {}", error_name(fetched.error)));
                book.window.errors += 1;
                return Ok::<(), Short>(());
            }
            let place = places
                .get(fetched.topic)
                .and_then(|topic| topic.get(&fetched.index))
                .ok_or(Short)?;
            let part = &mut parts[*place];
            for stored in admin::batches(fetched.records) {
                let end = stored.offset + i64::from(stored.records);
                if end <= part.offset {
                    continue;
                }
                part.offset = end;
                part.changed = true;
                records += u64::from(stored.records);
                bytes += stored.bytes.len() as u64;
                book.window.read_bytes += stored.bytes.len() as u64;
                if in_time {
                    book.tally.read_in_time += 1;
                    book.tally.read_bytes_in_time += stored.bytes.len() as u64;
                }
                if let Some((intended, _)) = batch::find_stamp(stored.bytes, stamp_hint)
                    && shared.measured(intended)
                {
                    book.tally
                        .end_to_end
                        .saturating_record(now.saturating_sub(intended));
                }
            }
            Ok(())
        });
        let (session, error) = read.map_err(|_| io::Error::other("a malformed fetch answer"))?;
        shared.records_read[self.reader].fetch_add(records, Ordering::Relaxed);
        shared.bytes_read.fetch_add(bytes, Ordering::Relaxed);
        match error {
            0 => {
                self.session = session;
                self.epoch = if session == 0 {
                    0
                } else {
                    self.epoch.checked_add(1).unwrap_or(1)
                };
            }
            70 | 71 => (self.session, self.epoch) = (0, 0),
            code => return Err(io::Error::other(error_name(code))),
        }
        Ok(())
    }
}
