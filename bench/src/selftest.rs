//! Small servers whose behaviour is known, and what the tool must say about them.
//!
//! Every case here fails when the tool omits waits: a closed loop, latencies from the actual send, or unanswered sends
//! that are dropped would all pass a run against a healthy broker.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::floor::speak::{self, Speaker};
use crate::load::plan::{Plan, Rate};
use crate::load::report::Outcome;
use crate::load::{LoadError, run};
use crate::sys;
use crate::wire::api;

/// How a server treats Produce requests. Everything else it answers at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Answers at once and keeps nothing.
    Null,
    /// Answers each request this long after it came; later ones are not held up by earlier ones.
    Delay(Duration),
    /// Reads nothing and answers nothing for `length`, once, `after` the first Produce request.
    Stop {
        /// When.
        after: Duration,
        /// For how long.
        length: Duration,
    },
    /// Never answers any after so many.
    Silent(u64),
    /// Answers every second one with NOT_ENOUGH_REPLICAS.
    Refuse,
    /// Closes each connection after so many.
    HangUp(u64),
}

/// Starts a server on a free port; its threads end with their connections.
pub fn serve(behaviour: Behaviour) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let speaker = Arc::new(Mutex::new(Speaker::new(address, 4)));
    let first = Arc::new(Mutex::new(None));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (speaker, first) = (Arc::clone(&speaker), Arc::clone(&first));
            // A connection that breaks is the client's leaving.
            thread::spawn(move || connection(stream, behaviour, &speaker, &first));
        }
    });
    Ok(address)
}

fn connection(
    mut stream: TcpStream,
    behaviour: Behaviour,
    speaker: &Mutex<Speaker>,
    first: &Mutex<Option<u64>>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    sys::exact_timers();
    let (mut inbox, mut have, mut served) = (vec![0; 4 << 20], 0, 0_u64);
    let mut later: VecDeque<(u64, Vec<u8>)> = VecDeque::new();
    loop {
        if let Behaviour::Stop { after, length } = behaviour {
            let began = *first.lock().expect("no holder panics");
            let stop = began.map(|began| began + after.as_nanos() as u64);
            let now = sys::now();
            if let Some(end) = stop.map(|stop| stop + length.as_nanos() as u64)
                && stop.is_some_and(|stop| now >= stop)
                && now < end
            {
                thread::sleep(Duration::from_nanos(end - now));
            }
        }
        while later.front().is_some_and(|(due, _)| *due <= sys::now())
            && let Some((_, answer)) = later.pop_front()
        {
            stream.write_all(&answer)?;
        }
        let wait = later
            .front()
            .map(|(due, _)| due.saturating_sub(sys::now()).max(1_000));
        stream.set_read_timeout(wait.map(Duration::from_nanos))?;
        match stream.read(&mut inbox[have..]) {
            Ok(0) => return Ok(()),
            Ok(count) => have += count,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                ) =>
            {
                continue;
            }
            Err(error) => return Err(error),
        }
        let now = sys::now();
        let (mut from, mut out) = (0, Vec::new());
        while let Some(length) = inbox[from..have].first_chunk::<4>() {
            let end = from + 4 + u32::from_be_bytes(*length) as usize;
            if end > have {
                break;
            }
            let request = &inbox[from + 4..end];
            from = end;
            let (header, _) = speak::header(request).map_err(io::Error::other)?;
            if header.key != api::PRODUCE.0 {
                let mut speaker = speaker.lock().expect("no holder panics");
                if let Some(answer) = speaker.answer(request).map_err(io::Error::other)? {
                    out.extend_from_slice(&answer);
                }
                continue;
            }
            first.lock().expect("no holder panics").get_or_insert(now);
            let produce = speak::produce(request).map_err(io::Error::other)?;
            served += 1;
            match behaviour {
                Behaviour::Silent(most) if served > most => {}
                Behaviour::HangUp(most) if served > most => return Ok(()),
                Behaviour::Delay(delay) => {
                    let mut answer = Vec::new();
                    speak::produced(&produce, 0, 0, &mut answer);
                    later.push_back((now + delay.as_nanos() as u64, answer));
                }
                Behaviour::Refuse if served.is_multiple_of(2) => {
                    speak::produced(&produce, 19, -1, &mut out)
                }
                _ => speak::produced(&produce, 0, 0, &mut out),
            }
        }
        inbox.copy_within(from..have, 0);
        have -= from;
        stream.write_all(&out)?;
    }
}

/// A short open-loop run at `sends` per second against such a server.
pub fn measure(behaviour: Behaviour, sends: f64, duration: Duration) -> Result<Outcome, LoadError> {
    let plan = Plan {
        broker: serve(behaviour)?.to_string(),
        topic: Some("selftest".to_owned()),
        partitions: 4,
        connections: 1,
        record_bytes: 100,
        batch_bytes: 1000,
        rate: Rate::Sends(sends),
        warmup: Duration::ZERO,
        drain: Duration::from_millis(500),
        duration,
        quiet: true,
        keep_topic: true,
        // So that sends wait here too, where a tool that measures from the actual send forgets them.
        in_flight: if matches!(behaviour, Behaviour::Stop { .. }) {
            4
        } else {
            0
        },
        ..Plan::standard()
    };
    run(&plan)
}

