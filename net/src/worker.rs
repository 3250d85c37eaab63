//! One shard's machine: its connections, the requests under way, its storage, and on shard 0 the controller.
//!
//! ```text
//!  Received ─► conn ─► frames ─► parse ─► handler ──┬─ calls ──► owner: here: storage · elsewhere: mesh
//!                                                   └─ proposals ──► controller: here or on shard 0
//!  Disk, Mesh ─► storage ─► answers ──┬─ asked here ──► request ─► conn slot ─► (settle) one Send per connection
//!                                     └─ asked elsewhere ──► mesh
//!  settle: expired deadlines → requests that may start now → storage (group commit) → sends and receives
//!  memory: too many parked requests → the oldest answered · nothing left for others → the stalled closed
//! ```
//!
//! Nothing here is proportional to all connections or partitions: a pass looks at those that an event named. Only while
//! connections wait for memory all are looked at, every few seconds.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use corelane_engine::call::{Answer, RequestToken};
use corelane_engine::controller::PRODUCER_ID_BLOCK;
use corelane_engine::controller::command::{self, Command};
use corelane_engine::controller::image::Image;
use corelane_engine::rng::Rng;
use corelane_engine::shard::ShardOut;
use corelane_engine::types::{Instant, NodeId, Now, ShardId, TopicId};

use crate::answers::Answers;
use crate::api::k00_produce::DETACHED_BYTES_MIN;
use crate::api::k22_init_producer_id::{self, ProducerIds};
use crate::api::{self, Api, CloseReason, Header, Parsed, k18_api_versions};
use crate::conn::{Conn, Receive};
use crate::context::{Authorize, Principal, RequestContext};
use crate::desk::{
    Decided, Desk, Encoded, Outcome, Proposed, Request, Room, Started, Waiting, Work,
};
use crate::error_code;
use crate::event::{ConnId, Event, Machine, Message, Outbox};
use crate::frame::{Buffers, Frame};
use crate::listeners::{Listener, ListenerId};
use crate::metrics::{Class, Fetched, Names, Numbers, Question, Sample, Tally};
use crate::requests::{Pending, Requests};
use crate::sessions::Sessions;
use crate::storage::Storage;
use crate::unsent::SLOW;
use care::STALL_CHECK;

mod care;

/// Requests other than Produce are decoded into something several times their size: none needs more than this.
const PLAIN_REQUEST_BYTES_MAX: usize = 8 << 20;
/// Connections that waited for memory and are looked at again in one pass.
const MEMORY_RETRIES: usize = 16;

/// In whose name a shard asks for a block of producer ids: no request's token.
const PRODUCER_IDS: RequestToken = RequestToken(u64::MAX);
/// What ends a request's wait, if it may end: [`Work::hurry`], [`Work::on_ended`].
type Press = fn(&mut Work, &mut Desk, &Request) -> Option<Outcome>;

/// The worker of one shard, in the running state: recovered, with an image.
pub struct Worker<S> {
    desk: Desk,
    storage: S,
    conns: BTreeMap<ConnId, Conn>,
    requests: Requests,
    buffers: Buffers,
    /// The listeners' names, by their ids.
    listeners: Vec<Rc<str>>,
    /// Connections to look after at the end of the pass.
    listed: Vec<ConnId>,
    /// Connections not read for want of memory, in order.
    starved: VecDeque<ConnId>,
    /// How many of them are still to be looked at since memory was last given back.
    retries: usize,
    /// Every connection, by when to look whether it is idle.
    idle: BTreeSet<(Instant, ConnId)>,
    idle_max: Duration,
    /// While connections wait for memory: when to look for those that hold it and send nothing.
    stall_check: Option<Instant>,
    /// Connections whose peers have not taken all answers, each with when to look at it: once, in order.
    unsent: VecDeque<(Instant, ConnId)>,
    /// Those whose answers are being copied.
    copying: VecDeque<ConnId>,
    /// Something was started after storage had settled: the next pass must come at once.
    again: bool,
    tally: Tally,
    shard_out: ShardOut,
}

