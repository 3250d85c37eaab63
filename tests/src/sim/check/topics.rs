//! A topic exists from the answer to its creation to the wish to delete it, and never after the answer to that.

use std::collections::BTreeMap;

use corelane_engine::group::call::OFFSETS_TOPIC;

use crate::sim::history::{Fact, History, TopicNo};

#[derive(Clone, Copy, Default)]
struct Life {
    create_asked: Option<usize>,
    created: Option<usize>,
    delete_asked: Option<usize>,
    deleted: Option<usize>,
}

/// How many partitions a topic may be listed with: at least those that were answered before the question, at most those
/// that were asked for before the answer.
fn partitions_between(
    history: &History,
    topic: TopicNo,
    asked: usize,
    answered: usize,
) -> (i32, i32) {
    let created = history.topics[&topic].partitions;
    let (mut least, mut most) = (created, created);
    for (at, entry) in history.entries.iter().enumerate().take(answered) {
        match entry.fact {
            Fact::Grown(of, partitions) if of == topic && at < asked => {
                least = least.max(partitions);
            }
            Fact::GrowAsked(of, partitions) if of == topic => most = most.max(partitions),
            _ => {}
        }
    }
    (least, most)
}

pub fn check(history: &History) -> Result<(), String> {
    let mut lives: BTreeMap<TopicNo, Life> = BTreeMap::new();
    for (at, entry) in history.entries.iter().enumerate() {
        let (topic, field): (_, fn(&mut Life) -> &mut Option<usize>) = match entry.fact {
            Fact::CreateAsked(topic) => (topic, |l| &mut l.create_asked),
            Fact::Created(topic) => (topic, |l| &mut l.created),
            Fact::DeleteAsked(topic) => (topic, |l| &mut l.delete_asked),
            Fact::Deleted(topic) => (topic, |l| &mut l.deleted),
            _ => continue,
        };
        field(lives.entry(topic).or_default()).get_or_insert(at);
    }
    for (answered, entry) in history.entries.iter().enumerate() {
        let Fact::Listed { asked, topics } = &entry.fact else {
            continue;
        };
        let before = |event: Option<usize>, moment: usize| event.is_some_and(|e| e < moment);
        for (name, partitions) in topics {
            if name == OFFSETS_TOPIC {
                continue;
            }
            let known = TopicNo::of_name(name).and_then(|t| Some((t, lives.get(&t)?)));
            let Some((topic, life)) = known else {
                return Err(format!("{name} was never asked for"));
            };
            if !before(life.create_asked, answered) {
                return Err(format!("{name} is listed before it was asked for"));
            }
            if before(life.deleted, *asked) {
                return Err(format!("{name} is listed after its deletion was answered"));
            }
            let (least, most) = partitions_between(history, topic, *asked, answered);
            if !(least..=most).contains(partitions) {
                return Err(format!(
                    "{name} is listed with {partitions} partitions, not {least} to {most}"
                ));
            }
        }
        for (topic, life) in &lives {
            let there = topics.iter().any(|(name, _)| *name == topic.name());
            if before(life.created, *asked) && !before(life.delete_asked, answered) && !there {
                return Err(format!("{} is gone", topic.name()));
            }
        }
    }
    Ok(())
}
