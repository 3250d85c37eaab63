//! `floor`: the least code that could do a broker's job on this machine, as the speed of light beside every result.
//!
//! ```text
//!   produce   receive ─► crc32c ─► direct write (registered memory, pre-written file) ─► [fdatasync per pass] ─► ack
//!   tiny      the same; what one pass received shares one write
//!   fetch     direct read ─► send
//! ```
//!
//! One thread, one ring with the broker's flags. It keeps no index and forgets everything: no broker can be faster.

pub mod drive;
pub mod ring;
pub mod speak;

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::ops::Range;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use self::ring::{BLOCK, Done, Ring};
use self::speak::Speaker;
use crate::load::batch::{HEADER_BYTES, Producer, STAMP_BYTES, Send, Template};
use crate::load::plan::Plan;
use crate::sys;
use crate::wire::{Reader, Writer, api};

/// What is done before an ack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Durability {
    /// The direct write has completed.
    Process,
    /// It was flushed, once per pass.
    Disk,
}

/// Options of the server.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:19292")]
    pub listen: SocketAddr,
    /// Directory of the file that is written and read.
    #[arg(long, default_value = "target/floor")]
    pub dir: PathBuf,
    /// What an ack waits for.
    #[arg(long, value_enum, default_value_t = Durability::Process)]
    pub durability: Durability,
    /// Bytes of the file; it is written round and round.
    #[arg(long, default_value = "1GiB", value_parser = crate::load::plan::parse_bytes)]
    pub file_bytes: u64,
    /// CPU to pin the thread to.
    #[arg(long)]
    pub core: Option<usize>,
}

/// Room for one large frame behind a block for its prefix, or for one pass of small ones.
const SLOT_BYTES: usize = (1 << 20) + (128 << 10);
/// Slots of the region.
const SLOTS: usize = 320;
/// Slots that receives leave for groups and for what was received too much.
const SLOTS_KEPT: usize = 16;
/// Group writes in flight; what comes meanwhile shares the next.
const GROUPS_OUT_MAX: usize = 2;
/// Answers of one connection per send.
const OUT_BYTES: usize = 64 << 10;
/// Connections served at once.
const CONNS: usize = 512;
/// Batches from here on are written from where they were received.
const STRAIGHT_BYTES: usize = 16 << 10;
/// A first receive of a connection that sends small frames.
const SMALL_RECEIVE: usize = 64 << 10;
/// What one fetch answers.
const CHUNK: usize = 1 << 20;

const ACCEPT: u64 = 1;
const RECEIVE: u64 = 2;
const SEND: u64 = 3;
const WRITE: u64 = 4;
const FLUSH: u64 = 5;
const READ: u64 = 6;
const SEND_SLOT: u64 = 7;

struct Conn {
    socket: Option<OwnedFd>,
    slot: Option<usize>,
    /// Received and unread bytes of the slot.
    from: usize,
    end: usize,
    receiving: bool,
    last_frame: usize,
    last_prefix: usize,
    /// Answers in the order of their requests; `None` = not ready.
    answers: VecDeque<Option<Vec<u8>>>,
    first: u64,
    sending: Option<Range<usize>>,
    /// Bumped when the place is used again, so that late completions find nobody.
    life: u32,
}

#[derive(Default)]
struct Slot {
    waiters: Vec<(usize, u32, u64, Vec<u8>)>,
    sending: Range<usize>,
    conn: (usize, u32),
    group: bool,
}

/// The server.
pub struct Floor {
    ring: Ring,
    listener: TcpListener,
    speaker: Speaker,
    durability: Durability,
    file_bytes: u64,
    file_at: u64,
    conns: Vec<Conn>,
    slots: Vec<Slot>,
    free: Vec<usize>,
    group: Option<(usize, usize)>,
    groups_out: usize,
    written: Vec<(usize, u32, u64, Vec<u8>)>,
    flushing: Vec<(usize, u32, u64, Vec<u8>)>,
    flush_out: bool,
    starved: bool,
    fetch_turn: usize,
    chunk: Chunk,
}

