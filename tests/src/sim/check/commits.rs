//! Committed offsets never go back: a fetch finds what was acknowledged before it was asked, or something newer that
//! was committed, or nothing where that may have been deleted; after every crash, too.
//!
//! Each value is committed once. A commit or deletion takes effect between its question and its answer, or the end of the
//! process that was asked, or never, and those of one connection in the order asked; whoever fetches a value has seen
//! that it did.

use std::collections::BTreeMap;

use corelane_net::event::ConnId;

use crate::sim::groups::story::{self, Asked, Call, Doubts, GroupNo, Told, calls};
use crate::sim::history::{Entry, Fact, History, Place};
use crate::sim::world::Start;

pub const PROMISE: &str = "committed offsets never go back";

/// A value that was committed; -1: what there was is deleted.
#[derive(Clone, Copy, Debug)]
struct Write {
    value: i64,
    /// The process, and the connection to it.
    line: (Start, ConnId),
    asked: usize,
    /// It did take effect, at the latest here.
    done: Option<usize>,
    /// It does not take effect later than this.
    end: usize,
}

/// What a fetch found.
#[derive(Clone, Copy, Debug)]
struct Seen {
    value: i64,
    asked: usize,
    told: usize,
}

#[derive(Default)]
struct Story {
    writes: Vec<Write>,
    seen: Vec<Seen>,
}

pub fn check(history: &History) -> Result<(), String> {
    let calls = calls(history);
    let doubts = Doubts::new(history, &calls);
    for ((group, place), story) in &mut stories(history, &calls) {
        for seen in story.seen.clone() {
            let Some(write) = story
                .writes
                .iter_mut()
                .find(|write| write.value == seen.value)
            else {
                continue;
            };
            if seen.value >= 0 {
                let done = write.done.unwrap_or(usize::MAX);
                write.done = Some(done.min(seen.told));
                write.end = write.end.min(seen.told);
            }
        }
        for seen in &story.seen {
            judge(&doubts, &story.writes, *seen)
                .map_err(|why| format!("{group:?} {place:?}: {why}"))?;
        }
    }
    Ok(())
}

fn judge(doubts: &Doubts<'_>, writes: &[Write], seen: Seen) -> Result<(), String> {
    // What is known to have taken effect before the question.
    let known = || {
        let known = writes.iter().filter(|write| write.value >= 0);
        let known = known.filter(|write| write.done.is_some_and(|done| done < seen.asked));
        known.filter(|write| !doubts.lost(write.asked, seen.asked))
    };
    if seen.value >= 0 {
        let of_value = writes.iter().find(|write| write.value == seen.value);
        let Some(write) = of_value.filter(|write| write.asked < seen.told) else {
            return Err(format!("{seen:?} was never committed"));
        };
        let deleted = writes.iter().filter(|write| write.value < 0);
        let deleted = deleted.filter(|write| write.done.is_some_and(|done| done < seen.asked));
        let deleted = deleted.filter(|write| !doubts.lost(write.asked, seen.asked));
        let follows = |other: &&Write| {
            let one_line = other.line == write.line && other.asked > write.asked;
            other.asked > write.end || one_line
        };
        return match known().chain(deleted).find(follows) {
            Some(newer) => Err(format!("{seen:?} of {write:?} after {newer:?}")),
            None => Ok(()),
        };
    }
    // Nothing: whatever was there must have been deleted.
    let may_delete = |before: &Write| {
        let mut deletions = writes.iter().filter(|write| write.value < 0);
        deletions.any(|deletion| deletion.asked < seen.told && deletion.end > before.asked)
    };
    let may_expire = |before: &Write| doubts.expired(before.asked, seen.told);
    match known().find(|write| !may_delete(write) && !may_expire(write)) {
        Some(lost) => Err(format!("nothing is found ({seen:?}) after {lost:?}")),
        None => Ok(()),
    }
}

fn stories(history: &History, calls: &[Call<'_>]) -> BTreeMap<(GroupNo, Place), Story> {
    let mut stories: BTreeMap<(GroupNo, Place), Story> = BTreeMap::new();
    let places = |group: GroupNo| {
        let mut places: Vec<Place> = Vec::new();
        for call in calls.iter().filter(|call| call.group == group) {
            if let Asked::Commit { offsets, .. } = call.asked {
                places.extend(offsets.iter().map(|(place, _)| *place));
            }
        }
        places.sort();
        places.dedup();
        places
    };
    for call in calls {
        if call.is_refused() {
            continue;
        }
        let mut write = |place: Place, value: i64| {
            if let Some((asked, done, end)) = effect(call, place) {
                let story = stories.entry((call.group, place)).or_default();
                story.writes.push(Write {
                    value,
                    line: (call.life, call.conn),
                    asked,
                    done,
                    end,
                });
            }
        };
        match (call.asked, call.told) {
            (Asked::Commit { offsets, .. }, _) => {
                for (place, value) in offsets {
                    write(*place, *value);
                }
            }
            (Asked::DeleteOffsets { places }, _) => {
                for place in places {
                    write(*place, -1);
                }
            }
            (Asked::DeleteGroup, _) => {
                for place in places(call.group) {
                    write(place, -1);
                }
            }
            (Asked::Fetch { .. }, Some((Told::Fetched(offsets), told))) => {
                for (place, value) in offsets {
                    let story = stories.entry((call.group, *place)).or_default();
                    story.seen.push(Seen {
                        value: *value,
                        asked: call.asked_at,
                        told,
                    });
                }
            }
            _ => {}
        }
    }
    // What is committed of a topic goes some time after the topic.
    for (at, entry) in history.entries.iter().enumerate() {
        if let Fact::DeleteAsked(topic) = entry.fact {
            // Nothing that was committed of the next topic of this name goes with it.
            let again = |entry: &Entry| matches!(entry.fact, Fact::Created(t) if t == topic.next());
            let end = history.entries.iter().position(again);
            for ((_, place), story) in &mut stories {
                if place.topic == topic.first() {
                    story.writes.push(Write {
                        value: -1,
                        line: (entry.life, ConnId(u64::MAX)),
                        asked: at,
                        done: None,
                        end: end.unwrap_or(usize::MAX),
                    });
                }
            }
        }
    }
    stories
}

/// When a write of one place was asked for, by when it took effect if that is known, and from when on it does not.
/// `None`: it did not.
fn effect(call: &Call<'_>, place: Place) -> Option<(usize, Option<usize>, usize)> {
    let done = match call.told {
        Some((Told::Done, told)) => Some(told),
        Some((Told::Each(codes), told)) => {
            let code = codes
                .iter()
                .find(|(of, _)| *of == place)
                .map(|(_, code)| *code);
            match code {
                Some(0) => Some(told),
                Some(code) if story::is_refusal(code) => return None,
                _ => None,
            }
        }
        Some(_) | None => None,
    };
    Some((call.asked_at, done, call.end))
}
