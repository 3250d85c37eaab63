//! What a client's answers mean: facts, and what its owner has to know.

use std::collections::BTreeMap;

use corelane_engine::types::Durability;
use kafka_protocol::messages::{
    CreatePartitionsRequest, CreateTopicsRequest, DeleteRecordsRequest, DeleteTopicsRequest,
    FetchRequest, IncrementalAlterConfigsRequest, InitProducerIdRequest, ListOffsetsRequest,
    MetadataRequest, ProduceRequest,
};
use uuid::Uuid;

use super::{Ask, Client, Ids, Told, Waiting};
use crate::harness::wire::decode_response;
use crate::sim::history::{BatchNo, Fact, History, Place};
use crate::sim::wire;

/// A partition's part of the answer to a produce request.
#[derive(Clone, Copy, Debug)]
struct Produced {
    code: i16,
    base: i64,
    time: i64,
}

impl Client {
    pub(super) fn on_answer(
        &mut self,
        waiting: Waiting,
        frame: &[u8],
        ids: &mut Ids,
        history: &mut History,
        now: u64,
        told: &mut Vec<Told>,
    ) {
        let Waiting {
            correlation,
            version,
            ask,
            when,
        } = waiting;
        let life = self.life;
        let found = i32::from_be_bytes(frame[..4].try_into().expect("a correlation id"));
        if found != correlation {
            let what = format!("answer {found} where {correlation} ({ask:?}) comes next");
            history.note(now, life, Fact::Nonsense(what));
            return;
        }
        let mut nonsense = |what: String| history.note(now, life, Fact::Nonsense(what));
        match ask {
            Ask::Create(topic) => {
                let (_, answer) = decode_response::<CreateTopicsRequest>(version, frame);
                let answer = &answer.topics[0];
                match answer.error_code {
                    0 => drop(ids.0.insert(topic, answer.topic_id)),
                    // An earlier attempt, whose answer was lost, made it.
                    36 => {}
                    code => return nonsense(format!("create {}: code {code}", topic.name())),
                }
                history.note(now, life, Fact::Created(topic));
                told.push(Told::Created(topic));
            }
            Ask::Delete(topic) => {
                let (_, answer) = decode_response::<DeleteTopicsRequest>(version, frame);
                match answer.responses[0].error_code {
                    0 | 3 => {}
                    code => return nonsense(format!("delete {}: code {code}", topic.name())),
                }
                history.note(now, life, Fact::Deleted(topic));
                told.push(Told::Deleted(topic));
            }
            Ask::Alter(topic, _) => {
                let (_, answer) = decode_response::<IncrementalAlterConfigsRequest>(version, frame);
                match answer.responses[0].error_code {
                    0 => {}
                    code => nonsense(format!("alter {}: code {code}", topic.name())),
                }
            }
            Ask::Grow(topic, partitions) => {
                let (_, answer) = decode_response::<CreatePartitionsRequest>(version, frame);
                match answer.results[0].error_code {
                    // 37: an earlier attempt, whose answer was lost, did it.
                    0 | 37 => {}
                    code => return nonsense(format!("grow {}: code {code}", topic.name())),
                }
                history.note(now, life, Fact::Grown(topic, partitions));
                told.push(Told::Grown(topic, partitions));
            }
            Ask::Metadata { asked } => {
                let (_, answer) = decode_response::<MetadataRequest>(version, frame);
                let topics = answer.topics.into_iter().map(|topic| {
                    let name = topic.name.map(|n| n.0.to_string()).unwrap_or_default();
                    (name, topic.partitions.len() as i32)
                });
                let topics = topics.collect();
                history.note(now, life, Fact::Listed { asked, topics });
                told.push(Told::Listed);
            }
            Ask::InitProducer => {
                let (_, answer) = decode_response::<InitProducerIdRequest>(version, frame);
                match answer.error_code {
                    0 => self.producer = Some((answer.producer_id.0, answer.producer_epoch)),
                    code => nonsense(format!("init producer id: code {code}")),
                }
            }
            Ask::Produce { batches, .. } => {
                let (_, answer) = decode_response::<ProduceRequest>(version, frame);
                let mut answers: BTreeMap<(Uuid, String, i32), Produced> = BTreeMap::new();
                for topic in &answer.responses {
                    for p in &topic.partition_responses {
                        let name = match version {
                            13.. => String::new(),
                            _ => topic.name.0.to_string(),
                        };
                        let produced = Produced {
                            code: p.error_code,
                            base: p.base_offset,
                            time: p.log_append_time_ms,
                        };
                        answers.insert((topic.topic_id, name, p.index), produced);
                    }
                }
                for batch in batches {
                    let place = history.batch(batch).place;
                    let key = match version {
                        13.. => (ids.of(place), String::new(), place.partition),
                        _ => (Uuid::nil(), place.topic.name(), place.partition),
                    };
                    match answers.get(&key) {
                        Some(produced) => self.produced(batch, *produced, history, now),
                        None => {
                            let what = format!("no answer for {place:?} in {answers:?}");
                            history.note(now, life, Fact::Nonsense(what));
                        }
                    }
                }
            }
            Ask::Fetch { positions } => {
                let (_, answer) = decode_response::<FetchRequest>(version, frame);
                if self.style.habits.sessions {
                    self.session.on_answer(answer.error_code, answer.session_id);
                }
                if answer.error_code != 0 {
                    return nonsense(format!("fetch: code {}", answer.error_code));
                }
                for topic in &answer.responses {
                    for p in &topic.partitions {
                        let mut asked = positions.iter().filter(|(place, _)| {
                            let same = match version {
                                13.. => ids.of(*place) == topic.topic_id,
                                _ => *place.topic.name() == *topic.topic.0,
                            };
                            same && place.partition == p.partition_index
                        });
                        let Some((place, asked)) = asked.next().copied() else {
                            let what = format!("fetch: {:?} was not asked", topic.topic);
                            history.note(now, life, Fact::Nonsense(what));
                            continue;
                        };
                        let result = match p.error_code {
                            0 => {
                                let records = p.records.as_deref().unwrap_or_default();
                                wire::split(records, history).map_err(|what| {
                                    let what = format!("fetch {place:?} from {asked}: {what}");
                                    history.note(now, life, Fact::Nonsense(what));
                                    -1
                                })
                            }
                            code => Err(code),
                        };
                        match &result {
                            Ok(batches) => {
                                let begin = p.log_start_offset;
                                if self.style.habits.ages && begin >= 0 {
                                    let begins = Fact::Begins { place, begin, when };
                                    history.note(now, life, begins);
                                }
                                let served = Fact::Served {
                                    place,
                                    asked,
                                    high_watermark: p.high_watermark,
                                    batches: batches.clone(),
                                    when,
                                };
                                history.note(now, life, served);
                            }
                            Err(1) => history.note(now, life, Fact::OutOfRange { place, asked }),
                            // Corrupt, storage: judged by what happened to the disk.
                            Err(code @ (2 | 56)) => {
                                let code = *code;
                                let unreadable = Fact::Unreadable { place, asked, code };
                                history.note(now, life, unreadable);
                            }
                            // Unknown topic or id, not leader, our own judgement above.
                            Err(3 | 6 | 100 | -1) => {}
                            Err(code) => {
                                let what = format!("fetch {place:?} from {asked}: code {code}");
                                history.note(now, life, Fact::Nonsense(what));
                            }
                        }
                        told.push(Told::Fetched {
                            place,
                            asked,
                            result,
                        });
                    }
                }
            }
            Ask::Latest { places } => {
                let (_, answer) = decode_response::<ListOffsetsRequest>(version, frame);
                let mut ends = Vec::new();
                for topic in &answer.topics {
                    for p in &topic.partitions {
                        let at = |q: &&Place| {
                            *q.topic.name() == *topic.name.0 && q.partition == p.partition_index
                        };
                        let Some(place) = places.iter().find(at) else {
                            continue;
                        };
                        match p.error_code {
                            0 => ends.push((*place, p.offset)),
                            // Unknown: there is nothing to be read, and what was promised says the rest.
                            3 => ends.push((*place, 0)),
                            code => {
                                let what = format!("latest of {place:?}: code {code}");
                                history.note(now, life, Fact::Nonsense(what));
                            }
                        }
                    }
                }
                told.push(Told::Latest(ends));
            }
            Ask::Earliest { places } => {
                let (_, answer) = decode_response::<ListOffsetsRequest>(version, frame);
                let mut begins = Vec::new();
                for topic in &answer.topics {
                    for p in &topic.partitions {
                        let at = |q: &&Place| {
                            *q.topic.name() == *topic.name.0 && q.partition == p.partition_index
                        };
                        let Some(place) = places.iter().find(at).copied() else {
                            continue;
                        };
                        match (p.error_code, p.offset) {
                            (0, begin) => {
                                history.note(now, life, Fact::Begins { place, begin, when });
                                begins.push((place, begin));
                            }
                            (3, _) => begins.push((place, 0)),
                            (code, _) => {
                                let what = format!("earliest of {place:?}: code {code}");
                                history.note(now, life, Fact::Nonsense(what));
                            }
                        }
                    }
                }
                told.push(Told::Earliest(begins));
            }
            Ask::Trim {
                place,
                below,
                beyond,
            } => {
                let (_, answer) = decode_response::<DeleteRecordsRequest>(version, frame);
                let answer = &answer.topics[0].partitions[0];
                let (code, begin) = (answer.error_code, answer.low_watermark);
                // A cut may have taken what the asker had read.
                let shorter = history.durability(place) == Durability::Process;
                match code {
                    0 if begin >= below && !beyond => {
                        history.note(now, life, Fact::Begins { place, begin, when });
                    }
                    1 if beyond || shorter => {}
                    // Unknown topic, timed out, storage.
                    3 | 7 | 56 => {}
                    _ => {
                        let what = format!("trim {place:?} below {below}: code {code}, {begin}");
                        history.note(now, life, Fact::Nonsense(what));
                    }
                }
            }
        }
    }

    fn produced(&mut self, batch: BatchNo, produced: Produced, history: &mut History, now: u64) {
        let Produced { code, base, time } = produced;
        let attempt = self.attempts[&batch];
        let refused = Fact::Refused {
            batch,
            code,
            attempt,
        };
        match code {
            0 => history.note(now, self.life, Fact::Acked { batch, base, time }),
            // Corrupt, unknown topic or id, too large, invalid: not appended.
            2 | 3 | 10 | 18 | 87 | 100 => history.note(now, self.life, refused),
            45 | 46 | 47 | 59 => {
                history.note(now, self.life, refused);
                self.broken = true;
            }
            // No room on the disk: not appended; who sends it again will be heard later.
            19 if !self.style.idempotent => history.note(now, self.life, refused),
            // Timed out, storage: nobody knows.
            7 | 19 | 56 => {
                history.note(now, self.life, Fact::Undecided { batch, code });
                if self.style.idempotent {
                    self.retry.push(batch);
                }
            }
            code => {
                let what = format!("produce {batch:?}: code {code}");
                history.note(now, self.life, Fact::Nonsense(what));
            }
        }
    }
}