/// Pre-written chunks of batches for `fetch`.
struct Chunk {
    batch_bytes: usize,
    batches: usize,
    records: i64,
}

impl Floor {
    /// Listens and writes the file once; to be called on the thread that will [`Floor::run`].
    pub fn open(options: &Options) -> io::Result<Floor> {
        if let Some(id) = options.core {
            core_affinity::set_for_current(core_affinity::CoreId { id });
        }
        std::fs::create_dir_all(&options.dir)?;
        let path = options.dir.join("floor.data");
        let template = Template::new(&Plan::standard());
        let file_bytes = (options.file_bytes / CHUNK as u64).max(8) * CHUNK as u64;
        prewrite(&path, file_bytes, &template)?;
        let file = direct(&path)?;
        let listener = TcpListener::bind(options.listen)?;
        let address = listener.local_addr()?;
        let ring = Ring::new(SLOTS * SLOT_BYTES + CONNS * OUT_BYTES, file)?;
        if !ring.registered() {
            eprintln!(
                "floor: memory could not be registered (ulimit -l); unregistered IO costs more"
            );
        }
        let conn = |_| Conn {
            socket: None,
            slot: None,
            from: 0,
            end: 0,
            receiving: false,
            last_frame: 0,
            last_prefix: 0,
            answers: VecDeque::new(),
            first: 0,
            sending: None,
            life: 0,
        };
        let batch_bytes = template.wire_bytes as usize;
        Ok(Floor {
            ring,
            listener,
            speaker: Speaker::new(address, 16),
            durability: options.durability,
            file_bytes,
            file_at: 0,
            conns: (0..CONNS).map(conn).collect(),
            slots: (0..SLOTS).map(|_| Slot::default()).collect(),
            free: (0..SLOTS).rev().collect(),
            group: None,
            groups_out: 0,
            written: Vec::new(),
            flushing: Vec::new(),
            flush_out: false,
            starved: false,
            fetch_turn: 0,
            chunk: Chunk {
                batch_bytes,
                batches: CHUNK / batch_bytes,
                records: i64::from(template.records),
            },
        })
    }

    /// Where it listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until Ctrl-C.
    pub fn run(mut self) -> io::Result<()> {
        self.ring.accept(self.listener.as_raw_fd(), ACCEPT << 56)?;
        let mut done = Vec::new();
        while !sys::interrupted() {
            done.clear();
            self.ring.pass(&mut done)?;
            for one in &done {
                self.on(*one)?;
            }
            self.settle()?;
        }
        Ok(())
    }

    fn on(&mut self, done: Done) -> io::Result<()> {
        let (index, life) = (
            (done.token & 0xffff_ffff) as usize,
            (done.token >> 32) as u32 & 0xff_ffff,
        );
        match done.token >> 56 {
            ACCEPT => {
                if done.result >= 0 {
                    self.accepted(ring::own(done.result))?;
                }
                if !done.more {
                    self.ring.accept(self.listener.as_raw_fd(), ACCEPT << 56)?;
                }
            }
            RECEIVE if self.conns[index].life == life => {
                self.conns[index].receiving = false;
                if done.result <= 0 {
                    self.close(index);
                } else {
                    self.conns[index].end += done.result as usize;
                    self.frames(index)?;
                    self.receive(index)?;
                }
            }
            SEND if self.conns[index].life == life => {
                let sent = self.conns[index].sending.take().unwrap_or_default();
                if done.result < sent.len() as i32 {
                    self.close(index);
                }
            }
            WRITE => {
                if done.result < 0 {
                    return Err(io::Error::from_raw_os_error(-done.result));
                }
                let mut waiters = std::mem::take(&mut self.slots[index].waiters);
                self.groups_out -= usize::from(std::mem::take(&mut self.slots[index].group));
                self.free.push(index);
                if self.durability == Durability::Disk {
                    self.written.append(&mut waiters);
                } else {
                    self.acknowledge(waiters);
                }
            }
            FLUSH => {
                if done.result < 0 {
                    return Err(io::Error::from_raw_os_error(-done.result));
                }
                self.flush_out = false;
                let waiters = std::mem::take(&mut self.flushing);
                self.acknowledge(waiters);
            }
            READ => {
                if done.result < CHUNK as i32 {
                    return Err(io::Error::other(format!("a read of {} bytes", done.result)));
                }
                self.send_slot(index)?;
            }
            SEND_SLOT => {
                let (conn, life) = self.slots[index].conn;
                self.free.push(index);
                if self.conns[conn].life == life
                    && done.result < self.slots[index].sending.len() as i32
                {
                    self.close(conn);
                }
            }
            // A receive or send of a connection that is gone.
            _ => {}
        }
        Ok(())
    }