/// Bounds of one shard's Kafka side.
#[derive(Clone, Debug)]
pub struct NetLimits {
    /// Largest frame: Kafka's `socket.request.max.bytes`.
    pub frame_bytes_max: usize,
    /// Memory for requests under way in small frames, and in large ones.
    pub small_bytes_max: usize,
    pub large_bytes_max: usize,
    /// Memory for what fetches read and peers have not taken.
    pub answer_bytes_max: usize,
    /// Memory for requests that only wait for something new: above it the oldest of them are answered.
    pub parked_bytes_max: usize,
    /// Large receive buffers kept for reuse.
    pub idle_bytes_max: usize,
    /// A connection over which no byte came or went for this long, with no request under way, is closed: Kafka's
    /// `connections.max.idle.ms`.
    pub idle_max: Duration,
    /// Fetch sessions, and partitions in all of them.
    pub sessions_max: usize,
    pub session_partitions_max: usize,
}

impl NetLimits {
    pub const NORMAL: NetLimits = NetLimits {
        frame_bytes_max: corelane_engine::limits::FRAME_BYTES_MAX,
        small_bytes_max: 64 << 20,
        large_bytes_max: 256 << 20,
        answer_bytes_max: 256 << 20,
        parked_bytes_max: 32 << 20,
        idle_bytes_max: 64 << 20,
        idle_max: Duration::from_secs(600),
        sessions_max: 1000,
        session_partitions_max: 200_000,
    };
}

/// What a worker is made of.
pub struct Parts<S> {
    pub me: ShardId,
    /// How many shards this node has.
    pub shards: u16,
    /// This node's id.
    pub node: NodeId,
    pub image: Image,
    /// The data directory's absolute path.
    pub directory: String,
    pub storage: S,
    pub limits: NetLimits,
    /// Draws ids of fetch sessions.
    pub rng: Rng,
    pub authorize: Authorize,
    /// In the order of their ids.
    pub listeners: Vec<Listener>,
}

impl<S: Storage> Worker<S> {
    /// In the running state.
    pub fn new(parts: Parts<S>) -> Worker<S> {
        let limits = parts.limits;
        let names = parts.listeners.iter();
        let listeners = names.map(|l| Rc::from(&*l.endpoint.listener)).collect();
        Worker {
            desk: Desk {
                now: Now::default(),
                me: parts.me,
                shards: parts.shards,
                node: parts.node,
                directory: parts.directory,
                listeners: parts.listeners,
                image: parts.image,
                sessions: Sessions::new(
                    parts.me,
                    limits.sessions_max,
                    limits.session_partitions_max,
                    parts.rng,
                ),
                authorize: parts.authorize,
                limits: limits.clone(),
                producer_ids: ProducerIds::default(),
                answers: Answers::new(limits.answer_bytes_max),
                fetched: Fetched::default(),
                calls: Vec::new(),
                proposals: Vec::new(),
            },
            storage: parts.storage,
            conns: BTreeMap::new(),
            requests: Requests::default(),
            buffers: Buffers::new(
                limits.frame_bytes_max,
                limits.small_bytes_max,
                limits.large_bytes_max,
                limits.parked_bytes_max,
                limits.idle_bytes_max,
            ),
            listeners,
            listed: Vec::new(),
            starved: VecDeque::new(),
            retries: 0,
            idle: BTreeSet::new(),
            idle_max: limits.idle_max,
            stall_check: None,
            unsent: VecDeque::new(),
            copying: VecDeque::new(),
            again: false,
            tally: Tally::default(),
            shard_out: ShardOut::default(),
        }
    }

    /// This shard's image, to be kept up to date by whoever applies committed records.
    pub fn image_mut(&mut self) -> &mut Image {
        &mut self.desk.image
    }

