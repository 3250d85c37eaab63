//! One shard of a node, from its start to its end: boot, then worker, and on shard 0 the controller beside it.
//!
//! ```text
//!  shard 0    identity, metadata, layout ─► Start{image, layout} to all ─► own storage ─┐
//!  others                                    wait ─► own storage ─► Recovered ──────────┤ all: register, raise epochs
//!                                                                                       └─► Accept
//!  Stop: connections end ─► storage written back ─► Stopped to shard 0 ─► all: clean mark ─► Exit to all ─► stopped
//! ```

mod boot;
mod reconcile;
pub mod rehearsal;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use corelane_engine::call::RequestToken;
use corelane_engine::controller::command::{
    Broker, Command, CommandError, Outcome, VERSION_KNOWN, decode_records,
};
use corelane_engine::controller::image::Image;
use corelane_engine::controller::{self, Controller, ControllerOut, TOKEN_BIT};
use corelane_engine::disk::DiskDone;
use corelane_engine::fatal::Fatal;
use corelane_engine::flow::{FileIds, FlowRunner};
use corelane_engine::group::beside::ShardWithGroups;
use corelane_engine::group::config::GroupConfig;
use corelane_engine::group::coordinator::Coordinator;
use corelane_engine::limits::Limits;
use corelane_engine::log::buffers::Arena;
use corelane_engine::log::layout::Layout;
use corelane_engine::log::recover::Recovered;
use corelane_engine::rng::Rng;
use corelane_engine::shard::{Shard, ShardOut};
use corelane_engine::types::{Instant, NodeId, Now, ShardId};

use crate::context::Authorize;
use crate::desk::Proposed;
use crate::event::{Event, Machine, Message, Outbox, SocketOp, StartReport};
use crate::listeners::Listener;
use crate::metrics::{Question, Sample};
use crate::worker::{NetLimits, Parts, Worker};

/// How long a stop waits for requests under way.
const DRAIN: Duration = Duration::from_secs(3);

/// What a shard is made of. The same for all but `me` and `seed`.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    pub me: ShardId,
    pub shards: u16,
    pub node: NodeId,
    /// One at least, no name twice.
    pub listeners: Vec<Listener>,
    /// Where the node stands: Kafka's `broker.rack`.
    pub rack: Option<String>,
    /// The data directory's absolute path, for clients that ask.
    pub directory: String,
    pub limits: Limits,
    pub net: NetLimits,
    /// Memory for journal groups and straight batches: first chunk, each further one, ceiling.
    pub arena: [usize; 3],
    pub seed: u64,
    /// Of the coordinator of consumer groups.
    pub groups: GroupConfig,
    pub authorize: Authorize,
}

/// Between the shards of a node while it starts and stops.
#[derive(Debug)]
pub enum NodeMessage {
    /// To every other shard: what the metadata says, and where the shards' files are.
    Start { image: Box<Image>, layout: Layout },
    /// To shard 0.
    Recovered(StartReport),
    /// To shard 0: this shard has stopped; `clean`: all of it is written back.
    Stopped { clean: bool },
    /// To every other shard: the clean stop is on disk.
    Exit,
}

type MetadataRunner = FlowRunner<Result<boot::Metadata, Fatal>>;
type StorageRunner = FlowRunner<Result<(Recovered, Arena), Fatal>>;

enum State {
    /// Before the first pass.
    New,
    Metadata(MetadataRunner),
    /// Shards other than 0, until shard 0 has read the metadata.
    Waiting,
    Storage {
        runner: StorageRunner,
        image: Box<Image>,
        layout: Layout,
    },
    Running(Box<Worker<ShardWithGroups>>),
    /// The clean mark is being written.
    Marking {
        runner: FlowRunner<Result<(), Fatal>>,
        kept: Kept,
    },
    Ended {
        kept: Kept,
    },
}

/// The worker of a node that has stopped: its memory is the ring's until the ring is wound down.
type Kept = Option<Box<Worker<ShardWithGroups>>>;

/// How far a stop is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stop {
    No,
    /// Requests under way may still be answered until then.
    Draining(Instant),
    /// Storage is being written back.
    Storing,
    /// Waits for the other shards.
    Stored,
}

/// Whose command it is.
enum Asked {
    /// One of a request's, by the request's own index.
    Request { request: RequestToken, slot: u32 },
    /// One of the start's own.
    Start,
}

