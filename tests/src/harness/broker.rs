//! The broker under test as a process: start, `kill -9`, SIGTERM, restart on the same directory, what `/proc` says.
//!
//! ```text
//!   start ─► Running ──kill_9──► Down ──restart──► Running ──terminate──► Down
//!                │                                    │
//!                └──────────── drop: kill, scan the log, delete the directory (kept when the test panics)
//! ```

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::process::run;
use super::runtime::java;

/// A cold start reads journals of 64 MiB per shard on a machine that also compiles.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// "SIGTERM stops cleanly within seconds."
const STOP_WITHIN: Duration = Duration::from_secs(20);

/// WARN and ERROR lines that may appear in any test, each with its reason.
const ALLOWED_EVERYWHERE: &[&str] = &[
    // The start screen's remarks about the host: containers and CI machines often limit lockable memory.
    "memlock", // Said by the first start after `kill -9`.
    "unclean",
];

/// How the broker is started. `Options::default()` is one shard and no further flag.
#[derive(Clone, Debug)]
pub struct Options {
    /// `--shards`; more than there are CPUs is allowed.
    pub shards: usize,
    /// Whether `--listen` names [`Broker::address`]: not where the flags or the file name all listeners.
    pub listen: bool,
    /// `--memory`, in the CLI's own notation.
    pub memory: Option<String>,
    /// Contents of the file given to `--config`.
    pub config: Option<String>,
    /// Further flags, last.
    pub flags: Vec<String>,
    /// Further environment.
    pub env: Vec<(String, String)>,
    /// A program and its arguments that `exec`s the broker: `prlimit --memlock=8388608:8388608`, `setpriv …`.
    pub wrapper: Vec<String>,
    /// Substrings of WARN and ERROR lines that this test provokes.
    pub allowed: Vec<String>,
    /// An existing data directory to use, which then stays.
    pub data_dir: Option<PathBuf>,
    /// Apache Kafka in place of our binary: the reference. Of the other options only `data_dir` and `properties` count.
    pub kafka: bool,
    /// Settings of Apache Kafka beside those it always has. A list that it has already becomes longer.
    pub properties: Vec<(&'static str, String)>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            shards: 1,
            listen: true,
            memory: None,
            config: None,
            flags: Vec::new(),
            env: Vec::new(),
            wrapper: Vec::new(),
            allowed: Vec::new(),
            data_dir: None,
            kafka: std::env::var_os("CORELANE_TEST_KAFKA").is_some(),
            properties: Vec::new(),
        }
    }
}

impl Options {
    /// The default with so many shards.
    pub fn shards(shards: usize) -> Options {
        Options {
            shards,
            ..Options::default()
        }
    }
}

/// One broker: ours, started by the test, or one that already runs.
pub struct Broker {
    address: SocketAddr,
    data_dir: Option<PathBuf>,
    owned: Option<Owned>,
}

struct Owned {
    options: Options,
    scratch: PathBuf,
    child: Option<Child>,
    said: Arc<Mutex<Vec<String>>>,
}

impl Broker {
    /// Starts the broker on a free port, with a fresh directory unless `options` names one, and waits for
    /// its ready line. With `CORELANE_TEST_BROKER` set: that broker, whatever the options say.
    pub fn start(options: Options) -> Broker {
        if let Ok(address) = std::env::var("CORELANE_TEST_BROKER") {
            let address = address
                .parse()
                .expect("CORELANE_TEST_BROKER is an address and a port");
            return Broker::external(address);
        }
        Broker::start_own(options)
    }

    /// [`Broker::start`] for tests that make sense with our own binary only: ignores `CORELANE_TEST_BROKER`.
    pub fn start_own(options: Options) -> Broker {
        Broker::try_start(options).unwrap_or_else(|said| {
            panic!("the broker did not become ready; it said:\n{said}");
        })
    }

    /// Starts our binary, or returns what it printed before it gave up.
    pub fn try_start(options: Options) -> Result<Broker, String> {
        let scratch = scratch_dir();
        fs::create_dir_all(&scratch).expect("the target directory is writable");
        let data_dir = options
            .data_dir
            .clone()
            .unwrap_or_else(|| scratch.join("data"));
        let mut broker = Broker {
            address: free_address(),
            data_dir: Some(data_dir),
            owned: Some(Owned {
                options,
                scratch,
                child: None,
                said: Arc::default(),
            }),
        };
        broker.launch().map(|()| broker)
    }

