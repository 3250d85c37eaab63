//! The broker's settings: flags over the file over the defaults.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use clap::Args;
use corelane_engine::limits::Limits;
use serde::Deserialize;

use crate::listeners::{self, FileListener, ListenerConfig, Said};

/// Longest name of a rack: it is in every answer that names brokers.
const RACK_BYTES_MAX: usize = 255;

/// Flags of `corelane broker`.
#[derive(Args)]
#[command(after_help = "Examples:
  corelane broker
  corelane broker --listen 0.0.0.0:9092 --advertise broker1.example:9092
  corelane broker --listen HOST=127.0.0.1:9092 --listen CONTAINER=0.0.0.0:9093 --advertise CONTAINER=broker:9093
  corelane broker --config /etc/corelane.toml --shards 4
  corelane broker --http 127.0.0.1:9644               then: curl http://127.0.0.1:9644/metrics

A client is told the address of the listener it came through: above, those on the host 127.0.0.1:9092, those in
containers broker:9093.

The file holds the same names as the flags, with underscores:
  listen = \"0.0.0.0:9092\"
  advertise = \"broker1.example:9092\"
  data_dir = \"/srv/corelane\"
  memory = \"8GiB\"
or, in place of listen and advertise, one table for each listener:
  [[listeners]]
  name = \"CONTAINER\"
  bind = \"0.0.0.0:9093\"
  advertise = \"broker:9093\"")]
pub(crate) struct BrokerArgs {
    /// Address to listen on; may be given again, each with a name of its own [default: PLAINTEXT=127.0.0.1:9092]
    #[arg(long, value_name = "[NAME=]HOST:PORT")]
    listen: Vec<String>,
    /// Address that clients of a listener are told to connect to [default: the one listened on]
    #[arg(long, value_name = "[NAME=]HOST:PORT")]
    advertise: Vec<String>,
    /// Where everything is kept [default: ./corelane-data]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Threads that own partitions [default: one for every CPU this process may use]
    #[arg(long, value_name = "N")]
    shards: Option<u16>,
    /// This broker's id [default: 1]
    #[arg(long, value_name = "N")]
    node_id: Option<i32>,
    /// Where this broker stands; clients see it as broker.rack
    #[arg(long, value_name = "NAME")]
    rack: Option<String>,
    /// Memory for data in flight and the hot tail, e.g. 512MiB or 4GiB [default: a quarter of the memory given]
    #[arg(long, value_name = "SIZE")]
    memory: Option<String>,
    /// How often every partition is looked at for records past their retention [default: 300000]
    #[arg(long, value_name = "MS")]
    retention_check_ms: Option<u64>,
    /// How much of its records on disk each shard verifies in a second, in the background; 0 verifies none
    /// [default: 8MiB]
    #[arg(long, value_name = "SIZE")]
    scrub_rate: Option<String>,
    /// Refuse produce while the disk has less room than this, e.g. 2GiB; taken again with a quarter more
    /// [default: 2 % of the disk, 1 to 16 GiB, at most a tenth]
    #[arg(long, value_name = "SIZE")]
    disk_low_watermark: Option<String>,
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
    #[serde(default)]
    listeners: Vec<FileListener>,
    data_dir: Option<PathBuf>,
    shards: Option<u16>,
    node_id: Option<i32>,
    rack: Option<String>,
    memory: Option<String>,
    retention_check_ms: Option<u64>,
    scrub_rate: Option<String>,
    disk_low_watermark: Option<String>,
    http: Option<String>,
}

/// What the broker runs with.
#[derive(Debug)]
pub(crate) struct BrokerConfig {
    /// One at least.
    pub(crate) listeners: Vec<ListenerConfig>,
    pub(crate) data_dir: PathBuf,
    pub(crate) shards: Option<u16>,
    pub(crate) node_id: i32,
    pub(crate) rack: Option<String>,
    pub(crate) memory: Option<u64>,
    pub(crate) retention_check_ms: u64,
    /// Bytes in a second, of each shard; 0: off.
    pub(crate) scrub_rate: u64,
    pub(crate) disk_low_bytes: Option<u64>,
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
        let flags = Said {
            listen: self.listen,
            advertise: self.advertise,
            listeners: Vec::new(),
        };
        let of_file = Said {
            listen: file.listen.into_iter().collect(),
            advertise: file.advertise.into_iter().collect(),
            listeners: file.listeners,
        };
        let listeners = listeners::resolve(flags, of_file)?;
        let shards = self.shards.or(file.shards);
        if shards == Some(0) {
            return Err("--shards 0: a broker needs one at least".into());
        }
        let node_id = self.node_id.or(file.node_id).unwrap_or(1);
        if node_id < 0 {
            return Err(format!("--node-id {node_id}: ids are 0 or more"));
        }
        let rack = self.rack.or(file.rack);
        if let Some(rack) = &rack
            && (rack.is_empty() || rack.len() > RACK_BYTES_MAX)
        {
            return Err(format!("--rack {rack}: 1 to {RACK_BYTES_MAX} bytes"));
        }
        let memory = self
            .memory
            .or(file.memory)
            .map(|text| size("--memory", &text))
            .transpose()?;
        let scrub_rate = self.scrub_rate.or(file.scrub_rate);
        let scrub_rate = scrub_rate.map(|text| scrub_rate_of(&text)).transpose()?;
        let scrub_rate = scrub_rate.unwrap_or(Limits::NORMAL.scrub_bytes_per_second);
        let retention_check_ms = self.retention_check_ms.or(file.retention_check_ms);
        let retention_check_ms = retention_check_ms.unwrap_or(Limits::NORMAL.retention_check_ms);
        if retention_check_ms == 0 {
            return Err("--retention-check-ms 0: 1 or more".into());
        }
        let disk_low_bytes = self
            .disk_low_watermark
            .or(file.disk_low_watermark)
            .map(|text| size("--disk-low-watermark", &text))
            .transpose()?;
        let http = self.http.or(file.http);
        let http = http.map(|text| http_address(&text)).transpose()?;
        Ok(BrokerConfig {
            listeners,
            data_dir: self
                .data_dir
                .or(file.data_dir)
                .unwrap_or_else(|| "corelane-data".into()),
            shards,
            node_id,
            rack,
            memory,
            retention_check_ms,
            scrub_rate,
            disk_low_bytes,
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

/// Bytes in a second; `0` is off.
fn scrub_rate_of(text: &str) -> Result<u64, String> {
    match text.trim() {
        "0" => Ok(0),
        rate => size("--scrub-rate", rate),
    }
}

/// Bytes from `512MiB`, `4GiB`, `1000000`.
fn size(flag: &str, text: &str) -> Result<u64, String> {
    let wrong = || format!("{flag} {text}: expected a size, e.g. 512MiB or 4GiB");
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
    fn sizes() {
        assert_eq!(scrub_rate_of("0"), Ok(0));
        assert_eq!(scrub_rate_of("16MiB"), Ok(16 << 20));
        assert_eq!(size("--memory", "512MiB"), Ok(512 << 20));
        assert_eq!(size("--memory", "4g"), Ok(4 << 30));
        assert_eq!(size("--memory", "1000"), Ok(1000));
        for wrong in ["", "MiB", "4 parsecs", "0", "99999999999999999999"] {
            assert!(size("--memory", wrong).is_err(), "{wrong}");
        }
        assert!(http_address("127.0.0.1:9644").is_ok());
        let refused = http_address("9644").expect_err("no host");
        assert!(
            refused.starts_with("--http 9644: ") && refused.lines().count() == 1,
            "{refused}"
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