/// Per shard.
pub struct Node {
    config: NodeConfig,
    rng: Rng,
    files: Rc<RefCell<FileIds>>,
    state: State,
    stop: Stop,
    controller: Option<Controller>,
    controller_out: ControllerOut,
    /// Shard 0: whether the last stop was clean.
    clean: bool,
    asked: BTreeMap<u64, Asked>,
    next_ask: u64,
    /// Shard 0: commands of the start that are not answered yet.
    starting: u32,
    /// Shard 0: what the shards have reported, while they start; how many have stopped, while they stop.
    reports: Vec<StartReport>,
    stopped: u16,
    /// Shard 0: whether all that have stopped are written back.
    stopped_clean: bool,
    /// Whether it was said that appends are refused for want of room.
    told_refusing: bool,
}

impl Node {
    pub fn new(config: NodeConfig) -> Node {
        let rng = Rng::new(config.seed);
        Node {
            config,
            rng,
            files: Rc::default(),
            state: State::New,
            stop: Stop::No,
            controller: None,
            controller_out: ControllerOut::default(),
            clean: true,
            asked: BTreeMap::new(),
            next_ask: 0,
            starting: 0,
            reports: Vec::new(),
            stopped: 0,
            stopped_clean: true,
            told_refusing: false,
        }
    }

    fn is_first(&self) -> bool {
        self.config.me == ShardId(0)
    }

    fn begin(&mut self) {
        self.state = if self.is_first() {
            let (config, rng) = (self.config.clone(), Rng::new(self.rng.next_u64()));
            State::Metadata(FlowRunner::new(&self.files, |flow| async move {
                boot::metadata(flow, config, rng).await
            }))
        } else {
            State::Waiting
        };
    }

    fn start_storage(&mut self, image: Box<Image>, layout: Layout) {
        let (config, owned) = (self.config.clone(), reconcile::owned(&image, &self.config));
        let files = layout.files(config.me);
        let runner = FlowRunner::new(&self.files, |flow| async move {
            boot::storage(flow, config, files, owned).await
        });
        self.state = State::Storage {
            runner,
            image,
            layout,
        };
    }

    /// Lets the start go on; true: something was finished.
    fn step(&mut self, out: &mut Outbox) -> bool {
        match &mut self.state {
            State::New => self.begin(),
            State::Metadata(runner) => {
                let Poll::Ready(result) = runner.step(&mut out.disk) else {
                    return false;
                };
                match result {
                    Ok(metadata) => self.on_metadata(metadata, out),
                    Err(fatal) => return self.fail(fatal, out),
                }
            }
            State::Storage { runner, .. } => {
                let Poll::Ready(result) = runner.step(&mut out.disk) else {
                    return false;
                };
                match result {
                    Ok((recovered, arena)) => self.on_storage(recovered, arena, out),
                    Err(fatal) => return self.fail(fatal, out),
                }
            }
            State::Marking { runner, .. } => {
                let Poll::Ready(result) = runner.step(&mut out.disk) else {
                    return false;
                };
                if let Err(fatal) = result {
                    return self.fail(fatal, out);
                }
                for shard in (1..self.config.shards).map(ShardId) {
                    out.mesh.push((shard, Message::Node(NodeMessage::Exit)));
                }
                self.end();
                out.stopped = true;
            }
            State::Waiting | State::Running(_) | State::Ended { .. } => return false,
        }
        true
    }

    /// Nothing more is done. What the ring may still use stays.
    fn end(&mut self) {
        let kept = self.take_worker();
        self.state = State::Ended { kept };
    }

    fn take_worker(&mut self) -> Kept {
        match std::mem::replace(&mut self.state, State::Waiting) {
            State::Running(worker) => Some(worker),
            State::Marking { kept, .. } | State::Ended { kept } => kept,
            State::New | State::Metadata(_) | State::Waiting | State::Storage { .. } => None,
        }
    }

    fn fail(&mut self, fatal: Fatal, out: &mut Outbox) -> bool {
        self.end();
        out.fatal.get_or_insert(fatal);
        false
    }

    fn on_metadata(&mut self, metadata: boot::Metadata, out: &mut Outbox) {
        let boot::Metadata {
            identity,
            recovered,
            layout,
            clean,
            bytes_read,
        } = metadata;
        self.clean = clean;
        let image = Box::new(recovered.image.clone());
        let spare = {
            let mut files = self.files.borrow_mut();
            [files.take(), files.take()]
        };
        let rng = Rng::new(self.rng.next_u64());
        match Controller::new(&identity, recovered, self.config.shards, spare, rng) {
            Ok(controller) => self.controller = Some(controller),
            Err(fatal) => {
                self.fail(fatal, out);
                return;
            }
        }
        self.reports.push(StartReport {
            bytes_read,
            clean,
            ..StartReport::default()
        });
        for shard in (1..self.config.shards).map(ShardId) {
            let start = NodeMessage::Start {
                image: image.clone(),
                layout,
            };
            out.mesh.push((shard, Message::Node(start)));
        }
        self.start_storage(image, layout);
    }

