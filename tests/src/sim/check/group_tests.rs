//! Each checker of groups notices its own lie, told in a history made by hand.

use corelane_net::event::ConnId;

use super::{all, stable};
use crate::sim::groups::story::{Asked, Assignment, CallNo, GroupNo, Told};
use crate::sim::history::{Fact, History, Place, TopicNo};
use crate::sim::world::{ClientId, Start};

const GROUP: GroupNo = GroupNo(0);
const PLACE: Place = Place {
    topic: TopicNo(0),
    partition: 0,
};

/// A history that is written call by call.
#[derive(Default)]
struct Pen {
    history: History,
    calls: u32,
    life: u32,
    /// Simulated nanoseconds.
    now: u64,
}

impl Pen {
    fn new() -> Pen {
        let life = 1;
        Pen {
            life,
            ..Pen::default()
        }
    }

    fn note(&mut self, fact: Fact) {
        self.history.note(self.now, Start(self.life), fact);
    }

    fn ask(&mut self, client: u32, asked: Asked) -> CallNo {
        self.calls += 1;
        let call = CallNo(self.calls);
        self.note(Fact::GroupAsked {
            call,
            client: ClientId(client),
            conn: ConnId(u64::from(client)),
            group: GROUP,
            asked,
        });
        call
    }

    fn told(&mut self, call: CallNo, told: Told) {
        self.note(Fact::GroupTold { call, told });
    }

    fn crash(&mut self) {
        self.note(Fact::Killed);
        self.life += 1;
    }

    fn commit(&mut self, generation: i32, offset: i64) -> CallNo {
        let offsets = vec![(PLACE, offset)];
        self.ask(
            1,
            Asked::Commit {
                generation,
                offsets,
            },
        )
    }

    fn acked(&mut self, call: CallNo) {
        self.told(call, Told::Each(vec![(PLACE, 0)]));
    }

    fn beats(&mut self, generation: i32) {
        let call = self.ask(1, Asked::Heartbeat { generation });
        self.told(call, Told::Done);
    }

    fn fetched(&mut self, offset: i64) {
        let places = vec![PLACE];
        let call = self.ask(2, Asked::Fetch { places });
        self.told(call, Told::Fetched(vec![(PLACE, offset)]));
    }

    fn joined(&mut self, client: u32, generation: i32, assigns: bool) {
        let member = format!("m{client}");
        let call = self.ask(
            client,
            Asked::Join {
                member: member.clone(),
                instance: None,
            },
        );
        self.told(
            call,
            Told::Joined {
                generation,
                member,
                assigns,
            },
        );
    }

    /// `sends`: to whom which units, if it leads; `gets`: what it is given.
    fn synced(
        &mut self,
        client: u32,
        generation: i32,
        serial: u32,
        sends: &[(u32, u8)],
        gets: Option<u8>,
    ) {
        let assignment = |unit: u8| Assignment {
            serial,
            units: vec![unit],
        };
        let sends = sends.iter();
        let assignments = sends.map(|(to, unit)| (format!("m{to}"), assignment(*unit)));
        let asked = Asked::Sync {
            generation,
            member: format!("m{client}"),
            assignments: assignments.collect(),
        };
        let call = self.ask(client, asked);
        self.told(call, Told::Synced(gets.map(assignment)));
    }

    fn expect(&self, promise: Option<&str>) {
        let broken = all(&self.history).into_iter().map(|v| v.promise).next();
        assert_eq!(broken, promise, "{:#?}", self.history.entries);
    }
}

