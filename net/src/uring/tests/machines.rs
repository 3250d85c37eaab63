//! Machines that drive the kernel half in tests.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use corelane_engine::call::{
    Acks, Answer, AnswerBody, AppendItem, Call, CallBody, ReadAnswer, ReadDone, RequestToken,
};
use corelane_engine::disk::{DiskDone, DiskOp, DiskOutcome, DiskRequest, DiskToken, FileId};
use corelane_engine::fatal::Fatal;
use corelane_engine::shard::tally::Piece;
use corelane_engine::types::{Instant, Now, Offset, ShardId, TopicId, TopicPartition};

use crate::event::{ConnId, Event, Machine, Message, Outbox, SocketOp, StartReport};
use crate::metrics::{Question, Sample};

/// Echoes, the long way: to the next shard, into its file, flushed, read back, home again.
pub(super) struct Echo {
    me: ShardId,
    shards: u16,
    booted: bool,
    file_open: bool,
    end: u64,
    waiting: Vec<Call>,
    jobs: BTreeMap<DiskToken, Job>,
    next_job: u64,
    live: BTreeSet<ConnId>,
    turns: u64,
    stopping: bool,
}

struct Job {
    from: ShardId,
    request: RequestToken,
    position: u64,
    len: usize,
    written: bool,
}

const FILE: FileId = FileId(0);
const OPEN: DiskToken = DiskToken(u64::MAX);

impl Echo {
    pub(super) fn new(me: ShardId, shards: u16) -> Echo {
        Echo {
            me,
            shards,
            booted: false,
            file_open: false,
            end: 0,
            waiting: Vec::new(),
            jobs: BTreeMap::new(),
            next_job: 0,
            live: BTreeSet::new(),
            turns: 0,
            stopping: false,
        }
    }

    fn came(&mut self, conn: ConnId, bytes: BytesMut, out: &mut Outbox) {
        assert!(self.live.contains(&conn));
        if bytes.is_empty() {
            self.live.remove(&conn);
            out.sockets.push(SocketOp::Close { conn });
            return;
        }
        let item = AppendItem {
            slot: 0,
            partition: TopicPartition {
                topic: TopicId::ZERO,
                partition: 0,
            },
            records: bytes.freeze(),
        };
        let call = Call {
            from: self.me,
            request: RequestToken(conn.0),
            body: CallBody::Append {
                acks: Acks::All,
                items: vec![item],
            },
        };
        let to = ShardId((self.me.0 + 1) % self.shards);
        out.mesh.push((to, Message::Call(call)));
    }

    fn call(&mut self, call: Call, out: &mut Outbox) {
        if !self.file_open {
            self.waiting.push(call);
            return;
        }
        let CallBody::Append { items, .. } = call.body else {
            panic!("{call:?}");
        };
        let bytes = items[0].records.clone();
        let token = DiskToken(self.next_job);
        self.next_job += 1;
        let job = Job {
            from: call.from,
            request: call.request,
            position: self.end,
            len: bytes.len(),
            written: false,
        };
        self.end += bytes.len() as u64;
        let op = DiskOp::Write {
            file: FILE,
            position: job.position,
            bytes,
        };
        self.jobs.insert(token, job);
        out.disk.push(DiskRequest { token, op });
    }

    fn disk(&mut self, done: DiskDone, out: &mut Outbox) {
        let token = done.token;
        let outcome = done.result.unwrap();
        if token == OPEN {
            self.file_open = true;
            for call in std::mem::take(&mut self.waiting) {
                self.call(call, out);
            }
            if self.me == ShardId(0) {
                out.sockets.push(SocketOp::Accept);
            }
            return;
        }
        let job = self.jobs.get_mut(&token).unwrap();
        let op = match outcome {
            DiskOutcome::Done if !job.written => {
                job.written = true;
                DiskOp::Flush { file: FILE }
            }
            DiskOutcome::Done => DiskOp::Read {
                file: FILE,
                position: job.position,
                into: BytesMut::with_capacity(job.len),
            },
            DiskOutcome::Read(mut bytes) => {
                bytes.truncate(job.len);
                let job = self.jobs.remove(&token).unwrap();
                let half = bytes.split_to(bytes.len() / 2);
                let done = ReadDone {
                    records: vec![half.freeze(), bytes.freeze()],
                    count: 0,
                    high_watermark: Offset(0),
                    last_stable: Offset(0),
                    log_start: Offset(0),
                };
                let answer = Answer {
                    request: job.request,
                    body: AnswerBody::Read(vec![ReadAnswer {
                        slot: 0,
                        result: Ok(done),
                    }]),
                };
                out.mesh.push((job.from, Message::Answer(answer)));
                return;
            }
            other => panic!("{other:?}"),
        };
        out.disk.push(DiskRequest { token, op });
    }