    fn on_storage(&mut self, recovered: Recovered, arena: Arena, out: &mut Outbox) {
        let State::Storage { image, layout, .. } =
            std::mem::replace(&mut self.state, State::Waiting)
        else {
            panic!("storage was recovered in another state")
        };
        let report = StartReport {
            bytes_read: recovered.bytes_read,
            groups: recovered.groups,
            partitions: recovered.partitions.len() as u64,
            ..StartReport::default()
        };
        let shard = Shard::new(
            layout.directory,
            self.config.limits.clone(),
            recovered,
            arena,
            self.files.clone(),
        );
        let me = self.config.me;
        let rng = Rng::new(self.rng.next_u64());
        let files = self.files.clone();
        let mut groups = Coordinator::new(me, self.config.groups.clone(), rng, files);
        reconcile::load_groups(&image, &self.config, &mut groups);
        self.state = State::Running(Box::new(Worker::new(Parts {
            me: self.config.me,
            shards: self.config.shards,
            node: self.config.node,
            image: *image,
            directory: self.config.directory.clone(),
            storage: ShardWithGroups::new(me, shard, groups),
            limits: self.config.net.clone(),
            rng: Rng::new(self.rng.next_u64()),
            authorize: self.config.authorize,
            listeners: self.config.listeners.clone(),
        })));
        match self.is_first() {
            true => self.on_recovered(report, out),
            false => out
                .mesh
                .push((ShardId(0), Message::Node(NodeMessage::Recovered(report)))),
        }
    }

    /// Shard 0: one more shard is ready; with the last one the node registers itself.
    fn on_recovered(&mut self, report: StartReport, out: &mut Outbox) {
        self.reports.push(report);
        // The first report is that of the metadata.
        if self.reports.len() <= usize::from(self.config.shards) {
            return;
        }
        if let State::Running(worker) = &mut self.state
            && (1..VERSION_KNOWN).contains(&worker.image_mut().version())
        {
            // A group of one need not wait for others to know the newer records.
            let version = VERSION_KNOWN;
            self.ask(Asked::Start, Command::FinalizeVersion { version }, out);
            self.starting += 1;
        }
        let endpoints = self.config.listeners.iter();
        let broker = Broker {
            node: self.config.node,
            endpoints: endpoints.map(|l| l.endpoint.clone()).collect(),
            rack: self.config.rack.clone(),
            incarnation: self.rng.bytes16(),
        };
        self.ask(Asked::Start, Command::RegisterBroker(broker), out);
        self.starting += 1;
        if !self.clean {
            // So that OffsetForLeaderEpoch tells a consumer that read beyond what survived.
            let node = self.config.node;
            self.ask(Asked::Start, Command::RaiseLeaderEpochs { node }, out);
            self.starting += 1;
        }
    }

    /// Brings a command to the controller.
    fn ask(&mut self, asked: Asked, command: Command, out: &mut Outbox) {
        let request = RequestToken(self.next_ask);
        self.asked.insert(self.next_ask, asked);
        self.next_ask += 1;
        let propose = controller::Message::Propose {
            from: self.config.me,
            request,
            command,
        };
        match &mut self.controller {
            Some(controller) => controller.on_message(propose),
            None if self.config.me == ShardId(0) => {}
            None => out.mesh.push((ShardId(0), Message::Control(propose))),
        }
    }

    fn on_control(&mut self, now: Now, message: controller::Message, out: &mut Outbox) {
        match message {
            controller::Message::Propose { .. } | controller::Message::Applied { .. } => {
                // A stop has ended the controller: what comes late is as unanswered as after a crash.
                if let Some(controller) = &mut self.controller {
                    controller.on_message(message);
                }
            }
            controller::Message::Committed { index, records } => {
                self.on_committed(now, index, &records, out)
            }
            controller::Message::Proposed { request, result } => {
                self.on_proposed(now, request, result, out)
            }
        }
    }

