//! A broker as a process: started in a memory cgroup of its own where possible, pinned or not, ended when dropped.

use std::fs::{self, File};
use std::io;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::machine;
use crate::sys;

const READY_WITHIN: Duration = Duration::from_secs(120);
const STOP_WITHIN: Duration = Duration::from_secs(30);

/// A running broker.
pub struct Subject {
    child: Child,
    cgroup: Option<PathBuf>,
    /// When it was started.
    pub since: Instant,
    /// From the start to the first connection.
    pub ready_after: Duration,
}

impl Subject {
    /// Runs `command`, pinned to a CPU if asked, and waits until `port` accepts. Its output goes to
    /// `directory/log`.
    pub fn start(
        command: &[String],
        pinned: Option<usize>,
        port: u16,
        directory: &Path,
    ) -> io::Result<Subject> {
        let mut subject = Subject::spawn(command, pinned, port, directory)?;
        subject.ready(port, directory)?;
        Ok(subject)
    }

    /// Runs `command` and does not wait.
    pub fn spawn(
        command: &[String],
        pinned: Option<usize>,
        port: u16,
        directory: &Path,
    ) -> io::Result<Subject> {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Err(io::Error::other(format!("port {port} is in use")));
        }
        let cgroup = memory_cgroup();
        let mut words: Vec<String> = Vec::new();
        if let Some(cgroup) = &cgroup {
            let procs = cgroup.join("cgroup.procs").display().to_string();
            words
                .extend(["sh", "-c", "echo $$ > \"$0\" && exec \"$@\"", &procs].map(str::to_owned));
        }
        if let Some(cpu) = pinned {
            words.extend(["taskset", "-c", &cpu.to_string()].map(str::to_owned));
        }
        words.extend_from_slice(command);
        let log = File::create(directory.join("log"))?;
        let since = Instant::now();
        let child = Command::new(&words[0])
            .args(&words[1..])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        Ok(Subject {
            child,
            cgroup,
            since,
            ready_after: Duration::ZERO,
        })
    }

    /// Waits until `port` accepts.
    pub fn ready(&mut self, port: u16, directory: &Path) -> io::Result<()> {
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if let Some(status) = self.child.try_wait()? {
                let said = fs::read_to_string(directory.join("log")).unwrap_or_default();
                return Err(io::Error::other(format!(
                    "the broker ended ({status}): {said}"
                )));
            }
            if self.since.elapsed() > READY_WITHIN || sys::interrupted() {
                return Err(io::Error::other("the broker did not become ready"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.ready_after = self.since.elapsed();
        Ok(())
    }

    /// Its process id: `sh` and `taskset` become the broker.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        // Dropping it then finds it ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Pins every thread it has to this CPU; threads to come inherit that.
    pub fn pin(&self, cpu: usize) -> io::Result<()> {
        for task in fs::read_dir(format!("/proc/{}/task", self.pid()))? {
            let name = task?.file_name();
            let id = name.to_str().and_then(|name| name.parse::<u32>().ok());
            if let Some(id) = id {
                sys::pin_thread(id, cpu)?;
            }
        }
        Ok(())
    }

    /// Peak bytes with page cache, and what was measured: the cgroup's peak, or resident bytes where there is none.
    pub fn memory_peak(&self) -> (u64, &'static str) {
        let read = |file: &str| {
            let text = fs::read_to_string(self.cgroup.as_ref()?.join(file)).ok()?;
            text.trim().parse::<u64>().ok()
        };
        match read("memory.peak").or_else(|| read("memory.max_usage_in_bytes")) {
            Some(peak) => (peak, "cgroup peak with page cache"),
            None => (machine::rss_peak(&[self.pid()]), "VmHWM without page cache"),
        }
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        sys::kill(self.child.id(), libc::SIGTERM);
        let since = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) {
            if since.elapsed() > STOP_WITHIN {
                let _ = self.child.kill();
                let _ = self.child.wait();
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        if let Some(cgroup) = &self.cgroup {
            // A cgroup with cached pages of deleted files may take a moment; a left-over one is empty and harmless.
            let _ = fs::remove_dir(cgroup);
        }
    }
}

/// A fresh memory cgroup below our own, of either version; none where we may not.
fn memory_cgroup() -> Option<PathBuf> {
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    let v1 = own.lines().find_map(|line| line.split_once(":memory:"));
    let (parent, probe) = match v1 {
        Some((_, path)) => (
            format!("/sys/fs/cgroup/memory{path}"),
            "memory.max_usage_in_bytes",
        ),
        None => {
            let path = own.lines().find_map(|line| line.strip_prefix("0::"))?;
            (format!("/sys/fs/cgroup{path}"), "memory.peak")
        }
    };
    let cgroup = Path::new(&parent).join(format!(
        "corelane-versus-{}-{}",
        std::process::id(),
        sys::now()
    ));
    fs::create_dir(&cgroup).ok()?;
    if cgroup.join(probe).exists() {
        return Some(cgroup);
    }
    let _ = fs::remove_dir(&cgroup);
    None
}
