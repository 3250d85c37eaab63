//! Block-aligned memory in safe Rust: single buffers, and the arena from which receive and write buffers are carved.
//!
//! ```text
//!  chunk  |pad| piece | piece | piece | rest ..........|     pieces: aligned, disjoint, freely frozen and shared
//!                                      ▲ bump
//!  all pieces dropped → the chunk begins again at its first block; its memory is never given back
//!  every chunk in use, or a piece larger than a step → memory of its own, freed with its last slice
//! ```
//!
//! Whoever still holds a piece, a consumer that does not read its socket for one, keeps its whole chunk. So chunks are a
//! matter of speed only: what may be appended is bounded by the journal's ring and by `Limits::tail_bytes_max`.

use bytes::BytesMut;

use crate::limits::BLOCK;

/// An empty buffer whose start is a multiple of [`BLOCK`] in memory and whose capacity is `bytes`, rounded up to whole
/// blocks: fit for a direct read of its capacity. Growing it past that moves it, and loses the alignment.
pub fn aligned(bytes: usize) -> BytesMut {
    let bytes = bytes.max(1).next_multiple_of(BLOCK);
    let mut whole = BytesMut::with_capacity(bytes + BLOCK);
    let mut aligned = whole.split_off(padding(&whole));
    drop(aligned.split_off(bytes));
    assert_aligned(&aligned);
    assert_eq!(aligned.capacity(), bytes, "buffer of another size");
    aligned
}

fn padding(buffer: &BytesMut) -> usize {
    buffer.as_ptr().addr().next_multiple_of(BLOCK) - buffer.as_ptr().addr()
}

fn assert_aligned(buffer: &BytesMut) {
    assert!(
        buffer.as_ptr().addr().is_multiple_of(BLOCK),
        "{:p} is not aligned",
        buffer.as_ptr()
    );
}

/// A bump allocator over big chunks. Per shard.
#[derive(Debug)]
pub struct Arena {
    step_bytes: usize,
    bytes_max: usize,
    chunks: Vec<Chunk>,
    /// The chunk that pieces are carved from.
    current: usize,
}

#[derive(Debug)]
struct Chunk {
    /// Not carved yet: empty, aligned, and never dropped, so that no piece is ever the only owner of the memory.
    rest: BytesMut,
    /// Capacity of the whole allocation: what must be reclaimed at once to get back to its start.
    whole: usize,
    /// From the allocation's start to the first block.
    pad: usize,
    /// Address of the first block, and the aligned length from there.
    start: usize,
    length: usize,
}

impl Chunk {
    fn new(length: usize) -> Chunk {
        let mut rest = BytesMut::with_capacity(length + BLOCK);
        let whole = rest.capacity();
        let pad = padding(&rest);
        let rest = rest.split_off(pad);
        let start = rest.as_ptr().addr();
        Chunk {
            rest,
            whole,
            pad,
            start,
            length,
        }
    }

    fn untouched(&self) -> bool {
        self.rest.as_ptr().addr() == self.start
    }

    /// Begins again at the first block when no piece is alive.
    fn recycle(&mut self) -> bool {
        if self.untouched() {
            return true;
        }
        // Asking for the whole allocation is what makes the reclaim go back to the allocation's start: a smaller ask
        // is answered with room behind the current position where there is some.
        if !self.rest.try_reclaim(self.whole) {
            return false;
        }
        self.rest = self.rest.split_off(self.pad);
        assert!(self.untouched(), "recycled chunk begins elsewhere");
        true
    }

    fn carve(&mut self, bytes: usize) -> Option<BytesMut> {
        let used = self.rest.as_ptr().addr() - self.start;
        if self.length - used < bytes {
            return None;
        }
        let rest = self.rest.split_off(bytes);
        let piece = std::mem::replace(&mut self.rest, rest);
        assert_aligned(&piece);
        assert_eq!(piece.capacity(), bytes, "piece of another size");
        Some(piece)
    }
}

impl Arena {
    /// `first_bytes`: the first chunk, allocated now. `step_bytes`: each further one, and the largest piece of a chunk.
    /// `bytes_max`: the ceiling of all chunks together. All are multiples of [`BLOCK`].
    pub fn new(first_bytes: usize, step_bytes: usize, bytes_max: usize) -> Arena {
        assert!(
            first_bytes.is_multiple_of(BLOCK) && step_bytes.is_multiple_of(BLOCK),
            "{first_bytes}, {step_bytes}: not whole blocks"
        );
        assert!(
            0 < first_bytes && first_bytes <= bytes_max,
            "{first_bytes} above {bytes_max}"
        );
        Arena {
            step_bytes,
            bytes_max,
            chunks: vec![Chunk::new(first_bytes)],
            current: 0,
        }
    }

    /// An empty, aligned buffer with room for `bytes`, rounded up to whole blocks.
    pub fn take(&mut self, bytes: usize) -> BytesMut {
        let bytes = bytes.max(1).next_multiple_of(BLOCK);
        // A chunk that is free again begins anew before its cold rest is used: memory in the caches, and no page that
        // was never touched.
        self.chunks[self.current].recycle();
        if let Some(piece) = self.chunks[self.current].carve(bytes) {
            return piece;
        }
        for (at, chunk) in self.chunks.iter_mut().enumerate() {
            chunk.recycle();
            if let Some(piece) = chunk.carve(bytes) {
                self.current = at;
                return piece;
            }
        }
        // A chunk of its own for a rare large piece would use up the ceiling for good.
        if bytes > self.step_bytes || self.step_bytes > self.bytes_max - self.bytes() {
            return aligned(bytes);
        }
        self.chunks.push(Chunk::new(self.step_bytes));
        self.current = self.chunks.len() - 1;
        self.chunks[self.current]
            .carve(bytes)
            .expect("a new chunk holds a piece of a step")
    }

