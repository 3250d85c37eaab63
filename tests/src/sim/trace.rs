//! What happened, as one number: equal seeds give equal traces. Printed on demand.

use std::fmt::Arguments;

/// Folds every event into a hash (FNV-1a over its numbers), and prints it when asked to.
#[derive(Clone, Debug)]
pub struct Trace {
    hash: u64,
    events: u64,
    print: bool,
}

impl Trace {
    pub fn new(print: bool) -> Trace {
        Trace {
            hash: 0xcbf2_9ce4_8422_2325,
            events: 0,
            print,
        }
    }

    /// `numbers` enter the hash; `words` are for a reader.
    pub fn note(&mut self, now: u64, numbers: &[u64], words: Arguments<'_>) {
        self.events += 1;
        for number in [now].iter().chain(numbers) {
            for byte in number.to_le_bytes() {
                self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
            }
        }
        self.say(now, words);
    }

    /// For a reader only.
    pub fn say(&self, now: u64, words: Arguments<'_>) {
        if self.print {
            let (seconds, nanos) = (now / 1_000_000_000, now % 1_000_000_000);
            println!("{seconds:>4}.{nanos:09} {words}");
        }
    }

    pub fn hash(&self) -> u64 {
        self.hash
    }

    pub fn events(&self) -> u64 {
        self.events
    }

    pub fn prints(&self) -> bool {
        self.print
    }
}
