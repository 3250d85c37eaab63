//! `corelane broker`: one start screen, then the shards run until a signal.

use std::process::ExitCode;

use crate::config::BrokerArgs;

pub(crate) fn run(args: BrokerArgs) -> ExitCode {
    match args.resolve() {
        Ok(config) => {
            eprintln!("corelane: {config:?}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("corelane: {error}");
            ExitCode::from(2)
        }
    }
}