    /// This shard's storage.
    pub fn storage_mut(&mut self) -> &mut S {
        &mut self.storage
    }

    /// This shard's storage, to look at.
    pub fn storage(&self) -> &S {
        &self.storage
    }

    /// Both at once.
    pub fn image_and_storage(&mut self) -> (&Image, &mut S) {
        (&self.desk.image, &mut self.storage)
    }

    /// Carries effects that storage had outside of a call.
    pub fn carry(&mut self, now: Now, effects: ShardOut, out: &mut Outbox) {
        self.desk.now = now;
        self.shard_out.disk.extend(effects.disk);
        self.shard_out.answers.extend(effects.answers);
        if let Some(fatal) = effects.fatal {
            self.shard_out.fatal.get_or_insert(fatal);
        }
        self.turn(out);
    }

    /// A topic is gone from the image.
    pub fn on_topic_deleted(&mut self, id: TopicId) {
        self.desk.fetched.forget(id);
    }

    /// For a stop: closes connections that wait for nothing. True: none is left.
    pub fn drain(&mut self, out: &mut Outbox) -> bool {
        let idle = self.conns.iter().filter(|(_, conn)| conn.is_idle());
        let idle: Vec<ConnId> = idle.map(|(id, _)| *id).collect();
        for id in idle {
            self.close(id, &CloseReason::Stopping, out);
        }
        self.conns.is_empty()
    }

    fn numbers(&self) -> Numbers {
        Numbers {
            tally: self.tally.clone(),
            fetched: self.desk.fetched.total(),
            connections: self.conns.len(),
            requests_under_way: self.requests.len(),
            requests_parked: self.requests.parked(),
            fetch_sessions: self.desk.sessions.len(),
            request_bytes: self.buffers.charged(),
            parked_bytes: self.buffers.parked(),
            answer_bytes: self.desk.answers.bytes(),
            storage: self.storage.numbers(),
        }
    }

    /// What the requests of this shard want changed since the last call: for the controller.
    pub fn take_proposals(&mut self) -> Vec<Proposed> {
        std::mem::take(&mut self.desk.proposals)
    }

    /// The controller decided on a proposal of this shard, and every shard of the node has applied it.
    pub fn on_decision(
        &mut self,
        now: Now,
        request: RequestToken,
        slot: u32,
        decided: Decided,
        out: &mut Outbox,
    ) {
        self.desk.now = now;
        if request == PRODUCER_IDS {
            self.on_producer_ids(decided, out);
        } else if let Some(pending) = self.requests.get_mut(request)
            && let Some(outcome) =
                pending
                    .work
                    .on_decision(&mut self.desk, &pending.request, slot, decided)
        {
            self.finish(request, outcome, out);
        }
        self.turn(out);
    }

    fn on_producer_ids(&mut self, decided: Decided, out: &mut Outbox) {
        let now = self.desk.now;
        match decided {
            Ok(command::Outcome::ProducerIds { first, count }) => {
                for (token, id) in self
                    .desk
                    .producer_ids
                    .on_block(first, first + i64::from(count))
                {
                    if let Some(pending) = self.requests.get_mut(token) {
                        let outcome = k22_init_producer_id::on_id(&pending.request, now, id);
                        self.finish(token, outcome, out);
                    }
                }
            }
            Err(error) => {
                let (code, _) = error_code::of_command(&error);
                for token in self.desk.producer_ids.on_refused() {
                    if let Some(pending) = self.requests.get_mut(token) {
                        let outcome = k22_init_producer_id::on_refused(&pending.request, now, code);
                        self.finish(token, outcome, out);
                    }
                }
            }
            Ok(other) => panic!("producer ids were asked for, got {other:?}"),
        }
    }

