//! `corelane produce`: lines of standard input become records.
//!
//! ```text
//!  line ─► key, value ─► partition (Kafka's hash of the key; else in turns) ─► batch per partition
//!  batch full, or nothing more to read at the moment ─► one Produce per leader ─► acknowledged
//! ```

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};
use corelane_engine::batch::{BatchBuilder, Codec, Draft};
use corelane_engine::types::Timestamp;
use corelane_net::protocol::metadata_response::MetadataResponseTopic;
use corelane_net::protocol::produce_request::{
    PartitionProduceData, ProduceRequest, TopicProduceData,
};
use corelane_net::protocol::{Records, Str};
use serde_json::json;

use crate::client::{ClientError, Cluster, To, checked};
use crate::common::{Common, ended, pair};
use crate::records;
use crate::show::{self, Progress};

/// Send lines of standard input, or of a file, to a topic
#[derive(Args)]
#[command(after_help = "Examples:
  echo hello | corelane produce greetings
  corelane produce orders --key-separator : < orders.txt       each line KEY:VALUE
  corelane produce logs --file app.log --codec zstd --acks 1
  printf 'gone:' | corelane produce users --key-separator : --empty-is-null    a tombstone")]
pub(crate) struct ProduceArgs {
    #[command(flatten)]
    common: Common,
    #[arg(value_name = "TOPIC")]
    topic: String,
    /// Read lines from here instead of standard input
    #[arg(long, short, value_name = "FILE")]
    file: Option<PathBuf>,
    /// What stands between key and value in a line; without it there are no keys
    #[arg(long, short, value_name = "TEXT")]
    key_separator: Option<String>,
    /// An empty value is null: a tombstone
    #[arg(long)]
    empty_is_null: bool,
    /// A header of every record; may be given several times
    #[arg(long, short = 'H', value_name = "NAME=VALUE", value_parser = pair)]
    header: Vec<(String, String)>,
    /// All records to this partition
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    partition: Option<i32>,
    /// Whose acknowledgement counts
    #[arg(long, value_enum, default_value_t = Acks::All)]
    acks: Acks,
    /// Compress batches
    #[arg(long, value_enum, default_value_t = Compression::None)]
    codec: Compression,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Acks {
    /// Nobody's: what is lost is lost
    #[value(name = "0")]
    None,
    /// The leader's
    #[value(name = "1")]
    Leader,
    /// Every in-sync replica's
    All,
}

#[derive(Clone, Copy, ValueEnum)]
enum Compression {
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

/// Records are sent when this many bytes of them are there.
const BATCH_BYTES: usize = 256 << 10;
/// How often a batch is sent again after its leader moved.
const ATTEMPTS: usize = 10;

pub(crate) fn run(args: &ProduceArgs) -> ExitCode {
    ended(serve(args))
}

fn serve(args: &ProduceArgs) -> Result<(), ClientError> {
    match &args.file {
        Some(path) => {
            let file = File::open(path).map_err(|error| {
                ClientError::Usage(format!("--file {}: {error}", path.display()))
            })?;
            produce(args, BufReader::with_capacity(BATCH_BYTES, file))
        }
        None => produce(args, BufReader::with_capacity(BATCH_BYTES, io::stdin())),
    }
}

fn produce(args: &ProduceArgs, mut lines: BufReader<impl io::Read>) -> Result<(), ClientError> {
    let mut cluster = args.common.connect()?;
    let topic = cluster.topic(&args.topic)?;
    let mut producer = Producer::new(args, topic)?;
    let mut progress = Progress::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if line.last() == Some(&b'\n') {
            line.pop();
            if line.last() == Some(&b'\r') {
                line.pop();
            }
        }
        producer.add(&line)?;
        // A person who types, or a slow pipe, is not kept waiting for a batch to fill.
        if producer.waiting_bytes >= BATCH_BYTES || lines.buffer().is_empty() {
            producer.send(&mut cluster)?;
        }
        progress.say(|elapsed| {
            let rate = producer.records as f64 / elapsed.as_secs_f64();
            format!(
                "{} records, {} sent, {rate:.0} records/s",
                producer.records,
                show::bytes(producer.bytes)
            )
        });
    }
    producer.send(&mut cluster)?;
    progress.end();
    let seconds = progress.elapsed().as_secs_f64();
    if args.common.json {
        show::json(&json!({
            "topic": args.topic, "records": producer.records, "bytes": producer.bytes, "seconds": seconds,
        }))?;
    } else {
        let how = match args.acks {
            Acks::None => "sent",
            Acks::Leader | Acks::All => "acknowledged",
        };
        eprintln!(
            "{} {} {how} in {seconds:.1} s",
            producer.records,
            if producer.records == 1 {
                "record"
            } else {
                "records"
            }
        );
    }
    Ok(())
}

struct Producer<'a> {
    args: &'a ProduceArgs,
    topic: MetadataResponseTopic,
    /// Partition numbers, in order.
    numbers: Vec<i32>,
    batches: BTreeMap<i32, BatchBuilder>,
    waiting_bytes: usize,
    /// Where records without a key go until the next send.
    turn: usize,
    records: u64,
    bytes: u64,
}

