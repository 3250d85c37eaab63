//! Two members never own one unit in a generation: a leader's assignment reaches every member as it was sent, each its
//! own part, and of a leader that assigned twice only one counts.

use std::collections::BTreeMap;

use crate::sim::groups::story::{Asked, Assignment, Call, Doubts, GroupNo, Told, calls};
use crate::sim::history::History;
use crate::sim::world::ClientId;

pub const PROMISE: &str = "one owner in a generation";

pub fn check(history: &History) -> Result<(), String> {
    let calls = calls(history);
    let doubts = Doubts::new(history, &calls);
    let clients = clients(&calls);
    let instances = instances(&calls);
    let mut told: BTreeMap<(GroupNo, i32), Vec<(&Call<'_>, &Assignment)>> = BTreeMap::new();
    for call in &calls {
        let Asked::Sync {
            generation, member, ..
        } = call.asked
        else {
            continue;
        };
        let Some((Told::Synced(assignment), at)) = call.told else {
            continue;
        };
        let (group, client) = (call.group, call.client);
        let Some(assignment) = assignment else {
            return Err(format!(
                "{group:?}, generation {generation}: {client:?} is given nothing"
            ));
        };
        // What a leader sent to this client, under any id that it had.
        let sent = calls.iter().any(|of| {
            let Asked::Sync {
                generation: sent_in,
                assignments,
                ..
            } = of.asked
            else {
                return false;
            };
            let to = |id: &String| {
                // The answer that gave an id to a static member may have been lost: it begins with the instance's.
                let instance = instances.get(&client);
                id == member
                    || clients.get(id) == Some(&client)
                    || instance.is_some_and(|instance| id.starts_with(&format!("{instance}-")))
            };
            of.group == group
                && sent_in == generation
                && of.asked_at < at
                && assignments
                    .iter()
                    .any(|(id, sent)| sent == assignment && to(id))
        });
        if !sent {
            return Err(format!(
                "{group:?}, generation {generation}: {client:?} ({member}) is given {assignment:?}, which was not sent to it"
            ));
        }
        told.entry((group, *generation))
            .or_default()
            .push((call, assignment));
    }
    for ((group, generation), told) in told {
        for (at, (first, assignment)) in told.iter().enumerate() {
            for (second, other) in &told[at + 1..] {
                let (from, to) = (
                    first.asked_at.min(second.asked_at),
                    first.end.max(second.end),
                );
                if doubts.begun_anew(group, from, to) {
                    continue;
                }
                let shared = |unit: &u8| other.units.contains(unit);
                let owns_two = first.client != second.client && assignment.units.iter().any(shared);
                if owns_two || assignment.serial != other.serial {
                    let (a, b) = (first.client, second.client);
                    return Err(format!(
                        "{group:?}, generation {generation}: {a:?} has {assignment:?}, {b:?} has {other:?}"
                    ));
                }
            }
        }
    }
    Ok(())
}

fn instances<'a>(calls: &[Call<'a>]) -> BTreeMap<ClientId, &'a String> {
    let instances = calls.iter().filter_map(|call| match call.asked {
        Asked::Join { instance, .. } => Some((call.client, instance.as_ref()?)),
        _ => None,
    });
    instances.collect()
}

/// Who was given which member id.
fn clients<'a>(calls: &[Call<'a>]) -> BTreeMap<&'a String, ClientId> {
    let ids = calls.iter().filter_map(|call| match call.told {
        Some((Told::Joined { member, .. }, _)) => Some((member, call.client)),
        _ => None,
    });
    ids.collect()
}
