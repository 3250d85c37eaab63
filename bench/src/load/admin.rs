//! What happens before and after the load: versions, topics, leaders, producer ids, and reading back.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use serde::Serialize;
use thiserror::Error;

use super::batch::{self, HEADER_BYTES, Producer};
use super::plan::Plan;
use crate::wire::{Reader, Short, Writer, api, error_name};

/// Why a run could not begin or end.
#[derive(Debug, Error)]
pub enum AdminError {
    /// No connection, or it broke.
    #[error("{0}: {1}")]
    Io(String, io::Error),
    /// The answer could not be read.
    #[error("an answer that cannot be read: {0}")]
    Malformed(#[from] Short),
    /// The broker said no.
    #[error("{0}: {1}")]
    Refused(String, String),
}

/// Largest answer that is believed.
const ANSWER_BYTES_MAX: usize = 256 << 20;

/// A blocking connection for the rare calls.
pub struct Client {
    address: SocketAddr,
    stream: TcpStream,
    correlation: i32,
}

impl Client {
    /// Connects to `HOST:PORT`.
    pub fn connect(address: &str) -> Result<Client, AdminError> {
        let io = |error| AdminError::Io(address.to_owned(), error);
        let resolved = address.to_socket_addrs().map_err(io)?.next();
        let resolved = resolved.ok_or_else(|| io(io::Error::other("the name has no address")))?;
        let stream = TcpStream::connect_timeout(&resolved, Duration::from_secs(5)).map_err(io)?;
        stream.set_nodelay(true).map_err(io)?;
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .map_err(io)?;
        Ok(Client {
            address: resolved,
            stream,
            correlation: 0,
        })
    }

    /// Sends one request and returns the body of its answer.
    pub fn call(
        &mut self,
        api: (i16, i16),
        body: impl FnOnce(&mut Writer),
    ) -> Result<Vec<u8>, AdminError> {
        self.correlation += 1;
        let mut request = Writer::request(api, self.correlation);
        body(&mut request);
        self.exchange(&request.frame())
            .map_err(|error| AdminError::Io(self.address.to_string(), error))
    }

    fn exchange(&mut self, request: &[u8]) -> io::Result<Vec<u8>> {
        self.stream.write_all(request)?;
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let length = u32::from_be_bytes(length) as usize;
        if !(4..=ANSWER_BYTES_MAX).contains(&length) {
            return Err(io::Error::other(format!("an answer of {length} bytes")));
        }
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer)?;
        answer.drain(..4);
        Ok(answer)
    }
}

/// One partition of the run, and who leads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Topic name.
    pub topic: String,
    /// Its index.
    pub index: i32,
    /// Address of its leader.
    pub leader: SocketAddr,
    /// End of the log when the run began, or its start with `--from-start`.
    pub offset: i64,
}

