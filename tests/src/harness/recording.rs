//! What a test has measured, kept as JSON beside where and of which commit it was.

use std::path::Path;
use std::process::Command;
use std::{env, fs, thread};

use serde_json::Value;

use super::broker::target_dir;

/// Writes an object, with commit, kernel and CPUs, to the file that an environment variable names, from the root of the
/// workspace on; without it, to `otherwise` in the target directory.
pub fn keep(variable: &str, otherwise: &str, mut measured: Value) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let path =
        env::var_os(variable).map_or_else(|| target_dir().join(otherwise), |path| root.join(path));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    measured["commit"] = commit().into();
    measured["kernel"] = kernel.trim().into();
    measured["cpus"] = thread::available_parallelism()
        .map_or(0, usize::from)
        .into();
    fs::write(&path, format!("{measured:#}\n"))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// What is checked out here, with a `+` where it was changed since.
pub fn commit() -> String {
    let git = |words: &[&str]| {
        let came = Command::new("git").args(words).output().ok()?;
        let words = String::from_utf8_lossy(&came.stdout).trim().to_owned();
        came.status.success().then_some(words)
    };
    let head = git(&["rev-parse", "--short", "HEAD"]).unwrap_or("unknown".to_owned());
    let changed = git(&[
        "status",
        "--porcelain",
        "--untracked-files=no",
        "--",
        "*.rs",
    ]);
    match changed.is_some_and(|changed| !changed.is_empty()) {
        true => head + "+",
        false => head,
    }
}
