//! What the machine, a process and the page cache cost: `/proc` and the memory cgroup, read as numbers.

use std::fs;

use serde::Serialize;

use crate::sys;

/// CPU seconds at one moment.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Cpu {
    /// Of all CPUs since boot, idle and stolen time left out.
    pub machine: f64,
    /// Stolen by the host since boot.
    pub stolen: f64,
    /// Of this process.
    pub own: f64,
    /// Of the broker's processes.
    pub broker: f64,
}

impl Cpu {
    /// Reads all of them; a process that is gone counts 0.
    pub fn read(broker: &[u32]) -> Cpu {
        let ticks = sys::ticks_per_second() as f64;
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        let fields: Vec<f64> = stat
            .lines()
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .skip(1)
            .map(number)
            .collect();
        // user nice system idle iowait irq softirq steal
        let busy: f64 = [0, 1, 2, 5, 6]
            .iter()
            .filter_map(|at| fields.get(*at))
            .sum();
        Cpu {
            machine: busy / ticks,
            stolen: fields.get(7).copied().unwrap_or(0.0) / ticks,
            own: sys::own_cpu() as f64 / 1e9,
            broker: broker.iter().map(|pid| process_cpu(*pid)).sum(),
        }
    }

    /// What was burnt since `earlier`.
    pub fn since(&self, earlier: &Cpu) -> Cpu {
        Cpu {
            machine: self.machine - earlier.machine,
            stolen: self.stolen - earlier.stolen,
            own: self.own - earlier.own,
            broker: self.broker - earlier.broker,
        }
    }

    /// What the machine burnt besides this tool: the broker, and the kernel threads that work for it.
    pub fn others(&self) -> f64 {
        (self.machine - self.own).max(0.0)
    }
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or(0.0)
}

/// CPU seconds of one process so far, all threads.
pub fn process_cpu(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name may contain spaces; the fields begin behind its bracket.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks: f64 = fields.split_whitespace().skip(11).take(2).map(number).sum();
    ticks / sys::ticks_per_second() as f64
}

/// Peak resident bytes of processes: `VmHWM`, page cache not included.
pub fn rss_peak(pids: &[u32]) -> u64 {
    pids.iter().map(|pid| status(*pid, "VmHWM:")).sum()
}

/// Resident bytes of one process now.
pub fn rss(pid: u32) -> u64 {
    status(pid, "VmRSS:")
}

fn status(pid: u32, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status
        .lines()
        .find(|line| line.starts_with(field))
        .unwrap_or_default();
    line.split_whitespace().nth(1).map_or(0.0, number) as u64 * 1024
}

/// One value of `/proc/meminfo`, bytes.
pub fn memory(field: &str) -> u64 {
    let all = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = all
        .lines()
        .find(|line| line.split(':').next() == Some(field))
        .unwrap_or_default();
    line.split_whitespace().nth(1).map_or(0.0, number) as u64 * 1024
}

/// What a result needs to be read later: kernel, CPUs, memory, filesystem and flags of a directory.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// Kernel release and build.
    pub kernel: String,
    /// CPU model.
    pub cpu: String,
    /// CPUs that are online.
    pub cpus: usize,
    /// Bytes of memory.
    pub memory: u64,
    /// Filesystem under the working directory, with its mount options.
    pub filesystem: String,
    /// Write cache and FUA as the block devices report them.
    pub disks: Vec<String>,
    /// Commit that the working directory is at.
    pub commit: String,
    /// The command line.
    pub command: String,
}

impl Machine {
    /// Reads it; what cannot be read is empty.
    pub fn read() -> Machine {
        let line = |path: &str| {
            fs::read_to_string(path)
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        let cpuinfo = line("/proc/cpuinfo");
        let model = cpuinfo
            .lines()
            .find(|line| line.starts_with("model name"))
            .unwrap_or_default();
        let here = std::env::current_dir().unwrap_or_default();
        let mounts = line("/proc/mounts");
        let mount = mounts
            .lines()
            .filter(|mount| {
                mount
                    .split_whitespace()
                    .nth(1)
                    .is_some_and(|at| here.starts_with(at))
            })
            .max_by_key(|mount| mount.split_whitespace().nth(1).map_or(0, str::len))
            .unwrap_or_default();
        let mut disks = Vec::new();
        for entry in fs::read_dir("/sys/block").into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with("loop") || name.starts_with("ram") {
                continue;
            }
            let queue = |file: &str| line(&format!("/sys/block/{name}/queue/{file}"));
            let (cache, fua, scheduler) = (queue("write_cache"), queue("fua"), queue("scheduler"));
            disks.push(format!("{name}: {cache}, fua {fua}, scheduler {scheduler}"));
        }
        let git = std::process::Command::new("git")
            .args(["rev-parse", "HEAD"])
            .output();
        Machine {
            kernel: line("/proc/version")
                .split_whitespace()
                .take(3)
                .collect::<Vec<_>>()
                .join(" "),
            cpu: model
                .split_once(": ")
                .map_or("", |(_, model)| model)
                .to_owned(),
            cpus: std::thread::available_parallelism().map_or(0, usize::from),
            memory: memory("MemTotal"),
            filesystem: mount
                .split_whitespace()
                .skip(1)
                .take(3)
                .collect::<Vec<_>>()
                .join(" "),
            disks,
            commit: git
                .map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned())
                .unwrap_or_default(),
            command: std::env::args().collect::<Vec<_>>().join(" "),
        }
    }
}
