//! `corelane consume`: records of topics on standard output, alone or as a member of a group.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::client::{ClientError, Cluster};
use crate::common::{Common, ended};
use crate::fetch::{Fetcher, Place};
use crate::member::{Member, Standing};
use crate::offsets;
use crate::records::Record;
use crate::show::{self, Progress};

/// Print records of topics
#[derive(Args)]
#[command(after_help = "Examples:
  corelane consume orders                                   everything, then what comes, until Ctrl-C
  corelane consume orders --exit                            everything, then end
  corelane consume orders --from latest --count 10
  corelane consume orders --from 2026-03-01T12:00 --partition 0 --format full
  corelane consume orders --group billing                   as a member of a group, from where it left off
  corelane consume orders --exit --format json | jq .value

Formats:
  value   the value and a line end                 full   where and when it is, key, headers and value
  keyed   key, a tab, the value and a line end     json   one object a line; text where it is text, else base64
  raw     the value alone, nothing between")]
pub(crate) struct ConsumeArgs {
    #[command(flatten)]
    common: Common,
    #[arg(required = true, value_name = "TOPIC")]
    topics: Vec<String>,
    /// Join this consumer group: partitions are shared with its members, and progress is kept
    #[arg(long, short, value_name = "GROUP", conflicts_with = "partition")]
    group: Option<String>,
    /// Where to begin: earliest, latest, an offset, -N (the last N of each partition), or a time such as
    /// 2026-03-01T12:00 (UTC). With --group only where the group has no offset yet
    #[arg(long, short = 'o', default_value = "earliest", value_name = "WHERE", allow_hyphen_values = true, value_parser = parse_from)]
    from: From,
    /// Only these partitions; may be given several times
    #[arg(long, short, value_name = "N", value_delimiter = ',')]
    partition: Vec<i32>,
    /// End after so many records
    #[arg(long, short = 'n', value_name = "N")]
    count: Option<u64>,
    /// End when everything that was there at the start is read
    #[arg(long, short)]
    exit: bool,
    /// How a record is printed
    #[arg(long, short, value_enum, default_value_t = Format::Value)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Value,
    Keyed,
    Full,
    Json,
    Raw,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum From {
    Earliest,
    Latest,
    Offset(i64),
    /// The last so many.
    Last(i64),
    /// Milliseconds since 1970.
    Time(i64),
}

pub(crate) fn parse_from(text: &str) -> Result<From, String> {
    let number = text.parse::<i64>();
    match (text, number) {
        ("earliest" | "start" | "beginning", _) => Ok(From::Earliest),
        ("latest" | "end", _) => Ok(From::Latest),
        (_, Ok(number)) if number < 0 => Ok(From::Last(-number)),
        (_, Ok(number)) => Ok(From::Offset(number)),
        _ => show::parse_time(text).map(From::Time).ok_or_else(|| {
            "expected earliest, latest, an offset, -N or a time such as 2026-03-01T12:00".to_owned()
        }),
    }
}

/// How long a fetch waits at a broker that has nothing: Ctrl-C is heard after this.
const WAIT_MS: i32 = 250;
const COMMIT_EVERY: Duration = Duration::from_secs(1);

pub(crate) fn run(args: &ConsumeArgs) -> ExitCode {
    ended(consume(args))
}

fn consume(args: &ConsumeArgs) -> Result<(), ClientError> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // A second one ends at once.
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&stop))?;
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    let mut cluster = args.common.connect()?;
    let mut printer = Printer::new(args);
    match &args.group {
        None => {
            let mut fetcher = Fetcher::new();
            let places = places(args, &mut cluster)?;
            let positions = positions(&mut cluster, &places, args.from)?;
            fetcher.assign(&mut cluster, positions)?;
            loop {
                let at_end = args.exit && fetcher.is_at_end();
                if at_end || printer.is_done() || stop.load(Ordering::Relaxed) {
                    break;
                }
                fetcher.poll(&mut cluster, WAIT_MS, |place, record| {
                    printer.print(place, record)
                })?;
                printer.flush()?;
            }
        }
        Some(group) => {
            let mut member = Member::new(&mut cluster, group, &args.topics)?;
            let done = as_member(args, &mut cluster, &mut member, &mut printer, &stop);
            // The others take over at once, however this ended.
            let left = member.leave(&mut cluster);
            done.and(left)?;
        }
    }
    printer.progress.end();
    Ok(())
}

