//! The workload of a seed: an admin that creates and deletes topics, producers, consumers, and at the end one reader
//! that reads everything.
//!
//! ```text
//!  Running: ops are drawn until told to drain ─► Draining: what is under way is answered, or asked again
//!               ─► Calling: each client asks once more, and has its answer ─► Reading: all of every topic ─► Done
//! ```

mod trims;

use std::collections::{BTreeMap, BTreeSet};

use corelane_engine::log::segment;
use corelane_engine::rng::Rng;
use corelane_engine::types::{Durability, TopicId, TopicPartition};

use super::client::{
    Ask, Client, EXPIRIES, Habits, Ids, RETENTION_BYTES, RETENTION_MS, SEGMENT_BYTES, Told,
};
use super::groups::{Crowd, Groups};
use super::history::{Expiry, Fact, Found, History, Place, Times, Topic, TopicNo};
use super::world::{ClientEvent, ClientId, Hands, Start, Workload};
use trims::Gone;
pub use trims::{BEYOND, Trims};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    Running,
    Draining,
    Calling,
    Reading,
    Done,
}

/// What a seed draws for its workload.
#[derive(Clone, Copy, Debug)]
pub struct Mix {
    pub producers: u32,
    pub consumers: u32,
    pub topics_first: u32,
    pub topics_max: u32,
    pub partitions_max: u64,
    /// Of 4 topics, so many are of the class `process`.
    pub process_of_4: u64,
    /// Mean pause of a client between two looks, in microseconds.
    pub pause_us: u64,
    pub straight_bytes_min: usize,
    /// Clients hang up by themselves once in so many looks.
    pub hang_up_one_in: u64,
    /// The admin deletes a topic once in so many looks.
    pub delete_one_in: u64,
    /// Of 4 topics, so many are stamped with the time of the append.
    pub log_append_of_4: u64,
    /// Of 4 topics, in so many every batch is opened.
    pub opened_of_4: u64,
    pub habits: Habits,
    /// The admin changes a topic, its configs or its partitions, once in so many looks.
    pub change_one_in: u64,
    pub crowd: Crowd,
    pub trims: Option<Trims>,
}

const ADMIN: ClientId = ClientId(0);
const READER: ClientId = ClientId(1);
const FIRST: u32 = 2;

pub struct Load {
    mix: Mix,
    rng: Rng,
    clients: Vec<Client>,
    pub groups: Groups,
    pub history: History,
    ids: Ids,
    /// Created, and not asked to be deleted.
    live: Vec<TopicNo>,
    /// How many partitions each topic is known to have.
    partitions: BTreeMap<TopicNo, i32>,
    /// Draws the changes of topics, and nothing else.
    changes: Rng,
    next_topic: u32,
    phase: Phase,
    ops: u32,
    /// Where each consumer reads on, by client.
    positions: BTreeMap<(ClientId, Place), i64>,
    /// The reader's part: ends of logs, and how far it has come.
    ends: BTreeMap<Place, i64>,
    begins: BTreeMap<Place, i64>,
    /// Where a consumer has to find out anew where the log begins.
    lost: BTreeSet<(ClientId, Place)>,
    /// Deleted, and perhaps to be created again.
    gone: Vec<Gone>,
    /// Draws what is to go, and nothing else.
    trims: Rng,
    read: BTreeMap<Place, i64>,
    listed: bool,
    /// Clients that have asked their one thing since everything healed; with its answer: true.
    called: BTreeMap<ClientId, bool>,
    /// How often the reader was told that it cannot have this.
    unreadable: BTreeMap<Place, u32>,
    /// Until then clients look rarely.
    rests_until: u64,
}

/// So often the reader asks for what the broker cannot read, before it leaves the rest of that partition.
const READ_TRIES: u32 = 3;
impl Load {
    pub fn new(seed: u64, mix: Mix) -> Load {
        let mut rng = Rng::new(seed);
        let count = FIRST + mix.producers + mix.consumers;
        let clients = (0..count).map(|id| Client::new(ClientId(id), rng.next_u64(), mix.habits));
        Load {
            mix,
            clients: clients.collect(),
            groups: Groups::new(seed ^ 0x6709, count, mix.crowd),
            history: History::default(),
            ids: Ids::default(),
            live: Vec::new(),
            partitions: BTreeMap::new(),
            changes: Rng::new(seed ^ 0xc4a6),
            next_topic: 0,
            phase: Phase::Running,
            ops: 0,
            positions: BTreeMap::new(),
            ends: BTreeMap::new(),
            begins: BTreeMap::new(),
            lost: BTreeSet::new(),
            gone: Vec::new(),
            trims: Rng::new(seed ^ 0x7215),
            read: BTreeMap::new(),
            listed: false,
            called: BTreeMap::new(),
            unreadable: BTreeMap::new(),
            rests_until: 0,
            rng,
        }
    }

