//! `MetadataRequest` of Kafka 4.3.1, versions 0–13. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Request, Str, Uuid, Wire, Writer};

/// The request of API 3, versions 0–13.
#[derive(Debug, Clone, PartialEq)]
pub struct MetadataRequest {
    /// Versions 0–13, may be null in 1–13.
    pub topics: Option<Vec<MetadataRequestTopic>>,
    /// Versions 4–13, default true.
    pub allow_auto_topic_creation: bool,
    /// Versions 8–10.
    pub include_cluster_authorized_operations: bool,
    /// Versions 8–13.
    pub include_topic_authorized_operations: bool,
}

impl Default for MetadataRequest {
    fn default() -> Self {
        Self {
            topics: Some(Vec::new()),
            allow_auto_topic_creation: true,
            include_cluster_authorized_operations: false,
            include_topic_authorized_operations: false,
        }
    }
}

impl Wire for MetadataRequest {
    const WIRE_BYTES_MIN: usize = 4;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            topics: r.opt_array(v, flex, v >= 1)?,
            allow_auto_topic_creation: if v >= 4 { r.bool()? } else { true },
            include_cluster_authorized_operations: if (8..=10).contains(&v) {
                r.bool()?
            } else {
                false
            },
            include_topic_authorized_operations: if v >= 8 { r.bool()? } else { false },
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        w.opt_array(self.topics.as_deref(), v, flex, v >= 1)?;
        if v >= 4 {
            w.bool(self.allow_auto_topic_creation);
        } else if !self.allow_auto_topic_creation {
            return Err(EncodeError::Absent(
                "MetadataRequest.AllowAutoTopicCreation",
                v,
            ));
        }
        if (8..=10).contains(&v) {
            w.bool(self.include_cluster_authorized_operations);
        } else if self.include_cluster_authorized_operations {
            return Err(EncodeError::Absent(
                "MetadataRequest.IncludeClusterAuthorizedOperations",
                v,
            ));
        }
        if v >= 8 {
            w.bool(self.include_topic_authorized_operations);
        } else if self.include_topic_authorized_operations {
            return Err(EncodeError::Absent(
                "MetadataRequest.IncludeTopicAuthorizedOperations",
                v,
            ));
        }
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}

impl Message for MetadataRequest {
    const NAME: &'static str = "MetadataRequest";
    const VERSIONS: (i16, i16) = (0, 13);
    const FLEXIBLE_FROM: i16 = 9;
}

impl Request for MetadataRequest {
    const API_KEY: i16 = 3;
    type Response = crate::MetadataResponse;
}

/// Part of [`MetadataRequest`], versions 0–13.
#[derive(Debug, Clone, PartialEq)]
pub struct MetadataRequestTopic {
    /// Versions 10–13, ignorable.
    pub topic_id: Uuid,
    /// Versions 0–13, may be null in 10–13.
    pub name: Option<Str>,
}

impl Default for MetadataRequestTopic {
    fn default() -> Self {
        Self {
            topic_id: Uuid::ZERO,
            name: Some(Str::default()),
        }
    }
}

impl Wire for MetadataRequestTopic {
    const WIRE_BYTES_MIN: usize = 2;

    fn read(r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            topic_id: if v >= 10 { r.uuid()? } else { Uuid::ZERO },
            name: r.opt_str(flex, v >= 10)?,
        };
        if flex {
            r.skip_tags()?;
        }
        Ok(m)
    }

    fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError> {
        if v >= 10 {
            w.uuid(self.topic_id);
        }
        w.opt_str(self.name.as_ref(), flex, v >= 10)?;
        if flex {
            w.uvarint(0);
        }
        Ok(())
    }
}