fn as_member(
    args: &ConsumeArgs,
    cluster: &mut Cluster,
    member: &mut Member,
    printer: &mut Printer,
    stop: &AtomicBool,
) -> Result<(), ClientError> {
    let mut fetcher = Fetcher::new();
    loop {
        let places = member.join(cluster)?;
        let mut positions = member.committed(cluster, &places)?;
        let fresh: Vec<Place> = places
            .iter()
            .filter(|place| !positions.contains_key(place))
            .cloned()
            .collect();
        positions.extend(self::positions(cluster, &fresh, args.from)?);
        fetcher.assign(cluster, positions)?;
        let mut committed = fetcher.positions().clone();
        let mut commit_at = Instant::now() + COMMIT_EVERY;
        let mut standing = Standing::Member;
        while standing == Standing::Member {
            let done = stop.load(Ordering::Relaxed)
                || printer.is_done()
                || (args.exit && fetcher.is_at_end());
            if done || Instant::now() >= commit_at {
                commit_at = Instant::now() + COMMIT_EVERY;
                let printed = printer.printed_through(fetcher.positions());
                let news = printed
                    .iter()
                    .filter(|(place, at)| committed.get(*place) != Some(*at));
                let news: BTreeMap<Place, i64> =
                    news.map(|(place, at)| (place.clone(), *at)).collect();
                standing = member.commit(cluster, &news)?;
                committed = printed;
            }
            if done {
                return Ok(());
            }
            if fetcher.positions().is_empty() {
                // More members than partitions: this one waits for its turn.
                std::thread::sleep(Duration::from_millis(WAIT_MS as u64));
            }
            fetcher.poll(cluster, WAIT_MS, |place, record| {
                printer.print(place, record)
            })?;
            printer.flush()?;
            if standing == Standing::Member {
                standing = member.heartbeat(cluster)?;
            }
        }
    }
}

/// The partitions to read, without a group.
fn places(args: &ConsumeArgs, cluster: &mut Cluster) -> Result<Vec<Place>, ClientError> {
    let mut places = Vec::new();
    for topic in &args.topics {
        let leaders = offsets::leaders(cluster, topic)?;
        let numbers: Vec<i32> = match args.partition.is_empty() {
            true => leaders.keys().copied().collect(),
            false => args.partition.clone(),
        };
        for number in numbers {
            if !leaders.contains_key(&number) {
                return Err(ClientError::Usage(format!(
                    "--partition {number}: topic {topic} has {} partitions",
                    leaders.len()
                )));
            }
            places.push((topic.clone(), number));
        }
    }
    Ok(places)
}

/// Where to begin in each.
pub(crate) fn positions(
    cluster: &mut Cluster,
    places: &[Place],
    from: From,
) -> Result<BTreeMap<Place, i64>, ClientError> {
    let mut by_topic: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for (topic, partition) in places {
        by_topic.entry(topic).or_default().push(*partition);
    }
    let mut positions = BTreeMap::new();
    for (topic, partitions) in by_topic {
        let ask = match from {
            From::Earliest | From::Offset(_) => offsets::EARLIEST,
            From::Latest | From::Last(_) => offsets::LATEST,
            From::Time(at) => at,
        };
        let found = offsets::at(cluster, topic, &partitions, ask)?;
        let earliest = match from {
            From::Last(_) => offsets::at(cluster, topic, &partitions, offsets::EARLIEST)?,
            _ => BTreeMap::new(),
        };
        for (partition, offset) in found {
            let at = match from {
                From::Earliest | From::Latest | From::Time(_) => offset,
                From::Offset(wanted) => wanted.max(offset),
                From::Last(count) => {
                    (offset - count).max(earliest.get(&partition).copied().unwrap_or(0))
                }
            };
            positions.insert((topic.to_owned(), partition), at);
        }
    }
    Ok(positions)
}

struct Printer {
    format: Format,
    left: Option<u64>,
    printed: u64,
    /// Behind the last record printed, where `count` cut a fetch short.
    through: BTreeMap<Place, i64>,
    out: BufWriter<io::Stdout>,
    error: Option<io::Error>,
    progress: Progress,
}

impl Printer {
    fn new(args: &ConsumeArgs) -> Printer {
        Printer {
            format: if args.common.json {
                Format::Json
            } else {
                args.format
            },
            left: args.count,
            printed: 0,
            through: BTreeMap::new(),
            out: BufWriter::with_capacity(256 << 10, io::stdout()),
            error: None,
            progress: Progress::new(),
        }
    }