    /// Sets every client going.
    pub fn begin(&mut self, now: u64) -> Hands {
        let live_ms = self.mix.crowd.offsets_live_ms;
        self.history.offsets_live = live_ms.map(|ms| ms * 1_000_000);
        let mut hands = Hands::default();
        for client in &self.clients {
            hands.wake(client.id, now + self.rng.below(1_000_000));
        }
        self.groups.begin(now, &mut hands);
        hands
    }

    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// As at the begin: clients work on, and consumers read from the begin of what there is.
    pub fn go_on(&mut self, now: u64) -> Hands {
        self.phase = Phase::Running;
        self.positions.clear();
        let mut hands = Hands::default();
        for client in &self.clients {
            hands.wake(client.id, now + self.rng.below(1_000_000));
        }
        hands
    }

    /// Requests that clients had an answer to, those of groups included.
    pub fn answered(&self) -> u64 {
        let clients = self.clients.iter().map(|client| client.answered);
        clients.sum::<u64>() + self.groups.answered()
    }

    /// Until then clients look rarely.
    pub fn rest(&mut self, until: u64) {
        self.rests_until = until;
        self.groups.rest(until);
    }

    /// Nothing fails, and nothing new is started, from now on.
    pub fn drain(&mut self, now: u64, life: Start) {
        self.rest(now);
        if self.phase == Phase::Running {
            self.phase = Phase::Draining;
            self.history.note(now, life, Fact::Healed);
            self.groups.calm_down();
        }
        for client in &mut self.clients {
            client.style.habits.cut_one_in = None;
            client.style.habits.min_bytes = false;
        }
    }

    /// The partition whose files are at `path`, if it is known by its topic's id.
    pub fn place_of(&self, path: &str) -> Option<Place> {
        self.places().into_iter().find(|place| {
            let id = TopicPartition {
                topic: TopicId(self.ids.of(*place).into_bytes()),
                partition: place.partition,
            };
            path.starts_with(&format!("{}/", segment::directory(id)))
        })
    }

    /// Where the files of some partition lie, if there is any.
    pub fn any_directory(&self, rng: &mut Rng) -> Option<String> {
        let places = self.places();
        let place = places.get(rng.below(places.len().max(1) as u64) as usize)?;
        let topic = TopicId(self.ids.of(*place).into_bytes());
        let partition = place.partition;
        let directory = segment::directory(TopicPartition { topic, partition });
        (!self.ids.of(*place).is_nil()).then(|| format!("{directory}/"))
    }

    /// What the workload waits for.
    pub fn stuck(&self) -> String {
        let busy = self.clients.iter().filter(|c| !c.is_idle());
        let busy: Vec<String> = busy.map(Client::describe).collect();
        let groups = self.groups.stuck();
        format!("{:?}; {}; {groups}", self.phase, busy.join("; "))
    }

    fn places(&self) -> Vec<Place> {
        let topics = self.live.iter().flat_map(|topic| {
            let partitions = 0..self.partitions[topic];
            partitions.map(|partition| Place {
                topic: *topic,
                partition,
            })
        });
        topics.collect()
    }

    /// One look of a client: it may do something.
    fn look(&mut self, client: ClientId, now: u64, hands: &mut Hands) {
        if self.phase == Phase::Done {
            return;
        }
        let idle = self.clients.iter().all(Client::is_idle);
        if self.phase == Phase::Draining && idle {
            self.phase = Phase::Calling;
        }
        let all = self.clients.len() - 1;
        let called = self.called.values().filter(|c| **c).count() == all;
        if self.phase == Phase::Calling && called && self.groups.is_done() {
            self.phase = Phase::Reading;
            hands.wake(READER, now);
        }
        let mut pause = self.mix.pause_us;
        if self.phase != Phase::Running {
            pause = pause.clamp(100, 2_000);
        }
        let wake = match now < self.rests_until {
            true => rarely(now, self.rests_until, &mut self.rng),
            false => now + 1_000 + self.rng.below(2_000 * pause),
        };
        hands.wake(client, wake);
        if !self.clients[client.0 as usize].ensure(hands) {
            return;
        }
        match client {
            READER if self.phase == Phase::Calling => {}
            _ if self.phase == Phase::Calling => self.call(client, now, hands),
            ADMIN => self.administer(now, hands),
            READER if self.phase == Phase::Reading => self.read_all(now, hands),
            READER => {}
            _ if self.phase != Phase::Running => {}
            ClientId(id) if id < FIRST + self.mix.producers => self.produce(client, now, hands),
            _ => self.consume(client, now, hands),
        }
        let hang_up = self.phase == Phase::Running && client.0 >= FIRST;
        if hang_up && self.rng.one_in(self.mix.hang_up_one_in) {
            let reset = self.rng.one_in(2);
            self.clients[client.0 as usize].hang_up(reset, hands);
        }
    }