    fn accepted(&mut self, socket: OwnedFd) -> io::Result<()> {
        let stream = std::net::TcpStream::from(socket);
        stream.set_nodelay(true)?;
        let Some(index) = self
            .conns
            .iter()
            .position(|conn| conn.socket.is_none() && !conn.receiving && conn.sending.is_none())
        else {
            return Ok(());
        };
        let conn = &mut self.conns[index];
        conn.socket = Some(stream.into());
        (conn.from, conn.end, conn.last_frame, conn.last_prefix) = (0, 0, 0, 0);
        conn.answers.clear();
        conn.first = 0;
        self.receive(index)
    }

    fn close(&mut self, index: usize) {
        let conn = &mut self.conns[index];
        // With the socket shut, operations in flight end; their completions carry the old life.
        conn.socket = None;
        conn.life = (conn.life + 1) & 0xff_ffff;
        conn.receiving = false;
        conn.sending = None;
        if let Some(slot) = conn.slot.take() {
            self.free.push(slot);
        }
    }

    /// Arms the next receive of a connection, if it has a slot or one is free.
    fn receive(&mut self, index: usize) -> io::Result<()> {
        let conn = &mut self.conns[index];
        let Some(socket) = conn.socket.as_ref().map(AsRawFd::as_raw_fd) else {
            return Ok(());
        };
        if conn.receiving {
            return Ok(());
        }
        let slot = match conn.slot {
            Some(slot) => slot,
            None => {
                if self.free.len() <= SLOTS_KEPT {
                    self.starved = true;
                    return Ok(());
                }
                let Some(slot) = self.free.pop() else {
                    return Ok(());
                };
                conn.slot = Some(slot);
                // So that the batch behind the prefix lands on a block.
                conn.from = BLOCK - (4 + conn.last_prefix).min(BLOCK);
                conn.end = conn.from;
                slot
            }
        };
        let base = slot * SLOT_BYTES;
        let have = conn.end - conn.from;
        let unread = &self.ring.bytes(base + conn.from..base + conn.end);
        let known = unread
            .first_chunk::<4>()
            .map(|length| 4 + u32::from_be_bytes(*length) as usize);
        let (wanted, whole) = match known {
            Some(frame) if frame - 4 > 4096 && frame > have => (frame - have, true),
            _ if conn.last_frame >= STRAIGHT_BYTES => (conn.last_frame.saturating_sub(have), false),
            _ => (SMALL_RECEIVE, false),
        };
        let room = SLOT_BYTES - conn.end;
        if wanted > room && whole {
            self.close(index);
            return Ok(());
        }
        let to = base + conn.end..base + conn.end + wanted.clamp(1, room);
        conn.receiving = true;
        let token = RECEIVE << 56 | u64::from(conn.life) << 32 | index as u64;
        self.ring.receive(socket, to, whole, token)
    }

