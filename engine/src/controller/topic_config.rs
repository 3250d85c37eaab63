//! Topic configs: every name that Kafka 4.3.1 accepts, checked with its types, bounds and words, plus ours.
//!
//! Read from `LogConfig` of the `kafka-storage` 4.3.1 jar, in its order, which decides which of several errors is told.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::types::Durability;

/// The values that a topic was given, by name, as the client wrote them. Defaults are not stored.
pub type Configs = BTreeMap<String, String>;

/// Kafka's bound on one value, in UTF-16 units (`ConfigurationControlManager`).
pub const VALUE_LENGTH_MAX: usize = 32_767;

/// Type and bounds of a config.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Kind {
    /// A Java `int` within bounds, both inclusive.
    Int(i32, i32),
    /// -1, or within bounds (a gzip level).
    IntOrMinusOne(i32, i32),
    /// A Java `long` of at least this.
    Long(i64),
    /// A Java `double` within bounds, both inclusive.
    Double(f64, f64),
    Boolean,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list of these words, separated by commas.
    Words(&'static [&'static str]),
    /// `*`, or `partition:broker` pairs separated by commas.
    ThrottledReplicas,
}

impl Kind {
    /// A list in Kafka's sense: items may be added to it and taken from it.
    pub fn is_list(self) -> bool {
        match self {
            Words(_) | ThrottledReplicas => true,
            Int(..) | IntOrMinusOne(..) | Long(_) | Double(..) | Boolean | Word(_) => false,
        }
    }
}

/// One config that a topic may have.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    pub name: &'static str,
    pub kind: Kind,
    /// As DescribeConfigs tells it; `None`: no default.
    pub default: Option<&'static str>,
    /// Does it change anything today? The others are checked and kept.
    pub in_effect: bool,
}

const fn live(name: &'static str, kind: Kind, default: &'static str) -> Definition {
    Definition {
        name,
        kind,
        default: Some(default),
        in_effect: true,
    }
}

const fn kept(name: &'static str, kind: Kind, default: &'static str) -> Definition {
    Definition {
        name,
        kind,
        default: Some(default),
        in_effect: false,
    }
}

use Kind::{Boolean, Double, Int, IntOrMinusOne, Long, ThrottledReplicas, Word, Words};

const FOREVER: &str = "9223372036854775807";
const CODECS: &[&str] = &["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"];

/// `compression.type`: any codec is accepted and kept, and batches stay as their producer compressed them, which is
/// what `producer` means (Kafka would compress anew).
pub const DEFINITIONS: &[Definition] = &[
    live("segment.bytes", Int(1_048_576, i32::MAX), "1073741824"),
    live("segment.ms", Long(1), "604800000"),
    live("segment.jitter.ms", Long(0), "0"),
    kept("segment.index.bytes", Int(4, i32::MAX), "10485760"),
    live("flush.messages", Long(1), FOREVER),
    live("flush.ms", Long(0), FOREVER),
    kept("retention.bytes", Long(i64::MIN), "-1"),
    kept("retention.ms", Long(-1), "604800000"),
    live("max.message.bytes", Int(0, i32::MAX), "1048588"),
    live("index.interval.bytes", Int(0, i32::MAX), "4096"),
    kept("delete.retention.ms", Long(0), "86400000"),
    kept("min.compaction.lag.ms", Long(0), "0"),
    kept("max.compaction.lag.ms", Long(1), FOREVER),
    kept("file.delete.delay.ms", Long(0), "60000"),
    kept("min.cleanable.dirty.ratio", Double(0.0, 1.0), "0.5"),
    live("cleanup.policy", Words(&["compact", "delete"]), "delete"),
    kept("unclean.leader.election.enable", Boolean, "false"),
    live("min.insync.replicas", Int(1, i32::MAX), "1"),
    live("compression.type", Word(CODECS), "producer"),
    kept("compression.gzip.level", IntOrMinusOne(1, 9), "-1"),
    kept("compression.lz4.level", Int(1, 17), "9"),
    kept("compression.zstd.level", Int(-131_072, 22), "3"),
    kept("preallocate", Boolean, "false"),
    live(
        "message.timestamp.type",
        Word(&["CreateTime", "LogAppendTime"]),
        "CreateTime",
    ),
    live("message.timestamp.before.max.ms", Long(0), FOREVER),
    live("message.timestamp.after.max.ms", Long(0), "3600000"),
    kept(
        "leader.replication.throttled.replicas",
        ThrottledReplicas,
        "",
    ),
    kept(
        "follower.replication.throttled.replicas",
        ThrottledReplicas,
        "",
    ),
    kept("remote.storage.enable", Boolean, "false"),
    kept("local.retention.ms", Long(-2), "-2"),
    kept("local.retention.bytes", Long(-2), "-2"),
    kept("remote.log.copy.disable", Boolean, "false"),
    kept("remote.log.delete.on.disable", Boolean, "false"),
    // Kafka's own, for tests: smaller segments than `segment.bytes` allows.
    Definition {
        name: "internal.segment.bytes",
        kind: Int(i32::MIN, i32::MAX),
        default: None,
        in_effect: true,
    },
    live("corelane.durability", Word(&["disk", "process"]), "disk"),
    live(
        "corelane.validate",
        Word(&["headers", "records"]),
        "headers",
    ),
];