    /// The one thing that a client asks once everything healed.
    fn call(&mut self, id: ClientId, now: u64, hands: &mut Hands) {
        let client = &self.clients[id.0 as usize];
        if !client.is_idle() {
            return;
        }
        match self.called.get(&id) {
            Some(true) => {}
            Some(false) => {
                let life = client.life();
                self.called.insert(id, true);
                self.history.note(now, life, Fact::CaughtUp(id));
            }
            None => {
                let ops = self.ops;
                match id {
                    ADMIN => {
                        let asked = self.history.entries.len();
                        self.ask(ADMIN, Ask::Metadata { asked }, now, hands);
                    }
                    ClientId(n) if n < FIRST + self.mix.producers => self.produce(id, now, hands),
                    _ => self.consume(id, now, hands),
                }
                // A producer may have to get a new id first.
                let producer = (FIRST..FIRST + self.mix.producers).contains(&id.0);
                if !producer || self.ops > ops || self.live.is_empty() {
                    self.called.insert(id, false);
                }
            }
        }
    }

    fn ask(&mut self, client: ClientId, ask: Ask, now: u64, hands: &mut Hands) {
        let client = &mut self.clients[client.0 as usize];
        client.ask(ask, &self.ids, &mut self.history, now, hands);
    }

    fn administer(&mut self, now: u64, hands: &mut Hands) {
        let idle = self.clients[ADMIN.0 as usize].is_idle();
        if !idle || self.phase != Phase::Running {
            return;
        }
        let first = self.next_topic < self.mix.topics_first;
        if first || (self.next_topic < self.mix.topics_max && self.rng.one_in(20)) {
            let topic = TopicNo(self.next_topic);
            self.next_topic += 1;
            let process = self.rng.below(4) < self.mix.process_of_4;
            let partitions = 1 + self.rng.below(self.mix.partitions_max) as i32;
            let durability = match process {
                true => Durability::Process,
                false => Durability::Disk,
            };
            let mut of_4 = |many: u64| many > 0 && self.rng.below(4) < many;
            let times = match of_4(self.mix.log_append_of_4) {
                true => Times::LogAppend,
                false => Times::Create,
            };
            let expiry = match self.mix.trims {
                Some(trims) if self.trims.below(4) < trims.expire_of_4 => {
                    EXPIRIES[self.trims.below(2) as usize]
                }
                Some(_) | None => Expiry::Never,
            };
            let wanted = Topic {
                partitions,
                durability,
                times,
                opened: of_4(self.mix.opened_of_4),
                expiry,
            };
            self.create(topic, wanted, now, hands);
        } else if let Some(topic) = self.again(now) {
            // Under the name of one that is gone, and with fewer or more partitions.
            let before = &self.history.topics[&topic];
            let wanted = Topic {
                partitions: 1 + self.trims.below(3) as i32,
                ..before.clone()
            };
            self.create(topic.next(), wanted, now, hands);
        } else if self.live.len() > 1 && self.rng.one_in(self.mix.delete_one_in) {
            let at = self.rng.below(self.live.len() as u64) as usize;
            let topic = self.live.swap_remove(at);
            self.ask(ADMIN, Ask::Delete(topic), now, hands);
        } else if !self.live.is_empty() && self.changes.one_in(self.mix.change_one_in) {
            self.change(now, hands);
        } else if self.rng.one_in(4) {
            let asked = self.history.entries.len();
            self.ask(ADMIN, Ask::Metadata { asked }, now, hands);
        }
    }

