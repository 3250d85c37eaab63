//! `FetchRequest` of Kafka 4.3.1, versions 4–18. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Uuid, Wire, Writer};

/// The request of API 1, versions 4–18.
#[derive(Debug, Clone, PartialEq)]
pub struct FetchRequest {
    /// Versions 12–18, tag 0, may be null, default null, ignorable.
    pub cluster_id: Option<Str>,
    /// Versions 4–14, default -1.
    pub replica_id: i32,
    /// Versions 15–18, tag 1.
    pub replica_state: ReplicaState,
    /// Versions 4–18.
    pub max_wait_ms: i32,
    /// Versions 4–18.
    pub min_bytes: i32,
    /// Versions 4–18, default 0x7fffffff, ignorable.
    pub max_bytes: i32,
    /// Versions 4–18, default 0, ignorable.
    pub isolation_level: i8,
    /// Versions 7–18, default 0, ignorable.
    pub session_id: i32,
    /// Versions 7–18, default -1, ignorable.
    pub session_epoch: i32,
    /// Versions 4–18.
    pub topics: Vec<FetchTopic>,
    /// Versions 7–18.
    pub forgotten_topics_data: Vec<ForgottenTopic>,
    /// Versions 11–18, ignorable.
    pub rack_id: Str,
}

impl Default for FetchRequest {
    fn default() -> Self {
        Self {
            cluster_id: None,
            replica_id: -1,
            replica_state: ReplicaState::default(),
            max_wait_ms: 0,
            min_bytes: 0,
            max_bytes: 2147483647,
            isolation_level: 0,
            session_id: 0,
            session_epoch: -1,
            topics: Vec::new(),
            forgotten_topics_data: Vec::new(),
            rack_id: Str::default(),
        }
    }
}

impl Wire for FetchRequest {
    const WIRE_BYTES_MIN: usize = 21;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut m = Self {
            cluster_id: None,
            replica_id: if v <= 14 { r.i32()? } else { -1 },
            replica_state: ReplicaState::default(),
            max_wait_ms: r.i32()?,
            min_bytes: r.i32()?,
            max_bytes: r.i32()?,
            isolation_level: r.i8()?,
            session_id: if v >= 7 { r.i32()? } else { 0 },
            session_epoch: if v >= 7 { r.i32()? } else { -1 },
            topics: r.array(v, flex)?,
            forgotten_topics_data: if v >= 7 {
                r.array(v, flex)?
            } else {
                Vec::new()
            },
            rack_id: if v >= 11 {
                r.str(flex)?
            } else {
                Str::default()
            },
        };
        if flex {
            let mut tags = r.tags()?;
            while let Some(tag) = tags.next(r)? {
                match tag {
                    0 if v >= 12 => m.cluster_id = r.opt_str(flex, true)?,
                    1 if v >= 15 => m.replica_state = Wire::read(r, v, flex)?,
                    _ => tags.skip(r)?,
                }
            }
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v <= 14 {
            w.i32(self.replica_id);
        } else if self.replica_id != -1 {
            return Err(EncodeError::Absent("FetchRequest.ReplicaId", v));
        }
        if v < 15 && self.replica_state != ReplicaState::default() {
            return Err(EncodeError::Absent("FetchRequest.ReplicaState", v));
        }
        w.i32(self.max_wait_ms);
        w.i32(self.min_bytes);
        w.i32(self.max_bytes);
        w.i8(self.isolation_level);
        if v >= 7 {
            w.i32(self.session_id);
        }
        if v >= 7 {
            w.i32(self.session_epoch);
        }
        w.array(&self.topics, v, flex)?;
        if v >= 7 {
            w.array(&self.forgotten_topics_data, v, flex)?;
        } else if !self.forgotten_topics_data.is_empty() {
            return Err(EncodeError::Absent("FetchRequest.ForgottenTopicsData", v));
        }
        if v >= 11 {
            w.str(&self.rack_id, flex)?;
        }
        if flex {
            let tag0 = v >= 12 && self.cluster_id.is_some();
            let tag1 = v >= 15 && self.replica_state != ReplicaState::default();
            w.uvarint(u32::from(tag0) + u32::from(tag1));
            if tag0 {
                let mark = w.begin_tag(0);
                w.opt_str(self.cluster_id.as_ref(), flex, true)?;
                w.end_tag(mark)?;
            }
            if tag1 {
                let mark = w.begin_tag(1);
                self.replica_state.write(w, v, flex)?;
                w.end_tag(mark)?;
            }
        }
        Ok(())
    }
}

impl Message for FetchRequest {
    const NAME: &'static str = "FetchRequest";
    const VERSIONS: (i16, i16) = (4, 18);
    const FLEXIBLE_FROM: i16 = 12;
}

impl Request for FetchRequest {
    const API_KEY: i16 = 1;
    type Response = crate::FetchResponse;
}

/// Part of [`FetchRequest`], versions 15–18.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplicaState {
    /// Versions 15–18, default -1.
    pub replica_id: i32,
    /// Versions 15–18, default -1.
    pub replica_epoch: i64,
}

