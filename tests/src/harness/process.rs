//! Foreign programs: run to the end or to a deadline, all output kept, no sleep.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How a program ended and what it said.
#[derive(Debug)]
pub struct Ended {
    pub ok: bool,
    /// Its exit code; none where a signal ended it.
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Ended {
    /// Standard output as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Panics with everything the program said unless it ended with code 0.
    pub fn expect_ok(self, what: &str) -> Ended {
        assert!(
            self.ok,
            "{what} failed\n--- stdout\n{}\n--- stderr\n{}",
            self.text(),
            self.stderr
        );
        self
    }
}

/// Runs `command` with `stdin`, kills it at the deadline. A deadline missed is `ok: false` with a line in `stderr`.
pub fn run(mut command: Command, stdin: &[u8], deadline: Duration) -> Ended {
    let until = Instant::now() + deadline;
    let name = format!("{command:?}");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
    let mut input = child.stdin.take().expect("stdin is piped");
    let stdin = stdin.to_vec();
    // A program that ends early closes its stdin: not our error, its exit code says what happened.
    thread::spawn(move || drop(input.write_all(&stdin)));
    let stdout = collect(child.stdout.take().expect("stdout is piped"));
    let stderr = collect(child.stderr.take().expect("stderr is piped"));
    let mut late = false;
    let mut wait = |ends: mpsc::Receiver<Vec<u8>>, child: &mut std::process::Child| {
        let left = until.saturating_duration_since(Instant::now());
        ends.recv_timeout(left).unwrap_or_else(|_| {
            late = true;
            drop(child.kill());
            ends.recv_timeout(Duration::from_secs(5))
                .unwrap_or_default()
        })
    };
    let stdout = wait(stdout, &mut child);
    let stderr = wait(stderr, &mut child);
    let status = child.wait().expect("the child was started");
    let mut stderr = String::from_utf8_lossy(&stderr).into_owned();
    if late {
        stderr.push_str(&format!("\n[killed after {deadline:?}: {name}]"));
    }
    Ended {
        ok: status.success() && !late,
        code: status.code(),
        stdout,
        stderr,
    }
}

fn collect(mut from: impl Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut all = Vec::new();
        drop(from.read_to_end(&mut all));
        drop(send.send(all));
    });
    receive
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_fed_read_and_killed_at_its_deadline() {
        let cat = run(Command::new("cat"), b"hello", Duration::from_secs(10)).expect_ok("cat");
        assert_eq!(cat.stdout, b"hello");
        let mut tail = Command::new("tail");
        tail.args(["-f", "/dev/null"]);
        let tail = run(tail, b"", Duration::from_millis(50));
        assert!(!tail.ok && tail.stderr.contains("killed after"));
    }
}