/// The definition of `name`, if a topic may have it.
pub fn definition(name: &str) -> Option<&'static Definition> {
    DEFINITIONS.iter().find(|d| d.name == name)
}

/// A value of one config, of the type its definition says.
#[derive(Clone, PartialEq, Debug)]
enum Value {
    Int(i32),
    Long(i64),
    Double(f64),
    Boolean(bool),
    Word(String),
    Words(Vec<String>),
}

/// Who stamps a batch's time (`message.timestamp.type`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TimestampType {
    #[default]
    CreateTime,
    LogAppendTime,
}

/// How far a batch is opened before it is accepted (`corelane.validate`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Validate {
    /// Uncompressed batches record by record, compressed ones by their header.
    #[default]
    Headers,
    /// Compressed ones too, as Kafka does.
    Records,
}

/// The values in effect for one topic: what it was given, defaults for the rest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TopicConfig {
    /// Largest batch, header included.
    pub max_message_bytes: usize,
    pub segment_bytes: u64,
    pub segment_age_max: Duration,
    /// A segment may roll earlier by a random time below this.
    pub segment_jitter: Duration,
    pub index_interval_bytes: u32,
    pub min_insync_replicas: u32,
    pub timestamp_type: TimestampType,
    /// How far a record's time may lie behind the broker's clock.
    pub timestamp_before_max_ms: i64,
    /// How far a record's time may lie ahead of the broker's clock.
    pub timestamp_after_max_ms: i64,
    /// With `durability == Process`: flush after this many records, and after this time.
    pub flush_messages: i64,
    pub flush_ms: i64,
    /// Kept, in effect once retention is built: -1 is "for ever".
    pub retention_ms: i64,
    pub retention_bytes: i64,
    /// `cleanup.policy` names `compact`: keyless records are refused, and `validate` is `Records`.
    pub compact: bool,
    /// `cleanup.policy` names `delete`.
    pub delete: bool,
    pub durability: Durability,
    pub validate: Validate,
}

impl Default for TopicConfig {
    fn default() -> TopicConfig {
        TopicConfig::of(&Configs::new()).expect("the defaults are legal")
    }
}

