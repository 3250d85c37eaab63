//! Whose data directory this is: `corelane.identity`, written last; and whether the last stop was clean: `clean`.
//!
//! ```text
//!  no identity, nothing else   ─► Fresh: the caller formats all it keeps here ─► Identity::write ─► Existing from now on
//!  no identity, but data       ─► refused by name
//!  identity of another node    ─► refused by name
//!
//!  clean stop: all is flushed ─► mark_clean        start: read_clean ─► where the metadata log ended, to be found there again
//!                                                         forget_clean: durably gone before the first append
//! ```

use bytes::{BufMut, Bytes, BytesMut};

use super::codec::{CodecError, Reader};
use super::frame::{self, Kind};
use super::metadata_log::LogEnd;
use super::recovery::{failed, holds_entries};
use crate::disk::DiskError;
use crate::fatal::Fatal;
use crate::flow::Flow;
use crate::rng::Rng;
use crate::types::NodeId;

/// The identity's name in the data directory.
pub const IDENTITY_FILE: &str = "corelane.identity";
const IDENTITY_TEMPORARY: &str = "corelane.identity.tmp";
const CLEAN_FILE: &str = "clean";

/// Longer than any identity of this format.
const FILE_BYTES_MAX: usize = 4096;

/// What a data directory is for ever.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Identity {
    /// The cluster; clients see it as the base64 of these 16 bytes.
    pub cluster: [u8; 16],
    pub directory: [u8; 16],
    pub node: NodeId,
}

/// What `open` found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Opened {
    Existing(Identity),
    /// A directory to format: everything else first, [`Identity::write`] last.
    Fresh(Identity),
}

/// Reads the identity, or draws one for an empty directory. `leftovers`: how the names of files begin that a format
/// cut short may leave besides `meta`; a directory of such a name may hold files but no directories (topics).
pub async fn open(
    flow: &Flow,
    node: NodeId,
    rng: &mut Rng,
    leftovers: &[&str],
) -> Result<Opened, Fatal> {
    let entries = flow.list("").await.map_err(failed("the data directory"))?;
    if entries.iter().any(|e| e.name == IDENTITY_FILE) {
        let identity = read(flow).await?;
        if identity.node != node {
            return Err(Fatal::Directory(format!(
                "it belongs to node {}, not to node {}; give --node-id {} or another --data-dir",
                identity.node.0, node.0, identity.node.0
            )));
        }
        // A name that a killed process gave need not be on disk.
        flow.sync_directory("")
            .await
            .map_err(failed("the data directory"))?;
        return Ok(Opened::Existing(identity));
    }
    for entry in entries {
        let name = entry.name.as_str();
        let data = match name {
            IDENTITY_TEMPORARY | "lost+found" => false,
            "meta" => holds_entries(flow).await?,
            _ if !leftovers.iter().any(|l| name.starts_with(l)) => true,
            _ if entry.directory => {
                let inside = flow.list(name).await.map_err(failed(name))?;
                inside.iter().any(|e| e.directory)
            }
            _ => false,
        };
        if data {
            return Err(Fatal::Directory(format!(
                "it has no {IDENTITY_FILE}, but holds {name}; give an empty directory as --data-dir, or put the \
                 identity file back"
            )));
        }
    }
    Ok(Opened::Fresh(Identity {
        cluster: uuid(rng),
        directory: uuid(rng),
        node,
    }))
}

impl Identity {
    /// Makes a formatted directory ours, durably: temporary, flush, rename, directory sync.
    pub async fn write(&self, flow: &Flow) -> Result<(), Fatal> {
        let bytes = self.encode();
        write_file(flow, IDENTITY_TEMPORARY, bytes).await?;
        flow.rename(IDENTITY_TEMPORARY, IDENTITY_FILE)
            .await
            .map_err(failed(IDENTITY_FILE))?;
        flow.sync_directory("")
            .await
            .map_err(failed("the data directory"))
    }

    fn encode(&self) -> Bytes {
        let mut payload = BytesMut::new();
        payload.put_slice(&self.cluster);
        payload.put_slice(&self.directory);
        payload.put_i32(self.node.0);
        frame::encode(Kind::Identity, &payload).freeze()
    }

    fn decode(bytes: &Bytes) -> Result<Identity, CodecError> {
        let found = frame::decode(bytes)
            .ok_or_else(|| CodecError::Invalid("checksum is wrong".to_owned()))?;
        let mut from = Reader::new(found.of(Kind::Identity)?, "identity");
        let identity = Identity {
            cluster: from.bytes16()?,
            directory: from.bytes16()?,
            node: NodeId(from.i32()?),
        };
        from.end()?;
        Ok(identity)
    }
}