    fn on_message(&mut self, from: ShardId, message: Message, out: &mut Outbox) {
        match message {
            Message::Call(call) => {
                self.storage.call(self.desk.now, call, &mut self.shard_out);
                self.turn(out);
            }
            Message::Answer(answer) => {
                self.answered(from, answer, out);
                self.turn(out);
            }
            Message::Control(_) | Message::Node(_) => panic!("{message:?} is the node's"),
        }
    }

    fn conn_accepted(&mut self, conn: ConnId, listener: ListenerId, peer: SocketAddr) {
        let now = self.desk.now.mono;
        let listener = Rc::clone(&self.listeners[usize::from(listener.0)]);
        let mut accepted = Conn::new(conn, listener, peer, now);
        accepted.idle_check = now.after(self.idle_max);
        self.idle.insert((accepted.idle_check, conn));
        self.conns.insert(conn, accepted);
        self.list(conn);
    }

    /// Puts a connection on the list of those to look after in this pass.
    fn list(&mut self, id: ConnId) {
        if let Some(conn) = self.conns.get_mut(&id)
            && !conn.listed
        {
            conn.listed = true;
            self.listed.push(id);
        }
    }

    /// Starts what may start on a connection; true: something did.
    fn pump(&mut self, id: ConnId, out: &mut Outbox) -> bool {
        let mut started = false;
        loop {
            let Some(conn) = self.conns.get_mut(&id) else {
                return started;
            };
            match conn.next(&mut self.buffers) {
                Ok(Some(frame)) => {
                    if !self.start(id, frame, out) {
                        return started;
                    }
                    started = true;
                }
                Ok(None) => return started,
                Err(error) => {
                    self.close(id, &error.into(), out);
                    return started;
                }
            }
        }
    }

    /// Starts one request; false: it is held until the connection is idle, or the connection was closed.
    fn start(&mut self, id: ConnId, frame: Frame, out: &mut Outbox) -> bool {
        let started = match api::parse(frame.bytes.clone()) {
            Ok(Parsed::Request(header, body)) => {
                if header.entry.api != Api::Produce && body.len() > PLAIN_REQUEST_BYTES_MAX {
                    Started::Close(CloseReason::BadRequest {
                        name: header.entry.name,
                        version: header.version,
                        why: format!("{} bytes", body.len()),
                    })
                } else {
                    return self.start_request(id, frame, header, &body, out);
                }
            }
            Ok(Parsed::UnknownApiVersions { correlation_id }) => {
                let refused = Class::Refused;
                self.tally
                    .answered(Api::ApiVersions, refused, Duration::ZERO);
                Started::Answer(k18_api_versions::unsupported(correlation_id))
            }
            Err(reason) => Started::Close(reason),
        };
        self.buffers.release(frame.charge);
        let conn = self.conns.get_mut(&id).expect("its frame was just taken");
        match started {
            Started::Answer(Ok(parts)) => {
                let slot = conn.open(None, 0, false);
                conn.answer(slot, parts);
                self.list(id);
                true
            }
            Started::Answer(Err(reason)) | Started::Close(reason) => {
                self.close(id, &reason, out);
                false
            }
            Started::Nothing | Started::Waiting(_) | Started::Hold => {
                unreachable!("decided above")
            }
        }
    }

