//! The traits the generated types implement.

use bytes::Bytes;

use crate::{DecodeError, EncodeError, Reader, Str, Uuid, Writer};

/// Something with a place on the wire: a message, a struct inside one, or an array element.
///
/// `version` is the version of the whole message; `flexible` says whether that version uses compact lengths and tagged
/// fields (KIP-482). Both were checked by [`Message`]; call that instead.
pub trait Wire: Sized {
    /// The least bytes that any version of this takes; at least 1. Bounds the count of an array before it is allocated.
    const WIRE_BYTES_MIN: usize;

    /// Reads one.
    fn read(r: &mut Reader, version: i16, flexible: bool) -> Result<Self, DecodeError>;

    /// Writes this one.
    fn write(&self, w: &mut Writer, version: i16, flexible: bool) -> Result<(), EncodeError>;
}

/// A whole message: a request or response body, a header, or a schema Kafka stores in records.
///
/// `Default` gives the defaults of Kafka's definitions. A nullable field without a default of its own starts as
/// `Some(empty)`, as Kafka has it.
pub trait Message: Wire + Default {
    /// Kafka's name of the message.
    const NAME: &'static str;
    /// First and last version Kafka knows, both inclusive, an unstable last one included.
    const VERSIONS: (i16, i16);
    /// First version with compact lengths and tagged fields; `i16::MAX` when there is none.
    const FLEXIBLE_FROM: i16;

    /// Reads a message of this version. Bytes behind it are left to the caller: see [`Reader::finish`].
    fn decode(r: &mut Reader, version: i16) -> Result<Self, DecodeError> {
        if version < Self::VERSIONS.0 || version > Self::VERSIONS.1 {
            return Err(DecodeError::Version(version));
        }
        Self::read(r, version, version >= Self::FLEXIBLE_FROM)
    }

    /// Writes the message in this version. On an error the writer holds part of a message and is of no more use.
    ///
    /// A field that the version does not have is left out where Kafka calls it ignorable; elsewhere it must hold its
    /// default.
    fn encode(&self, w: &mut Writer, version: i16) -> Result<(), EncodeError> {
        if version < Self::VERSIONS.0 || version > Self::VERSIONS.1 {
            return Err(EncodeError::Version(Self::NAME, version));
        }
        self.write(w, version, version >= Self::FLEXIBLE_FROM)
    }
}

/// The body of a request.
pub trait Request: Message {
    /// The number of the API.
    const API_KEY: i16;
    /// What answers it.
    type Response: Response;
}

/// The body of a response.
pub trait Response: Message {
    /// The number of the API.
    const API_KEY: i16;
}

macro_rules! element {
    ($type:ty, $bytes:literal, $method:ident) => {
        impl Wire for $type {
            const WIRE_BYTES_MIN: usize = $bytes;

            fn read(r: &mut Reader, _: i16, _: bool) -> Result<Self, DecodeError> {
                r.$method()
            }

            fn write(&self, w: &mut Writer, _: i16, _: bool) -> Result<(), EncodeError> {
                w.$method(*self);
                Ok(())
            }
        }
    };
}

element!(i8, 1, i8);
element!(i16, 2, i16);
element!(i32, 4, i32);
element!(i64, 8, i64);
element!(Uuid, 16, uuid);

impl Wire for Str {
    const WIRE_BYTES_MIN: usize = 1;

    fn read(r: &mut Reader, _: i16, flexible: bool) -> Result<Self, DecodeError> {
        r.str(flexible)
    }

    fn write(&self, w: &mut Writer, _: i16, flexible: bool) -> Result<(), EncodeError> {
        w.str(self, flexible)
    }
}

impl Wire for Bytes {
    const WIRE_BYTES_MIN: usize = 1;

    fn read(r: &mut Reader, _: i16, flexible: bool) -> Result<Self, DecodeError> {
        r.bytes(flexible)
    }

    fn write(&self, w: &mut Writer, _: i16, flexible: bool) -> Result<(), EncodeError> {
        w.bytes(self, flexible)
    }
}