    /// Serves every whole frame that a connection's slot holds.
    fn frames(&mut self, index: usize) -> io::Result<()> {
        while let Some(slot) = self.conns[index].slot {
            let base = slot * SLOT_BYTES;
            let (from, end) = (self.conns[index].from, self.conns[index].end);
            let unread = self.ring.bytes(base + from..base + end);
            let whole = unread
                .first_chunk::<4>()
                .map(|length| 4 + u32::from_be_bytes(*length) as usize)
                .filter(|whole| *whole <= unread.len());
            let Some(whole) = whole else {
                break;
            };
            self.conns[index].last_frame = whole;
            let request = base + from + 4..base + from + whole;
            let served = self.frame(index, slot, request)?;
            if !served {
                self.close(index);
                return Ok(());
            }
            if self.conns[index].slot == Some(slot) {
                self.conns[index].from = from + whole;
            } else if end > from + whole {
                // The slot left with its batch; what came behind it moves to a fresh one.
                self.receive_rest(index, base + from + whole..base + end)?;
            }
        }
        let conn = &mut self.conns[index];
        if let Some(slot) = conn.slot {
            let base = slot * SLOT_BYTES;
            let (from, end) = (conn.from, conn.end);
            if from == end {
                conn.from = BLOCK - (4 + conn.last_prefix).min(BLOCK);
                conn.end = conn.from;
            } else if from > BLOCK {
                let to = BLOCK - (4 + conn.last_prefix).min(BLOCK);
                conn.from = to;
                conn.end = to + (end - from);
                self.ring
                    .bytes_mut(base..base + SLOT_BYTES)
                    .copy_within(from..end, to);
            }
        }
        Ok(())
    }

    fn receive_rest(&mut self, index: usize, rest: Range<usize>) -> io::Result<()> {
        let kept = self.ring.bytes(rest).to_vec();
        let Some(slot) = self.free.pop() else {
            return Err(io::Error::other("no slot for the rest of a receive"));
        };
        let conn = &mut self.conns[index];
        conn.slot = Some(slot);
        conn.from = BLOCK - (4 + conn.last_prefix).min(BLOCK);
        conn.end = conn.from + kept.len();
        let at = slot * SLOT_BYTES + conn.from;
        self.ring
            .bytes_mut(at..at + kept.len())
            .copy_from_slice(&kept);
        Ok(())
    }

    /// Serves one request; false = it cannot be read.
    fn frame(&mut self, index: usize, slot: usize, request: Range<usize>) -> io::Result<bool> {
        let bytes = self.ring.bytes(request.clone());
        let Ok((header, _)) = speak::header(bytes) else {
            return Ok(false);
        };
        if header.key == api::FETCH.0 {
            return self.fetch(index, request);
        }
        if header.key != api::PRODUCE.0 {
            let Ok(Some(answer)) = self.speaker.answer(bytes) else {
                return Ok(false);
            };
            self.conns[index].answers.push_back(Some(answer));
            return Ok(true);
        }
        let Ok(produce) = speak::produce(bytes) else {
            return Ok(false);
        };
        let Some(batch) = bytes
            .get(produce.prefix..produce.prefix + produce.batch)
            .filter(|batch| batch.len() > 21)
        else {
            return Ok(false);
        };
        let right = crc32c::crc32c(&batch[21..]).to_be_bytes() == batch[17..21];
        let mut answer = Vec::with_capacity(96);
        speak::produced(&produce, if right { 0 } else { 2 }, 0, &mut answer);
        let (prefix, length) = (produce.prefix, produce.batch);
        let conn = &mut self.conns[index];
        conn.last_prefix = prefix;
        let sequence = conn.first + conn.answers.len() as u64;
        let waiter = (index, conn.life, sequence, answer);
        conn.answers.push_back(None);
        let at = request.start + prefix;
        if length >= STRAIGHT_BYTES {
            conn.slot = None;
            let mut at = at - slot * SLOT_BYTES;
            if !at.is_multiple_of(BLOCK) {
                // Only the first frame of a connection: its prefix was not known.
                let base = slot * SLOT_BYTES;
                self.ring
                    .bytes_mut(base..base + SLOT_BYTES)
                    .copy_within(at..at + length, 0);
                at = 0;
            }
            self.slots[slot].waiters.push(waiter);
            self.write(slot, at..at + length.next_multiple_of(BLOCK))?;
            return Ok(true);
        }
        let (group, used) = match self.group.take() {
            Some((group, used)) if used + length <= SLOT_BYTES => (group, used),
            full => {
                if let Some((group, used)) = full {
                    self.groups_out += 1;
                    self.slots[group].group = true;
                    self.write(group, 0..used.next_multiple_of(BLOCK))?;
                }
                let Some(group) = self.free.pop() else {
                    return Err(io::Error::other("no slot for a group"));
                };
                (group, 0)
            }
        };
        let to = group * SLOT_BYTES + used;
        let whole = self.ring.bytes_mut(0..SLOTS * SLOT_BYTES);
        whole.copy_within(at..at + length, to);
        self.slots[group].waiters.push(waiter);
        self.group = Some((group, used + length));
        Ok(true)
    }