#[test]
fn offsets_that_go_back_are_seen() {
    let promise = Some(super::commits::PROMISE);
    let committed = || {
        let mut pen = Pen::new();
        for offset in [3, 4] {
            let call = pen.commit(-1, offset);
            pen.acked(call);
        }
        pen
    };
    for (found, broken) in [(4, None), (3, promise), (-1, promise), (9, promise)] {
        let mut pen = committed();
        pen.crash();
        pen.fetched(found);
        pen.expect(broken);
    }
    // Unanswered, it may be there or not; once seen it stays, until the process ended it never comes later.
    for (found, broken) in [(4, None), (5, None), (3, promise)] {
        let mut pen = committed();
        pen.commit(-1, 5);
        pen.fetched(found);
        pen.expect(broken);
    }
    let mut pen = committed();
    pen.commit(-1, 5);
    pen.fetched(5);
    pen.expect(None);
    pen.fetched(4);
    pen.expect(promise);
    let mut pen = committed();
    pen.commit(-1, 5);
    pen.crash();
    let call = pen.commit(-1, 6);
    pen.acked(call);
    pen.fetched(5);
    pen.expect(promise);
    // Asked at once, either may be the last; of one connection, the one that was asked last.
    for (other, broken) in [(1, promise), (2, None)] {
        let mut pen = Pen::new();
        let calls = [(1, 3), (other, 4)].map(|(client, offset)| {
            let asked = Asked::Commit {
                generation: -1,
                offsets: vec![(PLACE, offset)],
            };
            pen.ask(client, asked)
        });
        for call in calls {
            pen.acked(call);
        }
        pen.fetched(3);
        pen.expect(broken);
    }
    // Refused, it is never there.
    let mut pen = committed();
    let call = pen.commit(-1, 5);
    pen.told(call, Told::Refused(25));
    pen.fetched(5);
    pen.expect(promise);
}

#[test]
fn what_was_deleted_may_be_missing_and_may_not_be_there() {
    let promise = Some(super::commits::PROMISE);
    let deleted = |answered: bool| {
        let mut pen = Pen::new();
        let call = pen.commit(-1, 3);
        pen.acked(call);
        let call = pen.ask(2, Asked::DeleteGroup);
        if answered {
            pen.told(call, Told::Done);
        }
        pen
    };
    for (answered, found, broken) in [
        (true, -1, None),
        (true, 3, promise),
        (false, -1, None),
        (false, 3, None),
    ] {
        let mut pen = deleted(answered);
        pen.fetched(found);
        pen.expect(broken);
    }
    // A deletion that was answered takes nothing later.
    let mut pen = deleted(true);
    let call = pen.commit(-1, 4);
    pen.acked(call);
    pen.fetched(-1);
    pen.expect(promise);
    let mut pen = Pen::new();
    let call = pen.commit(-1, 3);
    pen.acked(call);
    let call = pen.ask(2, Asked::DeleteGroup);
    pen.told(call, Told::Refused(68));
    pen.fetched(-1);
    pen.expect(promise);
}

#[test]
fn what_is_too_old_may_be_missing_and_what_a_cut_may_take_is_known_no_more() {
    let promise = Some(super::commits::PROMISE);
    let aged = |live: Option<u64>, now: u64| {
        let mut pen = Pen::new();
        pen.history.offsets_live = live;
        let call = pen.commit(-1, 3);
        pen.acked(call);
        pen.now = now;
        pen
    };
    let second = 1_000_000_000;
    for (live, now, broken) in [
        (Some(second), second, None),
        (Some(second), second / 2, promise),
        (None, second, promise),
    ] {
        let mut pen = aged(live, now);
        pen.fetched(-1);
        pen.expect(broken);
        // Old or not, it is not something else.
        let mut pen = aged(live, now);
        pen.fetched(2);
        pen.expect(promise);
    }
    for (weak, cut, broken) in [
        (true, Fact::PowerCut, None),
        (true, Fact::Killed, promise),
        (false, Fact::PowerCut, promise),
    ] {
        let mut pen = Pen::new();
        if weak {
            pen.note(Fact::OffsetsWeak);
        }
        let call = pen.commit(-1, 3);
        pen.acked(call);
        pen.note(cut);
        pen.life += 1;
        pen.fetched(-1);
        pen.expect(broken);
        // What came after the cut is known.
        let call = pen.commit(-1, 4);
        pen.acked(call);
        pen.fetched(-1);
        pen.expect(promise);
    }
}

