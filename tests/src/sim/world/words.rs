//! Events in words, for who reads the trace of a seed.

use corelane_engine::disk::{DiskOp, DiskRequest};

use super::{ClientEvent, Kind};
use crate::sim::disk::file_of;

pub(super) fn words(path: &str, kind: Kind, request: &DiskRequest) -> String {
    let what = match &request.op {
        DiskOp::Write {
            position, bytes, ..
        } => format!("{position} + {}", bytes.len()),
        DiskOp::Read { position, into, .. } => format!("{position} + {}", into.capacity()),
        DiskOp::Allocate {
            position, length, ..
        } => format!("{position} + {length}"),
        DiskOp::Truncate { length, .. } => format!("to {length}"),
        DiskOp::Rename { from, .. } => format!("from {from}"),
        _ => String::new(),
    };
    let file = file_of(&request.op).map_or(String::new(), |file| format!("#{}", file.0));
    format!("  {kind:?} {path}{file} {what}")
}

pub(super) fn client_words(event: &ClientEvent) -> String {
    match event {
        ClientEvent::Wake => "wakes".to_owned(),
        ClientEvent::Connected { conn, .. } => format!("connected {}", conn.0),
        ClientEvent::Refused => "refused".to_owned(),
        ClientEvent::Data { conn, bytes } => format!("gets {} bytes on {}", bytes.len(), conn.0),
        ClientEvent::Closed { conn } => format!("closed {}", conn.0),
    }
}