    fn on_committed(&mut self, now: Now, index: u64, records: &Bytes, out: &mut Outbox) {
        let records = decode_records(records).expect("what the controller encoded is read back");
        let sound = "a committed record was checked";
        match &mut self.state {
            State::Running(worker) => {
                let mut shard_out = ShardOut::default();
                for record in &records {
                    reconcile::apply_before(now, record, worker, &self.config);
                    worker.image_mut().apply(record).expect(sound);
                    reconcile::apply(record, worker, &self.config, &mut shard_out);
                }
                worker.image_mut().set_index(index);
                worker.storage_mut().carry(now, &mut shard_out);
                worker.carry(now, shard_out, out);
            }
            // A new cluster's id and version: they are committed while storage is recovered. No command is, before
            // every shard has been.
            State::Storage { image, .. } => {
                for record in &records {
                    image.apply(record).expect(sound);
                }
                image.set_index(index);
            }
            State::New
            | State::Metadata(_)
            | State::Waiting
            | State::Marking { .. }
            | State::Ended { .. } => return,
        }
        let applied = controller::Message::Applied {
            from: self.config.me,
            index,
        };
        match &mut self.controller {
            Some(controller) => controller.on_message(applied),
            None => out.mesh.push((ShardId(0), Message::Control(applied))),
        }
    }

    fn on_proposed(
        &mut self,
        now: Now,
        request: RequestToken,
        result: Result<Outcome, CommandError>,
        out: &mut Outbox,
    ) {
        match self
            .asked
            .remove(&request.0)
            .expect("an answer to what was asked")
        {
            Asked::Start => {
                result.expect("a broker may register itself");
                self.starting -= 1;
                if self.starting == 0 {
                    out.opened = Some(StartReport::sum(&self.reports));
                    out.sockets.push(SocketOp::Accept);
                }
            }
            Asked::Request { request, slot } => {
                if let State::Running(worker) = &mut self.state {
                    worker.on_decision(now, request, slot, result, out);
                }
            }
        }
    }

    fn on_node(&mut self, message: NodeMessage, out: &mut Outbox) {
        match message {
            NodeMessage::Start { image, layout } => self.start_storage(image, layout),
            NodeMessage::Recovered(report) => self.on_recovered(report, out),
            NodeMessage::Stopped { clean } => self.on_stopped(clean),
            NodeMessage::Exit => {
                self.end();
                out.stopped = true;
            }
        }
    }

    /// Proposals of this shard's requests go to the controller; what the controller says goes to the shards.
    /// True: this shard's worker was told something.
    fn settle_control(&mut self, now: Now, out: &mut Outbox) -> bool {
        let mut told = false;
        if let State::Running(worker) = &mut self.state {
            for proposed in worker.take_proposals() {
                let Proposed {
                    request,
                    slot,
                    command,
                } = proposed;
                self.ask(Asked::Request { request, slot }, command, out);
            }
        }
        while let Some(controller) = &mut self.controller {
            controller.settle(&mut self.controller_out);
            out.disk.append(&mut self.controller_out.disk);
            if let Some(fatal) = self.controller_out.fatal.take() {
                out.fatal.get_or_insert(fatal);
            }
            if self.controller_out.messages.is_empty() {
                return told;
            }
            for (shard, message) in std::mem::take(&mut self.controller_out.messages) {
                match shard == self.config.me {
                    true => {
                        told = true;
                        self.on_control(now, message, out);
                    }
                    false => out.mesh.push((shard, Message::Control(message))),
                }
            }
        }
        told
    }

    fn on_stopped(&mut self, clean: bool) {
        self.stopped += 1;
        self.stopped_clean &= clean;
    }