    /// A broker that already runs: it is neither stopped nor restarted.
    pub fn external(address: SocketAddr) -> Broker {
        Broker {
            address,
            data_dir: std::env::var_os("CORELANE_TEST_DATA").map(PathBuf::from),
            owned: None,
        }
    }

    /// Where clients connect: `127.0.0.1:PORT`, the same over restarts.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// [`Broker::address`] as clients' `bootstrap.servers`.
    pub fn bootstrap(&self) -> String {
        self.address.to_string()
    }

    /// True for a broker that this test did not start.
    pub fn is_external(&self) -> bool {
        self.owned.is_none()
    }

    /// True for our own binary, false for Apache Kafka.
    pub fn is_ours(&self) -> bool {
        self.owned
            .as_ref()
            .is_some_and(|owned| !owned.options.kafka)
    }

    /// The data directory, where it is known.
    pub fn data_dir(&self) -> Option<&Path> {
        self.data_dir.as_deref()
    }

    /// Changes how the next [`Broker::restart`] starts it: another shard count, another limit.
    pub fn options_mut(&mut self) -> &mut Options {
        &mut self.owned.as_mut().expect("our own broker").options
    }

    /// `kill -9`; returns once the process is gone.
    pub fn kill_9(&mut self) {
        let owned = self.owned.as_mut().expect("our own broker");
        let mut child = owned.child.take().expect("the broker runs");
        child.kill().expect("the broker has not been reaped");
        child.wait().expect("the broker has not been reaped");
    }

    /// SIGTERM; returns the exit status, panics when the broker takes longer than [`STOP_WITHIN`].
    pub fn terminate(&mut self) -> ExitStatus {
        let owned = self.owned.as_mut().expect("our own broker");
        let child = owned.child.take().expect("the broker runs");
        let killed = Command::new("kill")
            .args(["-TERM", &child.id().to_string()])
            .status()
            .expect("kill is a program of every Linux");
        assert!(killed.success(), "no process {} to stop", child.id());
        wait_for_exit(child, STOP_WITHIN)
    }

    /// Starts it again, same directory, same port.
    pub fn restart(&mut self) {
        self.launch().unwrap_or_else(|said| {
            panic!("the broker did not become ready again; it said:\n{said}")
        });
    }

    /// Waits until the broker ends by itself.
    pub fn wait(&mut self, within: Duration) -> ExitStatus {
        let owned = self.owned.as_mut().expect("our own broker");
        wait_for_exit(owned.child.take().expect("the broker runs"), within)
    }

    /// Everything printed so far, over all starts, line by line.
    pub fn said(&self) -> Vec<String> {
        self.owned.as_ref().map_or_else(Vec::new, |owned| {
            owned.said.lock().expect("no reader panics").clone()
        })
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        let owned = self.owned.as_ref().expect("our own broker");
        owned.child.as_ref().expect("the broker runs").id()
    }

    /// A field of `/proc/PID/io`, in bytes or calls: `read_bytes`, `write_bytes`, `syscr`, …
    pub fn proc_io(&self, field: &str) -> u64 {
        self.proc_field("io", field)
    }

    /// Resident memory in bytes.
    pub fn resident_bytes(&self) -> u64 {
        self.proc_field("status", "VmRSS") * 1024
    }

    /// The most that was ever resident, in bytes.
    pub fn peak_bytes(&self) -> u64 {
        self.proc_field("status", "VmHWM") * 1024
    }

