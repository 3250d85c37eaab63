//! The broker's settings: flags over the file over the defaults.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use clap::Args;
use corelane_engine::limits::Limits;
use serde::Deserialize;

/// Flags of `corelane broker`.
#[derive(Args)]
#[command(after_help = "Examples:
  corelane broker
  corelane broker --listen 0.0.0.0:9092 --advertise broker1.example:9092
  corelane broker --config /etc/corelane.toml --shards 4
  corelane broker --http 127.0.0.1:9644               then: curl http://127.0.0.1:9644/metrics

The file holds the same names as the flags, with underscores:
  listen = \"0.0.0.0:9092\"
  data_dir = \"/srv/corelane\"
  memory = \"8GiB\"")]
pub(crate) struct BrokerArgs {
    /// Address to listen on [default: 127.0.0.1:9092]
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// Address that clients are told to connect to [default: the one listened on]
    #[arg(long, value_name = "HOST:PORT")]
    advertise: Option<String>,
    /// Where everything is kept [default: ./corelane-data]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Threads that own partitions [default: one for every CPU this process may use]
    #[arg(long, value_name = "N")]
    shards: Option<u16>,
    /// This broker's id [default: 1]
    #[arg(long, value_name = "N")]
    node_id: Option<i32>,
    /// Memory for data in flight and the hot tail, e.g. 512MiB or 4GiB [default: a quarter of the memory given]
    #[arg(long, value_name = "SIZE")]
    memory: Option<String>,
    /// How often every partition is looked at for records past their retention [default: 300000]
    #[arg(long, value_name = "MS")]
    retention_check_ms: Option<u64>,
    /// Address to serve /metrics, /healthz and /readyz on, over plain HTTP [default: off]
    #[arg(long, value_name = "HOST:PORT")]
    http: Option<String>,
    /// Settings file (TOML); flags win
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// The settings file. Unknown keys are errors.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: Option<String>,
    advertise: Option<String>,
    data_dir: Option<PathBuf>,
    shards: Option<u16>,
    node_id: Option<i32>,
    memory: Option<String>,
    retention_check_ms: Option<u64>,
    http: Option<String>,
}

/// What the broker runs with.
#[derive(Debug)]
pub(crate) struct BrokerConfig {
    pub(crate) listen: SocketAddr,
    pub(crate) advertise: Option<(String, u16)>,
    pub(crate) data_dir: PathBuf,
    pub(crate) shards: Option<u16>,
    pub(crate) node_id: i32,
    pub(crate) memory: Option<u64>,
    pub(crate) retention_check_ms: u64,
    pub(crate) http: Option<SocketAddr>,
}

impl BrokerArgs {
    /// Joins flags, file and defaults. The error is one line for a person.
    pub(crate) fn resolve(self) -> Result<BrokerConfig, String> {
        let file = match &self.config {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|e| format!("--config {}: {e}", path.display()))?;
                from_toml(&text).map_err(|e| format!("{}{e}", path.display()))?
            }
            None => File::default(),
        };
        let listen = self
            .listen
            .or(file.listen)
            .unwrap_or_else(|| "127.0.0.1:9092".into());
        let address = listen
            .to_socket_addrs()
            .map_err(|e| {
                format!("--listen {listen}: {e} (expected HOST:PORT, e.g. 127.0.0.1:9092)")
            })?
            .next()
            .ok_or_else(|| format!("--listen {listen}: no address"))?;
        let advertise = self
            .advertise
            .or(file.advertise)
            .map(|text| host_port(&text))
            .transpose()?;
        let shards = self.shards.or(file.shards);
        if shards == Some(0) {
            return Err("--shards 0: a broker needs one at least".into());
        }
        let node_id = self.node_id.or(file.node_id).unwrap_or(1);
        if node_id < 0 {
            return Err(format!("--node-id {node_id}: ids are 0 or more"));
        }
        let memory = self
            .memory
            .or(file.memory)
            .map(|text| size(&text))
            .transpose()?;
        let retention_check_ms = self.retention_check_ms.or(file.retention_check_ms);
        let retention_check_ms = retention_check_ms.unwrap_or(Limits::NORMAL.retention_check_ms);
        if retention_check_ms == 0 {
            return Err("--retention-check-ms 0: 1 or more".into());
        }
        let http = self.http.or(file.http);
        let http = http.map(|text| http_address(&text)).transpose()?;
        Ok(BrokerConfig {
            listen: address,
            advertise,
            data_dir: self
                .data_dir
                .or(file.data_dir)
                .unwrap_or_else(|| "corelane-data".into()),
            shards,
            node_id,
            memory,
            retention_check_ms,
            http,
        })
    }
}

/// The file's settings; the error goes on after the file's name, on the same line.
fn from_toml(text: &str) -> Result<File, String> {
    toml::from_str(text).map_err(|error| {
        let line = error
            .span()
            .and_then(|span| text.get(..span.start))
            .map(|before| format!(":{}", 1 + before.matches('\n').count()))
            .unwrap_or_default();
        format!("{line}: {}", error.message())
    })
}

fn http_address(text: &str) -> Result<SocketAddr, String> {
    let wrong =
        |why: &str| format!("--http {text}: {why} (expected HOST:PORT, e.g. 127.0.0.1:9644)");
    let mut addresses = text
        .to_socket_addrs()
        .map_err(|error| wrong(&error.to_string()))?;
    addresses.next().ok_or_else(|| wrong("no address"))
}

fn host_port(text: &str) -> Result<(String, u16), String> {
    let wrong = || format!("--advertise {text}: expected HOST:PORT, e.g. broker1.example:9092");
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() {
        return Err(wrong());
    }
    Ok((host.to_owned(), port.parse().map_err(|_| wrong())?))
}

/// Bytes from `512MiB`, `4GiB`, `1000000`.
fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("--memory {text}: expected a size, e.g. 512MiB or 4GiB");
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let number: u64 = text[..digits].parse().map_err(|_| wrong())?;
    let unit: u64 = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        _ => return Err(wrong()),
    };
    number
        .checked_mul(unit)
        .filter(|bytes| *bytes > 0)
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_addresses() {
        assert_eq!(size("512MiB"), Ok(512 << 20));
        assert_eq!(size("4g"), Ok(4 << 30));
        assert_eq!(size("1000"), Ok(1000));
        for wrong in ["", "MiB", "4 parsecs", "0", "99999999999999999999"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
        assert_eq!(host_port("[::1]:9092"), Ok(("::1".into(), 9092)));
        assert!(http_address("127.0.0.1:9644").is_ok());
        let refused = http_address("9644").expect_err("no host");
        assert!(
            refused.starts_with("--http 9644: ") && refused.lines().count() == 1,
            "{refused}"
        );
        assert!(
            host_port("nowhere").is_err() && host_port(":1").is_err() && host_port("a:b").is_err()
        );
    }

    #[test]
    fn a_typo_in_the_file_is_named() {
        let refused = |text| from_toml(text).err().expect("refused");
        let error = refused("shards = 2\nlistn = \"x\"");
        assert!(error.starts_with(":2: unknown field `listn`"), "{error}");
        let error = refused("shards = \"two\"");
        assert!(
            error.starts_with(":1: ") && error.lines().count() == 1,
            "{error}"
        );
    }
}
