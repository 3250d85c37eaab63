//! InitProducerId (22): a number under which a producer's batches are told apart from repeats.
//!
//! * 0 · 1 as 0 · 2 flexible · 3 the producer's current id and epoch, to raise the epoch (KIP-360) · 4 PRODUCER_FENCED
//! * 5 as 4 (transactions V2)
//!
//! Without a transactional id every request gets a new id with epoch 0; a current id and epoch are checked for being
//! given together and otherwise ignored, as by Kafka. Left out: transactional ids. They get
//! TRANSACTIONAL_ID_AUTHORIZATION_FAILED, which every client takes as final; an empty one gets INVALID_REQUEST.

use std::collections::VecDeque;

use bytes::Bytes;
use corelane_engine::call::RequestToken;
use corelane_engine::types::Now;

use crate::context::{Operation, Resource, throttle_ms};
use crate::desk::{Desk, Encoded, Outcome, Request, Started, Waiting, Work};
use crate::error_code::ErrorCode;
use crate::protocol::init_producer_id_request::InitProducerIdRequest;
use crate::protocol::init_producer_id_response::InitProducerIdResponse;

/// Ids of this shard, taken from the controller a block at a time. Per shard.
#[derive(Debug, Default)]
pub struct ProducerIds {
    next: i64,
    end: i64,
    asked: bool,
    waiting: VecDeque<RequestToken>,
}

impl ProducerIds {
    fn take(&mut self) -> Option<i64> {
        if self.next == self.end {
            return None;
        }
        self.next += 1;
        Some(self.next - 1)
    }

    /// The controller gave a block, `first..end`; the requests that waited for it, as many as it serves.
    pub fn on_block(&mut self, first: i64, end: i64) -> Vec<(RequestToken, i64)> {
        assert!(first < end, "an empty block of producer ids");
        assert!(
            self.next == self.end,
            "asked for a block while there was one"
        );
        (self.next, self.end, self.asked) = (first, end, false);
        let mut served = Vec::new();
        while !self.waiting.is_empty()
            && let Some(id) = self.take()
            && let Some(token) = self.waiting.pop_front()
        {
            served.push((token, id));
        }
        served
    }

    /// The controller gave none: the requests that waited.
    pub fn on_refused(&mut self) -> Vec<RequestToken> {
        self.asked = false;
        self.waiting.drain(..).collect()
    }

    /// Whether a block must be asked for now; counts as asked.
    pub fn must_ask(&mut self) -> bool {
        let must = !self.asked && !self.waiting.is_empty();
        self.asked |= must;
        must
    }
}

/// Starts a request.
pub fn start(desk: &mut Desk, request: &Request, body: &Bytes) -> Started {
    let message: InitProducerIdRequest = match request.decode(body) {
        Ok(message) => message,
        Err(reason) => return Started::Close(reason),
    };
    let allowed = desk.allows(
        &request.context,
        Operation::IdempotentWrite,
        Resource::Cluster,
    );
    let refused = match message.transactional_id.as_deref() {
        Some("") => Some(ErrorCode::InvalidRequest),
        Some(_) => Some(ErrorCode::TransactionalIdAuthorizationFailed),
        None if !allowed => Some(ErrorCode::ClusterAuthorizationFailed),
        None if (message.producer_id == -1) != (message.producer_epoch == -1) => {
            Some(ErrorCode::InvalidRequest)
        }
        None => None,
    };
    if let Some(code) = refused {
        return Started::Answer(refusal(request, desk.now, code));
    }
    match desk.producer_ids.take() {
        Some(id) => Started::Answer(answer(request, desk.now, id)),
        None => {
            desk.producer_ids.waiting.push_back(request.token);
            Started::Waiting(Waiting {
                work: Work::InitProducerId,
                deadline: None,
                answered: true,
            })
        }
    }
}

/// A producer id was found for a request that waited.
pub fn on_id(request: &Request, now: Now, id: i64) -> Outcome {
    Outcome::Reply(answer(request, now, id))
}

/// None was.
pub fn on_refused(request: &Request, now: Now, code: ErrorCode) -> Outcome {
    Outcome::Reply(refusal(request, now, code))
}

fn answer(request: &Request, now: Now, producer_id: i64) -> Encoded {
    request.encode(&InitProducerIdResponse {
        throttle_time_ms: throttle_ms(&request.context, now),
        producer_id,
        producer_epoch: 0,
        ..InitProducerIdResponse::default()
    })
}

fn refusal(request: &Request, now: Now, code: ErrorCode) -> Encoded {
    request.encode(&InitProducerIdResponse {
        throttle_time_ms: throttle_ms(&request.context, now),
        error_code: code.code(),
        producer_id: -1,
        producer_epoch: -1,
        ..InitProducerIdResponse::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_serves_those_who_waited_and_then_the_rest() {
        let mut ids = ProducerIds::default();
        assert_eq!(ids.take(), None);
        ids.waiting.extend([1, 2, 3].map(RequestToken));
        assert!(ids.must_ask());
        assert!(!ids.must_ask(), "one block at a time");
        assert_eq!(
            ids.on_block(10, 12),
            [(RequestToken(1), 10), (RequestToken(2), 11)]
        );
        assert!(ids.must_ask(), "the third still waits");
        assert_eq!(ids.on_block(20, 30), [(RequestToken(3), 20)]);
        assert_eq!(ids.take(), Some(21));
        assert!(!ids.must_ask());
    }
}