    fn write(&mut self, slot: usize, range: Range<usize>) -> io::Result<()> {
        let base = slot * SLOT_BYTES;
        let length = range.len() as u64;
        if self.file_at + length > self.file_bytes {
            self.file_at = 0;
        }
        let at = self.file_at;
        self.file_at += length;
        self.ring.write(
            base + range.start..base + range.end,
            at,
            WRITE << 56 | slot as u64,
        )
    }

    fn acknowledge(&mut self, waiters: Vec<(usize, u32, u64, Vec<u8>)>) {
        for (index, life, sequence, answer) in waiters {
            let conn = &mut self.conns[index];
            if conn.life == life {
                let place = (sequence - conn.first) as usize;
                conn.answers[place] = Some(answer);
            }
        }
    }

    /// Ends a pass: one group write, one flush, one send per connection.
    fn settle(&mut self) -> io::Result<()> {
        if self.groups_out < GROUPS_OUT_MAX
            && let Some((group, used)) = self.group.take()
        {
            self.groups_out += 1;
            self.slots[group].group = true;
            self.write(group, 0..used.next_multiple_of(BLOCK))?;
        }
        if !self.flush_out && !self.written.is_empty() {
            self.flushing = std::mem::take(&mut self.written);
            self.flush_out = true;
            self.ring.flush(FLUSH << 56)?;
        }
        for index in 0..self.conns.len() {
            let conn = &mut self.conns[index];
            let Some(socket) = conn.socket.as_ref().map(AsRawFd::as_raw_fd) else {
                continue;
            };
            if conn.sending.is_some() || !matches!(conn.answers.front(), Some(Some(_))) {
                continue;
            }
            let base = SLOTS * SLOT_BYTES + index * OUT_BYTES;
            let mut used = 0;
            while let Some(Some(answer)) = conn.answers.front()
                && used + answer.len() <= OUT_BYTES
            {
                let to = base + used;
                self.ring
                    .bytes_mut(to..to + answer.len())
                    .copy_from_slice(answer);
                used += answer.len();
                conn.answers.pop_front();
                conn.first += 1;
            }
            if used == 0 {
                return Err(io::Error::other("an answer larger than a send"));
            }
            conn.sending = Some(base..base + used);
            let token = SEND << 56 | u64::from(conn.life) << 32 | index as u64;
            self.ring.send(socket, base..base + used, token)?;
        }
        if self.starved && self.free.len() > 2 * SLOTS_KEPT {
            self.starved = false;
            for index in 0..self.conns.len() {
                if self.conns[index].slot.is_none() {
                    self.receive(index)?;
                }
            }
        }
        Ok(())
    }