    /// How many descriptors are open.
    pub fn open_files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid()))
            .expect("/proc shows our own children")
            .count()
    }

    /// User and system time used so far.
    pub fn cpu_time(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).expect("/proc");
        // The second field is the name in parentheses and may hold spaces; utime and stime are 14 and 15.
        let (_, rest) = stat.rsplit_once(')').expect("stat has a name");
        let ticks: u64 = rest
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(|n| n.parse::<u64>().expect("ticks"))
            .sum();
        // USER_HZ is 100 on every Linux that matters here.
        Duration::from_millis(ticks * 10)
    }

    fn proc_field(&self, file: &str, field: &str) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/{file}", self.pid())).expect("/proc");
        text.lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| *name == field)
            .and_then(|(_, value)| value.split_whitespace().next()?.parse().ok())
            .unwrap_or_else(|| panic!("no {field} in /proc/PID/{file}"))
    }

    fn launch(&mut self) -> Result<(), String> {
        let owned = self.owned.as_mut().expect("our own broker");
        assert!(owned.child.is_none(), "the broker runs already");
        let data_dir = self.data_dir.as_ref().expect("our own broker");
        let mut command = if owned.options.kafka {
            let properties = &owned.options.properties;
            kafka(self.address, data_dir, &owned.scratch, properties)
        } else {
            corelane(self.address, data_dir, &owned.scratch, &owned.options)
        };
        let mut child = command
            .envs(owned.options.env.iter().map(|(name, value)| (name, value)))
            .env("NO_COLOR", "1")
            .current_dir(&owned.scratch)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the broker's program is there");
        let (lines, receive) = mpsc::channel();
        let stdout = child.stdout.take().expect("stdout is piped");
        let stderr = child.stderr.take().expect("stderr is piped");
        listen(stdout, Arc::clone(&owned.said), lines.clone());
        listen(stderr, Arc::clone(&owned.said), lines);
        let until = Instant::now() + READY_WITHIN;
        let mut heard = String::new();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match receive.recv_timeout(left) {
                Ok(line) if is_ready(&line) => {
                    owned.child = Some(child);
                    return Ok(());
                }
                Ok(line) => heard.push_str(&format!("{line}\n")),
                Err(error) => {
                    // Both pipes closed: it ended. Deadline: it hangs.
                    drop(child.kill());
                    let status = child.wait();
                    return Err(format!("{heard}[{error}; {status:?}]"));
                }
            }
        }
    }

    fn unlisted(&self) -> Vec<String> {
        let Some(owned) = &self.owned else {
            return Vec::new();
        };
        if owned.options.kafka {
            return Vec::new();
        }
        let mut allowed: Vec<&str> = ALLOWED_EVERYWHERE.to_vec();
        allowed.extend(owned.options.allowed.iter().map(String::as_str));
        unlisted(&self.said(), &allowed)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let Some(owned) = &mut self.owned else { return };
        if let Some(mut child) = owned.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
        if thread::panicking() {
            eprintln!("data kept in {}", owned.scratch.display());
            eprintln!("the broker said:\n{}", self.said().join("\n"));
            return;
        }
        drop(fs::remove_dir_all(&owned.scratch));
        let unlisted = self.unlisted();
        assert!(
            unlisted.is_empty(),
            "WARN or ERROR that no list allows:\n{}",
            unlisted.join("\n")
        );
    }
}

/// The last line of the start screen; of Apache Kafka, what its log says then.
fn is_ready(line: &str) -> bool {
    line.trim_start().starts_with("ready") || line.contains("Kafka Server started")
}

fn corelane(address: SocketAddr, data_dir: &Path, scratch: &Path, options: &Options) -> Command {
    let mut words = options.wrapper.clone();
    words.push(binary().display().to_string());
    let mut command = Command::new(&words[0]);
    command
        .args(&words[1..])
        .arg("broker")
        .arg("--data-dir")
        .arg(data_dir)
        .args(["--shards", &options.shards.to_string()]);
    if options.listen {
        command.args(["--listen", &address.to_string()]);
    }
    if let Some(memory) = &options.memory {
        command.args(["--memory", memory]);
    }
    if let Some(config) = &options.config {
        let path = scratch.join("corelane.toml");
        fs::write(&path, config).expect("scratch is writable");
        command.arg("--config").arg(path);
    }
    command.args(&options.flags);
    command
}