    fn create(&mut self, topic: TopicNo, wanted: Topic, now: u64, hands: &mut Hands) {
        self.partitions.insert(topic, wanted.partitions);
        self.history.topics.insert(topic, wanted);
        self.ask(ADMIN, Ask::Create(topic), now, hands);
    }

    /// Another configuration for a topic, or one more partition.
    fn change(&mut self, now: u64, hands: &mut Hands) {
        let topic = self.live[self.changes.below(self.live.len() as u64) as usize];
        let partitions = self.partitions[&topic];
        if self.changes.one_in(3) && partitions < 6 {
            return self.ask(ADMIN, Ask::Grow(topic, partitions + 1), now, hands);
        }
        let segment = [SEGMENT_BYTES, "49152"][self.changes.below(2) as usize];
        let segment = ("internal.segment.bytes", segment);
        let other = match self.history.topics[&topic].durability {
            Durability::Process => (
                "corelane.durability",
                ["disk", "process"][self.changes.below(2) as usize],
            ),
            Durability::Disk => (
                "index.interval.bytes",
                ["0", "4096"][self.changes.below(2) as usize],
            ),
        };
        let mut configs = vec![segment, other];
        let draw = self.trims.below(3) as usize;
        if self.mix.trims.is_some() && self.trims.one_in(3) {
            let most = ["1048588", "30000", "5000"][self.trims.below(3) as usize];
            let bytes = most.parse().expect("a number");
            let least = self
                .history
                .batch_bytes_least
                .map_or(bytes, |least| least.min(bytes));
            self.history.batch_bytes_least = Some(least);
            configs.push(("max.message.bytes", most));
        }
        match self.history.topics[&topic].expiry {
            Expiry::Never => {}
            Expiry::Bytes(_) => configs.push(("retention.bytes", RETENTION_BYTES[draw])),
            Expiry::Ms(_) => configs.push(("retention.ms", RETENTION_MS[draw])),
        }
        self.ask(ADMIN, Ask::Alter(topic, configs), now, hands);
    }

    fn produce(&mut self, client: ClientId, now: u64, hands: &mut Hands) {
        let mut places = self.places();
        let producer = &mut self.clients[client.0 as usize];
        if places.is_empty() || producer.in_flight() >= producer.style.in_flight_max {
            return;
        }
        // Mostly one partition, at times several in one request.
        let count = match self.rng.below(6) {
            0 => 1 + self.rng.below(places.len() as u64) as usize,
            _ => 1,
        };
        let mut chosen = Vec::new();
        for _ in 0..count {
            let at = self.rng.below(places.len() as u64) as usize;
            chosen.push(places.swap_remove(at));
        }
        let straight = self.mix.straight_bytes_min;
        let (ids, history) = (&self.ids, &mut self.history);
        if producer.produce(&chosen, straight, ids, history, now, hands) {
            self.ops += 1;
        }
    }

    fn consume(&mut self, client: ClientId, now: u64, hands: &mut Hands) {
        let places = self.places();
        if places.is_empty() || !self.clients[client.0 as usize].is_idle() {
            return;
        }
        if self.mix.trims.is_some() && self.trim(client, now, hands) {
            return;
        }
        let all = self.rng.one_in(3);
        let one = places[self.rng.below(places.len() as u64) as usize];
        if let Some(n) = self.mix.habits.rewind_one_in
            && self.rng.one_in(n)
        {
            self.positions.insert((client, one), 0);
        }
        let chosen = places.into_iter().filter(|place| all || *place == one);
        let positions: Vec<(Place, i64)> = chosen
            .map(|place| {
                let position = self.positions.entry((client, place)).or_default();
                (place, *position)
            })
            .collect();
        self.ask(client, Ask::Fetch { positions }, now, hands);
    }

    /// Where the reader goes on.
    fn next_read(&self, place: Place) -> i64 {
        let read = self.read.get(&place).or(self.begins.get(&place));
        read.copied().unwrap_or(0)
    }