    /// Reads the chunk that holds the offset of one of the partitions asked for, each in its turn.
    fn fetch(&mut self, index: usize, request: Range<usize>) -> io::Result<bool> {
        let bytes = self.ring.bytes(request);
        let Ok(Some((correlation, topic, partition, offset))) = wanted(bytes, self.fetch_turn)
        else {
            return Ok(false);
        };
        let topic = topic.to_owned();
        self.fetch_turn += 1;
        let Some(slot) = self.free.pop() else {
            return Ok(false);
        };
        let records = self.chunk.records * self.chunk.batches as i64;
        let chunk = offset / records;
        let length = self.chunk.batches * self.chunk.batch_bytes;
        let mut to = Writer::response(correlation);
        to.i32(0).i16(0).i32(0);
        to.i32(1)
            .str(&topic)
            .i32(1)
            .i32(partition)
            .i16(0)
            .i64(i64::MAX)
            .i64(i64::MAX)
            .i64(0)
            .i32(-1)
            .i32(-1);
        to.i32(length as i32);
        let whole = to.bytes.len() + length - 4;
        to.bytes[..4].copy_from_slice(&(whole as u32).to_be_bytes());
        let begin = BLOCK - to.bytes.len();
        let base = slot * SLOT_BYTES;
        self.ring
            .bytes_mut(base + begin..base + BLOCK)
            .copy_from_slice(&to.bytes);
        self.slots[slot].conn = (index, self.conns[index].life);
        self.slots[slot].sending = base + begin..base + BLOCK + length;
        self.slots[slot].waiters.clear();
        let at = (chunk as u64 * CHUNK as u64) % self.file_bytes;
        // The base offsets are stamped when the bytes are here; the first is kept in front until then.
        self.ring
            .bytes_mut(base..base + 8)
            .copy_from_slice(&(chunk * records).to_be_bytes());
        self.ring.read(
            base + BLOCK..base + BLOCK + CHUNK,
            at,
            READ << 56 | slot as u64,
        )?;
        Ok(true)
    }

    fn send_slot(&mut self, slot: usize) -> io::Result<()> {
        let base = slot * SLOT_BYTES;
        let first = Reader::new(self.ring.bytes(base..base + 8))
            .i64()
            .unwrap_or(0);
        for batch in 0..self.chunk.batches {
            let at = base + BLOCK + batch * self.chunk.batch_bytes;
            let offset = first + batch as i64 * self.chunk.records;
            self.ring
                .bytes_mut(at..at + 8)
                .copy_from_slice(&offset.to_be_bytes());
        }
        let (conn, life) = self.slots[slot].conn;
        let socket = self.conns[conn]
            .socket
            .as_ref()
            .filter(|_| self.conns[conn].life == life);
        let Some(socket) = socket.map(AsRawFd::as_raw_fd) else {
            self.free.push(slot);
            return Ok(());
        };
        let range = self.slots[slot].sending.clone();
        self.ring
            .send(socket as RawFd, range, SEND_SLOT << 56 | slot as u64)
    }
}

/// Correlation, topic, partition and offset of the `turn`-th partition of a Fetch 11 request.
fn wanted(
    request: &[u8],
    turn: usize,
) -> Result<Option<(i32, &str, i32, i64)>, crate::wire::Short> {
    let (header, mut from) = speak::header(request)?;
    from.take(4 + 4 + 4 + 4 + 1 + 4 + 4)?;
    let mut all = Vec::new();
    for _ in 0..from.count()? {
        let topic = from.str()?;
        for _ in 0..from.count()? {
            let (partition, _, offset) = (from.i32()?, from.i32()?, from.i64()?);
            from.take(12)?;
            all.push((header.correlation, topic, partition, offset));
        }
    }
    Ok(if all.is_empty() {
        None
    } else {
        Some(all[turn % all.len()])
    })
}

fn direct(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_DIRECT)
        .open(path)
}

/// Writes every chunk once, so that later writes overwrite: an overwrite changes no metadata.
fn prewrite(path: &Path, bytes: u64, template: &Template) -> io::Result<()> {
    assert!(template.head_bytes() >= HEADER_BYTES + STAMP_BYTES);
    let mut chunk = Vec::with_capacity(CHUNK);
    while chunk.len() + template.wire_bytes as usize <= CHUNK {
        let send = Send {
            intended: 0,
            id: 0,
            timestamp_ms: sys::wall_ms(),
            producer: Producer::NONE,
            sequence: -1,
        };
        template.stamp(&mut chunk, send);
        chunk.extend_from_slice(&template.tail);
    }
    chunk.resize(CHUNK, 0);
    let mut file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .open(path)?;
    for _ in 0..bytes / CHUNK as u64 {
        file.write_all(&chunk)?;
    }
    file.sync_all()?;
    // A direct write over cached pages is punted to a kernel thread that drops them first.
    sys::drop_cache(&file)
}