    fn start_request(
        &mut self,
        id: ConnId,
        frame: Frame,
        header: Header,
        body: &Bytes,
        out: &mut Outbox,
    ) -> bool {
        let conn = self.conns.get_mut(&id).expect("its frame was just taken");
        let request = Request {
            context: RequestContext {
                principal: Principal::ANONYMOUS,
                listener: Rc::clone(&conn.listener),
                peer: conn.peer,
                client_id: header.client_id.clone(),
            },
            header,
            token: self.requests.next_token(),
            error: Cell::new(0),
        };
        let (token, api) = (request.token, request.header.entry.api);
        let barrier = request.header.entry.barrier;
        let room = Room {
            idle: conn.is_idle(),
            sent: conn.unsent_bytes() == 0,
            promise: conn.promise_left(),
        };
        let started = match barrier && !room.idle {
            true => Started::Hold,
            false => self.desk.start(&request, body, room),
        };
        match started {
            Started::Hold => {
                conn.hold(frame);
                return false;
            }
            Started::Answer(Ok(parts)) => {
                self.buffers.release(frame.charge);
                let slot = conn.open(None, 0, false);
                conn.answer(slot, parts);
                let class = Class::of(request.error.get());
                self.tally.answered(api, class, Duration::ZERO);
                self.list(id);
            }
            Started::Nothing => {
                self.buffers.release(frame.charge);
                self.tally.answered(api, Class::Ok, Duration::ZERO);
            }
            Started::Answer(Err(reason)) | Started::Close(reason) => {
                self.buffers.release(frame.charge);
                self.tally.cut_off(api);
                self.close(id, &reason, out);
                return false;
            }
            Started::Waiting(Waiting {
                work,
                deadline,
                answered,
            }) => {
                let mut request = request;
                if matches!(work, Work::Produce(_)) && body.len() >= DETACHED_BYTES_MIN {
                    request.detach();
                }
                let slot = if answered {
                    let barrier =
                        barrier || matches!(work, Work::Metadata(_) | Work::FindCoordinator(_));
                    Some(conn.open(Some(request.token), work.promised(), barrier))
                } else {
                    conn.open_silent();
                    None
                };
                self.requests.insert(Pending {
                    conn: id,
                    slot,
                    request,
                    charge: frame.charge,
                    deadline,
                    since: Some(self.desk.now.mono),
                    work,
                });
            }
        }
        self.turn(out);
        self.park(token, out);
        true
    }

    /// A request that only waits for something new lets go of its frame, and counts as parked from here on. Where too
    /// many are, the oldest are answered with what is there.
    fn park(&mut self, token: RequestToken, out: &mut Outbox) {
        let Some(pending) = self.requests.get_mut(token) else {
            return;
        };
        if !pending.work.awaits_news() {
            return;
        }
        pending.request.detach();
        if matches!(pending.work, Work::Group(_)) {
            // It cannot give way: the group has copies of what it said, and answers when all members are there.
            self.buffers.release(std::mem::take(&mut pending.charge));
            return;
        }
        self.buffers.park(&mut pending.charge);
        self.requests.park(token);
        while self.buffers.parked_too_much()
            && let Some(oldest) = self.requests.pop_parked()
        {
            self.hurry(oldest, out);
        }
    }

    /// A request is to wait no longer for something new.
    fn hurry(&mut self, token: RequestToken, out: &mut Outbox) {
        self.press(token, Work::hurry, out);
    }

    /// What is pressed may ask its owners once more: that must not wait for the next event.
    fn press(&mut self, token: RequestToken, how: Press, out: &mut Outbox) {
        let Some(pending) = self.requests.get_mut(token) else {
            return;
        };
        let outcome = how(&mut pending.work, &mut self.desk, &pending.request);
        if let Some(outcome) = outcome {
            self.finish(token, outcome, out);
        }
        self.turn(out);
    }

    fn press_all(&mut self, id: ConnId, how: Press, out: &mut Outbox) {
        let working = self.conns.get(&id).map(|conn| conn.working().collect());
        let working: Vec<RequestToken> = working.unwrap_or_default();
        for token in working {
            self.press(token, how, out);
        }
    }

    /// The peer sends nothing more. It may still read what it asked for; what would wait for news is answered now.
    fn ended(&mut self, id: ConnId, out: &mut Outbox) {
        let Some(conn) = self.conns.get_mut(&id) else {
            return;
        };
        conn.on_ended();
        if conn.is_over() {
            self.close(id, &CloseReason::PeerClosed, out);
            return;
        }
        self.press_all(id, Work::on_ended, out);
        self.list(id);
    }

