//! Corelane beside the floor and beside other brokers.
fn main() {}
