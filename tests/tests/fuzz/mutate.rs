//! Bends bytes: flips, lies about lengths, splices, cuts, repetitions. Everything from one seed.

use corelane_engine::rng::Rng;

/// Numbers at the edges of what fields hold.
const EDGES: [i64; 16] = [
    0,
    1,
    -1,
    -2,
    127,
    128,
    255,
    256,
    i16::MAX as i64,
    i16::MIN as i64,
    65_536,
    i32::MAX as i64,
    i32::MIN as i64,
    1 << 24,
    i64::MAX,
    i64::MIN,
];

/// Varints that end late, never, or say what no frame holds.
const VARINTS: [&[u8]; 7] = [
    &[0xff, 0xff, 0xff, 0xff, 0x07],
    &[0xff, 0xff, 0xff, 0xff, 0x0f],
    &[0xff, 0xff, 0xff, 0xff, 0x7f],
    &[0xff, 0xff, 0xff, 0x07],
    &[0xff; 11],
    &[0x80, 0x80, 0x00],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
];

/// Bends `input` in one or a few places; `other`: where a piece may be taken from.
pub(crate) fn mutate(rng: &mut Rng, input: &mut Vec<u8>, other: &[u8]) {
    let times = match rng.below(4) {
        0 => 1 + rng.below(8),
        _ => 1 + rng.below(2),
    };
    for _ in 0..times {
        once(rng, input, other);
    }
}

fn once(rng: &mut Rng, input: &mut Vec<u8>, other: &[u8]) {
    let at = rng.below(input.len() as u64 + 1) as usize;
    let (from, to) = range(rng, input.len());
    match rng.below(12) {
        0 if at < input.len() => input[at] ^= 1 << rng.below(8),
        1 if at < input.len() => input[at] = rng.next_u64() as u8,
        2 if at < input.len() => {
            let by = [1, 0xff, 2, 0x80, 16][rng.below(5) as usize];
            input[at] = input[at].wrapping_add(by);
        }
        3 => overwrite(input, at, &edge(rng)),
        4 => splice(input, at, at, &edge(rng)),
        5 => {
            let varint = VARINTS[rng.below(VARINTS.len() as u64) as usize];
            let end = input.len().min(at + rng.below(3) as usize);
            splice(input, at, end, varint);
        }
        6 => input.truncate(at),
        7 => splice(input, from, to, &[]),
        8 => {
            // Twice, or somewhere else.
            let piece = input[from..to].to_vec();
            splice(input, at, at, &piece);
        }
        9 => {
            let piece = input[from..to].to_vec();
            overwrite(input, at, &piece);
        }
        10 => {
            let (from, to) = range(rng, other.len());
            splice(input, at, at, &other[from..to]);
        }
        11 => {
            // The front of one, the back of another.
            let from = rng.below(other.len() as u64 + 1) as usize;
            input.truncate(at);
            input.extend_from_slice(&other[from..]);
        }
        _ => input.push(rng.next_u64() as u8),
    }
}

/// A number at an edge, of one to eight bytes, a little beside it at times.
fn edge(rng: &mut Rng) -> Vec<u8> {
    let number = EDGES[rng.below(EDGES.len() as u64) as usize];
    let number = match rng.one_in(4) {
        true => number.wrapping_add(rng.below(5) as i64 - 2),
        false => number,
    };
    let bytes = number.to_be_bytes();
    let length = [1, 2, 4, 8][rng.below(4) as usize];
    bytes[8 - length..].to_vec()
}

/// Mostly short pieces.
fn range(rng: &mut Rng, length: usize) -> (usize, usize) {
    let from = rng.below(length as u64 + 1) as usize;
    let most = match rng.below(4) {
        0 => length - from,
        _ => (length - from).min(16),
    };
    (from, from + rng.below(most as u64 + 1) as usize)
}

fn overwrite(input: &mut [u8], at: usize, by: &[u8]) {
    let end = input.len().min(at + by.len());
    input[at..end].copy_from_slice(&by[..end - at]);
}

fn splice(input: &mut Vec<u8>, from: usize, to: usize, by: &[u8]) {
    drop(input.splice(from..to, by.iter().copied()));
}
