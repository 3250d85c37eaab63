//! Generates Rust codecs from the message definitions that ship inside the `kafka-clients` jar.