impl Default for ReplicaState {
    fn default() -> Self {
        Self {
            replica_id: -1,
            replica_epoch: -1,
        }
    }
}

impl Wire for ReplicaState {
    const WIRE_BYTES_MIN: usize = 13;

    fn read(r: &mut Reader, _: i16, _: bool) -> Result<Self, DecodeError> {
        let m = Self {
            replica_id: r.i32()?,
            replica_epoch: r.i64()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, _: bool) -> Result<(), EncodeError> {
        w.i32(self.replica_id);
        w.i64(self.replica_epoch);
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`FetchRequest`], versions 4–18.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FetchTopic {
    /// Versions 4–12, ignorable.
    pub topic: Str,
    /// Versions 13–18, ignorable.
    pub topic_id: Uuid,
    /// Versions 4–18.
    pub partitions: Vec<FetchPartition>,
}

impl Wire for FetchTopic {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            topic: if v <= 12 {
                r.str(flex)?
            } else {
                Str::default()
            },
            topic_id: if v >= 13 { r.uuid()? } else { Uuid::ZERO },
            partitions: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v <= 12 {
            w.str(&self.topic, flex)?;
        }
        if v >= 13 {
            w.uuid(self.topic_id);
        }
        w.array(&self.partitions, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`FetchRequest`], versions 4–18.
#[derive(Debug, Clone, PartialEq)]
pub struct FetchPartition {
    /// Versions 4–18.
    pub partition: i32,
    /// Versions 9–18, default -1, ignorable.
    pub current_leader_epoch: i32,
    /// Versions 4–18.
    pub fetch_offset: i64,
    /// Versions 12–18, default -1.
    pub last_fetched_epoch: i32,
    /// Versions 5–18, default -1, ignorable.
    pub log_start_offset: i64,
    /// Versions 4–18.
    pub partition_max_bytes: i32,
    /// Versions 17–18, tag 0, ignorable.
    pub replica_directory_id: Uuid,
    /// Versions 18, tag 1, default 9223372036854775807, ignorable.
    pub high_watermark: i64,
}

impl Default for FetchPartition {
    fn default() -> Self {
        Self {
            partition: 0,
            current_leader_epoch: -1,
            fetch_offset: 0,
            last_fetched_epoch: -1,
            log_start_offset: -1,
            partition_max_bytes: 0,
            replica_directory_id: Uuid::ZERO,
            high_watermark: 9223372036854775807,
        }
    }
}

impl Wire for FetchPartition {
    const WIRE_BYTES_MIN: usize = 16;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let mut m = Self {
            partition: r.i32()?,
            current_leader_epoch: if v >= 9 { r.i32()? } else { -1 },
            fetch_offset: r.i64()?,
            last_fetched_epoch: if v >= 12 { r.i32()? } else { -1 },
            log_start_offset: if v >= 5 { r.i64()? } else { -1 },
            partition_max_bytes: r.i32()?,
            replica_directory_id: Uuid::ZERO,
            high_watermark: 9223372036854775807,
        };
        if flex {
            let mut tags = r.tags()?;
            while let Some(tag) = tags.next(r)? {
                match tag {
                    0 if v >= 17 => m.replica_directory_id = r.uuid()?,
                    1 if v == 18 => m.high_watermark = r.i64()?,
                    _ => tags.skip(r)?,
                }
            }
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.i32(self.partition);
        if v >= 9 {
            w.i32(self.current_leader_epoch);
        }
        w.i64(self.fetch_offset);
        if v >= 12 {
            w.i32(self.last_fetched_epoch);
        } else if self.last_fetched_epoch != -1 {
            return Err(EncodeError::Absent("FetchPartition.LastFetchedEpoch", v));
        }
        if v >= 5 {
            w.i64(self.log_start_offset);
        }
        w.i32(self.partition_max_bytes);
        if flex {
            let tag0 = v >= 17 && self.replica_directory_id != Uuid::ZERO;
            let tag1 = v == 18 && self.high_watermark != 9223372036854775807;
            w.uvarint(u32::from(tag0) + u32::from(tag1));
            if tag0 {
                let mark = w.begin_tag(0);
                w.uuid(self.replica_directory_id);
                w.end_tag(mark)?;
            }
            if tag1 {
                let mark = w.begin_tag(1);
                w.i64(self.high_watermark);
                w.end_tag(mark)?;
            }
        }
        Ok(())
    }
}

/// Part of [`FetchRequest`], versions 7–18.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ForgottenTopic {
    /// Versions 7–12, ignorable.
    pub topic: Str,
    /// Versions 13–18, ignorable.
    pub topic_id: Uuid,
    /// Versions 7–18.
    pub partitions: Vec<i32>,
}

impl Wire for ForgottenTopic {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            topic: if v <= 12 {
                r.str(flex)?
            } else {
                Str::default()
            },
            topic_id: if v >= 13 { r.uuid()? } else { Uuid::ZERO },
            partitions: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v <= 12 {
            w.str(&self.topic, flex)?;
        }
        if v >= 13 {
            w.uuid(self.topic_id);
        }
        w.array(&self.partitions, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