impl TopicConfig {
    /// Checks all of `configs` and gives the values in effect; refused with Kafka's message.
    pub fn of(configs: &Configs) -> Result<TopicConfig, String> {
        for (name, value) in configs {
            if definition(name).is_none() {
                return Err(format!("Unknown topic config name: {name}"));
            }
            if value.encode_utf16().count() > VALUE_LENGTH_MAX {
                return Err(format!(
                    "The configuration value cannot be added because it exceeds the maximum value size of \
                     {VALUE_LENGTH_MAX} bytes."
                ));
            }
        }
        let mut values = BTreeMap::new();
        for definition in DEFINITIONS {
            let text = configs.get(definition.name).map(String::as_str);
            if let Some(text) = text.or(definition.default) {
                values.insert(definition.name, parse(definition, text)?);
            }
        }
        let values = Values(values);
        let (lag_min, lag_max) = (
            values.long("min.compaction.lag.ms"),
            values.long("max.compaction.lag.ms"),
        );
        if lag_min > lag_max {
            return Err(format!(
                "conflict topic config setting min.compaction.lag.ms ({lag_min}) > max.compaction.lag.ms ({lag_max})"
            ));
        }
        if values.boolean("remote.storage.enable") {
            return Err("Tiered Storage functionality is disabled in the broker. \
                 Topic cannot be configured with remote log storage."
                .to_owned());
        }
        let compact = values.names("cleanup.policy", "compact");
        let segment_bytes = match values.0.get("internal.segment.bytes") {
            Some(Value::Int(bytes)) if *bytes > 0 => *bytes,
            _ => values.int("segment.bytes"),
        };
        Ok(TopicConfig {
            max_message_bytes: values.int("max.message.bytes") as usize,
            segment_bytes: segment_bytes as u64,
            segment_age_max: values.duration("segment.ms"),
            segment_jitter: values.duration("segment.jitter.ms"),
            index_interval_bytes: values.int("index.interval.bytes") as u32,
            min_insync_replicas: values.int("min.insync.replicas") as u32,
            timestamp_type: match values.word("message.timestamp.type") {
                "LogAppendTime" => TimestampType::LogAppendTime,
                _ => TimestampType::CreateTime,
            },
            timestamp_before_max_ms: values.long("message.timestamp.before.max.ms"),
            timestamp_after_max_ms: values.long("message.timestamp.after.max.ms"),
            flush_messages: values.long("flush.messages"),
            flush_ms: values.long("flush.ms"),
            retention_ms: values.long("retention.ms"),
            retention_bytes: values.long("retention.bytes"),
            compact,
            delete: values.names("cleanup.policy", "delete"),
            durability: match values.word("corelane.durability") {
                "process" => Durability::Process,
                _ => Durability::Disk,
            },
            validate: match values.word("corelane.validate") {
                "records" => Validate::Records,
                _ if compact => Validate::Records,
                _ => Validate::Headers,
            },
        })
    }
}

