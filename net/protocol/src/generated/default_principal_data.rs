//! `DefaultPrincipalData` of Kafka 4.3.1, versions 0. Generated; do not edit.

use crate::{DecodeError, EncodeError, Message, Reader, Str, Wire, Writer};

/// A schema Kafka stores or passes through, versions 0.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DefaultPrincipalData {
    /// Versions 0.
    pub r#type: Str,
    /// Versions 0.
    pub name: Str,
    /// Versions 0.
    pub token_authenticated: bool,
}

impl Wire for DefaultPrincipalData {
    const WIRE_BYTES_MIN: usize = 4;

    fn read(r: &mut Reader, _: i16, flex: bool) -> Result<Self, DecodeError> {
        let m = Self {
            r#type: r.str(flex)?,
            name: r.str(flex)?,
            token_authenticated: r.bool()?,
        };
        r.skip_tags()?;
        Ok(m)
    }

    fn write(&self, w: &mut Writer, _: i16, flex: bool) -> Result<(), EncodeError> {
        w.str(&self.r#type, flex)?;
        w.str(&self.name, flex)?;
        w.bool(self.token_authenticated);
        w.uvarint(0);
        Ok(())
    }
}

impl Message for DefaultPrincipalData {
    const NAME: &'static str = "DefaultPrincipalData";
    const VERSIONS: (i16, i16) = (0, 0);
    const FLEXIBLE_FROM: i16 = 0;
}
