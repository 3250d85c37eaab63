//! A group's generations never repeat and never go down: whoever is told one after another was told finds it as high or
//! higher. A crash may give up a generation that was begun and whose assignment nobody has; what comes then is the one
//! before, as it was, or a new one. And a generation has one leader, in one life of the broker.

use std::collections::BTreeMap;

use crate::sim::groups::story::{Asked, Call, Doubts, GroupNo, Told, calls};
use crate::sim::history::History;
use crate::sim::world::{ClientId, Start};

pub const PROMISE: &str = "generations never repeat, nor go down";

/// A generation as a member was told of it.
#[derive(Clone, Copy, Debug)]
struct Joined {
    generation: i32,
    client: ClientId,
    life: Start,
    asked: usize,
    told: usize,
    assigns: bool,
}

pub fn check(history: &History) -> Result<(), String> {
    let calls = calls(history);
    let doubts = Doubts::new(history, &calls);
    let mut groups: BTreeMap<GroupNo, Vec<Joined>> = BTreeMap::new();
    for call in &calls {
        if let Some((
            Told::Joined {
                generation,
                assigns,
                ..
            },
            told,
        )) = call.told
        {
            groups.entry(call.group).or_default().push(Joined {
                generation: *generation,
                client: call.client,
                life: call.life,
                asked: call.asked_at,
                told,
                assigns: *assigns,
            });
        }
    }
    for (group, joined) in groups {
        for (at, first) in joined.iter().enumerate() {
            for other in &joined[at + 1..] {
                let (early, late) = match first.told < other.told {
                    true => (first, other),
                    false => (other, first),
                };
                judge(&doubts, &calls, group, early, late)?;
            }
        }
    }
    Ok(())
}

/// `late` was told after `early`.
fn judge(
    doubts: &Doubts<'_>,
    calls: &[Call<'_>],
    group: GroupNo,
    early: &Joined,
    late: &Joined,
) -> Result<(), String> {
    let begin = early.asked.min(late.asked);
    if doubts.begun_anew(group, begin, late.told) {
        return Ok(());
    }
    let repeats = early.generation == late.generation
        && (early.assigns && late.assigns)
        && (early.client != late.client || early.life != late.life);
    if repeats {
        return Err(format!(
            "{group:?}: one generation twice: {early:?}, {late:?}"
        ));
    }
    if late.asked > early.told && late.generation < early.generation {
        let given_up = early.life < late.life && !is_complete(calls, group, early.generation, late);
        if !given_up {
            return Err(format!("{group:?}: {early:?}, then {late:?}"));
        }
    }
    Ok(())
}

/// Whether somebody was given a part in the generation, or a later one, before `late` was asked for.
fn is_complete(calls: &[Call<'_>], group: GroupNo, generation: i32, late: &Joined) -> bool {
    calls.iter().any(|call| {
        let synced = matches!(call.told, Some((Told::Synced(_), told)) if told < late.asked);
        let newer = matches!(call.asked, Asked::Sync { generation: of, .. } if *of >= generation);
        call.group == group && synced && newer
    })
}