    fn receive(&mut self, conn: ConnId, out: &mut Outbox) {
        self.turns += 1;
        out.sockets.push(if self.turns.is_multiple_of(2) {
            SocketOp::Receive { conn }
        } else {
            // It is answered once it is full: whatever comes, one byte does.
            let buffer = BytesMut::with_capacity(1);
            SocketOp::ReceiveInto { conn, buffer }
        });
    }
}

impl Machine for Echo {
    fn on(&mut self, _: Now, event: Event, out: &mut Outbox) {
        match event {
            Event::Accepted { conn, peer, .. } => {
                assert!(peer.ip().is_loopback());
                assert!(self.live.insert(conn), "an id used twice");
                self.receive(conn, out);
            }
            Event::Received { conn, bytes } => self.came(conn, bytes, out),
            Event::ReceivedInto {
                conn,
                buffer,
                count,
            } => {
                assert_eq!(buffer.len(), count);
                self.came(conn, buffer, out);
            }
            Event::Sent { conn } => self.receive(conn, out),
            Event::Recalled { conn, .. } => panic!("{conn:?}: nothing was recalled"),
            Event::Broken { conn, .. } => {
                assert!(self.live.remove(&conn));
                out.sockets.push(SocketOp::Close { conn });
            }
            Event::Disk(done) => self.disk(done, out),
            Event::Mesh { from, message } => match message {
                Message::Call(call) => {
                    assert_eq!(from, call.from);
                    self.call(call, out);
                }
                Message::Answer(answer) => {
                    let conn = ConnId(answer.request.0);
                    let AnswerBody::Read(mut items) = answer.body else {
                        panic!();
                    };
                    if self.live.contains(&conn) {
                        let parts = items.remove(0).result.unwrap().records;
                        out.sockets.push(SocketOp::Send { conn, parts });
                    }
                }
                Message::Control(_) | Message::Node(_) => panic!("no node runs here"),
            },
            Event::Stop => self.stopping = true,
        }
    }

    fn settle(&mut self, _: Now, out: &mut Outbox) {
        if !self.booted {
            self.booted = true;
            let op = DiskOp::Open {
                file: FILE,
                path: format!("shard-{}", self.me.0),
                create: true,
                direct: false,
            };
            out.disk.push(DiskRequest { token: OPEN, op });
        }
        out.stopped = self.stopping;
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }
}

/// Begins a receive and a send that no client takes, and closes in the middle.
#[derive(Default)]
pub(super) struct Closer {
    accepting: bool,
    stopping: bool,
    close_at: Option<Instant>,
    open: BTreeSet<ConnId>,
}

impl Machine for Closer {
    fn on(&mut self, now: Now, event: Event, out: &mut Outbox) {
        match event {
            Event::Accepted { conn, .. } => {
                self.open.insert(conn);
                let buffer = BytesMut::with_capacity(1 << 20);
                out.sockets.push(SocketOp::ReceiveInto { conn, buffer });
                let part = Bytes::from(vec![1; 8 << 20]);
                let parts = vec![part.clone(), Bytes::new(), part.clone(), part];
                out.sockets.push(SocketOp::Send { conn, parts });
                self.close_at = Some(now.mono.after(Duration::from_millis(50)));
            }
            Event::Stop => self.stopping = true,
            other => panic!("{other:?}"),
        }
    }

    fn settle(&mut self, now: Now, out: &mut Outbox) {
        if !std::mem::replace(&mut self.accepting, true) {
            out.sockets.push(SocketOp::Accept);
        }
        if self.close_at.is_some_and(|at| at <= now.mono) {
            self.close_at = None;
            for conn in std::mem::take(&mut self.open) {
                out.sockets.push(SocketOp::Close { conn });
            }
        }
        out.stopped = self.stopping;
    }

    fn deadline(&self) -> Option<Instant> {
        self.close_at
    }
}

/// Sends, and takes it back and sends the rest, every millisecond.
pub(super) struct Recaller {
    pub(super) parts: Vec<Bytes>,
    /// Told how much each recall brought back, and a zero at the end.
    pub(super) told: mpsc::Sender<usize>,
    pub(super) accepting: bool,
    pub(super) sending: Option<ConnId>,
    pub(super) recall_at: Option<Instant>,
    pub(super) stopping: bool,
}