/// Reads the identity of a directory that has one.
pub async fn read(flow: &Flow) -> Result<Identity, Fatal> {
    let failed = failed(IDENTITY_FILE);
    let file = flow
        .open(IDENTITY_FILE, false, false)
        .await
        .map_err(&failed)?;
    let bytes = flow
        .read(file, 0, BytesMut::with_capacity(FILE_BYTES_MAX))
        .await
        .map_err(&failed)?;
    flow.close(file).await.map_err(&failed)?;
    Identity::decode(&bytes.freeze()).map_err(|error| match error {
        CodecError::Newer { .. } => Fatal::Directory(format!(
            "{IDENTITY_FILE}: {error}; start a newer Corelane on it, or give another --data-dir"
        )),
        CodecError::Short(_) | CodecError::Invalid(_) => {
            Fatal::Damaged(format!("{IDENTITY_FILE}: {error}"))
        }
    })
}

/// Says that everything in the directory was flushed, and where the metadata log ends: the last act of a clean stop.
pub async fn mark_clean(flow: &Flow, end: LogEnd) -> Result<(), Fatal> {
    let mut payload = [0; 16];
    payload[..8].copy_from_slice(&end.log.to_be_bytes());
    payload[8..].copy_from_slice(&end.position.to_be_bytes());
    let bytes = frame::encode(Kind::CleanStop, &payload).freeze();
    write_file(flow, CLEAN_FILE, bytes).await?;
    flow.sync_directory("").await.map_err(failed(CLEAN_FILE))
}

/// What the last stop said, if it was clean. One that cannot be read, or is of a version that did not say it, says nothing of
/// the metadata log.
pub async fn read_clean(flow: &Flow) -> Result<Option<LogEnd>, Fatal> {
    let failed = failed(CLEAN_FILE);
    let file = match flow.open(CLEAN_FILE, false, false).await {
        Err(DiskError::NOT_FOUND) => return Ok(None),
        opened => opened.map_err(&failed)?,
    };
    let bytes = flow
        .read(file, 0, BytesMut::with_capacity(FILE_BYTES_MAX))
        .await
        .map_err(&failed)?;
    flow.close(file).await.map_err(&failed)?;
    let end = || -> Option<LogEnd> {
        let frame = frame::decode(&bytes.freeze())?;
        let mut from = Reader::new(frame.of(Kind::CleanStop).ok()?, "clean stop");
        let (log, position) = (from.u64().ok()?, from.u64().ok()?);
        Some(LogEnd { log, position })
    };
    Ok(Some(end().unwrap_or_default()))
}

/// The last stop's word is durably gone when it returns: call it before the first append of a start.
pub async fn forget_clean(flow: &Flow) -> Result<(), Fatal> {
    let failed = failed(CLEAN_FILE);
    flow.unlink(CLEAN_FILE).await.map_err(&failed)?;
    flow.sync_directory("").await.map_err(&failed)
}

async fn write_file(flow: &Flow, path: &str, bytes: Bytes) -> Result<(), Fatal> {
    let failed = failed(path);
    let file = flow.open(path, true, false).await.map_err(&failed)?;
    flow.truncate(file, 0).await.map_err(&failed)?;
    flow.write(file, 0, bytes).await.map_err(&failed)?;
    flow.flush(file).await.map_err(&failed)?;
    flow.close(file).await.map_err(&failed)
}

/// An id as Kafka writes it: 22 digits of base64url.
pub fn text(id: [u8; 16]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits = u128::from_be_bytes(id);
    (0..22)
        .map(|digit| {
            // 128 bits are 21 digits and 2 bits, which the last digit holds on top.
            let six = match digit {
                21 => (bits & 3) << 4,
                _ => bits >> (122 - 6 * digit) & 63,
            };
            char::from(DIGITS[six as usize])
        })
        .collect()
}

/// A random id as Kafka draws them: a version 4 UUID whose base64 does not begin with '-', which tools take for an
/// option.
pub(crate) fn uuid(rng: &mut Rng) -> [u8; 16] {
    loop {
        let mut id = rng.bytes16();
        id[6] = id[6] & 0x0f | 0x40;
        id[8] = id[8] & 0x3f | 0x80;
        // '-' is digit 62 of base64url.
        if id[0] >> 2 != 62 {
            return id;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// This file opens for ever.
    #[test]
    fn golden_bytes_of_format_1() {
        let identity = Identity {
            cluster: [1; 16],
            directory: [2; 16],
            node: NodeId(3),
        };
        let bytes = identity.encode();
        let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        let payload = format!("{}{}00000003", "01".repeat(16), "02".repeat(16));
        assert_eq!(hex, format!("c0ff4d450004000100000024e94170f8{payload}"));
        assert_eq!(Identity::decode(&bytes), Ok(identity));
    }

    /// The texts are those of Kafka's `Uuid`.
    #[test]
    fn ids_are_written_as_kafka_does() {
        assert_eq!(text([0; 16]), "AAAAAAAAAAAAAAAAAAAAAA");
        let counting = std::array::from_fn(|i| i as u8 * 17);
        assert_eq!(text(counting), "ABEiM0RVZneImaq7zN3u_w");
        let mut rng = Rng::new(1);
        for _ in 0..200 {
            let id = uuid(&mut rng);
            assert!(!text(id).starts_with('-'));
            assert_eq!((id[6] >> 4, id[8] >> 6), (4, 2));
        }
    }
}
