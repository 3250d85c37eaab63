//! The metadata's Raft group on this node: `raft`'s pure machine over our log. A group of one for now.
//!
//! ```text
//!  propose ─► RawNode ── Ready{entries} ─► MetadataLog.append ─► disk ─► on_persist_ready ─► Ready{committed} ─► settle
//!                └─► Tail: the entries since the snapshot, in memory
//! ```
//!
//! An entry counts as persisted only once its group is flushed. While a group is under way no further Ready is taken, so
//! that everything proposed meanwhile goes into the next group. Entries cross the disk in our encoding, not protobuf.

use bytes::Bytes;
use raft::eraftpb::{ConfState, Entry, EntryType, HardState as RaftHard, Snapshot};
use raft::{Config, GetEntriesContext, RaftState, RawNode, StateRole, Storage, StorageError};

use super::command::{Quorum, QuorumMember};
use super::log_format::{Base, HardState, LogEntry};
use super::metadata_log::{Done, LogEnd, MetadataLog};
use super::recovery::{Recovered, node_of, raft_id};
use crate::disk::{DiskDone, DiskRequest, FileId};
use crate::fatal::Fatal;
use crate::types::NodeId;

/// Ticks before an election, of a clock that a group of one never needs.
const ELECTION_TICKS: usize = 10;

/// A committed entry that carries records.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Committed {
    pub index: u64,
    pub records: Bytes,
}

/// Per node, on shard 0.
pub struct RaftGroup {
    node: RawNode<Tail>,
    log: MetadataLog,
    /// The number of the Ready whose group is under way.
    writing: Option<u64>,
    /// Index of the last entry given out as committed.
    applied: u64,
}

impl RaftGroup {
    /// Goes on where recovery ended. `spare`: two free slots in the table of open files.
    pub fn new(node: NodeId, recovered: Recovered, spare: [FileId; 2]) -> RaftGroup {
        let Recovered {
            limits,
            end,
            hard,
            base,
            entries,
            ..
        } = recovered;
        let config = Config {
            id: raft_id(node),
            election_tick: ELECTION_TICKS,
            heartbeat_tick: 1,
            // raft-rs draws its own random number in this range: of one, so that nothing depends on the draw.
            min_election_tick: ELECTION_TICKS,
            max_election_tick: ELECTION_TICKS + 1,
            max_size_per_msg: 1 << 20,
            applied: hard.commit,
            ..Config::default()
        };
        let tail = Tail {
            base,
            hard,
            entries: entries.into_iter().map(raft_entry).collect(),
        };
        let logger = slog::Logger::root(slog::Discard, slog::o!());
        let node = RawNode::new(&config, tail, &logger).expect("recovery checked what Raft needs");
        RaftGroup {
            node,
            log: MetadataLog::new(limits, end, spare),
            writing: None,
            applied: hard.commit,
        }
    }

    /// Where the log ends, as far as all is flushed.
    pub fn log_end(&self) -> LogEnd {
        self.log.end()
    }

    /// Nothing is under way.
    pub fn is_idle(&self) -> bool {
        self.log.is_idle() && !self.node.has_ready()
    }

    /// May propose: a group of one leads from its first `settle` on.
    pub fn is_leader(&self) -> bool {
        self.node.raft.state == StateRole::Leader
    }

    /// Index of the snapshot in use; 0: none yet.
    pub fn snapshot_index(&self) -> u64 {
        self.log.snapshot_index()
    }

    /// The group as this node, which leads it, sees it.
    pub fn quorum(&self) -> Quorum {
        assert!(
            self.is_leader(),
            "only a leader knows how far the others are"
        );
        let raft = &self.node.raft;
        let progress = raft.prs();
        let is_voter = |id: u64| progress.conf().voters().contains(id);
        let members = |wanted: bool| {
            let members = progress.iter().filter(|(id, _)| is_voter(**id) == wanted);
            let mut members: Vec<QuorumMember> = members
                .map(|(id, progress)| QuorumMember {
                    node: node_of(*id),
                    directory: [0; 16],
                    log_end: progress.matched + 1,
                })
                .collect();
            members.sort_by_key(|member| member.node);
            members
        };
        Quorum {
            leader: node_of(raft.id),
            term: raft.term,
            high_watermark: raft.raft_log.committed + 1,
            voters: members(true),
            observers: members(false),
        }
    }

    /// Appends an entry; `settle` gives it back once it is committed.
    pub fn propose(&mut self, records: Bytes) {
        assert!(self.is_leader(), "only a leader proposes");
        self.node
            .propose(Vec::new(), records.into())
            .expect("a leader without bounds on its log takes every entry");
    }

    /// The log file is filled, and nothing is under way: call [`RaftGroup::snapshot`].
    pub fn wants_snapshot(&self) -> bool {
        self.log.is_full() && self.log.is_idle() && !self.node.has_ready()
    }

    /// Replaces the entries so far by `records`, the whole image after the last committed entry.
    pub fn snapshot(&mut self, records: &[u8], out: &mut Vec<DiskRequest>) {
        assert!(self.wants_snapshot(), "nothing may be under way");
        let index = self.applied;
        let tail = self.node.mut_store();
        assert_eq!(
            index,
            tail.last(),
            "everything persisted is committed in a group of one"
        );
        tail.cut(index);
        self.log.roll(&tail.base, tail.hard, records, out);
    }