#[test]
fn generations_that_go_down_or_repeat_are_seen() {
    let promise = Some(super::generations::PROMISE);
    let mut pen = Pen::new();
    pen.joined(1, 2, true);
    pen.joined(2, 2, false);
    pen.joined(2, 3, true);
    pen.expect(None);
    pen.joined(1, 2, false);
    pen.expect(promise);

    // Begun and not complete, a crash may give it up; what it was it is never again.
    let begun = || {
        let mut pen = Pen::new();
        pen.joined(1, 2, true);
        pen.synced(1, 2, 1, &[(1, 0)], Some(0));
        pen.joined(1, 3, true);
        pen
    };
    let mut pen = begun();
    pen.crash();
    pen.joined(2, 2, false);
    pen.expect(None);
    let mut pen = begun();
    pen.synced(1, 3, 2, &[(1, 0)], Some(0));
    pen.crash();
    pen.joined(2, 2, false);
    pen.expect(promise);
    let mut pen = begun();
    pen.crash();
    pen.joined(1, 3, true);
    pen.expect(promise);

    // A group that was deleted begins anew.
    let mut pen = begun();
    let call = pen.ask(2, Asked::DeleteGroup);
    pen.told(call, Told::Done);
    pen.joined(1, 1, true);
    pen.expect(None);
}

#[test]
fn units_with_two_owners_are_seen() {
    let promise = Some(super::owners::PROMISE);
    let assigned = |second: u8, serial: u32| {
        let mut pen = Pen::new();
        pen.joined(1, 2, true);
        pen.joined(2, 2, false);
        pen.synced(1, 2, 1, &[(1, 0), (2, 1)], Some(0));
        pen.synced(2, 2, serial, &[], Some(second));
        pen
    };
    assigned(1, 1).expect(None);
    assigned(0, 1).expect(promise);
    assigned(1, 2).expect(promise);
    // A leader that assigns twice: one counts.
    let mut pen = assigned(1, 1);
    pen.synced(1, 2, 7, &[(1, 3), (2, 4)], Some(3));
    pen.expect(promise);
    let mut pen = Pen::new();
    pen.joined(1, 2, true);
    pen.synced(1, 2, 1, &[(1, 0)], None);
    pen.expect(promise);
}

#[test]
fn who_is_heard_under_an_old_generation_is_seen() {
    let promise = Some(super::fenced::PROMISE);
    let begun = |complete: bool| {
        let mut pen = Pen::new();
        pen.joined(1, 2, true);
        pen.synced(1, 2, 1, &[(1, 0)], Some(0));
        pen.joined(2, 3, true);
        if complete {
            pen.synced(2, 3, 2, &[(2, 0)], Some(0));
        }
        pen
    };
    for complete in [false, true] {
        let mut pen = begun(complete);
        let call = pen.commit(2, 5);
        pen.told(call, Told::Refused(22));
        pen.expect(None);
        let mut pen = begun(complete);
        let call = pen.commit(2, 5);
        pen.acked(call);
        pen.expect(promise);
        let mut pen = begun(complete);
        pen.beats(2);
        pen.expect(promise);
        // A crash gives up a generation that is not complete.
        let mut pen = begun(complete);
        pen.crash();
        let call = pen.commit(2, 5);
        pen.acked(call);
        pen.expect(promise.filter(|_| complete));
        // A heartbeat is answered before anybody knows.
        let mut pen = begun(complete);
        pen.crash();
        pen.beats(2);
        pen.expect(None);
    }
}

#[test]
fn a_group_that_is_not_stable_again_is_seen() {
    let mut pen = Pen::new();
    pen.joined(1, 2, true);
    pen.note(Fact::Healed);
    pen.expect(Some(stable::PROMISE));
    pen.note(Fact::GroupStable(GROUP));
    pen.expect(None);
}