    /// Bytes of all chunks.
    pub fn bytes(&self) -> usize {
        self.chunks.iter().map(|c| c.length).sum()
    }

    pub fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    /// Address and length of every chunk, in the order of allocation; only ever added to. Each holds whole pieces.
    pub fn chunks(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.chunks.iter().map(|c| (c.start, c.length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use bytes::{BufMut, Bytes};

    const CHUNK: usize = 16 * BLOCK;

    #[test]
    fn aligned_buffers_hold_whole_blocks() {
        for bytes in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 100_000] {
            let mut buffer = aligned(bytes);
            assert_eq!(buffer.capacity(), bytes.max(1).next_multiple_of(BLOCK));
            let start = buffer.as_ptr();
            buffer.put_bytes(7, buffer.capacity());
            assert_eq!(buffer.as_ptr(), start, "filling moved the buffer");
            assert_eq!(buffer.freeze().as_ptr(), start, "freezing moved the buffer");
        }
    }

    fn holds(arena: &Arena, piece: &[u8]) -> bool {
        let at = piece.as_ptr().addr();
        let mut chunks = arena.chunks();
        chunks.any(|(start, length)| start <= at && at < start + length)
    }

    #[test]
    fn a_chunk_is_reused_once_all_its_pieces_are_gone() {
        let mut arena = Arena::new(CHUNK, CHUNK, CHUNK);
        let mut pieces: Vec<Bytes> = Vec::new();
        for fill in 0..16 {
            let mut piece = arena.take(BLOCK);
            piece.put_bytes(fill, BLOCK);
            pieces.push(piece.freeze());
        }
        assert!(pieces.iter().all(|piece| holds(&arena, piece)));
        for (fill, piece) in pieces.iter().enumerate() {
            assert!(piece.iter().all(|b| usize::from(*b) == fill), "{fill}");
        }
        let first = pieces[0].as_ptr();
        let last = pieces.pop().expect("16 pieces");
        let slice = last.slice(5..9);
        pieces.clear();
        drop(last);
        let other = arena.take(1);
        assert!(!holds(&arena, &other), "a slice keeps the chunk");
        drop(slice);
        for _ in 0..3 {
            let piece = arena.take(CHUNK);
            assert_eq!(piece.as_ptr(), first, "from its start, aligned");
            assert_eq!(piece.capacity(), CHUNK);
        }
        assert_eq!(arena.chunks().count(), 1);
    }

    #[test]
    fn a_dropped_small_piece_gives_the_same_memory_again() {
        let mut arena = Arena::new(CHUNK, CHUNK, CHUNK);
        let first = arena.take(BLOCK).as_ptr().addr();
        for _ in 0..100 {
            assert_eq!(arena.take(BLOCK).as_ptr().addr(), first);
        }
    }

    #[test]
    fn grows_by_steps_up_to_the_ceiling() {
        let mut arena = Arena::new(CHUNK, 2 * CHUNK, 6 * CHUNK);
        let mut pieces = vec![arena.take(CHUNK)];
        assert_eq!(arena.bytes(), CHUNK);
        pieces.push(arena.take(BLOCK));
        assert_eq!(arena.bytes(), 3 * CHUNK);
        pieces.push(arena.take(2 * CHUNK));
        assert_eq!(arena.bytes(), 5 * CHUNK);
        assert!(pieces.iter().all(|piece| holds(&arena, piece)));
        let large = arena.take(3 * CHUNK);
        assert!(!holds(&arena, &large), "larger than a step");
        let late = arena.take(2 * CHUNK);
        assert!(!holds(&arena, &late), "beyond the ceiling");
        assert_eq!(late.capacity(), 2 * CHUNK);
        assert_eq!(arena.bytes(), 5 * CHUNK);
        pieces.pop();
        let again = arena.take(2 * CHUNK);
        assert!(holds(&arena, &again));
        assert_eq!(arena.chunks().count(), 3);
    }

    #[test]
    fn live_pieces_never_overlap() {
        for seed in 0..50 {
            let mut rng = Rng::new(seed);
            let mut arena = Arena::new(CHUNK, CHUNK, 4 * CHUNK);
            let mut live: Vec<(u8, Bytes)> = Vec::new();
            for turn in 0..400_u32 {
                if rng.one_in(2) && !live.is_empty() {
                    live.swap_remove(rng.below(live.len() as u64) as usize);
                }
                let bytes = 1 + rng.below(3 * BLOCK as u64) as usize;
                let mut piece = arena.take(bytes);
                piece.put_bytes(turn as u8, bytes);
                live.push((turn as u8, piece.freeze()));
                for (fill, piece) in &live {
                    assert!(piece.iter().all(|b| b == fill), "seed {seed}, turn {turn}");
                }
            }
            assert!(arena.bytes() <= 4 * CHUNK);
        }
    }
}