/// Apache Kafka as one KRaft node that is its own controller; formats the directory at its first start.
fn kafka(
    address: SocketAddr,
    data_dir: &Path,
    scratch: &Path,
    further: &[(&'static str, String)],
) -> Command {
    let properties = scratch.join("server.properties");
    if !properties.exists() {
        let controller = free_address();
        let mut text = format!(
            "process.roles=broker,controller\nnode.id=1\n\
             controller.quorum.voters=1@{controller}\n\
             listeners=PLAINTEXT://{address},CONTROLLER://{controller}\n\
             advertised.listeners=PLAINTEXT://{address}\n\
             controller.listener.names=CONTROLLER\n\
             listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\n\
             log.dirs={}\noffsets.topic.replication.factor=1\n\
             transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n",
            data_dir.display()
        );
        for (name, value) in further {
            let known = format!("\n{name}=");
            let Some(at) = text.find(&known) else {
                text.push_str(&format!("{name}={value}\n"));
                continue;
            };
            let end = at + 1 + text[at + 1..].find('\n').expect("every line ends");
            text.insert_str(end, &format!(",{value}"));
        }
        fs::write(&properties, text).expect("scratch is writable");
        let mut format = java().expect("java with mvn");
        format
            .args(["kafka.tools.StorageTool", "format", "--ignore-formatted"])
            .args(["--cluster-id", "AAAAAAAAAAAAAAAAAAAAAA", "--config"])
            .arg(&properties);
        run(format, b"", READY_WITHIN).expect_ok("formatting Kafka's directory");
    }
    let mut command = java().expect("java with mvn");
    command.arg("kafka.Kafka").arg(&properties);
    command
}

/// Lines of level WARN or ERROR, and panics, that contain none of `allowed`.
fn unlisted(said: &[String], allowed: &[&str]) -> Vec<String> {
    said.iter()
        .filter(|line| {
            line.split_whitespace()
                .take(3)
                .any(|word| word == "WARN" || word == "ERROR")
                || line.contains("panicked at")
        })
        .filter(|line| !allowed.iter().any(|part| line.contains(part)))
        .cloned()
        .collect()
}

fn listen(
    from: impl std::io::Read + Send + 'static,
    said: Arc<Mutex<Vec<String>>>,
    to: mpsc::Sender<String>,
) {
    thread::spawn(move || {
        let mut lines = BufReader::new(from);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            said.lock().expect("no reader panics").push(text.clone());
            // Nobody listens any more once the broker is ready.
            drop(to.send(text));
            line.clear();
        }
    });
}

fn wait_for_exit(mut child: Child, within: Duration) -> ExitStatus {
    let (send, receive) = mpsc::channel();
    let pid = child.id();
    thread::spawn(move || drop(send.send(child.wait())));
    match receive.recv_timeout(within) {
        Ok(status) => status.expect("the broker has not been reaped"),
        Err(_) => {
            drop(
                Command::new("kill")
                    .args(["-KILL", &pid.to_string()])
                    .status(),
            );
            panic!("the broker did not stop within {within:?}");
        }
    }
}

/// A port that was free a moment ago. The broker keeps it over restarts, so that clients find it again.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("the loopback interface has free ports")
}

/// Under the target directory, not `/tmp`: that one may live in memory, where O_DIRECT is refused.
fn scratch_dir() -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    target_dir()
        .join("tmp")
        .join(format!("broker-{}-{n}", std::process::id()))
}

/// Where cargo puts this workspace's output: the parent of the profile's directory.
pub fn target_dir() -> PathBuf {
    let profile = profile_dir();
    profile.parent().expect("TARGET/PROFILE/deps").to_owned()
}

fn profile_dir() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let deps = test.parent().expect("TARGET/PROFILE/deps/TEST");
    deps.parent().expect("TARGET/PROFILE/deps").to_owned()
}

/// The `corelane` binary with the profile of the test itself. Each test process asks cargo for it once: `cargo test` does
/// not build another package's binary, and a stale one must not be tested. `CORELANE_BIN` overrides.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| match std::env::var_os("CORELANE_BIN") {
        Some(path) => PathBuf::from(path),
        None => built("corelane"),
    })
}

/// A binary of this workspace, built now.
pub fn built(name: &str) -> PathBuf {
    let profile = profile_dir();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build
        .args(["build", "--workspace", "--bin", name, "--quiet"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .env("CARGO_TARGET_DIR", target_dir());
    if profile.ends_with("release") {
        build.arg("--release");
    }
    let status = build.status().expect("cargo is on the path");
    assert!(status.success(), "the binary {name} does not build");
    profile.join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_scan_sees_levels_and_panics_but_not_listed_lines() {
        let said = [
            "2026-01-01T00:00:00Z  INFO corelane: all ERROR free",
            "2026-01-01T00:00:00Z  WARN corelane: strange",
            "2026-01-01T00:00:00Z ERROR corelane: provoked by the test",
            "thread 'shard-0' panicked at engine/src/log.rs:1:1:",
        ]
        .map(str::to_owned);
        assert_eq!(
            unlisted(&said, &["provoked"]),
            vec![said[1].clone(), said[3].clone()]
        );
    }
}
