//! `OffsetFetchRequest` of Kafka 4.3.1, versions 1–10. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Uuid, Wire, Writer};

/// The request of API 9, versions 1–10.
#[derive(Debug, Clone, PartialEq)]
pub struct OffsetFetchRequest {
    /// Versions 1–7.
    pub group_id: Str,
    /// Versions 1–7, may be null in 2–7.
    pub topics: Option<Vec<OffsetFetchRequestTopic>>,
    /// Versions 8–10.
    pub groups: Vec<OffsetFetchRequestGroup>,
    /// Versions 7–10, default false.
    pub require_stable: bool,
}

impl Default for OffsetFetchRequest {
    fn default() -> Self {
        Self {
            group_id: Str::default(),
            topics: Some(Vec::new()),
            groups: Vec::new(),
            require_stable: false,
        }
    }
}

impl Wire for OffsetFetchRequest {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            group_id: if v <= 7 { r.str(flex)? } else { Str::default() },
            topics: if v <= 7 {
                r.opt_array(v, flex, v >= 2)?
            } else {
                Some(Vec::new())
            },
            groups: if v >= 8 {
                r.array(v, flex)?
            } else {
                Vec::new()
            },
            require_stable: if v >= 7 { r.bool()? } else { false },
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v <= 7 {
            w.str(&self.group_id, flex)?;
        } else if !self.group_id.is_empty() {
            return Err(EncodeError::Absent("OffsetFetchRequest.GroupId", v));
        }
        if v <= 7 {
            w.opt_array(self.topics.as_deref(), v, flex, v >= 2)?;
        } else if self.topics != Some(Vec::new()) {
            return Err(EncodeError::Absent("OffsetFetchRequest.Topics", v));
        }
        if v >= 8 {
            w.array(&self.groups, v, flex)?;
        } else if !self.groups.is_empty() {
            return Err(EncodeError::Absent("OffsetFetchRequest.Groups", v));
        }
        if v >= 7 {
            w.bool(self.require_stable);
        } else if self.require_stable {
            return Err(EncodeError::Absent("OffsetFetchRequest.RequireStable", v));
        }
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for OffsetFetchRequest {
    const NAME: &'static str = "OffsetFetchRequest";
    const VERSIONS: (i16, i16) = (1, 10);
    const FLEXIBLE_FROM: i16 = 6;
}

impl Request for OffsetFetchRequest {
    const API_KEY: i16 = 9;
    type Response = crate::OffsetFetchResponse;
}

/// Part of [`OffsetFetchRequest`], versions 1–7.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OffsetFetchRequestTopic {
    /// Versions 1–7.
    pub name: Str,
    /// Versions 1–7.
    pub partition_indexes: Vec<i32>,
}

impl Wire for OffsetFetchRequestTopic {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: r.str(flex)?,
            partition_indexes: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.name, flex)?;
        w.array(&self.partition_indexes, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`OffsetFetchRequest`], versions 8–10.
#[derive(Debug, Clone, PartialEq)]
pub struct OffsetFetchRequestGroup {
    /// Versions 8–10.
    pub group_id: Str,
    /// Versions 9–10, may be null, default null, ignorable.
    pub member_id: Option<Str>,
    /// Versions 9–10, default -1, ignorable.
    pub member_epoch: i32,
    /// Versions 8–10, may be null.
    pub topics: Option<Vec<OffsetFetchRequestTopics>>,
}

impl Default for OffsetFetchRequestGroup {
    fn default() -> Self {
        Self {
            group_id: Str::default(),
            member_id: None,
            member_epoch: -1,
            topics: Some(Vec::new()),
        }
    }
}

impl Wire for OffsetFetchRequestGroup {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            group_id: r.str(flex)?,
            member_id: if v >= 9 { r.opt_str(flex, true)? } else { None },
            member_epoch: if v >= 9 { r.i32()? } else { -1 },
            topics: r.opt_array(v, flex, true)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.group_id, flex)?;
        if v >= 9 {
            w.opt_str(self.member_id.as_ref(), flex, true)?;
        }
        if v >= 9 {
            w.i32(self.member_epoch);
        }
        w.opt_array(self.topics.as_deref(), v, flex, true)?;
        w.uvarint(0);
        Ok(())
    }
}

/// Part of [`OffsetFetchRequest`], versions 8–10.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OffsetFetchRequestTopics {
    /// Versions 8–9, ignorable.
    pub name: Str,
    /// Versions 10, ignorable.
    pub topic_id: Uuid,
    /// Versions 8–10.
    pub partition_indexes: Vec<i32>,
}

impl Wire for OffsetFetchRequestTopics {
    const WIRE_BYTES_MIN: usize = 3;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            name: if v <= 9 { r.str(flex)? } else { Str::default() },
            topic_id: if v == 10 { r.uuid()? } else { Uuid::ZERO },
            partition_indexes: r.array(v, flex)?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v <= 9 {
            w.str(&self.name, flex)?;
        }
        if v == 10 {
            w.uuid(self.topic_id);
        }
        w.array(&self.partition_indexes, v, flex)?;
        w.uvarint(0);
        Ok(())
    }
}
