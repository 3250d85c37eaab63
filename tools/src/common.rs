//! What every command that talks to a cluster has in common.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use crate::client::{ClientError, Cluster};

/// Where the cluster is, and how to print.
#[derive(Args, Clone)]
pub(crate) struct Common {
    /// Brokers to start from, separated by commas
    #[arg(
        long,
        short = 'b',
        global = true,
        env = "CORELANE_BROKERS",
        default_value = "127.0.0.1:9092",
        value_name = "HOST:PORT",
        help_heading = "Connection"
    )]
    pub(crate) brokers: String,
    /// Seconds to wait for an answer
    #[arg(
        long,
        global = true,
        default_value_t = 15,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..=3600),
        help_heading = "Connection"
    )]
    pub(crate) timeout: u64,
    /// Print one JSON value instead of a table
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) json: bool,
}

impl Common {
    pub(crate) fn connect(&self) -> Result<Cluster, ClientError> {
        Cluster::connect(&self.brokers, Duration::from_secs(self.timeout))
    }

    /// As requests carry it.
    pub(crate) fn timeout_ms(&self) -> i32 {
        i32::try_from(self.timeout * 1000).unwrap_or(i32::MAX)
    }
}

/// Exit code 0, or the error on standard error and its code. A reader that went away (`| head`) is no error.
pub(crate) fn ended(result: Result<(), ClientError>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(ClientError::Local(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("corelane: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

/// `name=value`.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}