    /// Carries calls to their owners and answers to their requests until nothing is left to carry here.
    fn turn(&mut self, out: &mut Outbox) {
        let now = self.desk.now;
        loop {
            for (owner, call) in std::mem::take(&mut self.desk.calls) {
                if owner == self.desk.me {
                    self.storage.call(now, call, &mut self.shard_out);
                } else {
                    out.mesh.push((owner, Message::Call(call)));
                }
            }
            if self.desk.producer_ids.must_ask() {
                let command = Command::AllocateProducerIds {
                    count: PRODUCER_ID_BLOCK,
                };
                self.desk.propose(PRODUCER_IDS, 0, command);
            }
            out.disk.append(&mut self.shard_out.disk);
            if self.shard_out.fatal.is_some() {
                out.fatal = self.shard_out.fatal.take();
            }
            if self.shard_out.answers.is_empty() && self.desk.calls.is_empty() {
                return;
            }
            let me = self.desk.me;
            for (to, answer) in std::mem::take(&mut self.shard_out.answers) {
                if to == me {
                    self.answered(me, answer, out);
                } else {
                    out.mesh.push((to, Message::Answer(answer)));
                }
            }
        }
    }

    fn answered(&mut self, from: ShardId, answer: Answer, out: &mut Outbox) {
        // It may have ended meanwhile: timed out, or its connection closed.
        let Some(pending) = self.requests.get_mut(answer.request) else {
            return;
        };
        let outcome = pending
            .work
            .on_answer(&mut self.desk, &pending.request, from, answer.body);
        if let Some(outcome) = outcome {
            self.finish(answer.request, outcome, out);
        }
    }

    fn finish(&mut self, token: RequestToken, outcome: Outcome, out: &mut Outbox) {
        if let Some(pending) = self.requests.get_mut(token) {
            count(&mut self.tally, self.desk.now.mono, pending, &outcome);
        }
        if let Outcome::Early(answer) = outcome {
            return self.answer_early(token, answer, out);
        }
        let Some(pending) = self.requests.remove(token) else {
            return;
        };
        self.buffers.release(pending.charge);
        let Some(conn) = self.conns.get_mut(&pending.conn) else {
            return;
        };
        match (outcome, pending.slot) {
            (Outcome::Reply(Ok(parts)), Some(slot)) => {
                conn.answer(slot, parts);
                recount(&mut self.desk, conn);
            }
            (Outcome::Nothing, None) => conn.close_silent(),
            (Outcome::Reply(Err(reason)) | Outcome::Close(reason), _) => {
                return self.close(pending.conn, &reason, out);
            }
            (outcome, slot) => panic!("{slot:?} does not fit {outcome:?}"),
        }
        self.list(pending.conn);
    }

    /// The client hears now; the request keeps its charge, and its place among those under way, until it ends.
    fn answer_early(&mut self, token: RequestToken, answer: Encoded, out: &mut Outbox) {
        let Some(pending) = self.requests.get_mut(token) else {
            return;
        };
        let (id, slot) = (pending.conn, pending.slot.take());
        let (Some(conn), Some(slot)) = (self.conns.get_mut(&id), slot) else {
            return;
        };
        match answer {
            Ok(parts) => {
                conn.answer(slot, parts);
                conn.open_silent();
                self.list(id);
            }
            Err(reason) => self.close(id, &reason, out),
        }
    }

