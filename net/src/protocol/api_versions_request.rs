//! Generated.
use crate::protocol::*;
use bytes::Bytes;
#[derive(Clone, PartialEq, Debug)]
pub struct ApiVersionsRequest {
    pub client_software_name: Str,
    pub client_software_version: Str,
}
impl Default for ApiVersionsRequest {
    fn default() -> Self {
        ApiVersionsRequest {
            client_software_name: Str::default(),
            client_software_version: Str::default(),
        }
    }
}
impl Message for ApiVersionsRequest {
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        let flex = version >= 3;
        let _ = flex;
        #[allow(unused_mut)]
        let mut m = Self::default();
        if version >= 3 {
            m.client_software_name = r.string(flex)?.ok_or(DecodeError::Null)?;
        }
        if version >= 3 {
            m.client_software_version = r.string(flex)?.ok_or(DecodeError::Null)?;
        }
        if flex {
            let n = r.uvarint()?;
            let mut last = None;
            for _ in 0..n {
                let tag = r.uvarint()?;
                if last.is_some_and(|l| l >= tag) {
                    return Err(DecodeError::Tags);
                }
                last = Some(tag);
                let size = r.uvarint()?;
                let mut sub = r.split(size as usize)?;
                let r = &mut sub;
                match tag {
                    _ => r.skip(),
                }
                if r.remaining() > 0 {
                    return Err(DecodeError::Tags);
                }
            }
        }
        Ok(m)
    }
    fn encode(&self, w: &mut Writer, version: i16) {
        let flex = version >= 3;
        let _ = (flex, version);
        if version >= 3 {
            w.string(Some(&self.client_software_name), flex);
        }
        if version >= 3 {
            w.string(Some(&self.client_software_version), flex);
        }
        if flex {
            w.uvarint(0);
        }
    }
}