    /// Says so, once for each change, when clients' appends begin and cease to be refused for want of room.
    fn settle_room(&mut self) {
        let State::Running(worker) = &mut self.state else {
            return;
        };
        let room = worker.storage_mut().shard.room();
        if room.refusing == self.told_refusing {
            return;
        }
        self.told_refusing = room.refusing;
        let shard = self.config.me.0;
        let directory = &self.config.directory;
        let [free, low, resume] = [room.free_bytes, room.low_bytes, room.resume_bytes]
            .map(|bytes| format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20)));
        match room.refusing {
            true => tracing::error!(
                shard,
                "only {free} free for {directory}, less than {low}: produce is refused until {resume} are free"
            ),
            // As loud as the line that it takes back.
            false => tracing::warn!(shard, "{free} free for {directory}: produce is taken again"),
        }
    }

    fn settle_stop(&mut self, now: Now, out: &mut Outbox) {
        if let Stop::Draining(until) = self.stop {
            let first = self.is_first();
            match &mut self.state {
                State::Running(worker) => {
                    let drained = worker.drain(out);
                    if drained || now.mono >= until {
                        worker.storage_mut().stop();
                        self.stop = Stop::Storing;
                    }
                }
                // Stopped while it started: nothing was promised.
                _ if first => {
                    for shard in (1..self.config.shards).map(ShardId) {
                        out.mesh.push((shard, Message::Node(NodeMessage::Exit)));
                    }
                    self.end();
                    out.stopped = true;
                }
                _ => {}
            }
        }
        if self.stop == Stop::Storing
            && let State::Running(worker) = &mut self.state
            && worker.storage_mut().stopped()
        {
            self.stop = Stop::Stored;
            let clean = worker.storage_mut().stopped_clean();
            match self.config.me {
                ShardId(0) => self.on_stopped(clean),
                _ => out
                    .mesh
                    .push((ShardId(0), Message::Node(NodeMessage::Stopped { clean }))),
            }
        }
        let idle = self.controller.as_ref().filter(|c| c.is_idle());
        if self.stop == Stop::Stored
            && self.stopped == self.config.shards
            && let Some(end) = idle.map(Controller::log_end)
        {
            let clean = self.stopped_clean;
            let mark = FlowRunner::new(&self.files, |flow| async move {
                match clean {
                    true => boot::mark_clean(&flow, end).await,
                    // The next start is as after a crash: another number of shards must find the journals.
                    false => Ok(()),
                }
            });
            self.controller = None;
            self.state = State::Marking {
                runner: mark,
                kept: self.take_worker(),
            };
        }
    }
}

impl Machine for Node {
    fn on(&mut self, now: Now, event: Event, out: &mut Outbox) {
        match event {
            Event::Disk(DiskDone { token, result }) if token.0 & TOKEN_BIT != 0 => {
                if let Some(controller) = &mut self.controller {
                    controller.on_disk(DiskDone { token, result }, &mut self.controller_out);
                }
            }
            Event::Disk(done) => match &mut self.state {
                State::Metadata(runner) => runner.on_disk(done),
                State::Storage { runner, .. } => runner.on_disk(done),
                State::Marking { runner, .. } => runner.on_disk(done),
                State::Running(worker) => worker.on(now, Event::Disk(done), out),
                State::New | State::Waiting | State::Ended { .. } => {}
            },
            Event::Mesh {
                message: Message::Control(message),
                ..
            } => self.on_control(now, message, out),
            Event::Mesh {
                message: Message::Node(message),
                ..
            } => self.on_node(message, out),
            Event::Stop => {
                if self.stop == Stop::No {
                    self.stop = Stop::Draining(now.mono.after(DRAIN));
                    if let State::Running(worker) = &mut self.state {
                        let mut shard_out = ShardOut::default();
                        worker.storage_mut().drain(now, &mut shard_out);
                        worker.carry(now, shard_out, out);
                    }
                }
            }
            event => {
                if let State::Running(worker) = &mut self.state {
                    worker.on(now, event, out);
                }
            }
        }
    }

    fn settle(&mut self, now: Now, out: &mut Outbox) {
        while self.step(out) {}
        self.settle_control(now, out);
        loop {
            if let State::Running(worker) = &mut self.state {
                worker.settle(now, out);
            }
            // What the requests of this pass want changed; refusals come back at once.
            if !self.settle_control(now, out) {
                break;
            }
        }
        self.settle_room();
        if self.stop != Stop::No {
            let before = self.stop;
            self.settle_stop(now, out);
            while self.step(out) {}
            // What the stop has just begun is settled at once.
            if self.stop != before
                && let State::Running(worker) = &mut self.state
            {
                worker.settle(now, out);
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let stop = match self.stop {
            Stop::Draining(until) => Some(until),
            Stop::No | Stop::Storing | Stop::Stored => None,
        };
        let worker = match &self.state {
            State::Running(worker) => worker.deadline(),
            _ => None,
        };
        let pass = self.controller.as_ref().is_some_and(Controller::wants_pass);
        let at_once = pass.then(Instant::default);
        stop.into_iter().chain(worker).chain(at_once).min()
    }

    fn sample(&self, question: &Question) -> Sample {
        match &self.state {
            State::Running(worker)
            | State::Marking {
                kept: Some(worker), ..
            }
            | State::Ended { kept: Some(worker) } => worker.sample(question),
            _ => Sample::none(question),
        }
    }

    fn memory(&self, from: usize) -> Vec<(usize, usize)> {
        match &self.state {
            State::Running(worker)
            | State::Marking {
                kept: Some(worker), ..
            }
            | State::Ended { kept: Some(worker) } => {
                worker.storage().shard.arena().chunks().skip(from).collect()
            }
            _ => Vec::new(),
        }
    }
}
