//! `DescribeGroupsResponse` of Kafka 4.3.1, versions 0–6. Generated; do not edit.

use bytes::Bytes;

use crate::{DecodeError, EncodeError, Message, Reader, Response, Str, Wire, Writer};

/// The response of API 15, versions 0–6.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DescribeGroupsResponse {
    /// Versions 1–6, ignorable.
    pub throttle_time_ms: i32,
    /// Versions 0–6.
    pub groups: Vec<DescribedGroup>,
}

impl Wire for DescribeGroupsResponse {
    const WIRE_BYTES_MIN: usize = 4;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            throttle_time_ms: if v >= 1 { r.i32()? } else { 0 },
            groups: r.array(v, flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 1 {
            w.i32(self.throttle_time_ms);
        }
        w.array(&self.groups, v, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for DescribeGroupsResponse {
    const NAME: &'static str = "DescribeGroupsResponse";
    const VERSIONS: (i16, i16) = (0, 6);
    const FLEXIBLE_FROM: i16 = 5;
}

impl Response for DescribeGroupsResponse {
    const API_KEY: i16 = 15;
}

/// Part of [`DescribeGroupsResponse`], versions 0–6.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribedGroup {
    /// Versions 0–6.
    pub error_code: i16,
    /// Versions 6, may be null, default null.
    pub error_message: Option<Str>,
    /// Versions 0–6.
    pub group_id: Str,
    /// Versions 0–6.
    pub group_state: Str,
    /// Versions 0–6.
    pub protocol_type: Str,
    /// Versions 0–6.
    pub protocol_data: Str,
    /// Versions 0–6.
    pub members: Vec<DescribedGroupMember>,
    /// Versions 3–6, default -2147483648.
    pub authorized_operations: i32,
}

impl Default for DescribedGroup {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: None,
            group_id: Str::default(),
            group_state: Str::default(),
            protocol_type: Str::default(),
            protocol_data: Str::default(),
            members: Vec::new(),
            authorized_operations: -2147483648,
        }
    }
}

impl Wire for DescribedGroup {
    const WIRE_BYTES_MIN: usize = 12;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            error_code: r.i16()?,
            error_message: if v == 6 { r.opt_str(flex, true)? } else { None },
            group_id: r.str(flex)?,
            group_state: r.str(flex)?,
            protocol_type: r.str(flex)?,
            protocol_data: r.str(flex)?,
            members: r.array(v, flex)?,
            authorized_operations: if v >= 3 { r.i32()? } else { -2147483648 },
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.error_code(self.error_code);
        if v == 6 {
            w.opt_str(self.error_message.as_ref(), flex, true)?;
        } else if self.error_message.is_some() {
            return Err(EncodeError::Absent("DescribedGroup.ErrorMessage", v));
        }
        w.str(&self.group_id, flex)?;
        w.str(&self.group_state, flex)?;
        w.str(&self.protocol_type, flex)?;
        w.str(&self.protocol_data, flex)?;
        w.array(&self.members, v, flex)?;
        if v >= 3 {
            w.i32(self.authorized_operations);
        } else if self.authorized_operations != -2147483648 {
            return Err(EncodeError::Absent(
                "DescribedGroup.AuthorizedOperations",
                v,
            ));
        }
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`DescribeGroupsResponse`], versions 0–6.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DescribedGroupMember {
    /// Versions 0–6.
    pub member_id: Str,
    /// Versions 4–6, may be null, default null, ignorable.
    pub group_instance_id: Option<Str>,
    /// Versions 0–6.
    pub client_id: Str,
    /// Versions 0–6.
    pub client_host: Str,
    /// Versions 0–6.
    pub member_metadata: Bytes,
    /// Versions 0–6.
    pub member_assignment: Bytes,
}

impl Wire for DescribedGroupMember {
    const WIRE_BYTES_MIN: usize = 7;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            member_id: r.str(flex)?,
            group_instance_id: if v >= 4 { r.opt_str(flex, true)? } else { None },
            client_id: r.str(flex)?,
            client_host: r.str(flex)?,
            member_metadata: r.bytes(flex)?,
            member_assignment: r.bytes(flex)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.member_id, flex)?;
        if v >= 4 {
            w.opt_str(self.group_instance_id.as_ref(), flex, true)?;
        }
        w.str(&self.client_id, flex)?;
        w.str(&self.client_host, flex)?;
        w.bytes(&self.member_metadata, flex)?;
        w.bytes(&self.member_assignment, flex)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
