//! One look at all shards: numbers at once, what grows with topics piece by piece.

use std::collections::BTreeMap;
use std::time::Duration;

use corelane_engine::shard::tally::{Piece, Volume};
use corelane_engine::types::{ShardId, TopicId};
use corelane_net::metrics::{Names, Numbers, Question, Sample};
use corelane_net::uring::observer::{Answer, KernelNumbers, Observer};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long a shard may take for one answer, before the look goes on without it.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// What was seen.
#[derive(Default)]
pub(super) struct Seen {
    /// By number; `None`: no answer.
    pub(super) shards: BTreeMap<ShardId, Option<SeenShard>>,
    /// Topics that exist, by name.
    pub(super) topics: BTreeMap<String, SeenTopic>,
}

pub(super) struct SeenShard {
    pub(super) numbers: Box<Numbers>,
    pub(super) kernel: Box<KernelNumbers>,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct SeenTopic {
    pub(super) appended: Volume,
    pub(super) fetched: Volume,
}

/// The shards that do not answer in time, in order.
pub(super) async fn silent(observer: &Observer, shards: u16, within: Duration) -> Vec<ShardId> {
    let mut asked = JoinSet::new();
    for shard in (0..shards).map(ShardId) {
        let observer = observer.clone();
        asked.spawn(async move {
            let answer = timeout(within, observer.ask(shard, Question::Alive)).await;
            (!matches!(answer, Ok(Some(_)))).then_some(shard)
        });
    }
    let mut silent: Vec<ShardId> = asked.join_all().await.into_iter().flatten().collect();
    silent.sort_unstable();
    silent
}

/// All shards at the same time; of each one question after the other.
pub(super) async fn look(observer: &Observer, shards: u16) -> Seen {
    let mut looks = JoinSet::new();
    for shard in (0..shards).map(ShardId) {
        let observer = observer.clone();
        looks.spawn(async move { (shard, look_at(&observer, shard).await) });
    }
    let names = names(observer).await;
    let mut seen = Seen::default();
    let mut topics: BTreeMap<TopicId, SeenTopic> = names
        .iter()
        .map(|(id, _)| (*id, SeenTopic::default()))
        .collect();
    for (shard, (looked, rows)) in looks.join_all().await {
        seen.shards.insert(shard, looked);
        for (id, volume) in rows.appended {
            // Not among them: made or deleted in between.
            if let Some(topic) = topics.get_mut(&id) {
                topic.appended.add(volume.bytes, volume.records);
            }
        }
        for (id, volume) in rows.fetched {
            if let Some(topic) = topics.get_mut(&id) {
                topic.fetched.add(volume.bytes, volume.records);
            }
        }
    }
    let named = |(id, name)| (name, topics.get(&id).copied().unwrap_or_default());
    seen.topics = names.into_iter().map(named).collect();
    seen
}

#[derive(Default)]
struct Rows {
    appended: Vec<(TopicId, Volume)>,
    fetched: Vec<(TopicId, Volume)>,
}

async fn look_at(observer: &Observer, shard: ShardId) -> (Option<SeenShard>, Rows) {
    let mut rows = Rows::default();
    let Some(Answer {
        sample: Sample::Numbers(numbers),
        kernel: Some(kernel),
    }) = ask(observer, shard, Question::Numbers).await
    else {
        return (None, rows);
    };
    rows.appended = pieces(observer, shard, Question::Appended).await;
    rows.fetched = pieces(observer, shard, Question::Fetched).await;
    (Some(SeenShard { numbers, kernel }), rows)
}

async fn pieces(
    observer: &Observer,
    shard: ShardId,
    question: fn(usize) -> Question,
) -> Vec<(TopicId, Volume)> {
    let mut rows = Vec::new();
    let mut from = Some(0);
    while let Some(place) = from
        && let Some(answer) = ask(observer, shard, question(place)).await
        && let Sample::Appended(piece) | Sample::Fetched(piece) = answer.sample
    {
        let Piece { rows: some, next } = piece;
        rows.extend(some);
        from = next;
    }
    rows
}

/// Every topic, from the image of the first shard.
async fn names(observer: &Observer) -> Vec<(TopicId, String)> {
    let mut names = Vec::new();
    let mut from = Some(String::new());
    while let Some(name) = from
        && let Some(answer) = ask(observer, ShardId(0), Question::Names(name)).await
        && let Sample::Names(Names { topics, next }) = answer.sample
    {
        names.extend(topics);
        from = next;
    }
    names
}

async fn ask(observer: &Observer, shard: ShardId, question: Question) -> Option<Answer> {
    let answer = timeout(ANSWER_WITHIN, observer.ask(shard, question)).await;
    answer.ok().flatten()
}
