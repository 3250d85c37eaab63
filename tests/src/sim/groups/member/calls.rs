//! What a member asks as requests, in the versions that it draws, and what their answers tell it.

use bytes::BytesMut;
use kafka_protocol::messages::{
    DeleteGroupsRequest, FindCoordinatorRequest, HeartbeatRequest, IncrementalAlterConfigsRequest,
    JoinGroupRequest, LeaveGroupRequest, OffsetCommitRequest, OffsetDeleteRequest,
    OffsetFetchRequest, SyncGroupRequest,
};

use super::{Ask, Kind, Member, Waiting};
use crate::harness::wire::decode_response;
use crate::sim::groups::Common;
use crate::sim::groups::story::{Asked, Told};
use crate::sim::groups::wire;
use crate::sim::world::Hands;

impl Member {
    /// A version between two, the older ones for members without an instance only.
    fn version(&mut self, least: i16, least_static: i16, most: i16) -> i16 {
        let least = match self.kind {
            Kind::Static => least_static,
            Kind::Dynamic | Kind::Alone => least,
        };
        least + self.rng.below((most - least + 1) as u64) as i16
    }

    pub(super) fn ask(&mut self, ask: Ask, common: &Common<'_>, hands: &mut Hands) {
        let (version, correlation) = match &ask {
            Ask::Find => {
                let version = self.version(0, 0, 6);
                let request = wire::find_coordinator(self.who.group, version);
                let line = &mut self.line;
                (
                    version,
                    line.send::<FindCoordinatorRequest>(version, &request, hands),
                )
            }
            Ask::Shape(class) => {
                let request = wire::shape(*class);
                let line = &mut self.line;
                (
                    1,
                    line.send::<IncrementalAlterConfigsRequest>(1, &request, hands),
                )
            }
            Ask::Call(_, asked) => match asked {
                Asked::Join { .. } => {
                    let version = self.version(0, 5, 9);
                    let request = wire::join(&self.who, self.timeouts, self.word, version);
                    let line = &mut self.line;
                    (
                        version,
                        line.send::<JoinGroupRequest>(version, &request, hands),
                    )
                }
                Asked::Sync { assignments, .. } => {
                    let version = self.version(0, 3, 5);
                    let request = wire::sync(&self.who, assignments, version);
                    let line = &mut self.line;
                    (
                        version,
                        line.send::<SyncGroupRequest>(version, &request, hands),
                    )
                }
                Asked::Heartbeat { .. } => {
                    let version = self.version(0, 3, 4);
                    let request = wire::heartbeat(&self.who);
                    let line = &mut self.line;
                    (
                        version,
                        line.send::<HeartbeatRequest>(version, &request, hands),
                    )
                }
                Asked::Leave => {
                    let version = self.version(0, 3, 5);
                    let request = wire::leave(&self.who, version);
                    let line = &mut self.line;
                    (
                        version,
                        line.send::<LeaveGroupRequest>(version, &request, hands),
                    )
                }
                Asked::Commit {
                    generation,
                    offsets,
                } => {
                    let version = self.version(2, 7, 9);
                    let request = wire::commit(&self.who, *generation, offsets);
                    let line = &mut self.line;
                    (
                        version,
                        line.send::<OffsetCommitRequest>(version, &request, hands),
                    )
                }
                Asked::Fetch { places } => {
                    let all = places.len() == common.committed.len();
                    let version = self.version(if all { 2 } else { 1 }, 2, 9);
                    let some = (!all).then_some(&places[..]);
                    let request = wire::fetch(self.who.group, some, version);
                    let line = &mut self.line;
                    (
                        version,
                        line.send::<OffsetFetchRequest>(version, &request, hands),
                    )
                }
                Asked::DeleteOffsets { places } => {
                    let request = wire::delete_offsets(self.who.group, places);
                    let line = &mut self.line;
                    (0, line.send::<OffsetDeleteRequest>(0, &request, hands))
                }
                Asked::DeleteGroup => {
                    let version = self.version(0, 0, 2);
                    let request = wire::delete_group(self.who.group);
                    let line = &mut self.line;
                    (
                        version,
                        line.send::<DeleteGroupsRequest>(version, &request, hands),
                    )
                }
            },
        };
        self.waiting.push_back(Waiting {
            correlation,
            version,
            ask,
        });
    }

    /// What an answer says; of a join besides: the members to lead.
    pub(super) fn read(
        &self,
        asked: &Asked,
        version: i16,
        frame: &BytesMut,
    ) -> Result<(Told, Vec<String>), String> {
        let plain = |code: i16| match code {
            0 => Told::Done,
            code => Told::Refused(code),
        };
        let told = match asked {
            Asked::Join { .. } => {
                let (_, answer) = decode_response::<JoinGroupRequest>(version, frame);
                let (told, members) = wire::joined(&answer);
                // The id that it is to come again with.
                let given = vec![answer.member_id.to_string()];
                let members = if answer.error_code == 79 {
                    given
                } else {
                    members
                };
                return Ok((told, members));
            }
            Asked::Sync { .. } => {
                let (_, answer) = decode_response::<SyncGroupRequest>(version, frame);
                wire::synced(&answer)?
            }
            Asked::Heartbeat { .. } => {
                let (_, answer) = decode_response::<HeartbeatRequest>(version, frame);
                plain(answer.error_code)
            }
            Asked::Leave => {
                let (_, answer) = decode_response::<LeaveGroupRequest>(version, frame);
                let code = answer.members.first().map_or(0, |m| m.error_code);
                plain(if answer.error_code == 0 {
                    code
                } else {
                    answer.error_code
                })
            }
            Asked::Commit { .. } => {
                let (_, answer) = decode_response::<OffsetCommitRequest>(version, frame);
                wire::committed(&answer)?
            }
            Asked::Fetch { places } => {
                let (_, answer) = decode_response::<OffsetFetchRequest>(version, frame);
                wire::fetched(&answer, places, version)?
            }
            Asked::DeleteOffsets { .. } => {
                let (_, answer) = decode_response::<OffsetDeleteRequest>(version, frame);
                wire::offsets_deleted(&answer)?
            }
            Asked::DeleteGroup => {
                let (_, answer) = decode_response::<DeleteGroupsRequest>(version, frame);
                plain(answer.results[0].error_code)
            }
        };
        Ok((told, Vec::new()))
    }
}
