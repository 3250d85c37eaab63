//! Fuzzing on the stable toolchain: every format that comes from a socket or a disk, bent at random, with its bound on memory.
//!
//! ```text
//!  corpus/<target>/* first ─► then, until the time is over:
//!     a generator's sound input, or one that led to something new ─► mutator ─► check ─► a word for what came of it
//!                                                                                 └─ panic, too much memory, too slow:
//!                                                                        made smaller, kept in the corpus, named
//! ```
//!
//! The stable toolchain measures no coverage. In its place generators make sound messages of every kind, and the word that a
//! check gives for its outcome decides what is bent further. `FUZZ_SECONDS` is the time of each target: 10 where `CI` is set,
//! else 1. `FUZZ_SEED` repeats a run; `FUZZ_REPLAY=FILE` runs one input of a corpus alone.
//!
//! Not here, since there is no code for it yet: SASL sessions, SCRAM messages, transaction records, ACL rules.

#[path = "../codec_oracle/sample.rs"]
#[allow(unused, reason = "the structs and one macro are needed")]
mod sample;

mod batches;
mod config;
mod damage;
mod fill;
mod group;
mod mutate;
mod node;
mod target;
mod wire;