    pub fn on_disk(&mut self, done: DiskDone, out: &mut Vec<DiskRequest>) -> Result<(), Fatal> {
        match self.log.on_disk(done, out)? {
            None | Some(Done::Rolled) => {}
            Some(Done::Appended) => {
                let number = self.writing.take().expect("a group belongs to a Ready");
                self.node.on_persist_ready(number);
            }
        }
        Ok(())
    }

    /// Moves on as far as it can without a completion; gives the entries that are now committed.
    pub fn settle(&mut self, out: &mut Vec<DiskRequest>) -> Vec<Committed> {
        if self.node.raft.state == StateRole::Follower && self.only_voter() {
            self.node.campaign().expect("a single voter may campaign");
        }
        let mut committed = Vec::new();
        while self.log.is_idle() && self.node.has_ready() {
            let mut ready = self.node.ready();
            for entry in ready.take_committed_entries() {
                self.applied = entry.index;
                if !entry.data.is_empty() {
                    committed.push(Committed {
                        index: entry.index,
                        records: entry.data,
                    });
                }
            }
            let tail = self.node.mut_store();
            if let Some(hard) = ready.hs() {
                tail.hard = HardState {
                    term: hard.term,
                    vote: hard.vote,
                    commit: hard.commit,
                };
            }
            let entries = ready.take_entries();
            let (hard, number) = (tail.hard, ready.number());
            let new: Vec<LogEntry> = entries.iter().map(log_entry).collect();
            tail.append(entries);
            let must_sync = ready.must_sync();
            self.node.advance_append_async(ready);
            self.node.advance_apply_to(self.applied);
            if must_sync {
                self.writing = Some(number);
                self.log.append(hard, &new, out);
            } else {
                // Only the commit index moved: a restart finds it out by itself.
                self.node.on_persist_ready(number);
            }
        }
        committed
    }

    fn only_voter(&self) -> bool {
        self.node.store().base.voters == [self.node.raft.id]
    }
}

/// What Raft reads back: the entries since the snapshot.
struct Tail {
    base: Base,
    hard: HardState,
    entries: Vec<Entry>,
}

impl Tail {
    fn last(&self) -> u64 {
        self.base.index + self.entries.len() as u64
    }

    fn append(&mut self, entries: Vec<Entry>) {
        if let Some(first) = entries.first() {
            assert_eq!(first.index, self.last() + 1, "a leader only appends");
            self.entries.extend(entries);
        }
    }

    /// Forgets the entries up to `index`.
    fn cut(&mut self, index: u64) {
        self.base.term = self.term(index).expect("a committed entry is known");
        self.entries.drain(..(index - self.base.index) as usize);
        self.base.index = index;
    }
}

impl Storage for Tail {
    fn initial_state(&self) -> raft::Result<RaftState> {
        let mut hard = RaftHard::default();
        (hard.term, hard.vote, hard.commit) = (self.hard.term, self.hard.vote, self.hard.commit);
        let mut voters = ConfState::default();
        voters.voters.clone_from(&self.base.voters);
        Ok(RaftState::new(hard, voters))
    }

    fn entries(
        &self,
        low: u64,
        high: u64,
        max_size: impl Into<Option<u64>>,
        _context: GetEntriesContext,
    ) -> raft::Result<Vec<Entry>> {
        if low <= self.base.index {
            return Err(StorageError::Compacted.into());
        }
        assert!(high <= self.last() + 1, "{high} is beyond {}", self.last());
        let at = |index: u64| (index - self.base.index - 1) as usize;
        let mut entries = self.entries[at(low)..at(high)].to_vec();
        raft::util::limit_size(&mut entries, max_size.into());
        Ok(entries)
    }

    fn term(&self, index: u64) -> raft::Result<u64> {
        if index == self.base.index {
            return Ok(self.base.term);
        }
        let at = index
            .checked_sub(self.base.index + 1)
            .ok_or(StorageError::Compacted)?;
        let entry = self.entries.get(at as usize);
        Ok(entry.ok_or(StorageError::Unavailable)?.term)
    }

    fn first_index(&self) -> raft::Result<u64> {
        Ok(self.base.index + 1)
    }

    fn last_index(&self) -> raft::Result<u64> {
        Ok(self.last())
    }

    /// Nobody asks while the group has one member.
    fn snapshot(&self, _request_index: u64, _to: u64) -> raft::Result<Snapshot> {
        Err(StorageError::SnapshotTemporarilyUnavailable.into())
    }
}

fn raft_entry(entry: LogEntry) -> Entry {
    let mut out = Entry::default();
    (out.index, out.term, out.data) = (entry.index, entry.term, entry.data);
    out
}

fn log_entry(entry: &Entry) -> LogEntry {
    assert_eq!(
        entry.get_entry_type(),
        EntryType::EntryNormal,
        "voters do not change yet"
    );
    LogEntry {
        index: entry.index,
        term: entry.term,
        data: entry.data.clone(),
    }
}
