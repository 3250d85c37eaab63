//! Our own broker as a subject.

use std::fs;
use std::io;
use std::path::Path;

/// Makes a fresh directory and returns the command that serves it.
pub fn prepare(
    binary: &Path,
    port: u16,
    directory: &Path,
    retention_check_ms: u64,
) -> io::Result<Vec<String>> {
    let data = directory.join("data");
    fs::create_dir_all(&data)?;
    let (binary, data) = (std::path::absolute(binary)?, std::path::absolute(data)?);
    let listen = format!("127.0.0.1:{port}");
    let (binary, data) = (binary.display().to_string(), data.display().to_string());
    let check = retention_check_ms.to_string();
    let words = [&binary, "broker", "--listen", &listen, "--data-dir", &data];
    let further = ["--retention-check-ms", &check];
    Ok(words
        .into_iter()
        .chain(further)
        .map(str::to_owned)
        .collect())
}
