//! One nonblocking connection: bytes and shared tails out, whole frames in.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// Tails below this are copied behind their head: cheaper than a slice of their own.
const TAIL_COPY_MAX: usize = 2 << 10;
/// A piece of copied bytes is closed at this size.
const PIECE_BYTES_MAX: usize = 256 << 10;
/// Slices per `writev`.
const SLICES: usize = 64;
/// Room made for one read, which takes no more: it is over in 0.1 ms.
const READ_BYTES: usize = 256 << 10;
/// Largest frame that is believed.
const FRAME_BYTES_MAX: usize = 256 << 20;

enum Piece {
    Bytes(Vec<u8>),
    Tail(Arc<[u8]>),
}

impl Piece {
    fn bytes(&self) -> &[u8] {
        match self {
            Piece::Bytes(bytes) => bytes,
            Piece::Tail(tail) => tail,
        }
    }
}

/// A socket with what waits to go out and what came in.
pub struct Conn {
    /// The socket; to be added to the epoll set.
    pub stream: TcpStream,
    out: VecDeque<Piece>,
    /// Bytes of the front piece that are sent.
    sent: usize,
    spare: Vec<Vec<u8>>,
    inbox: Vec<u8>,
    /// Unread frames are in `inbox[begin..end]`.
    begin: usize,
    end: usize,
}

impl Conn {
    /// Connects, then never blocks again.
    pub fn connect(address: SocketAddr) -> io::Result<Conn> {
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let out = VecDeque::new();
        Ok(Conn {
            stream,
            out,
            sent: 0,
            spare: Vec::new(),
            inbox: vec![0; READ_BYTES],
            begin: 0,
            end: 0,
        })
    }

    /// Lets `write` append bytes to the end of what waits to be sent.
    pub fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let open =
            matches!(self.out.back(), Some(Piece::Bytes(bytes)) if bytes.len() < PIECE_BYTES_MAX);
        if !open {
            self.out
                .push_back(Piece::Bytes(self.spare.pop().unwrap_or_default()));
        }
        if let Some(Piece::Bytes(bytes)) = self.out.back_mut() {
            write(bytes);
        }
    }

    /// Appends a shared tail.
    pub fn push_tail(&mut self, tail: &Arc<[u8]>) {
        if tail.len() <= TAIL_COPY_MAX {
            self.push(|bytes| bytes.extend_from_slice(tail));
        } else {
            self.out.push_back(Piece::Tail(Arc::clone(tail)));
        }
    }

    /// True when nothing waits to be sent.
    pub fn flushed(&self) -> bool {
        self.out.is_empty()
    }

    /// Sends until all is sent or the socket is full.
    pub fn flush(&mut self) -> io::Result<()> {
        while !self.out.is_empty() {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let mut used = 0;
            for (slice, piece) in slices.iter_mut().zip(&self.out) {
                let skip = if used == 0 { self.sent } else { 0 };
                *slice = IoSlice::new(&piece.bytes()[skip..]);
                used += 1;
            }
            let written = match self.stream.write_vectored(&slices[..used]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.sent += written;
            while let Some(length) = self.out.front().map(|piece| piece.bytes().len())
                && self.sent >= length
            {
                self.sent -= length;
                if let Some(Piece::Bytes(mut bytes)) = self.out.pop_front()
                    && self.spare.len() < 4
                {
                    bytes.clear();
                    self.spare.push(bytes);
                }
            }
        }
        Ok(())
    }

    /// Reads once. `Ok(false)`: nothing more for now.
    pub fn fill(&mut self) -> io::Result<bool> {
        if self.begin == self.end {
            (self.begin, self.end) = (0, 0);
        } else if self.begin > 0 && self.inbox.len() - self.end < READ_BYTES / 2 {
            self.inbox.copy_within(self.begin..self.end, 0);
            (self.begin, self.end) = (0, self.end - self.begin);
        }
        let wanted = self
            .frame_bytes()?
            .unwrap_or(0)
            .saturating_sub(self.end - self.begin)
            .max(READ_BYTES / 2);
        if self.inbox.len() - self.end < wanted {
            self.inbox.resize(self.end + wanted, 0);
        }
        let room = (self.inbox.len() - self.end).min(READ_BYTES);
        match self.stream.read(&mut self.inbox[self.end..][..room]) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                self.end += count;
                Ok(true)
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock) => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn frame_bytes(&self) -> io::Result<Option<usize>> {
        let Some(length) = self.inbox[self.begin..self.end].first_chunk::<4>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*length) as usize;
        if length > FRAME_BYTES_MAX {
            return Err(io::Error::other(format!("a frame of {length} bytes")));
        }
        Ok(Some(4 + length))
    }

    /// The next whole frame without its length, if one is here.
    pub fn frame(&mut self) -> io::Result<Option<&[u8]>> {
        match self.frame_bytes()? {
            Some(bytes) if bytes <= self.end - self.begin => {
                let from = self.begin;
                self.begin += bytes;
                Ok(Some(&self.inbox[from + 4..from + bytes]))
            }
            _ => Ok(None),
        }
    }
}
