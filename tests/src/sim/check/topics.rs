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
            // One of this name is the one that is listed.
            let mut known = lives.iter().filter(|(topic, _)| topic.name() == *name);
            let mut listed = Err(format!("{name} was never asked for"));
            while listed.is_err()
                && let Some((topic, life)) = known.next()
            {
                let (least, most) = partitions_between(history, *topic, *asked, answered);
                listed = if !before(life.create_asked, answered) {
                    Err(format!("{name} is listed before it was asked for"))
                } else if before(life.deleted, *asked) {
                    Err(format!("{name} is listed after its deletion was answered"))
                } else if !(least..=most).contains(partitions) {
                    Err(format!(
                        "{name} is listed with {partitions} partitions, not {least} to {most}"
                    ))
                } else {
                    Ok(())
                };
            }
            listed?;
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
