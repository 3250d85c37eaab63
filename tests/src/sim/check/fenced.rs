//! Nobody is heard under an old generation: once a later one is complete, or was begun in this life of the broker, what
//! is asked under an earlier one is refused. (A heartbeat is answered kindly while the groups are read, as by Kafka: of
//! those only what comes after a generation in the same life is judged.)

use crate::sim::groups::story::{Asked, Call, Doubts, Told, calls};
use crate::sim::history::History;

pub const PROMISE: &str = "nobody is heard under an old generation";

pub fn check(history: &History) -> Result<(), String> {
    let calls = calls(history);
    let doubts = Doubts::new(history, &calls);
    for call in &calls {
        let generation = match (call.asked, call.told) {
            (Asked::Commit { generation, .. }, Some((Told::Each(codes), _)))
                if codes.iter().any(|(_, code)| *code == 0) =>
            {
                *generation
            }
            (Asked::Sync { generation, .. }, Some((Told::Synced(_), _)))
            | (Asked::Heartbeat { generation }, Some((Told::Done, _))) => *generation,
            _ => continue,
        };
        if generation < 0 {
            continue;
        }
        let newer = calls.iter().find(|other| {
            other.group == call.group
                && begins(other, call).is_some_and(|newer| newer > generation)
                && !doubts.begun_anew(call.group, other.asked_at, call.end)
        });
        if let Some(newer) = newer {
            return Err(format!("{call:?} is heard after {newer:?}"));
        }
    }
    Ok(())
}

/// The generation that `other` shows to be there before `call` was asked.
fn begins(other: &Call<'_>, call: &Call<'_>) -> Option<i32> {
    match (other.asked, other.told) {
        (_, Some((Told::Joined { generation, .. }, told))) => {
            (told < call.asked_at && other.life == call.life).then_some(*generation)
        }
        (Asked::Sync { generation, .. }, Some((Told::Synced(_), told))) => {
            let kindly = matches!(call.asked, Asked::Heartbeat { .. }) && other.life != call.life;
            (told < call.asked_at && !kindly).then_some(*generation)
        }
        _ => None,
    }
}
