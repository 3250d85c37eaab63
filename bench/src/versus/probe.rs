//! How long until a broker answers: versions, a first acknowledgement, a first fetch; and connections that say nothing.

use std::time::{Duration, Instant};

use crate::load::admin::{self, AdminError, Client};
use crate::load::batch::{Producer, Send, Template};
use crate::load::plan::Plan;
use crate::sys;
use crate::wire::{Reader, api, error_name};

/// Between two tries.
const AGAIN: Duration = Duration::from_millis(2);

/// Seconds from `since` until `once` has succeeded; its last error when that takes longer than `within`.
pub fn until(
    since: Instant,
    within: Duration,
    mut once: impl FnMut() -> Result<(), AdminError>,
) -> Result<f64, AdminError> {
    loop {
        match once() {
            Ok(()) => return Ok(since.elapsed().as_secs_f64()),
            Err(error) if since.elapsed() > within || sys::interrupted() => return Err(error),
            Err(_) => std::thread::sleep(AGAIN),
        }
    }
}

/// Asks for versions.
pub fn versions(address: &str) -> Result<Client, AdminError> {
    let mut client = Client::connect(address)?;
    client.call(api::API_VERSIONS, |_| ())?;
    Ok(client)
}

/// Creates `topic` with one partition, if it is missing.
pub fn create(address: &str, topic: &str, config: &[String]) -> Result<(), AdminError> {
    let plan = Plan {
        broker: address.to_owned(),
        topic: Some(topic.to_owned()),
        topic_config: config.to_vec(),
        partitions: 1,
        ..Plan::standard()
    };
    admin::prepare(&plan).map(|_| ())
}

/// One record to partition 0, acknowledged by all.
pub fn produce(address: &str, topic: &str) -> Result<(), AdminError> {
    let plan = Plan {
        record_bytes: 100,
        batch_bytes: 0,
        ..Plan::standard()
    };
    let template = Template::new(&plan);
    let send = Send {
        intended: sys::now(),
        id: u64::MAX,
        timestamp_ms: sys::wall_ms(),
        producer: Producer::NONE,
        sequence: -1,
    };
    let mut batch = Vec::new();
    template.stamp(&mut batch, send);
    batch.extend_from_slice(&template.tail);
    let answer = Client::connect(address)?.call(api::PRODUCE, |to| {
        to.null_str().i16(-1).i32(30_000);
        to.i32(1).str(topic).i32(1).i32(0);
        to.i32(batch.len() as i32);
        to.bytes.extend_from_slice(&batch);
    })?;
    let mut from = Reader::new(&answer);
    from.i32()?;
    from.str()?;
    from.i32()?;
    from.i32()?;
    accept(format!("producing to {topic}"), from.i16()?)
}

/// Reads from the beginning of partition 0; at least one byte must come.
pub fn fetch(address: &str, topic: &str) -> Result<(), AdminError> {
    let answer = Client::connect(address)?.call(api::FETCH, |to| {
        to.i32(-1).i32(100).i32(1).i32(2 << 20).i8(0);
        to.i32(0).i32(-1);
        to.i32(1).str(topic).i32(1);
        to.i32(0).i32(-1).i64(0).i64(-1).i32(2 << 20);
        to.i32(0).str("");
    })?;
    let mut bytes = 0;
    let (_, error) = admin::read_fetch(&answer, |part| {
        bytes += part.records.len();
        accept(format!("reading {topic}"), part.error)
    })?;
    accept(format!("reading {topic}"), error)?;
    if bytes == 0 {
        let nothing = "nothing came".to_owned();
        return Err(AdminError::Refused(format!("reading {topic}"), nothing));
    }
    Ok(())
}

fn accept(what: String, code: i16) -> Result<(), AdminError> {
    match code {
        0 => Ok(()),
        code => Err(AdminError::Refused(what, error_name(code))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selftest::{Behaviour, serve};

    #[test]
    fn a_server_that_comes_later_is_waited_for_and_one_that_never_comes_is_named() {
        let address = serve(Behaviour::Null).unwrap().to_string();
        let mut tries = 0;
        let waited = until(Instant::now(), Duration::from_secs(10), || {
            tries += 1;
            versions(if tries < 3 { "127.0.0.1:1" } else { &address })?;
            produce(&address, "t")
        });
        assert!(waited.unwrap() >= 2.0 * AGAIN.as_secs_f64());
        assert_eq!(tries, 3);
        let never = until(Instant::now(), Duration::from_millis(5), || {
            versions("127.0.0.1:1").map(|_| ())
        });
        assert!(never.unwrap_err().to_string().contains("127.0.0.1:1"));
    }
}
