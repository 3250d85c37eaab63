//! Topic configs as clients set them: refused with a message, or in effect, and then shown as something that means the same.

use corelane_engine::controller::topic_config::{
    Configs, DEFINITIONS, Kind, TopicConfig, definition, shown,
};
use corelane_engine::rng::Rng;

use crate::target::{Memory, Target, USUAL, word, word_of};

/// Values that are legal somewhere, or nearly so.
const VALUES: &[&str] = &[
    "0",
    "1",
    "-1",
    "-2",
    "1048576",
    "2147483647",
    "2147483648",
    "9223372036854775807",
    "9223372036854775808",
    "0.5",
    "1.0",
    "1e400",
    "NaN",
    "true",
    "FALSE",
    " delete ",
    "compact,delete",
    "delete,",
    ",",
    "",
    "CreateTime",
    "zstd",
    "producer",
    "disk",
    "process",
    "headers",
    "records",
    "*",
    "0:1",
    "\u{a0}1",
    "+1",
    "01",
    "1_000",
    "0x10",
];

#[test]
fn config() {
    Target {
        name: "config",
        memory: Memory {
            fixed: 24 << 10,
            per_byte: 32,
        },
        generate: &|rng: &mut Rng| {
            let mut text = String::new();
            for _ in 0..1 + rng.below(4) {
                let name = DEFINITIONS[rng.below(DEFINITIONS.len() as u64) as usize].name;
                let value = match rng.below(3) {
                    0 => format!("{}", rng.next_u64() as i64 >> rng.below(63)),
                    _ => VALUES[rng.below(VALUES.len() as u64) as usize].to_owned(),
                };
                text.push_str(&format!("{name}={value}\n"));
            }
            text.into_bytes()
        },
        check: &|input| {
            let text = String::from_utf8_lossy(input);
            let pairs = text.split('\n').filter_map(|line| line.split_once('='));
            let configs: Configs = pairs
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            let names = configs
                .keys()
                .filter_map(|name| DEFINITIONS.iter().position(|d| d.name == name));
            let names = names.fold(0, |word, at| word << 6 | at as u64);
            match TopicConfig::of(&configs) {
                Err(why) => {
                    assert!(!why.is_empty(), "refused without a word");
                    word(&[names, word_of(&why)])
                }
                Ok(effective) => {
                    for (name, text) in &configs {
                        let d = definition(name).expect("an unknown name is refused");
                        let shown = shown(d, text);
                        assert!(is_within(d.kind, &shown), "{name}={text} is {shown}");
                    }
                    let again: Configs = DEFINITIONS
                        .iter()
                        .filter_map(|d| {
                            configs
                                .get(d.name)
                                .map(|text| (d.name.to_owned(), shown(d, text)))
                        })
                        .collect();
                    assert_eq!(
                        TopicConfig::of(&again),
                        Ok(effective),
                        "as shown: {again:?}"
                    );
                    word(&[names, 1])
                }
            }
        },
        ..USUAL
    }
    .run();
}

/// Whether a value, as it is shown, is one that its definition names; read plainly.
fn is_within(kind: Kind, shown: &str) -> bool {
    let number = || shown.parse::<i64>().ok();
    let is_in = |min: i32, max: i32| move |n: i64| (i64::from(min)..=i64::from(max)).contains(&n);
    match kind {
        Kind::Int(min, max) => number().is_some_and(is_in(min, max)),
        Kind::IntOrMinusOne(min, max) => number().is_some_and(|n| n == -1 || is_in(min, max)(n)),
        Kind::Long(min) => number().is_some_and(|n| n >= min),
        // As in Kafka, what is not a number is below no bound and above none.
        Kind::Double(min, max) => {
            let double = shown.parse::<f64>().ok();
            double.is_some_and(|v| v.is_nan() || (min..=max).contains(&v))
        }
        Kind::Boolean => ["true", "false"].contains(&shown),
        Kind::Word(words) => words.contains(&shown),
        Kind::Words(words) => shown.is_empty() || shown.split(',').all(|w| words.contains(&w)),
        Kind::ThrottledReplicas => true,
    }
}
