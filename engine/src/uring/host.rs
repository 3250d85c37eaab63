//! What this host allows: kernel, locked memory, file system, CPUs. Read once at the start, for the start screen.

use std::ffi::CStr;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use super::ring::Ring;
use crate::fatal::Fatal;
use crate::limits::BLOCK;

/// The oldest kernel that runs the broker: DEFER_TASKRUN.
const KERNEL_MIN: (u32, u32) = (6, 1);

/// What was found. `Display` gives the lines of the start screen.
#[derive(Clone, PartialEq, Debug)]
pub struct HostReport {
    /// As `uname -r` says it.
    pub kernel: String,
    pub kernel_version: (u32, u32),
    /// Completions run only where asked (6.1 and later); without it every pass costs more.
    pub deferred_completions: bool,
    /// The RAM of this host, or what the cgroup allows of it.
    pub memory_bytes: u64,
    /// RLIMIT_MEMLOCK in bytes; `None`: no limit, or one that does not bind this process.
    pub memlock_bytes: Option<u64>,
    /// Descriptors this process may have, after raising the limit as far as it goes.
    pub descriptors_max: u64,
    /// The data directory's file system takes O_DIRECT.
    pub direct_io: bool,
    pub filesystem: String,
    /// CPUs that the affinity mask allows.
    pub cpus: Vec<usize>,
    /// CPUs' worth of time that the cgroup allows, where it limits.
    pub cpu_quota: Option<f64>,
}

impl HostReport {
    /// Looks at the host and at the file system of `directory`, which must exist.
    ///
    /// # Errors
    ///
    /// [`Fatal::Host`] when the kernel is too old or gives no ring, [`Fatal::Directory`] when the directory cannot be
    /// written, or lies where no space can be reserved.
    pub fn read(directory: &Path) -> Result<HostReport, Fatal> {
        let kernel = kernel_release();
        let kernel_version = parse_version(&kernel);
        if kernel_version < KERNEL_MIN {
            return Err(Fatal::Host(format!(
                "Linux {kernel} is too old: {}.{} or later is needed",
                KERNEL_MIN.0, KERNEL_MIN.1
            )));
        }
        let deferred_completions = Ring::new()?.deferred();
        let (direct_io, fallocate) = probe_directory(directory)?;
        let filesystem = filesystem(directory);
        if !fallocate {
            return Err(Fatal::Directory(format!(
                "{}: {filesystem} reserves no space (fallocate); choose a directory on ext4 or XFS with --data-dir",
                directory.display()
            )));
        }
        Ok(HostReport {
            kernel,
            kernel_version,
            deferred_completions,
            memory_bytes: memory_bytes(),
            memlock_bytes: memlock_bytes(),
            descriptors_max: raise_descriptors(),
            direct_io,
            filesystem,
            cpus: allowed_cpus(),
            cpu_quota: cpu_quota(),
        })
    }

    /// One shard per CPU that the affinity mask and the cgroup allow, at least one.
    pub fn shards_default(&self) -> u16 {
        let mask = self.cpus.len().max(1);
        let quota = self.cpu_quota.map_or(mask, |q| (q.floor() as usize).max(1));
        mask.min(quota).min(usize::from(u16::MAX)) as u16
    }

    /// Whether the data directory is gone when the machine stops.
    pub fn keeps_nothing(&self) -> bool {
        matches!(self.filesystem.as_str(), "tmpfs" | "ramfs")
    }

    /// The line about locked memory, where `wanted` bytes are to be registered with io_uring, and what helps where they
    /// cannot.
    pub fn locked_memory(&self, wanted: u64) -> String {
        match self.memlock_bytes {
            None => "no limit".into(),
            Some(limit) if limit >= wanted => {
                format!("limit {} MiB, {} MiB wanted", limit >> 20, wanted >> 20)
            }
            Some(limit) => format!(
                "limit {} MiB, {} MiB wanted: what is above it stays unregistered, and its writes cost more CPU;\n\
                 raise it with `ulimit -l unlimited` (as root), LimitMEMLOCK=infinity (systemd) or\n\
                 --ulimit memlock=-1 (Docker)",
                limit >> 20,
                wanted >> 20
            ),
        }
    }

    /// Whether direct writes into allocated but never written blocks go through kernel workers, whatever we do.
    pub fn writes_are_punted(&self) -> bool {
        match self.filesystem.as_str() {
            "ext4" => self.kernel_version < (6, 3),
            "xfs" => self.kernel_version < (7, 0),
            _ => false,
        }
    }
}

