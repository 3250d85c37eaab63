//! Codes by topic and partition, in the order in which Kafka answers them: those refused at once come first.
//!
//! ```text
//!  topic(a)  refuse(7)  ask(0) ─► index 0       topics: a: 7 refused, 0 asked    (the asked one joins its topic)
//!  topic(b)             ask(1) ─► index 1               b: 1 asked
//! ```
//!
//! Kafka's `OffsetCommitResponse.Builder` and `OffsetDeleteResponse.Builder`: where nothing is refused, the answer is as
//! the request was, repeated topics included; otherwise a topic is answered once.

use std::collections::BTreeMap;

use corelane_engine::types::TopicId;

use crate::error_code::ErrorCode;
use crate::protocol::Str;

/// A topic as the request's version names it: the other one of the two is empty.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TopicKey {
    pub name: Str,
    pub id: TopicId,
}

#[derive(Debug)]
pub struct TopicCodes {
    pub key: TopicKey,
    /// Partition and code.
    pub partitions: Vec<(i32, ErrorCode)>,
}

/// While the request is read.
#[derive(Debug, Default)]
pub struct Sorting {
    refused: Vec<TopicCodes>,
    by_key: BTreeMap<TopicKey, usize>,
    asked: Vec<TopicCodes>,
    asked_count: u32,
    /// The next partition to be asked is the first one of its topic.
    fresh: bool,
    current: Option<TopicKey>,
}

impl Sorting {
    /// What follows is of this topic.
    pub fn topic(&mut self, key: TopicKey) {
        self.current = Some(key);
        self.fresh = true;
    }

    /// The topic is answered with what is refused, even if that is nothing.
    fn refused(&mut self) -> &mut TopicCodes {
        let key = self.current.clone().expect("a topic was named");
        let next = self.refused.len();
        let at = *self.by_key.entry(key.clone()).or_insert(next);
        if at == next {
            self.refused.push(TopicCodes {
                key,
                partitions: Vec::new(),
            });
        }
        &mut self.refused[at]
    }

    pub fn refuse(&mut self, partition: i32, code: ErrorCode) {
        self.refused().partitions.push((partition, code));
    }

    pub fn refuse_all(&mut self, partitions: impl Iterator<Item = i32>, code: ErrorCode) {
        let topic = self.refused();
        topic.partitions.extend(partitions.map(|p| (p, code)));
    }

    /// The index under which [`PartitionCodes::set`] knows the partition.
    pub fn ask(&mut self, partition: i32) -> u32 {
        if std::mem::take(&mut self.fresh) {
            self.asked.push(TopicCodes {
                key: self.current.clone().expect("a topic was named"),
                partitions: Vec::new(),
            });
        }
        let topic = self.asked.last_mut().expect("pushed above");
        // Until it is answered.
        let code = ErrorCode::UnknownServerError;
        topic.partitions.push((partition, code));
        self.asked_count += 1;
        self.asked_count - 1
    }

    /// The request is read.
    pub fn sorted(mut self) -> PartitionCodes {
        let merged = !self.refused.is_empty();
        let mut topics = self.refused;
        let mut places = Vec::with_capacity(self.asked_count as usize);
        for asked in self.asked {
            let next = topics.len();
            let at = match merged {
                true => *self.by_key.entry(asked.key.clone()).or_insert(next),
                false => next,
            };
            if at == next {
                topics.push(TopicCodes {
                    key: asked.key,
                    partitions: Vec::with_capacity(asked.partitions.len()),
                });
            }
            let partitions = &mut topics[at].partitions;
            places.extend((0..asked.partitions.len()).map(|p| (at, partitions.len() + p)));
            partitions.extend(asked.partitions);
        }
        PartitionCodes { topics, places }
    }
}

/// While the coordinator is asked, and when it has answered.
#[derive(Debug)]
pub struct PartitionCodes {
    topics: Vec<TopicCodes>,
    /// Topic and partition in `topics`, by index.
    places: Vec<(usize, usize)>,
}

impl PartitionCodes {
    /// What became of one that was asked.
    pub fn set(&mut self, index: u32, code: ErrorCode) {
        let (topic, partition) = self.places[index as usize];
        self.topics[topic].partitions[partition].1 = code;
    }

    /// All that were asked have one fate.
    pub fn set_all(&mut self, code: ErrorCode) {
        for index in 0..self.places.len() as u32 {
            self.set(index, code);
        }
    }

    /// The partition of an index.
    pub fn partition(&self, index: u32) -> (&TopicKey, i32) {
        let (topic, partition) = self.places[index as usize];
        let topic = &self.topics[topic];
        (&topic.key, topic.partitions[partition].0)
    }

    /// How many were asked.
    pub fn asked(&self) -> u32 {
        self.places.len() as u32
    }

    pub fn topics(&self) -> &[TopicCodes] {
        &self.topics
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a7! a0`: partition 7 of topic a is refused, partition 0 asked; `/` begins a topic of the request.
    fn check(script: &str, expected: &str) {
        let mut sorting = Sorting::default();
        for topic in script.split('/') {
            for (n, word) in topic.split_whitespace().enumerate() {
                let (name, rest) = word.split_at(1);
                if n == 0 {
                    sorting.topic(TopicKey {
                        name: name.into(),
                        id: TopicId::ZERO,
                    });
                }
                match rest.strip_suffix('!') {
                    Some(p) => {
                        sorting.refuse(p.parse().expect("digits"), ErrorCode::InvalidRequest)
                    }
                    None => drop(sorting.ask(rest.parse().expect("digits"))),
                }
            }
        }
        let mut codes = sorting.sorted();
        for index in 0..codes.asked() {
            assert_eq!(
                codes.topics()[codes.places[index as usize].0].key.id,
                TopicId::ZERO
            );
            codes.set(index, ErrorCode::None);
        }
        let got: Vec<String> = codes
            .topics()
            .iter()
            .map(|topic| {
                let partitions = topic.partitions.iter().map(|(p, code)| match code {
                    ErrorCode::None => format!("{p}"),
                    _ => format!("{p}!"),
                });
                let partitions: Vec<String> = partitions.collect();
                format!("{}:{}", topic.key.name, partitions.join(","))
            })
            .collect();
        assert_eq!(got.join(" "), expected, "{script}");
    }

    #[test]
    fn what_is_refused_comes_first_and_topics_are_joined_then() {
        check("a0 a1 / b0", "a:0,1 b:0");
        check("a0 / b0 / a1", "a:0 b:0 a:1");
        check("a0 a7! / b0", "a:7!,0 b:0");
        check("a0 / b7! b1 / a1", "b:7!,1 a:0,1");
        check("a7! / b8! / a9! a2", "a:7!,9!,2 b:8!");
    }
}
