//! DeleteGroups (42): groups without members, and all they have committed.
//!
//! * 0 · 1 as 0 · 2 flexible
//!
//! Answered once their end is durable. A group named twice is deleted once; those that may not be deleted come last, as
//! Kafka's.

use std::collections::BTreeSet;

use bytes::Bytes;
use corelane_engine::group::call::{GroupAsk, GroupDone, GroupError};

use crate::api::group::{self, Asks, GroupWork};
use crate::context::{Operation, Resource, throttle_ms};
use crate::desk::{Desk, Encoded, Outcome, Request, Started};
use crate::error_code::{self, ErrorCode};
use crate::protocol::Str;
use crate::protocol::delete_groups_request::DeleteGroupsRequest;
use crate::protocol::delete_groups_response::{DeletableGroupResult, DeleteGroupsResponse};

/// A request whose groups are being deleted.
#[derive(Debug)]
pub struct DeleteGroups {
    results: Vec<DeletableGroupResult>,
    missing: usize,
}

/// Starts a request. It is a barrier: nothing else is under way on its connection.
pub fn start(desk: &mut Desk, request: &Request, body: &Bytes) -> Started {
    let message: DeleteGroupsRequest = match request.decode(body) {
        Ok(message) => message,
        Err(reason) => return Started::Close(reason),
    };
    let mut work = DeleteGroups {
        results: Vec::new(),
        missing: 0,
    };
    let mut asks = Asks::new(desk);
    let mut seen = BTreeSet::new();
    let mut denied = Vec::new();
    for group in message.groups_names {
        if !seen.insert(group.clone()) {
            continue;
        }
        if !desk.allows(&request.context, Operation::Delete, Resource::Group(&group)) {
            denied.push(deleted(group, ErrorCode::GroupAuthorizationFailed));
            continue;
        }
        let slot = work.results.len() as u32;
        let code = match asks.add(desk, &request.context, slot, &group, GroupAsk::Delete) {
            Ok(()) => {
                work.missing += 1;
                // Until it is answered.
                ErrorCode::UnknownServerError
            }
            Err(error) => error_code::of_group(&error),
        };
        work.results.push(deleted(group, code));
    }
    work.results.extend(denied);
    if work.missing == 0 {
        return Started::Answer(work.answer(desk, request));
    }
    asks.make(desk, request);
    GroupWork::DeleteGroups(work).started()
}

fn deleted(group_id: Str, code: ErrorCode) -> DeletableGroupResult {
    DeletableGroupResult {
        group_id,
        error_code: code.code(),
    }
}

impl DeleteGroups {
    /// The coordinator of one group answered.
    pub fn on_answer(
        &mut self,
        desk: &Desk,
        request: &Request,
        slot: u32,
        result: Result<GroupDone, GroupError>,
    ) -> Option<Outcome> {
        let code = match group::done(result) {
            Ok(()) => ErrorCode::None,
            Err(error) => error_code::of_group(&error),
        };
        self.results[slot as usize].error_code = code.code();
        self.missing -= 1;
        (self.missing == 0).then(|| Outcome::Reply(self.answer(desk, request)))
    }

    fn answer(&mut self, desk: &Desk, request: &Request) -> Encoded {
        request.encode(&DeleteGroupsResponse {
            throttle_time_ms: throttle_ms(&request.context, desk.now),
            results: std::mem::take(&mut self.results),
        })
    }
}