/// Creates the topics where they are missing and finds every partition's leader and first offset.
/// The second value names the topics that were created.
pub fn prepare(plan: &Plan) -> Result<(Vec<Partition>, Vec<String>), AdminError> {
    let mut client = Client::connect(&plan.broker)?;
    check_versions(&mut client)?;
    let topics = plan.topic_names();
    let mut created = Vec::new();
    if !plan.consume_only {
        created = create(&mut client, plan, &topics)?;
    }
    let mut partitions = leaders(&mut client, &topics)?;
    // Metadata names a leader a moment before the leader itself knows.
    let mut tries = 0;
    while let Err(error) = offsets(&mut partitions, plan.from_start) {
        tries += 1;
        if tries == 200 || !matches!(error, AdminError::Refused(..)) {
            return Err(error);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok((partitions, created))
}

fn check_versions(client: &mut Client) -> Result<(), AdminError> {
    let answer = client.call(api::API_VERSIONS, |_| ())?;
    let mut from = Reader::new(&answer);
    from.i16()?;
    let mut ranges = BTreeMap::new();
    for _ in 0..from.count()? {
        let key = from.i16()?;
        ranges.insert(key, (from.i16()?, from.i16()?));
    }
    // The others are needed only by some runs, and say so themselves.
    for (key, version) in [api::PRODUCE, api::METADATA] {
        let range = ranges.get(&key);
        if !range.is_some_and(|(low, high)| (*low..=*high).contains(&version)) {
            let text =
                format!("version {version} of API {key} is needed, the broker has {range:?}");
            return Err(AdminError::Refused("ApiVersions".to_owned(), text));
        }
    }
    Ok(())
}

fn create(client: &mut Client, plan: &Plan, topics: &[String]) -> Result<Vec<String>, AdminError> {
    let answer = client.call(api::CREATE_TOPICS, |to| {
        to.i32(topics.len() as i32);
        for topic in topics {
            to.str(topic)
                .i32(plan.partitions)
                .i16(plan.replication)
                .i32(0);
            to.i32(plan.topic_config.len() as i32);
            for (key, value) in plan
                .topic_config
                .iter()
                .filter_map(|config| config.split_once('='))
            {
                to.str(key).str(value);
            }
        }
        to.i32(30_000).i8(0);
    })?;
    let mut from = Reader::new(&answer);
    from.i32()?;
    let mut created = Vec::new();
    for _ in 0..from.count()? {
        let topic = from.str()?.to_owned();
        let (code, text) = (from.i16()?, from.str()?);
        match code {
            0 => created.push(topic),
            36 => {}
            code => {
                let why = format!("{} {text}", error_name(code));
                return Err(AdminError::Refused(format!("creating topic {topic}"), why));
            }
        }
    }
    Ok(created)
}

/// Deletes topics; the answer is only awaited, not insisted upon.
pub fn delete(broker: &str, topics: &[String]) -> Result<(), AdminError> {
    let answer = Client::connect(broker)?.call(api::DELETE_TOPICS, |to| {
        to.i32(topics.len() as i32);
        for topic in topics {
            to.str(topic);
        }
        to.i32(30_000);
    })?;
    let mut from = Reader::new(&answer);
    from.i32()?;
    for _ in 0..from.count()? {
        let (topic, code) = (from.str()?, from.i16()?);
        if code != 0 {
            return Err(AdminError::Refused(
                format!("deleting topic {topic}"),
                error_name(code),
            ));
        }
    }
    Ok(())
}

/// Waits until every partition of the topics has a leader.
fn leaders(client: &mut Client, topics: &[String]) -> Result<Vec<Partition>, AdminError> {
    let mut last = String::new();
    for _ in 0..300 {
        let answer = client.call(api::METADATA, |to| {
            to.i32(topics.len() as i32);
            for topic in topics {
                to.str(topic);
            }
            to.i8(0);
        })?;
        match read_leaders(&answer)? {
            Ok(partitions) => return Ok(partitions),
            Err(missing) => last = missing,
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Err(AdminError::Refused(
        "Metadata".to_owned(),
        format!("after 30 s still {last}"),
    ))
}

fn read_leaders(answer: &[u8]) -> Result<Result<Vec<Partition>, String>, AdminError> {
    let mut from = Reader::new(answer);
    from.i32()?;
    let mut brokers = BTreeMap::new();
    for _ in 0..from.count()? {
        let (id, host, port) = (from.i32()?, from.str()?, from.i32()?);
        from.str()?;
        let name = format!("{host}:{port}");
        let address = name
            .to_socket_addrs()
            .map_err(|error| AdminError::Io(name.clone(), error))?
            .next();
        brokers.insert(
            id,
            address.ok_or_else(|| AdminError::Refused(name, "has no address".to_owned()))?,
        );
    }
    from.str()?;
    from.i32()?;
    let mut partitions = Vec::new();
    for _ in 0..from.count()? {
        let (code, topic) = (from.i16()?, from.str()?.to_owned());
        from.i8()?;
        if code != 0 {
            return Ok(Err(format!("{topic}: {}", error_name(code))));
        }
        for _ in 0..from.count()? {
            let (code, index, leader) = (from.i16()?, from.i32()?, from.i32()?);
            for _ in 0..3 {
                let ids = from.count()?;
                from.take(ids.saturating_mul(4))?;
            }
            let Some(leader) = brokers.get(&leader).filter(|_| code == 0) else {
                return Ok(Err(format!("{topic}-{index}: {}", error_name(code))));
            };
            partitions.push(Partition {
                topic: topic.clone(),
                index,
                leader: *leader,
                offset: 0,
            });
        }
    }
    partitions.sort_by(|a, b| (&a.topic, a.index).cmp(&(&b.topic, b.index)));
    Ok(Ok(partitions))
}

/// Partitions by leader, in order.
pub fn by_leader(partitions: &[Partition]) -> BTreeMap<SocketAddr, Vec<usize>> {
    let mut groups: BTreeMap<SocketAddr, Vec<usize>> = BTreeMap::new();
    for (at, partition) in partitions.iter().enumerate() {
        groups.entry(partition.leader).or_default().push(at);
    }
    groups
}

fn offsets(partitions: &mut [Partition], from_start: bool) -> Result<(), AdminError> {
    for (leader, group) in by_leader(partitions) {
        let mut client = Client::connect(&leader.to_string())?;
        let answer = client.call(api::LIST_OFFSETS, |to| {
            to.i32(-1).i8(0).i32(group.len() as i32);
            for at in &group {
                let partition = &partitions[*at];
                to.str(&partition.topic)
                    .i32(1)
                    .i32(partition.index)
                    .i64(if from_start { -2 } else { -1 });
            }
        })?;
        let mut from = Reader::new(&answer);
        from.i32()?;
        for _ in 0..from.count()? {
            let topic = from.str()?;
            for _ in 0..from.count()? {
                let (index, code, _, offset) = (from.i32()?, from.i16()?, from.i64()?, from.i64()?);
                if code != 0 {
                    return Err(AdminError::Refused(
                        format!("offsets of {topic}-{index}"),
                        error_name(code),
                    ));
                }
                for partition in &mut *partitions {
                    if partition.topic == topic && partition.index == index {
                        partition.offset = offset;
                    }
                }
            }
        }
    }
    Ok(())
}

/// A fresh producer id.
pub fn producer_id(broker: &str) -> Result<Producer, AdminError> {
    let mut client = Client::connect(broker)?;
    for _ in 0..100 {
        let answer = client.call(api::INIT_PRODUCER_ID, |to| {
            to.null_str().i32(60_000);
        })?;
        let mut from = Reader::new(&answer);
        from.i32()?;
        match from.i16()? {
            0 => {
                return Ok(Producer {
                    id: from.i64()?,
                    epoch: from.i16()?,
                });
            }
            // The coordinator loads: COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR.
            14..=16 => std::thread::sleep(Duration::from_millis(100)),
            code => {
                return Err(AdminError::Refused(
                    "InitProducerId".to_owned(),
                    error_name(code),
                ));
            }
        }
    }
    Err(AdminError::Refused(
        "InitProducerId".to_owned(),
        "still loading after 10 s".to_owned(),
    ))
}

/// What reading everything back has shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Batches found.
    pub batches: u64,
    /// Records in them.
    pub records: u64,
    /// Acknowledged sends that were not found.
    pub lost: u64,
    /// Sends found more than once.
    pub repeated: u64,
    /// Batches whose CRC is wrong.
    pub crc_wrong: u64,
    /// Batches without a stamp of this run.
    pub foreign: u64,
    /// Places where the offsets of a partition have a gap.
    pub gaps: u64,
}

/// Reads every partition from its offset to its end and compares with the ids that were acknowledged.
pub fn verify(partitions: &[Partition], acked: &[u64]) -> Result<Verified, AdminError> {
    let mut seen = HashSet::with_capacity(acked.len());
    let mut all = Verified::default();
    for partition in partitions {
        read_back(partition, &mut all, &mut seen)?;
    }
    all.lost = acked.iter().filter(|id| !seen.contains(*id)).count() as u64;
    Ok(all)
}

fn read_back(
    partition: &Partition,
    all: &mut Verified,
    seen: &mut HashSet<u64>,
) -> Result<(), AdminError> {
    let mut client = Client::connect(&partition.leader.to_string())?;
    let (mut offset, mut hint) = (partition.offset, 0);
    loop {
        let answer = client.call(api::FETCH, |to| {
            to.i32(-1)
                .i32(100)
                .i32(1)
                .i32(16 << 20)
                .i8(0)
                .i32(0)
                .i32(-1);
            to.i32(1).str(&partition.topic).i32(1);
            to.i32(partition.index)
                .i32(-1)
                .i64(offset)
                .i64(-1)
                .i32(16 << 20);
            to.i32(0).str("");
        })?;
        let mut end = offset;
        read_fetch(&answer, |part| {
            if part.error != 0 {
                let what = format!("reading {}-{}", partition.topic, partition.index);
                return Err(AdminError::Refused(what, error_name(part.error)));
            }
            end = part.high_watermark;
            for batch in batches(part.records) {
                if batch.offset < offset {
                    continue;
                }
                all.gaps += u64::from(batch.offset != offset);
                offset = batch.offset + i64::from(batch.records);
                all.batches += 1;
                all.records += u64::from(batch.records);
                let crc = batch.bytes.get(17..21).map_or(0, |crc| {
                    u32::from_be_bytes(crc.try_into().unwrap_or([0; 4]))
                });
                all.crc_wrong += u64::from(crc != crc32c::crc32c(&batch.bytes[21..]));
                match batch::find_stamp(batch.bytes, &mut hint) {
                    Some((_, id)) => all.repeated += u64::from(!seen.insert(id)),
                    None => all.foreign += 1,
                }
            }
            Ok(())
        })?;
        if offset >= end {
            return Ok(());
        }
    }
}

/// One partition of a fetch answer.
pub struct Fetched<'a> {
    /// Topic name.
    pub topic: &'a str,
    /// Partition.
    pub index: i32,
    /// Error code.
    pub error: i16,
    /// Its high watermark.
    pub high_watermark: i64,
    /// Whole batches, and possibly the beginning of another.
    pub records: &'a [u8],
}

/// Walks the answer of Fetch 11; returns its session and error.
pub fn read_fetch<E: From<Short>>(
    answer: &[u8],
    mut each: impl FnMut(Fetched<'_>) -> Result<(), E>,
) -> Result<(i32, i16), E> {
    let mut from = Reader::new(answer);
    from.i32()?;
    let (error, session) = (from.i16()?, from.i32()?);
    for _ in 0..from.count()? {
        let topic = from.str()?;
        for _ in 0..from.count()? {
            let (index, error, high_watermark) = (from.i32()?, from.i16()?, from.i64()?);
            from.take(16)?;
            let aborted = from.count()?;
            from.take(aborted.saturating_mul(16))?;
            from.i32()?;
            each(Fetched {
                topic,
                index,
                error,
                high_watermark,
                records: from.bytes()?,
            })?;
        }
    }
    Ok((session, error))
}

/// One batch as it was stored.
pub struct Stored<'a> {
    /// Its base offset.
    pub offset: i64,
    /// Offsets that it covers.
    pub records: u32,
    /// The whole batch.
    pub bytes: &'a [u8],
}

/// The whole batches at the front of `records`.
pub fn batches(records: &[u8]) -> impl Iterator<Item = Stored<'_>> {
    let mut rest = records;
    std::iter::from_fn(move || {
        let mut from = Reader::new(rest);
        let (offset, length) = (from.i64().ok()?, from.i32().ok()?);
        let length = usize::try_from(length).ok()?.checked_add(12)?;
        let (bytes, after) = rest
            .split_at_checked(length)
            .filter(|_| length >= HEADER_BYTES)?;
        let last_delta = Reader::new(&bytes[23..27]).i32().ok()?;
        rest = after;
        Some(Stored {
            offset,
            records: (last_delta as u32).wrapping_add(1),
            bytes,
        })
    })
}