impl Machine for Recaller {
    fn on(&mut self, _: Now, event: Event, out: &mut Outbox) {
        match event {
            Event::Accepted { conn, .. } | Event::Recalled { conn, .. } => {
                if let Event::Recalled { parts, .. } = event {
                    self.parts = parts;
                    let left = self.parts.iter().map(Bytes::len).sum();
                    self.told.send(left).unwrap();
                }
                self.sending = Some(conn);
                let parts = self.parts.clone();
                out.sockets.push(SocketOp::Send { conn, parts });
            }
            Event::Sent { conn } => {
                self.told.send(0).unwrap();
                self.sending = None;
                // Late: there is nothing to take back.
                out.sockets.push(SocketOp::Recall { conn });
                out.sockets.push(SocketOp::Close { conn });
            }
            Event::Stop => self.stopping = true,
            other => panic!("{other:?}"),
        }
    }

    fn settle(&mut self, now: Now, out: &mut Outbox) {
        if !std::mem::replace(&mut self.accepting, true) {
            out.sockets.push(SocketOp::Accept);
        }
        if let Some(conn) = self.sending
            && self.recall_at.is_none_or(|at| at <= now.mono)
        {
            self.recall_at = Some(now.mono.after(Duration::from_millis(1)));
            out.sockets.push(SocketOp::Recall { conn });
        }
        out.stopped = self.stopping;
    }

    fn deadline(&self) -> Option<Instant> {
        self.recall_at.filter(|_| self.sending.is_some())
    }
}

/// Receives and sends at once, and counts how often it is told that a connection broke.
#[derive(Default)]
pub(super) struct Breaker {
    accepting: bool,
    stopping: bool,
    broken: BTreeSet<ConnId>,
    close_at: Option<Instant>,
}

impl Machine for Breaker {
    fn on(&mut self, now: Now, event: Event, out: &mut Outbox) {
        match event {
            Event::Accepted { conn, .. } => {
                out.sockets.push(SocketOp::Receive { conn });
                let parts = vec![Bytes::from(vec![1; 8 << 20])];
                out.sockets.push(SocketOp::Send { conn, parts });
            }
            Event::Broken { conn, errno } => {
                assert!(
                    matches!(errno, libc::ECONNRESET | libc::EPIPE),
                    "errno {errno}"
                );
                assert!(self.broken.insert(conn), "told twice");
                // Ignored, as the connection is broken.
                out.sockets.push(SocketOp::Send {
                    conn,
                    parts: vec![Bytes::from_static(b"x")],
                });
                self.close_at = Some(now.mono.after(Duration::from_millis(50)));
            }
            // The send has taken the error: the receive sees an end.
            Event::Received { conn, bytes } => {
                assert!(bytes.is_empty() && !self.broken.contains(&conn));
            }
            Event::Stop => self.stopping = true,
            other => panic!("{other:?}"),
        }
    }

    fn settle(&mut self, now: Now, out: &mut Outbox) {
        if !std::mem::replace(&mut self.accepting, true) {
            out.sockets.push(SocketOp::Accept);
        }
        if self.close_at.is_some_and(|at| at <= now.mono) {
            self.close_at = None;
            for conn in std::mem::take(&mut self.broken) {
                out.sockets.push(SocketOp::Close { conn });
            }
        }
        out.stopped = self.stopping;
    }

    fn deadline(&self) -> Option<Instant> {
        self.close_at
    }
}

/// Asks for the end of the process at once, or ignores every stop.
pub(super) struct Odd {
    pub(super) fatal: bool,
}

impl Machine for Odd {
    fn on(&mut self, _: Now, _: Event, _: &mut Outbox) {}

    fn settle(&mut self, _: Now, out: &mut Outbox) {
        if self.fatal {
            out.fatal = Some(Fatal::Damaged("on purpose".into()));
        }
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }
}

/// Opens, sleeps, and insists on one question a pass.
pub(super) struct Asked {
    first: bool,
    opened: bool,
    stopping: bool,
    /// Since the last `settle`.
    questions: Cell<u32>,
}

impl Asked {
    pub(super) fn new(me: ShardId) -> Asked {
        Asked {
            first: me == ShardId(0),
            opened: false,
            stopping: false,
            questions: Cell::new(0),
        }
    }
}

impl Machine for Asked {
    fn on(&mut self, _: Now, event: Event, _: &mut Outbox) {
        match event {
            Event::Stop => self.stopping = true,
            other => panic!("{other:?}"),
        }
    }

    fn settle(&mut self, _: Now, out: &mut Outbox) {
        self.questions.set(0);
        if self.first && !std::mem::replace(&mut self.opened, true) {
            out.opened = Some(StartReport::default());
        }
        out.stopped = self.stopping;
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }

    fn sample(&self, question: &Question) -> Sample {
        self.questions.set(self.questions.get() + 1);
        assert_eq!(self.questions.get(), 1, "questions in one pass");
        match question {
            Question::Appended(from) => Sample::Appended(Piece {
                rows: Vec::new(),
                next: Some(*from),
            }),
            question => Sample::none(question),
        }
    }
}
