//! ListGroups (16): every group of this broker.
//!
//! * 0 · 1 throttle time · 2 as 1 · 3 flexible · 4 states (KIP-518) · 5 types (KIP-848)
//!
//! Every shard is asked, and while one still reads its groups the answer is COORDINATOR_LOAD_IN_PROGRESS. Who may
//! describe the cluster sees all groups, others those they may describe. A filter of unknown states or types lets nothing
//! through, as Kafka's; all groups here are of type `classic`.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use corelane_engine::call::CallBody;
use corelane_engine::group::call::{self, GroupsListed, OFFSETS_TOPIC};
use corelane_engine::types::ShardId;

use crate::api::group::GroupWork;
use crate::context::{Operation, Resource, shown_group, throttle_ms};
use crate::desk::{Desk, Encoded, Outcome, Request, Started};
use crate::error_code::ErrorCode;
use crate::protocol::Str;
use crate::protocol::list_groups_request::ListGroupsRequest;
use crate::protocol::list_groups_response::{ListGroupsResponse, ListedGroup};

/// The only type of groups there is.
const CLASSIC: &str = "classic";

/// A request whose shards are being asked.
#[derive(Debug)]
pub struct ListGroups {
    filter: Filter,
    /// By shard: one order, whoever answers first.
    listed: BTreeMap<ShardId, Vec<ListedGroup>>,
    missing: u16,
    loading: bool,
}

/// What a client wants to see.
#[derive(Debug)]
struct Filter {
    /// In lower case; empty: all.
    states: BTreeSet<String>,
    classic: bool,
}

impl Filter {
    /// States are compared without case and blanks around them, types without case: as `GroupMetadataManager.listGroups`.
    fn of(message: &ListGroupsRequest) -> Filter {
        let states = message.states_filter.iter();
        let types = &message.types_filter;
        Filter {
            states: states
                .map(|state| state.to_lowercase().trim_matches(|c| c <= ' ').to_owned())
                .collect(),
            classic: types.is_empty() || types.iter().any(|t| t.to_lowercase() == CLASSIC),
        }
    }

    fn passes(&self, group: &call::ListedGroup) -> bool {
        self.classic
            && (self.states.is_empty()
                || self
                    .states
                    .contains(group.state.name().to_lowercase().as_str()))
    }
}

/// Starts a request. It is a barrier: nothing else is under way on its connection.
pub fn start(desk: &mut Desk, request: &Request, body: &Bytes) -> Started {
    let message: ListGroupsRequest = match request.decode(body) {
        Ok(message) => message,
        Err(reason) => return Started::Close(reason),
    };
    let mut work = ListGroups {
        filter: Filter::of(&message),
        listed: BTreeMap::new(),
        missing: 0,
        loading: false,
    };
    if desk.image.topic(OFFSETS_TOPIC).is_none() {
        return Started::Answer(work.answer(desk, request));
    }
    for shard in (0..desk.shards).map(ShardId) {
        desk.call(shard, request.token, CallBody::ListGroups);
        work.missing += 1;
    }
    GroupWork::ListGroups(work).started()
}

impl ListGroups {
    /// One shard answered.
    pub fn on_listed(
        &mut self,
        desk: &Desk,
        request: &Request,
        from: ShardId,
        listed: GroupsListed,
    ) -> Option<Outcome> {
        let context = &request.context;
        let sees_all = desk.allows(context, Operation::Describe, Resource::Cluster);
        let describes =
            |group: &str| desk.allows(context, Operation::Describe, Resource::Group(group));
        let groups = listed.groups.into_iter();
        let groups = groups
            .filter(|group| self.filter.passes(group))
            .filter(|group| sees_all || describes(shown_group(context, &group.group)))
            .map(|group| ListedGroup {
                group_id: shown_group(context, &group.group).into(),
                protocol_type: group.protocol_type.into(),
                group_state: Str::from_static(group.state.name()),
                group_type: Str::from_static(CLASSIC),
            });
        let groups = groups.collect();
        self.loading |= listed.loading;
        let again = self.listed.insert(from, groups);
        assert!(again.is_none(), "shard {from:?} answered twice");
        self.missing -= 1;
        (self.missing == 0).then(|| Outcome::Reply(self.answer(desk, request)))
    }

    fn answer(&mut self, desk: &Desk, request: &Request) -> Encoded {
        let (code, groups) = match self.loading {
            true => (ErrorCode::CoordinatorLoadInProgress, Vec::new()),
            false => {
                let listed = std::mem::take(&mut self.listed);
                (ErrorCode::None, listed.into_values().flatten().collect())
            }
        };
        request.encode(&ListGroupsResponse {
            throttle_time_ms: throttle_ms(&request.context, desk.now),
            error_code: code.code(),
            groups,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use corelane_engine::group::call::GroupState;

    #[test]
    fn filters_are_kafkas() {
        for (states, types, passes) in [
            (&[][..], &[][..], true),
            (&["Stable"], &[], true),
            (&["sTABLE "], &["Classic"], true),
            (&["Empty"], &[], false),
            (&["Empty", "stable"], &["consumer", "CLASSIC"], true),
            (&["nonsense"], &[], false),
            (&[""], &[], false),
            (&[], &["consumer"], false),
            (&[], &["nonsense"], false),
            (&[], &[" classic"], false),
        ] {
            let words = |words: &[&str]| words.iter().map(|&word| word.into()).collect();
            let filter = Filter::of(&ListGroupsRequest {
                states_filter: words(states),
                types_filter: words(types),
            });
            let group = call::ListedGroup {
                group: "g".to_owned(),
                protocol_type: "consumer".to_owned(),
                state: GroupState::Stable,
            };
            assert_eq!(filter.passes(&group), passes, "{states:?} {types:?}");
        }
    }
}