impl fmt::Display for HostReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Linux {}, ", self.kernel)?;
        write!(f, "{} MiB of memory, ", self.memory_bytes >> 20)?;
        match self.cpu_quota {
            Some(quota) => writeln!(f, "{} CPUs, cgroup allows {quota:.1}", self.cpus.len())?,
            None => writeln!(f, "{} CPUs", self.cpus.len())?,
        }
        writeln!(
            f,
            "data on {}, {}",
            self.filesystem,
            match self.direct_io {
                true => "direct IO",
                false => "no direct IO",
            }
        )?;
        if !self.direct_io {
            writeln!(
                f,
                "  writes go through the page cache, which costs a copy and memory; ext4 and XFS take direct IO"
            )?;
        }
        if self.keeps_nothing() {
            writeln!(
                f,
                "  {} lives in memory: everything is gone when this machine stops",
                self.filesystem
            )?;
        }
        if self.writes_are_punted() {
            writeln!(
                f,
                "  {} on this kernel: first writes of a block go through kernel workers",
                self.filesystem
            )?;
        }
        if !self.deferred_completions {
            writeln!(f, "  io_uring without DEFER_TASKRUN: every pass costs more")?;
        }
        write!(f, "{} file descriptors", self.descriptors_max)
    }
}

/// Ties this thread to one CPU of [`HostReport::cpus`]; false when the kernel refuses.
pub fn pin(cpu: usize) -> bool {
    core_affinity::set_for_current(core_affinity::CoreId { id: cpu })
}

#[expect(unsafe_code, reason = "uname")]
fn kernel_release() -> String {
    // SAFETY: utsname is plain bytes, for which zero is a value.
    let mut name: libc::utsname = unsafe { std::mem::zeroed() };
    // SAFETY: `name` is a valid utsname for the call to fill.
    let answer = unsafe { libc::uname(&mut name) };
    assert!(answer == 0, "uname failed");
    // SAFETY: the kernel ends the field with NUL.
    let release = unsafe { CStr::from_ptr(name.release.as_ptr()) };
    release.to_string_lossy().into_owned()
}

/// Major and minor of `6.18.44-foo`; (0, 0) when there are none.
fn parse_version(release: &str) -> (u32, u32) {
    let mut numbers = release
        .split(|c: char| !c.is_ascii_digit())
        .map(|n| n.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

#[expect(unsafe_code, reason = "getrlimit")]
fn memlock_bytes() -> Option<u64> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is a valid rlimit for the call to fill.
    let answer = unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, &mut limit) };
    if answer != 0 || limit.rlim_cur == libc::RLIM_INFINITY || may_lock_any() {
        return None;
    }
    Some(limit.rlim_cur)
}

/// Raises RLIMIT_NOFILE to its hard limit; what it is then.
#[expect(unsafe_code, reason = "getrlimit and setrlimit")]
fn raise_descriptors() -> u64 {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is a valid rlimit for the call to fill.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) } != 0 {
        return 0;
    }
    let raised = libc::rlimit {
        rlim_cur: limit.rlim_max,
        ..limit
    };
    // SAFETY: `raised` is a valid rlimit.
    if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raised) } == 0 {
        limit = raised;
    }
    limit.rlim_cur
}

/// CAP_IPC_LOCK (bit 14) in force: the limit does not bind.
fn may_lock_any() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("CapEff:"));
    line.and_then(|l| u64::from_str_radix(l.trim(), 16).ok())
        .is_some_and(|caps| caps & (1 << 14) != 0)
}

#[expect(unsafe_code, reason = "sched_getaffinity")]
fn allowed_cpus() -> Vec<usize> {
    // SAFETY: cpu_set_t is plain bits, for which zero is a value.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: `set` is valid for the size given.
    let answer = unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &mut set) };
    if answer != 0 {
        return vec![0];
    }
    (0..libc::CPU_SETSIZE as usize)
        // SAFETY: the index is below CPU_SETSIZE.
        .filter(|cpu| unsafe { libc::CPU_ISSET(*cpu, &set) })
        .collect()
}

/// The tightest `cpu.max`, in CPUs.
fn cpu_quota() -> Option<f64> {
    let quotas = cgroup_files("cpu.max");
    quotas
        .iter()
        .filter_map(|t| parse_cpu_max(t))
        .reduce(f64::min)
}

/// The least of RAM and every `memory.max`.
fn memory_bytes() -> u64 {
    let info = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = info.lines().find_map(|l| l.strip_prefix("MemTotal:"));
    let total = total.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok());
    let ram = total.map_or(1 << 30, |kib| kib * 1024);
    let limits = cgroup_files("memory.max");
    let limits = limits.iter().filter_map(|t| t.trim().parse::<u64>().ok());
    limits.fold(ram, u64::min)
}

/// The texts of this file in this process's cgroup (v2) and every one above it.
fn cgroup_files(name: &str) -> Vec<String> {
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let Some(own) = own.lines().find_map(|l| l.strip_prefix("0::")) else {
        return Vec::new();
    };
    let root = Path::new("/sys/fs/cgroup");
    let path = root.join(own.trim_start_matches('/'));
    path.ancestors()
        .take_while(|p| p.starts_with(root))
        .filter_map(|p| fs::read_to_string(p.join(name)).ok())
        .collect()
}

