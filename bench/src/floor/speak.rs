//! Just enough Kafka to be loaded: what the floor and the self-tests' servers answer.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::wire::{Reader, Short, Writer, api};

/// Topics that were created, and where this server lives.
pub struct Speaker {
    address: SocketAddr,
    topics: BTreeMap<String, i32>,
    /// Partitions of a topic that nobody created.
    partitions: i32,
}

/// The front of a request.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    /// API key.
    pub key: i16,
    /// To be sent back.
    pub correlation: i32,
}

/// A Produce request of one batch.
#[derive(Clone, Copy, Debug)]
pub struct Produce<'a> {
    /// To be sent back.
    pub correlation: i32,
    /// acks.
    pub acks: i16,
    /// Topic name.
    pub topic: &'a str,
    /// Partition.
    pub partition: i32,
    /// Bytes of the request before the batch, the frame's length not counted.
    pub prefix: usize,
    /// Bytes of the batch.
    pub batch: usize,
}

/// Reads a request's header; the reader then stands at its body.
pub fn header<'a>(request: &'a [u8]) -> Result<(Header, Reader<'a>), Short> {
    let mut from = Reader::new(request);
    let key = from.i16()?;
    from.i16()?;
    let correlation = from.i32()?;
    from.str()?;
    Ok((Header { key, correlation }, from))
}

/// Reads a Produce request up to its batch, which need not be there yet.
pub fn produce(request: &[u8]) -> Result<Produce<'_>, Short> {
    let (header, mut from) = header(request)?;
    from.str()?;
    let acks = from.i16()?;
    from.i32()?;
    from.i32()?;
    let topic = from.str()?;
    from.i32()?;
    let partition = from.i32()?;
    let batch = from.count()?;
    Ok(Produce {
        correlation: header.correlation,
        acks,
        topic,
        partition,
        prefix: request.len() - from.rest().len(),
        batch,
    })
}

/// Appends the answer to a Produce 7 request.
pub fn produced(request: &Produce<'_>, error: i16, offset: i64, out: &mut Vec<u8>) {
    let mut to = Writer::response(request.correlation);
    to.i32(1)
        .str(request.topic)
        .i32(1)
        .i32(request.partition)
        .i16(error);
    to.i64(offset).i64(-1).i64(0).i32(0);
    out.extend_from_slice(&to.frame());
}

impl Speaker {
    /// A server that says it lives at `address`.
    pub fn new(address: SocketAddr, partitions: i32) -> Speaker {
        Speaker {
            address,
            topics: BTreeMap::new(),
            partitions,
        }
    }

    /// The answer to everything but Produce and Fetch; none for what nobody should ask here.
    pub fn answer(&mut self, request: &[u8]) -> Result<Option<Vec<u8>>, Short> {
        let (Header { key, correlation }, mut from) = header(request)?;
        let mut to = Writer::response(correlation);
        match key {
            key if key == api::API_VERSIONS.0 => {
                to.i16(0).i32(api::ALL.len() as i32);
                for (key, version) in api::ALL {
                    to.i16(key).i16(version).i16(version);
                }
            }
            key if key == api::METADATA.0 => {
                to.i32(0).i32(1).i32(1).str(&self.address.ip().to_string());
                to.i32(i32::from(self.address.port()))
                    .null_str()
                    .null_str()
                    .i32(1);
                let topics = from.count()?;
                to.i32(topics as i32);
                for _ in 0..topics {
                    let topic = from.str()?;
                    let partitions = self.topics.get(topic).copied().unwrap_or(self.partitions);
                    to.i16(0).str(topic).i8(0).i32(partitions);
                    for index in 0..partitions {
                        to.i16(0)
                            .i32(index)
                            .i32(1)
                            .i32(1)
                            .i32(1)
                            .i32(1)
                            .i32(1)
                            .i32(0);
                    }
                }
            }
            key if key == api::CREATE_TOPICS.0 => {
                let topics = from.count()?;
                to.i32(0).i32(topics as i32);
                for _ in 0..topics {
                    let topic = from.str()?;
                    let partitions = from.i32()?.clamp(1, 10_000);
                    from.i16()?;
                    // Assignments: this tool sends none.
                    from.i32()?;
                    for _ in 0..from.count()? {
                        from.str()?;
                        from.str()?;
                    }
                    self.topics.insert(topic.to_owned(), partitions);
                    to.str(topic).i16(0).null_str();
                }
            }
            key if key == api::DELETE_TOPICS.0 => {
                let topics = from.count()?;
                to.i32(0).i32(topics as i32);
                for _ in 0..topics {
                    let topic = from.str()?;
                    self.topics.remove(topic);
                    to.str(topic).i16(0);
                }
            }
            key if key == api::LIST_OFFSETS.0 => {
                from.take(5)?;
                let topics = from.count()?;
                to.i32(0).i32(topics as i32);
                for _ in 0..topics {
                    let topic = from.str()?;
                    let partitions = from.count()?;
                    to.str(topic).i32(partitions as i32);
                    for _ in 0..partitions {
                        let index = from.i32()?;
                        from.i64()?;
                        to.i32(index).i16(0).i64(-1).i64(0);
                    }
                }
            }
            key if key == api::INIT_PRODUCER_ID.0 => {
                to.i32(0).i16(0).i64(i64::from(correlation)).i16(0);
            }
            _ => return Ok(None),
        }
        Ok(Some(to.frame()))
    }
}