    /// Metadata, the ends of all logs, their begins, then every log from its begin to its end.
    fn read_all(&mut self, now: u64, hands: &mut Hands) {
        if !self.clients[READER.0 as usize].is_idle() {
            return;
        }
        if !self.listed {
            let asked = self.history.entries.len();
            return self.ask(READER, Ask::Metadata { asked }, now, hands);
        }
        let places = self.places();
        if self.ends.len() < places.len() {
            return self.ask(READER, Ask::Latest { places }, now, hands);
        }
        if self.mix.trims.is_some() && self.begins.len() < places.len() {
            let known = |place: &Place| self.begins.contains_key(place);
            let places = places.into_iter().filter(|place| !known(place)).collect();
            return self.ask(READER, Ask::Earliest { places }, now, hands);
        }
        let ends = &self.ends;
        let positions: Vec<(Place, i64)> = (places.iter())
            .map(|place| (*place, self.next_read(*place)))
            .filter(|(place, position)| *position < ends[place])
            .filter(|(place, _)| self.unreadable.get(place).is_none_or(|n| *n < READ_TRIES))
            .collect();
        match positions.is_empty() {
            true => {
                for place in places {
                    self.history.logs.entry(place).or_default();
                }
                self.phase = Phase::Done;
            }
            false => self.ask(READER, Ask::Fetch { positions }, now, hands),
        }
    }

    fn told(&mut self, client: ClientId, told: Told) {
        match told {
            Told::Created(topic) => self.live.push(topic),
            Told::Deleted(topic) => {
                if self.mix.trims.is_some() {
                    let clients = self.clients.iter().map(|client| client.id);
                    self.gone.push(Gone::new(topic, clients.collect()));
                }
            }
            Told::Grown(topic, partitions) => drop(self.partitions.insert(topic, partitions)),
            Told::Listed => self.listed |= client == READER,
            Told::Latest(ends) => self.ends.extend(ends),
            Told::Earliest(begins) => {
                for (place, begin) in begins {
                    if client != READER {
                        self.positions.insert((client, place), begin);
                    } else {
                        // What was read below it is gone by now, and what lies between was never read.
                        let read = self.next_read(place);
                        self.begins.insert(place, begin);
                        if read < begin || !self.history.begins.contains_key(&place) {
                            self.history.begins.insert(place, begin);
                            self.history.logs.remove(&place);
                            self.read.insert(place, begin);
                        }
                    }
                }
            }
            Told::Fetched {
                place,
                asked,
                result,
            } => {
                let end = match &result {
                    Ok(batches) => batches.last().map(|b| b.base + i64::from(b.count)),
                    // A cut took what this consumer had read: it begins anew.
                    Err(1) => Some(0),
                    Err(_) => None,
                };
                if self.mix.trims.is_some() && result.as_ref().err() == Some(&1) {
                    match client {
                        READER => drop(self.begins.remove(&place)),
                        _ => drop(self.lost.insert((client, place))),
                    }
                }
                if client == READER && matches!(result, Err(2 | 56)) {
                    *self.unreadable.entry(place).or_default() += 1;
                }
                if client != READER {
                    if let Some(end) = end {
                        self.positions.insert((client, place), end);
                    }
                    return;
                }
                if let (Ok(batches), Some(end)) = (&result, end)
                    && self.next_read(place) == asked
                {
                    let log = self.history.logs.entry(place).or_default();
                    let known = batches.iter().filter_map(|served| {
                        let (base, batch) = (served.base, served.batch?);
                        Some(Found {
                            base,
                            batch,
                            leader_epoch: served.leader_epoch,
                        })
                    });
                    log.extend(known);
                    self.read.insert(place, end);
                }
            }
        }
    }
}

/// When a client looks again that rests `until` then.
pub(super) fn rarely(now: u64, until: u64, rng: &mut Rng) -> u64 {
    let most_us = [10_000, 1_000_000, 10_000_000, 40_000_000][rng.below(4) as usize];
    let wake = now + 1_000 + rng.below(1_000 * most_us);
    wake.min(until + rng.below(1_000_000))
}

impl Workload for Load {
    fn on(&mut self, now: u64, id: ClientId, event: ClientEvent, hands: &mut Hands) {
        if self.groups.has(id) {
            let (places, history) = (self.places(), &mut self.history);
            return self.groups.on(now, id, event, &places, history, hands);
        }
        let client = &mut self.clients[id.0 as usize];
        match event {
            ClientEvent::Wake => self.look(id, now, hands),
            ClientEvent::Refused => client.on_refused(),
            ClientEvent::Connected { conn, start } => {
                let (ids, history) = (&self.ids, &mut self.history);
                client.on_connected(conn, start, ids, history, now, hands);
            }
            ClientEvent::Closed { conn } => client.on_closed(conn),
            ClientEvent::Data { conn, bytes } => {
                let (ids, history) = (&mut self.ids, &mut self.history);
                for told in client.on_data(conn, &bytes, ids, history, now, hands) {
                    self.told(id, told);
                }
            }
        }
    }
}
