//! What a shard does with connections that hold what others need: silent ones, half-received frames, answers not taken.
//!
//! ```text
//!  memory short ─► half frames that come too slowly ─► closed · frames held behind a wait ─► the wait ends early
//!  nothing passed for idle_max, nothing under way ─► closed
//!  answers not taken ─► looked at after a while ─┬─ moves ─► again later
//!                                                ├─ stuck ─► recalled, then copied out of the log's memory
//!                                                └─ stuck for long, memory short ─► closed
//! ```

use std::time::Duration;

use super::Worker;
use crate::api::CloseReason;
use crate::conn::{Conn, STALL};
use crate::desk::Work;
use crate::event::{ConnId, Outbox};
use crate::storage::Storage;
use crate::unsent::{Look, SLOW};

/// How often half-received frames are looked at while others wait for memory.
pub(super) const STALL_CHECK: Duration = Duration::from_secs(STALL.as_secs() / 4);
/// Answers of peers that do not read them that are copied in one pass.
const COPY_BYTES_A_PASS: usize = 1 << 20;

impl<S: Storage> Worker<S> {
    /// While others wait for memory, takes it back: from half frames that come too slowly, and from frames that are
    /// held behind requests that wait for something new. Every few seconds at most.
    pub(super) fn close_stalled(&mut self, out: &mut Outbox) {
        let now = self.desk.now.mono;
        if self.stall_check.is_none_or(|at| at > now) {
            return;
        }
        self.stall_check = None;
        if self.starved.is_empty() {
            return;
        }
        self.stall_check = Some(now.after(STALL_CHECK));
        let named = |conn: &Conn| conn.id;
        let stalled = self.conns.values().filter(|conn| conn.is_stalled(now));
        let stalled: Vec<ConnId> = stalled.map(named).collect();
        let holding = self.conns.values().filter(|conn| conn.is_holding());
        let holding: Vec<ConnId> = holding.map(named).collect();
        for id in stalled {
            self.close(id, &CloseReason::Stalled, out);
        }
        for id in holding {
            self.press_all(id, Work::hurry, out);
        }
    }

    /// Closes connections over which nothing has passed for long, and that wait for nothing: a member may wait an hour for
    /// the others of its group. Each is looked at once in that time.
    pub(super) fn close_idle(&mut self, out: &mut Outbox) {
        let now = self.desk.now.mono;
        while let Some(&(at, id)) = self.idle.first()
            && at <= now
        {
            self.idle.pop_first();
            let Some(conn) = self.conns.get_mut(&id) else {
                continue;
            };
            let due = match conn.is_idle() {
                true => conn.moved.after(self.idle_max),
                false => now.after(self.idle_max),
            };
            if due <= now {
                self.close(id, &CloseReason::Idle, out);
                continue;
            }
            conn.idle_check = due;
            self.idle.insert((due, id));
        }
    }

    /// Looks at connections whose peers had not taken all answers a while ago. See [`crate::unsent`].
    pub(super) fn look_at_unsent(&mut self, out: &mut Outbox) {
        let now = self.desk.now.mono;
        while let Some(&(at, id)) = self.unsent.front()
            && at <= now
        {
            self.unsent.pop_front();
            let Some(conn) = self.conns.get_mut(&id) else {
                continue;
            };
            match conn.look(now) {
                Look::Gone => {
                    conn.looked_at = false;
                    continue;
                }
                Look::Moves => {}
                Look::Stuck
                    if self.desk.answers.is_short()
                        && conn.stuck_since().is_some_and(|at| now.since(at) >= STALL) =>
                {
                    self.close(id, &CloseReason::Deaf, out);
                    continue;
                }
                Look::Stuck => match conn.recall() {
                    Some(recall) => out.sockets.push(recall),
                    None => self.copy_later(id),
                },
            }
            self.unsent.push_back((now.after(SLOW), id));
        }
    }

    pub(super) fn copy_later(&mut self, id: ConnId) {
        if let Some(conn) = self.conns.get_mut(&id)
            && !std::mem::replace(&mut conn.copied, true)
        {
            self.copying.push_back(id);
        }
    }

    /// Copies a little of what peers do not take.
    pub(super) fn copy_unsent(&mut self) {
        let mut left = COPY_BYTES_A_PASS;
        while left > 0
            && let Some(&id) = self.copying.front()
        {
            let Some(conn) = self.conns.get_mut(&id) else {
                self.copying.pop_front();
                continue;
            };
            match conn.copy(left) {
                Ok(copied) => {
                    conn.copied = false;
                    self.copying.pop_front();
                    left = left.saturating_sub(copied);
                }
                Err(_) => left = 0,
            }
            self.list(id);
        }
    }
}