impl<'a> Producer<'a> {
    fn new(
        args: &'a ProduceArgs,
        topic: MetadataResponseTopic,
    ) -> Result<Producer<'a>, ClientError> {
        let mut numbers: Vec<i32> = topic.partitions.iter().map(|p| p.partition_index).collect();
        numbers.sort_unstable();
        if let Some(wanted) = args.partition
            && !numbers.contains(&wanted)
        {
            return Err(ClientError::Usage(format!(
                "--partition {wanted}: topic {} has {} partitions",
                args.topic,
                numbers.len()
            )));
        }
        Ok(Producer {
            args,
            topic,
            numbers,
            batches: BTreeMap::new(),
            waiting_bytes: 0,
            turn: 0,
            records: 0,
            bytes: 0,
        })
    }

    fn add(&mut self, line: &[u8]) -> Result<(), ClientError> {
        let (key, value) = match &self.args.key_separator {
            None => (None, line),
            Some(separator) => {
                let at = line
                    .windows(separator.len().max(1))
                    .position(|part| part == separator.as_bytes());
                let at = at.ok_or_else(|| {
                    ClientError::Usage(format!(
                        "line {} has no {separator:?}: {}",
                        self.records + 1,
                        String::from_utf8_lossy(&line[..line.len().min(80)])
                    ))
                })?;
                (Some(&line[..at]), &line[at + separator.len()..])
            }
        };
        let number = match (self.args.partition, key) {
            (Some(number), _) => number,
            (None, Some(key)) => self.numbers[records::partition_of(key, self.numbers.len())],
            (None, None) => self.numbers[self.turn % self.numbers.len()],
        };
        let value = (!self.args.empty_is_null || !value.is_empty()).then_some(value);
        let headers = self.args.header.iter();
        let draft = Draft {
            timestamp: now(),
            key,
            value,
            headers: headers
                .map(|(name, value)| (name.as_str(), Some(value.as_bytes())))
                .collect(),
        };
        let codec = match self.args.codec {
            Compression::None => Codec::None,
            Compression::Gzip => Codec::Gzip,
            Compression::Snappy => Codec::Snappy,
            Compression::Lz4 => Codec::Lz4,
            Compression::Zstd => Codec::Zstd,
        };
        let batch = self
            .batches
            .remove(&number)
            .unwrap_or_else(|| BatchBuilder::new().codec(codec));
        self.batches.insert(number, batch.record(&draft));
        self.waiting_bytes += line.len() + 16;
        self.records += 1;
        self.bytes += line.len() as u64;
        Ok(())
    }

    fn send(&mut self, cluster: &mut Cluster) -> Result<(), ClientError> {
        self.turn += 1;
        self.waiting_bytes = 0;
        let mut left: BTreeMap<i32, bytes::Bytes> = std::mem::take(&mut self.batches)
            .into_iter()
            .map(|(number, batch)| (number, batch.build()))
            .collect();
        for attempt in 1..=ATTEMPTS {
            if left.is_empty() {
                return Ok(());
            }
            if attempt > 1 {
                self.topic = cluster.topic(&self.args.topic)?;
            }
            let mut by_leader: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
            for number in left.keys() {
                by_leader
                    .entry(self.leader(*number)?)
                    .or_default()
                    .push(*number);
            }
            for (leader, numbers) in by_leader {
                self.send_to(cluster, leader, &numbers, &mut left, attempt == ATTEMPTS)?;
            }
        }
        Ok(())
    }

    fn leader(&self, number: i32) -> Result<i32, ClientError> {
        let seat = self
            .topic
            .partitions
            .iter()
            .find(|p| p.partition_index == number);
        let seat = seat.ok_or_else(|| ClientError::Usage(format!("partition {number} is gone")))?;
        Ok(seat.leader_id)
    }

    fn send_to(
        &self,
        cluster: &mut Cluster,
        leader: i32,
        numbers: &[i32],
        left: &mut BTreeMap<i32, bytes::Bytes>,
        last: bool,
    ) -> Result<(), ClientError> {
        let data = |number: &i32| {
            let mut records = Records::new();
            records.push(left[number].clone());
            PartitionProduceData {
                index: *number,
                records: Some(records),
            }
        };
        let request = ProduceRequest {
            transactional_id: None,
            acks: match self.args.acks {
                Acks::None => 0,
                Acks::Leader => 1,
                Acks::All => -1,
            },
            timeout_ms: self.args.common.timeout_ms(),
            topic_data: vec![TopicProduceData {
                name: self.args.topic.as_str().into(),
                topic_id: self.topic.topic_id,
                partition_data: numbers.iter().map(data).collect(),
            }],
        };
        if self.args.acks == Acks::None {
            left.retain(|number, _| !numbers.contains(number));
            return cluster.tell(To::Broker(leader), &request);
        }
        let answer = cluster.call(To::Broker(leader), &request)?;
        for result in answer
            .responses
            .into_iter()
            .flat_map(|topic| topic.partition_responses)
        {
            // Its leader moved: found again, and sent once more.
            if crate::kafka_error::is_retriable(result.error_code) && !last {
                continue;
            }
            let what = format!("{}-{}", self.args.topic, result.index);
            checked(
                what,
                result.error_code,
                result.error_message.as_ref().map(|text| -> &Str { text }),
            )?;
            left.remove(&result.index);
        }
        Ok(())
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