/// Parsed values; asked only for names and types that the table holds.
struct Values(BTreeMap<&'static str, Value>);

impl Values {
    fn int(&self, name: &str) -> i32 {
        match self.0[name] {
            Value::Int(v) => v,
            ref other => panic!("{name} is {other:?}"),
        }
    }

    fn long(&self, name: &str) -> i64 {
        match self.0[name] {
            Value::Long(v) => v,
            ref other => panic!("{name} is {other:?}"),
        }
    }

    fn duration(&self, name: &str) -> Duration {
        Duration::from_millis(self.long(name) as u64)
    }

    fn boolean(&self, name: &str) -> bool {
        match self.0[name] {
            Value::Boolean(v) => v,
            ref other => panic!("{name} is {other:?}"),
        }
    }

    fn word(&self, name: &str) -> &str {
        match &self.0[name] {
            Value::Word(v) => v,
            other => panic!("{name} is {other:?}"),
        }
    }

    fn names(&self, name: &str, word: &str) -> bool {
        match &self.0[name] {
            Value::Words(v) => v.iter().any(|w| w == word),
            other => panic!("{name} is {other:?}"),
        }
    }
}

/// A legal value as DescribeConfigs tells it: parsed, and written again (`ConfigDef.convertToString`).
pub fn shown(definition: &Definition, text: &str) -> String {
    match parse(definition, text) {
        Ok(Value::Int(v)) => v.to_string(),
        Ok(Value::Long(v)) => v.to_string(),
        Ok(Value::Double(v)) => java_double(v),
        Ok(Value::Boolean(v)) => v.to_string(),
        Ok(Value::Word(v)) => v,
        Ok(Value::Words(v)) => v.join(","),
        Err(_) => text.to_owned(),
    }
}

/// One value by its definition, as `ConfigDef.parseType` and its validators do it.
fn parse(definition: &Definition, text: &str) -> Result<Value, String> {
    let name = definition.name;
    let trimmed = text.trim_matches(|c: char| c <= ' ');
    let invalid = |value: &str, why: String| {
        Err(format!(
            "Invalid value {value} for configuration {name}: {why}"
        ))
    };
    let not_a = |kind: &str| invalid(text, format!("Not a number of type {kind}"));
    let one_of = |words: &[&str]| format!("String must be one of: {}", words.join(", "));
    match definition.kind {
        Int(min, max) => match trimmed.parse::<i32>() {
            Err(_) => not_a("INT"),
            Ok(v) if v < min => invalid(&v.to_string(), format!("Value must be at least {min}")),
            Ok(v) if v > max => {
                invalid(&v.to_string(), format!("Value must be no more than {max}"))
            }
            Ok(v) => Ok(Value::Int(v)),
        },
        IntOrMinusOne(min, max) => match trimmed.parse::<i32>() {
            Err(_) => not_a("INT"),
            Ok(v) if v != -1 && !(min..=max).contains(&v) => invalid(
                &v.to_string(),
                format!("Value must be between {min} and {max} or equal to -1"),
            ),
            Ok(v) => Ok(Value::Int(v)),
        },
        Long(min) => match trimmed.parse::<i64>() {
            Err(_) => not_a("LONG"),
            Ok(v) if v < min => invalid(&v.to_string(), format!("Value must be at least {min}")),
            Ok(v) => Ok(Value::Long(v)),
        },
        Double(min, max) => match parse_double(trimmed) {
            None => not_a("DOUBLE"),
            Some(v) if v < min => invalid(&java_double(v), format!("Value must be at least {min}")),
            Some(v) if v > max => {
                invalid(&java_double(v), format!("Value must be no more than {max}"))
            }
            Some(v) => Ok(Value::Double(v)),
        },
        Boolean => match trimmed.to_ascii_lowercase().as_str() {
            "true" => Ok(Value::Boolean(true)),
            "false" => Ok(Value::Boolean(false)),
            _ => invalid(text, "Expected value to be either true or false".to_owned()),
        },
        Word(words) => match words.contains(&trimmed) {
            true => Ok(Value::Word(trimmed.to_owned())),
            false => invalid(trimmed, one_of(words)),
        },
        Words(words) => {
            let list = split(trimmed);
            if list.iter().any(String::is_empty) {
                return Err(format!("Configuration '{name}' values must not be empty."));
            }
            match list.iter().find(|w| !words.contains(&w.as_str())) {
                Some(unknown) => invalid(unknown, one_of(words)),
                None => Ok(Value::Words(list)),
            }
        }
        ThrottledReplicas => {
            let list = split(trimmed);
            let pair = |text: &str| {
                text.split_once(':')
                    .is_some_and(|(p, b)| digits(p) && digits(b))
            };
            // As Kafka's pattern has it: empty items are let through at either end.
            let items: Vec<&str> = list
                .iter()
                .map(String::as_str)
                .filter(|i| !i.is_empty())
                .collect();
            if items == ["*"] || items.iter().all(|i| pair(i)) {
                return Ok(Value::Words(list));
            }
            invalid(
                &format!("[{}]", list.join(", ")),
                format!(
                    "{name} must be the literal '*' or a list of replicas in the following format: \
                     [partitionId]:[brokerId],[partitionId]:[brokerId],..."
                ),
            )
        }
    }
}

fn split(trimmed: &str) -> Vec<String> {
    if trimmed.is_empty() {
        return Vec::new();
    }
    trimmed
        .split(',')
        .map(|item| item.trim_ascii().to_owned())
        .collect()
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// `Double.parseDouble`, without hexadecimal notation.
fn parse_double(trimmed: &str) -> Option<f64> {
    let unsigned = trimmed.trim_start_matches(['+', '-']);
    if matches!(unsigned, "NaN" | "Infinity") {
        return trimmed.parse().ok();
    }
    let number = trimmed
        .strip_suffix(['f', 'F', 'd', 'D'])
        .unwrap_or(trimmed);
    let plain = |c: char| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-');
    if !number.chars().all(plain) {
        return None;
    }
    number.parse().ok()
}

/// `Double.toString`.
fn java_double(v: f64) -> String {
    if v.is_infinite() {
        return if v > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if v == 0.0 || (1e-3..1e7).contains(&v.abs()) {
        return format!("{v:?}");
    }
    let text = format!("{v:E}");
    match text.split_once('E') {
        Some((mantissa, exponent)) if !mantissa.contains('.') => format!("{mantissa}.0E{exponent}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, value: &str) -> Result<TopicConfig, String> {
        TopicConfig::of(&Configs::from([(name.to_owned(), value.to_owned())]))
    }

    /// The messages are those of the real `LogConfig.validate`.
    #[test]
    fn values_are_refused_with_kafkas_words() {
        let cases = [
            ("nope", "1", "Unknown topic config name: nope"),
            (
                "retention.ms",
                "abc",
                "Invalid value abc for configuration retention.ms: Not a number of type LONG",
            ),
            (
                "retention.ms",
                " TRUE",
                "Invalid value  TRUE for configuration retention.ms: Not a number of type LONG",
            ),
            (
                "retention.ms",
                "-2",
                "Invalid value -2 for configuration retention.ms: Value must be at least -1",
            ),
            (
                "segment.bytes",
                "  7 ",
                "Invalid value 7 for configuration segment.bytes: Value must be at least 1048576",
            ),
            (
                "segment.bytes",
                "+5",
                "Invalid value 5 for configuration segment.bytes: Value must be at least 1048576",
            ),
            (
                "segment.bytes",
                "",
                "Invalid value  for configuration segment.bytes: Not a number of type INT",
            ),
            (
                "segment.bytes",
                "2147483648",
                "Invalid value 2147483648 for configuration segment.bytes: Not a number of type INT",
            ),
            (
                "compression.gzip.level",
                "0",
                "Invalid value 0 for configuration compression.gzip.level: Value must be between 1 and 9 or equal to -1",
            ),
            (
                "compression.lz4.level",
                "18",
                "Invalid value 18 for configuration compression.lz4.level: Value must be no more than 17",
            ),
            (
                "compression.type",
                "GZIP",
                "Invalid value GZIP for configuration compression.type: String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer",
            ),
            (
                "preallocate",
                "  7 ",
                "Invalid value   7  for configuration preallocate: Expected value to be either true or false",
            ),
            (
                "min.cleanable.dirty.ratio",
                "  7 ",
                "Invalid value 7.0 for configuration min.cleanable.dirty.ratio: Value must be no more than 1",
            ),
            (
                "min.cleanable.dirty.ratio",
                "2147483648",
                "Invalid value 2.147483648E9 for configuration min.cleanable.dirty.ratio: Value must be no more than 1",
            ),
            (
                "min.cleanable.dirty.ratio",
                "99999999999999999999",
                "Invalid value 1.0E20 for configuration min.cleanable.dirty.ratio: Value must be no more than 1",
            ),
            (
                "min.cleanable.dirty.ratio",
                "-1e-9",
                "Invalid value -1.0E-9 for configuration min.cleanable.dirty.ratio: Value must be at least 0",
            ),
            (
                "min.cleanable.dirty.ratio",
                "inf",
                "Invalid value inf for configuration min.cleanable.dirty.ratio: Not a number of type DOUBLE",
            ),
            (
                "cleanup.policy",
                "Delete",
                "Invalid value Delete for configuration cleanup.policy: String must be one of: compact, delete",
            ),
            (
                "cleanup.policy",
                "delete,,bogus",
                "Configuration 'cleanup.policy' values must not be empty.",
            ),
            (
                "message.timestamp.type",
                " TRUE",
                "Invalid value TRUE for configuration message.timestamp.type: String must be one of: CreateTime, LogAppendTime",
            ),
            (
                "corelane.durability",
                "never",
                "Invalid value never for configuration corelane.durability: String must be one of: disk, process",
            ),
            (
                "leader.replication.throttled.replicas",
                "1:2,*",
                "Invalid value [1:2, *] for configuration leader.replication.throttled.replicas: leader.replication.throttled.replicas must be the literal '*' or a list of replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...",
            ),
        ];
        for (name, value, message) in cases {
            assert_eq!(check(name, value).unwrap_err(), message);
        }
    }

    #[test]
    fn what_kafka_accepts_is_accepted() {
        let cases = [
            ("cleanup.policy", ""),
            ("cleanup.policy", "compact, delete"),
            ("cleanup.policy", "delete,delete"),
            ("compression.type", " gzip "),
            ("min.cleanable.dirty.ratio", "NaN"),
            ("min.cleanable.dirty.ratio", "1f"),
            ("min.cleanable.dirty.ratio", "0.5d"),
            ("min.cleanable.dirty.ratio", "1."),
            ("min.cleanable.dirty.ratio", ".5"),
            ("preallocate", " TRUE"),
            ("leader.replication.throttled.replicas", "*"),
            ("leader.replication.throttled.replicas", ",1:2"),
            ("leader.replication.throttled.replicas", "1:2,3:4"),
            ("internal.segment.bytes", "-2"),
            ("retention.bytes", "-7"),
        ];
        for (name, value) in cases {
            assert!(check(name, value).is_ok(), "{name}={value}");
        }
    }

    #[test]
    fn the_first_error_in_kafkas_order_is_told() {
        let two = Configs::from([
            ("retention.ms".to_owned(), "abc".to_owned()),
            ("segment.bytes".to_owned(), "abc".to_owned()),
        ]);
        assert_eq!(
            TopicConfig::of(&two).unwrap_err(),
            "Invalid value abc for configuration segment.bytes: Not a number of type INT"
        );
        let lags = Configs::from([
            ("min.compaction.lag.ms".to_owned(), "100".to_owned()),
            ("max.compaction.lag.ms".to_owned(), "50".to_owned()),
        ]);
        assert_eq!(
            TopicConfig::of(&lags).unwrap_err(),
            "conflict topic config setting min.compaction.lag.ms (100) > max.compaction.lag.ms (50)"
        );
        assert_eq!(
            check("preallocate", &"x".repeat(32_768)).unwrap_err(),
            "The configuration value cannot be added because it exceeds the maximum value size of 32767 bytes."
        );
    }

    #[test]
    fn values_are_shown_as_kafka_writes_them() {
        for (name, given, expected) in [
            ("segment.ms", " 7", "7"),
            ("preallocate", " TRUE", "true"),
            ("cleanup.policy", "compact, delete", "compact,delete"),
            ("cleanup.policy", "", ""),
            ("min.cleanable.dirty.ratio", "1f", "1.0"),
            ("min.cleanable.dirty.ratio", "1e-4", "1.0E-4"),
            ("compression.type", " gzip ", "gzip"),
        ] {
            let definition = definition(name).expect("known");
            assert_eq!(shown(definition, given), expected, "{name}");
        }
    }

    #[test]
    fn values_take_effect() {
        let plain = TopicConfig::default();
        assert_eq!(plain.max_message_bytes, 1_048_588);
        assert_eq!(plain.segment_bytes, 1 << 30);
        assert_eq!(plain.timestamp_after_max_ms, 3_600_000);
        assert_eq!(plain.durability, Durability::Disk);
        assert_eq!(
            check("internal.segment.bytes", "5000")
                .unwrap()
                .segment_bytes,
            5000
        );
        let compacted = check("cleanup.policy", "compact").unwrap();
        assert!(compacted.compact && !compacted.delete);
        assert_eq!(compacted.validate, Validate::Records);
        assert_eq!(
            check("corelane.durability", "process").unwrap().durability,
            Durability::Process
        );
        assert_eq!(
            check("message.timestamp.type", "LogAppendTime")
                .unwrap()
                .timestamp_type,
            TimestampType::LogAppendTime
        );
    }
}
