//! Counts a process's syscalls with `perf stat`, or with `strace -c` where perf may not.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::sys;

/// Attached within this.
const ATTACH: Duration = Duration::from_millis(500);
const END_WITHIN: Duration = Duration::from_secs(20);

/// A counter that is attached.
pub struct Counter {
    child: Child,
    tool: Tool,
    out: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tool {
    Perf,
    Strace,
}

impl Counter {
    /// Attaches to all threads of `pid`; none where neither tool may.
    pub fn attach(pid: u32) -> Option<Counter> {
        Counter::with(Tool::Perf, pid).or_else(|| Counter::with(Tool::Strace, pid))
    }

    fn with(tool: Tool, pid: u32) -> Option<Counter> {
        let out = std::env::temp_dir().join(format!("corelane-syscalls-{pid}-{}", sys::now()));
        let pid = pid.to_string();
        let mut command = match tool {
            Tool::Perf => {
                let mut command = Command::new("perf");
                command.args([
                    "stat",
                    "-x",
                    ",",
                    "-e",
                    "raw_syscalls:sys_enter",
                    "-p",
                    &pid,
                ]);
                command
            }
            Tool::Strace => {
                let mut command = Command::new("strace");
                command.args(["-c", "-f", "-p", &pid]);
                command
            }
        };
        command.arg("-o").arg(&out);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let mut child = command.stderr(Stdio::null()).spawn().ok()?;
        std::thread::sleep(ATTACH);
        match child.try_wait() {
            Ok(None) => Some(Counter { child, tool, out }),
            Ok(Some(_)) | Err(_) => None,
        }
    }

    /// Detaches; the count and the tool's name.
    pub fn finish(mut self) -> Option<(u64, &'static str)> {
        sys::kill(self.child.id(), libc::SIGINT);
        let since = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) {
            if since.elapsed() > END_WITHIN {
                self.child.kill().ok()?;
                self.child.wait().ok()?;
                return None;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let text = read(&self.out).ok()?;
        match self.tool {
            Tool::Perf => perf_count(&text).map(|count| (count, "perf stat")),
            Tool::Strace => strace_count(&text).map(|count| (count, "strace -c")),
        }
    }
}

fn read(path: &PathBuf) -> io::Result<String> {
    let text = fs::read_to_string(path)?;
    fs::remove_file(path)?;
    Ok(text)
}

/// The first field of perf's line for the event.
fn perf_count(text: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.contains("sys_enter"))?;
    line.split(',').next()?.trim().parse().ok()
}

/// Calls in strace's line "total"; the column of errors may be empty.
fn strace_count(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find(|line| line.trim_end().ends_with("total"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_tools_are_read() {
        let perf = "# started on Wed\n\n23808,,raw_syscalls:sys_enter,5000,100.00,,\n";
        assert_eq!(perf_count(perf), Some(23808));
        assert_eq!(
            perf_count("<not supported>,,raw_syscalls:sys_enter,0,0,,"),
            None
        );
        let strace = "% time     seconds  usecs/call     calls    errors syscall\n\
                      ------ ----------- ----------- --------- --------- ----------------\n\
                       99.00    0.100000           1     30214         3 io_uring_enter\n\
                      ------ ----------- ----------- --------- --------- ----------------\n\
                      100.00    0.100000           1     30217         3 total\n";
        assert_eq!(strace_count(strace), Some(30217));
        assert_eq!(strace_count(""), None);
    }
}