/// The tool's own ceiling: closed loops against a server that does nothing. `(what, outcome)`.
pub fn ceiling(duration: Duration) -> Result<Vec<(String, Outcome)>, LoadError> {
    let mut outcomes = Vec::new();
    for (what, batch_bytes, record_bytes, connections, in_flight) in [
        ("bulk: 1 MiB batches, 4 × 4", 1 << 20, 1024, 4, 4),
        ("tiny: 100 B records, 16 × 16", 0, 100, 16, 16),
    ] {
        let plan = Plan {
            broker: serve(Behaviour::Null)?.to_string(),
            topic: Some("selftest".to_owned()),
            closed: true,
            batch_bytes,
            record_bytes,
            connections,
            in_flight,
            warmup: Duration::from_millis(500),
            duration,
            quiet: true,
            keep_topic: true,
            ..Plan::standard()
        };
        outcomes.push((what.to_owned(), run(&plan)?));
    }
    Ok(outcomes)
}

/// One behaviour, what the tool said, and whether it had to say so.
pub struct Verdict {
    /// What was expected, in words and numbers.
    pub expected: String,
    /// What was measured.
    pub measured: String,
    /// Whether they agree.
    pub right: bool,
}

/// Runs every behaviour for `seconds` each.
pub fn verdicts(seconds: f64) -> Result<Vec<Verdict>, LoadError> {
    let duration = Duration::from_secs_f64(seconds);
    let mut verdicts = Vec::new();
    let mut say = |expected: String, measured: String, right| {
        verdicts.push(Verdict {
            expected,
            measured,
            right,
        });
    };

    // A stop of length L in a run of length D: sends due during it wait for between L and 0, evenly. The share q of all
    // sends that waited longer than x is (L - x) / D, so the quantile 1 - q is L - q D.
    let (sends, stop) = (1000.0, seconds / 25.0);
    let behaviour = Behaviour::Stop {
        after: duration / 2,
        length: Duration::from_secs_f64(stop),
    };
    let outcome = measure(behaviour, sends, duration)?;
    let (p99, p999) = (
        (stop - 0.01 * seconds) * 1e6,
        (stop - 0.001 * seconds) * 1e6,
    );
    let near = |value: f64, wanted: f64| (value - wanted).abs() <= 0.15 * wanted + 5_000.0;
    say(
        format!(
            "stopped for {stop:.2} s of {seconds:.1} s: p99 {:.0} ms, p99.9 {:.0} ms",
            p99 / 1e3,
            p999 / 1e3
        ),
        format!(
            "p99 {:.0} ms, p99.9 {:.0} ms",
            outcome.latency.p99_us / 1e3,
            outcome.latency.p999_us / 1e3
        ),
        near(outcome.latency.p99_us, p99) && near(outcome.latency.p999_us, p999),
    );

    let outcome = measure(
        Behaviour::Delay(Duration::from_millis(5)),
        sends,
        duration / 2,
    )?;
    say(
        "each answer 5 ms late: p50 5 ms".to_owned(),
        format!("p50 {:.2} ms", outcome.latency.p50_us / 1e3),
        (5_000.0..6_500.0).contains(&outcome.latency.p50_us),
    );

    let outcome = measure(Behaviour::Silent(100), sends, duration / 4)?;
    let sent = outcome.due;
    say(
        format!(
            "silent after 100 of {sent}: {} unacknowledged, their age in the latencies",
            sent - 100
        ),
        format!(
            "{} unacknowledged, {} samples, p50 {:.0} ms",
            outcome.unacked,
            outcome.latency.count,
            outcome.latency.p50_us / 1e3
        ),
        outcome.unacked == sent - 100
            && outcome.latency.count == sent
            && outcome.latency.p50_us > 400_000.0,
    );

    let outcome = measure(Behaviour::Refuse, sends, duration / 4)?;
    let refused = outcome
        .errors
        .get("NOT_ENOUGH_REPLICAS")
        .copied()
        .unwrap_or(0);
    say(
        format!("every second one refused: {} errors", outcome.due / 2),
        format!(
            "{refused} errors, {} acknowledged, {} due",
            outcome.acked, outcome.due
        ),
        refused == outcome.due / 2 && outcome.acked + refused == outcome.due,
    );
    Ok(verdicts)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Retried, because a machine that also compiles can stall any of the threads; a broken tool fails every time.
    #[test]
    fn the_tool_says_what_the_servers_do() {
        let mut said = String::new();
        for _ in 0..3 {
            let verdicts = verdicts(5.0).unwrap();
            if verdicts.iter().all(|verdict| verdict.right) {
                return;
            }
            for verdict in verdicts.iter().filter(|verdict| !verdict.right) {
                said += &format!(
                    "expected {}, measured {}\n",
                    verdict.expected, verdict.measured
                );
            }
        }
        panic!("three times over:\n{said}");
    }

    #[test]
    fn the_null_server_is_loaded_without_errors() {
        for (what, outcome) in ceiling(Duration::from_millis(300)).unwrap() {
            assert!(
                outcome.acked > 0 && outcome.unacked == 0 && outcome.errors.is_empty(),
                "{what}"
            );
            assert_eq!(outcome.acked, outcome.due, "{what}");
        }
    }

    #[test]
    fn a_lost_connection_is_opened_again_and_what_was_on_it_stays_unacknowledged() {
        let outcome = measure(Behaviour::HangUp(100), 1000.0, Duration::from_millis(500)).unwrap();
        let lost: u64 = outcome
            .errors
            .iter()
            .filter(|(name, _)| name.starts_with("connection"))
            .map(|(_, n)| n)
            .sum();
        assert!(lost > 0, "{:?}", outcome.errors);
        assert!(
            outcome.acked > 100 && outcome.unacked > 0,
            "{} {}",
            outcome.acked,
            outcome.unacked
        );
        assert_eq!(outcome.acked + outcome.unacked, outcome.due);
        assert_eq!(outcome.latency.count, outcome.due);
    }
}