    fn close(&mut self, id: ConnId, reason: &CloseReason, out: &mut Outbox) {
        let Some(conn) = self.conns.remove(&id) else {
            return;
        };
        match reason {
            CloseReason::PeerClosed => {
                tracing::debug!(conn = id.0, peer = %conn.peer, "connection closed: {reason}");
            }
            CloseReason::UnwritableAnswer { .. } => {
                tracing::error!(conn = id.0, peer = %conn.peer, "connection closed: {reason}");
            }
            _ => tracing::info!(conn = id.0, peer = %conn.peer, "connection closed: {reason}"),
        }
        self.tally.closed(reason);
        self.desk.answers.change(conn.counted, 0);
        self.idle.remove(&(conn.idle_check, id));
        for token in conn.close(&mut self.buffers) {
            if let Some(pending) = self.requests.get_mut(token)
                && pending.work.cancel(&mut self.desk, &pending.request)
                && let Some(pending) = self.requests.remove(token)
            {
                self.tally.cut_off(pending.request.header.entry.api);
                self.buffers.release(pending.charge);
            }
        }
        out.sockets.push(crate::event::SocketOp::Close { conn: id });
        self.turn(out);
    }

    fn expire(&mut self, out: &mut Outbox) {
        while let Some(token) = self.requests.expired(self.desk.now.mono) {
            let pending = self.requests.get_mut(token).expect("it had a deadline");
            let outcome = pending.work.on_deadline(&mut self.desk, &pending.request);
            if let Some(outcome) = outcome {
                self.finish(token, outcome, out);
            }
        }
    }

    /// Starts what may start on the connections that something happened to.
    fn start_listed(&mut self, out: &mut Outbox) {
        if self.buffers.take_released() {
            self.retries = self.starved.len();
        }
        for _ in 0..MEMORY_RETRIES.min(self.retries) {
            self.retries -= 1;
            let Some(id) = self.starved.pop_front() else {
                break;
            };
            if let Some(conn) = self.conns.get_mut(&id) {
                conn.retry();
            }
            self.list(id);
        }
        // The list grows while requests are answered at once.
        let mut i = 0;
        while i < self.listed.len() {
            let id = self.listed[i];
            i += 1;
            while let Some(conn) = self.conns.get_mut(&id) {
                conn.collect();
                if !self.pump(id, out) {
                    break;
                }
            }
        }
    }

    /// Sends and receives on the connections that something happened to.
    fn serve_listed(&mut self, out: &mut Outbox) {
        while let Some(id) = self.listed.pop() {
            let Some(conn) = self.conns.get_mut(&id) else {
                continue;
            };
            conn.listed = false;
            conn.collect();
            recount(&mut self.desk, conn);
            out.sockets.extend(conn.send());
            if conn.is_over() {
                self.close(id, &CloseReason::PeerClosed, out);
                continue;
            }
            if conn.unsent_bytes() > 0 && !conn.looked_at {
                conn.looked_at = true;
                let at = self.desk.now.mono.after(SLOW);
                self.unsent.push_back((at, id));
            }
            match conn.receive(self.desk.now.mono, &self.buffers) {
                Receive::Op(op) => out.sockets.push(op),
                Receive::Nothing => {}
                Receive::Memory if conn.starved => {}
                Receive::Memory => {
                    conn.starved = true;
                    let next = self.desk.now.mono.after(STALL_CHECK);
                    self.stall_check.get_or_insert(next);
                    self.starved.push_back(id);
                }
            }
        }
    }
}

impl<S: Storage> Machine for Worker<S> {
    fn on(&mut self, now: Now, event: Event, out: &mut Outbox) {
        self.desk.now = now;
        match event {
            Event::Accepted {
                conn,
                listener,
                peer,
            } => self.conn_accepted(conn, listener, peer),
            Event::Received { conn, bytes } if bytes.is_empty() => self.ended(conn, out),
            Event::ReceivedInto { conn, count: 0, .. } => self.ended(conn, out),
            Event::Received { conn: id, bytes } => {
                if let Some(conn) = self.conns.get_mut(&id) {
                    conn.on_received(now.mono, bytes);
                    self.pump(id, out);
                    self.list(id);
                }
            }
            Event::ReceivedInto {
                conn: id, buffer, ..
            } => {
                if let Some(conn) = self.conns.get_mut(&id) {
                    conn.on_received_into(now.mono, buffer);
                    self.pump(id, out);
                    self.list(id);
                }
            }
            Event::Sent { conn: id } => {
                if let Some(conn) = self.conns.get_mut(&id) {
                    conn.on_sent(now.mono);
                    recount(&mut self.desk, conn);
                    self.list(id);
                }
            }
            Event::Recalled { conn: id, parts } => {
                if let Some(conn) = self.conns.get_mut(&id) {
                    conn.on_recalled(parts);
                    recount(&mut self.desk, conn);
                    self.copy_later(id);
                }
            }
            Event::Broken { conn, errno } => self.close(conn, &CloseReason::Socket(errno), out),
            Event::Disk(done) => {
                self.storage.on_disk(now, done, &mut self.shard_out);
                self.turn(out);
            }
            Event::Mesh { from, message } => self.on_message(from, message, out),
            Event::Stop => {}
        }
    }