/// `quota period` in microseconds; `max` is no limit.
fn parse_cpu_max(text: &str) -> Option<f64> {
    let mut words = text.split_whitespace();
    let quota: f64 = words.next()?.parse().ok()?;
    let period: f64 = words.next()?.parse().ok()?;
    (period > 0.0 && quota > 0.0).then_some(quota / period)
}

#[expect(unsafe_code, reason = "statfs")]
fn filesystem(directory: &Path) -> String {
    let Ok(path) = std::ffi::CString::new(directory.as_os_str().as_bytes()) else {
        return "unknown".into();
    };
    // SAFETY: statfs is plain numbers, for which zero is a value.
    let mut stat: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: `path` ends with NUL and `stat` is valid for the call to fill.
    if unsafe { libc::statfs(path.as_ptr(), &mut stat) } != 0 {
        return "unknown".into();
    }
    match stat.f_type as u32 {
        0xef53 => "ext4".into(),
        0x5846_5342 => "xfs".into(),
        0x9123_683e => "btrfs".into(),
        0x0102_1994 => "tmpfs".into(),
        0x8584_58f6 => "ramfs".into(),
        0x794c_7630 => "overlayfs".into(),
        0x6969 => "nfs".into(),
        0x2fc1_2fc1 => "zfs".into(),
        0xf2f5_2010 => "f2fs".into(),
        0x6573_5546 => "fuse".into(),
        0x0102_1997 => "9p".into(),
        other => format!("file system {other:#x}"),
    }
}

/// Tries a direct write and an allocation on a file of its own.
fn probe_directory(directory: &Path) -> Result<(bool, bool), Fatal> {
    let path = directory.join(format!("probe-{}", std::process::id()));
    let refuse =
        |e: io::Error| Fatal::Directory(format!("{}: cannot write here: {e}", directory.display()));
    let plain = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(&path)
        .map_err(refuse)?;
    let direct = fs::OpenOptions::new()
        .write(true)
        .custom_flags(libc::O_DIRECT)
        .open(&path);
    fs::remove_file(&path).map_err(refuse)?;
    let fallocate = allocate(&plain);
    let block = Block([0; BLOCK]);
    let direct = direct
        .and_then(|file| file.write_all_at(&block.0, 0))
        .is_ok();
    Ok((direct, fallocate))
}

#[repr(align(4096))]
struct Block([u8; BLOCK]);

#[expect(unsafe_code, reason = "fallocate")]
fn allocate(file: &fs::File) -> bool {
    use std::os::fd::AsRawFd;
    // SAFETY: a descriptor we own, no pointers.
    unsafe { libc::fallocate(file.as_raw_fd(), 0, 0, BLOCK as libc::off_t) == 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_host_is_described() {
        let directory = std::env::temp_dir();
        let report = HostReport::read(&directory).unwrap();
        assert!(report.kernel_version >= KERNEL_MIN);
        assert!(report.shards_default() >= 1);
        assert!(report.memory_bytes >= 64 << 20);
        assert!(usize::from(report.shards_default()) <= report.cpus.len());
        let text = report.to_string();
        assert!(text.contains(&report.kernel) && text.contains(&report.filesystem));
    }

    #[test]
    fn what_is_off_is_named_with_what_helps() {
        let host = HostReport {
            kernel: "6.2.0".into(),
            kernel_version: (6, 2),
            deferred_completions: true,
            memory_bytes: 1 << 30,
            memlock_bytes: Some(8 << 20),
            descriptors_max: 1024,
            direct_io: true,
            filesystem: "ext4".into(),
            cpus: vec![0],
            cpu_quota: None,
        };
        let text = host.to_string();
        assert!(text.contains("kernel workers"), "{text}");
        assert!(!text.contains("page cache") && !text.contains("lives in memory"));
        let locked = host.locked_memory(136 << 20);
        assert!(locked.contains("limit 8 MiB, 136 MiB wanted"), "{locked}");
        assert!(locked.contains("LimitMEMLOCK=infinity"), "{locked}");
        assert_eq!(host.locked_memory(8 << 20), "limit 8 MiB, 8 MiB wanted");

        let host = HostReport {
            memlock_bytes: None,
            direct_io: false,
            deferred_completions: false,
            filesystem: "tmpfs".into(),
            ..host
        };
        let text = host.to_string();
        for part in ["page cache", "lives in memory", "DEFER_TASKRUN"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert_eq!(host.locked_memory(1 << 40), "no limit");
    }

    #[test]
    fn numbers_are_parsed() {
        assert_eq!(parse_version("6.18.44-fc-v669"), (6, 18));
        assert_eq!(parse_version("7.0-rc1"), (7, 0));
        assert_eq!(parse_version("odd"), (0, 0));
        assert_eq!(parse_cpu_max("150000 100000\n"), Some(1.5));
        assert_eq!(parse_cpu_max("max 100000\n"), None);
    }
}