    fn is_done(&self) -> bool {
        self.left == Some(0)
    }

    fn print(&mut self, place: &Place, record: Record) {
        if self.is_done() || self.error.is_some() {
            self.through.entry(place.clone()).or_insert(record.offset);
            return;
        }
        if let Some(left) = &mut self.left {
            *left -= 1;
        }
        self.printed += 1;
        if let Err(error) = self.write(place, &record) {
            self.error = Some(error);
        }
        if self.is_done() {
            self.through.insert(place.clone(), record.offset + 1);
        }
    }

    /// Positions up to which everything was printed.
    fn printed_through(&self, positions: &BTreeMap<Place, i64>) -> BTreeMap<Place, i64> {
        let through = |(place, at): (&Place, &i64)| {
            let at = self.through.get(place).copied().unwrap_or(*at).min(*at);
            (place.clone(), at)
        };
        positions.iter().map(through).collect()
    }

    fn write(&mut self, (topic, partition): &Place, record: &Record) -> io::Result<()> {
        let value = record.value.as_deref().unwrap_or_default();
        let out = &mut self.out;
        match self.format {
            Format::Raw => return out.write_all(value),
            Format::Value => out.write_all(value)?,
            Format::Keyed => {
                out.write_all(record.key.as_deref().unwrap_or_default())?;
                out.write_all(b"\t")?;
                out.write_all(value)?;
            }
            Format::Full => {
                let time = show::time(record.timestamp);
                write!(
                    out,
                    "{topic}-{partition} offset {} {time} key ",
                    record.offset
                )?;
                out.write_all(record.key.as_deref().unwrap_or(b"(null)"))?;
                for (name, header) in &record.headers {
                    write!(out, " {name}=")?;
                    out.write_all(header.as_deref().unwrap_or(b"(null)"))?;
                }
                out.write_all(b" value ")?;
                out.write_all(record.value.as_deref().unwrap_or(b"(null)"))?;
            }
            Format::Json => {
                let headers: Vec<Value> = record
                    .headers
                    .iter()
                    .map(|(name, value)| json!({ "name": name, "value": text(value.as_ref()) }))
                    .collect();
                let object = json!({
                    "topic": topic, "partition": partition, "offset": record.offset, "timestamp": record.timestamp,
                    "key": text(record.key.as_ref()), "value": text(record.value.as_ref()), "headers": headers,
                });
                serde_json::to_writer(&mut *out, &object)?;
            }
        }
        self.out.write_all(b"\n")
    }

    fn flush(&mut self) -> Result<(), ClientError> {
        if let Some(error) = self.error.take() {
            return Err(error.into());
        }
        self.out.flush()?;
        let printed = self.printed;
        // Where records go to a terminal they are the progress.
        if !io::IsTerminal::is_terminal(&io::stdout()) {
            self.progress
                .say(|elapsed| format!("{printed} records, {:.0} s", elapsed.as_secs_f64()));
        }
        Ok(())
    }
}

/// Text where it is text; else an object with base64, which JSON has no other way to hold.
fn text(bytes: Option<&Bytes>) -> Value {
    match bytes.map(|bytes| (std::str::from_utf8(bytes), bytes)) {
        None => Value::Null,
        Some((Ok(text), _)) => Value::String(text.to_owned()),
        Some((Err(_), bytes)) => json!({ "base64": base64(bytes) }),
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let value = chunk
            .iter()
            .fold(0_u32, |value, byte| value << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for at in 0..4 {
            match at <= chunk.len() {
                true => text.push(char::from(DIGITS[(value >> (18 - 6 * at) & 63) as usize])),
                false => text.push('='),
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_to_begin() {
        for (text, from) in [
            ("earliest", From::Earliest),
            ("end", From::Latest),
            ("17", From::Offset(17)),
            ("-10", From::Last(10)),
            ("1970-01-02", From::Time(86_400_000)),
        ] {
            assert_eq!(parse_from(text), Ok(from));
        }
        assert!(parse_from("yesterday").is_err());
    }

    #[test]
    fn bytes_that_are_no_text() {
        assert_eq!(base64(b""), "");
        assert_eq!(base64(b"f"), "Zg==");
        assert_eq!(base64(b"fo"), "Zm8=");
        assert_eq!(base64(b"\xff\xfe\xfd"), "//79");
        assert_eq!(
            text(Some(&Bytes::from_static(b"\xff"))),
            json!({ "base64": "/w==" })
        );
    }
}