    fn settle(&mut self, now: Now, out: &mut Outbox) {
        self.desk.now = now;
        self.again = false;
        self.expire(out);
        // What a deadline asks for is asked in this pass.
        self.turn(out);
        self.close_stalled(out);
        self.look_at_unsent(out);
        self.copy_unsent();
        self.close_idle(out);
        self.start_listed(out);
        self.storage.settle(now, &mut self.shard_out);
        self.turn(out);
        // Answers that storage gave free slots: what starts on them is settled in the next pass.
        let before = self.requests.started();
        self.start_listed(out);
        let started = self.requests.started() > before;
        self.serve_listed(out);
        let retries = self.retries > 0 || self.buffers.is_released();
        self.again = started || retries && !self.starved.is_empty();
    }

    fn deadline(&self) -> Option<Instant> {
        if self.again || !self.copying.is_empty() {
            return Some(self.desk.now.mono);
        }
        [
            self.requests.deadline(),
            self.storage.deadline(),
            self.stall_check,
            self.unsent.front().map(|&(at, _)| at),
            self.idle.first().map(|&(at, _)| at),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn sample(&self, question: &Question) -> Sample {
        match question {
            Question::Alive => Sample::Alive,
            Question::Numbers => Sample::Numbers(Box::new(self.numbers())),
            Question::Appended(from) => Sample::Appended(self.storage.appended_from(*from)),
            Question::Fetched(from) => Sample::Fetched(self.desk.fetched.piece(*from)),
            Question::Names(from) => {
                let topics = self.desk.image.topics_from(from);
                Sample::Names(Names::of(topics.map(|topic| (topic.id, &*topic.name))))
            }
        }
    }
}

/// Counts a request that ends, unless its client has heard already.
fn count(tally: &mut Tally, now: Instant, pending: &mut Pending, outcome: &Outcome) {
    let Some(since) = pending.since.take() else {
        return;
    };
    let api = pending.request.header.entry.api;
    match outcome {
        Outcome::Reply(Ok(_)) | Outcome::Early(Ok(_)) => {
            let class = Class::of(pending.request.error.get());
            tally.answered(api, class, now.since(since));
        }
        // Produce with acks=0: what failed closes.
        Outcome::Nothing => tally.answered(api, Class::Ok, now.since(since)),
        Outcome::Reply(Err(_)) | Outcome::Early(Err(_)) | Outcome::Close(_) => tally.cut_off(api),
    }
}

/// Notes what a connection holds of the shard's memory for answers.
fn recount(desk: &mut Desk, conn: &mut Conn) {
    let held = conn.unsent_bytes();
    desk.answers.change(conn.counted, held);
    conn.counted = held;
}

#[cfg(test)]
mod admin_tests;
#[cfg(test)]
mod fake;
#[cfg(test)]
mod fake_groups;
#[cfg(test)]
mod group_tests;
#[cfg(test)]
mod listener_tests;
#[cfg(test)]
mod metrics_tests;
#[cfg(test)]
mod tests;
