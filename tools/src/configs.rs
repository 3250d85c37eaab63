//! `corelane config`: what topics and brokers are set to.

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use corelane_net::protocol::describe_configs_request::{
    DescribeConfigsRequest, DescribeConfigsResource,
};
use corelane_net::protocol::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use serde_json::{Value, json};

use crate::client::{ClientError, Cluster, To, checked};
use crate::common::{Common, ended, pair};
use crate::show::{self, Table};
use crate::topic::print;

/// Show and change configs of topics and brokers
#[derive(Args)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:
  corelane config describe topic orders
  corelane config describe topic orders --all --docs
  corelane config describe broker 1
  corelane config set topic orders retention.ms=86400000 max.message.bytes=2097152
  corelane config unset topic orders retention.ms"
)]
pub(crate) struct ConfigArgs {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Topic,
    Broker,
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Show what was set; with --all the defaults too
    Describe {
        kind: Kind,
        /// Topic, or broker id
        name: String,
        /// Defaults too
        #[arg(long)]
        all: bool,
        /// What each config means
        #[arg(long)]
        docs: bool,
    },
    /// Set configs
    Set {
        kind: Kind,
        /// Topic, or broker id
        name: String,
        #[arg(required = true, value_name = "NAME=VALUE", value_parser = pair)]
        configs: Vec<(String, String)>,
    },
    /// Go back to the defaults of configs
    Unset {
        kind: Kind,
        /// Topic, or broker id
        name: String,
        #[arg(required = true, value_name = "NAME")]
        configs: Vec<String>,
    },
}

/// What has configs.
pub(crate) enum Resource {
    Topic(String),
    Broker(i32),
}

impl Resource {
    fn new(kind: Kind, name: &str) -> Result<Resource, ClientError> {
        match kind {
            Kind::Topic => Ok(Resource::Topic(name.to_owned())),
            Kind::Broker => name
                .parse()
                .map(Resource::Broker)
                .map_err(|_| ClientError::Usage(format!("broker {name}: expected an id, e.g. 1"))),
        }
    }

    /// Kafka's `ConfigResource.Type` and name.
    fn wire(&self) -> (i8, String) {
        match self {
            Resource::Topic(name) => (2, name.clone()),
            Resource::Broker(id) => (4, id.to_string()),
        }
    }

    fn text(&self) -> String {
        match self {
            Resource::Topic(name) => format!("topic {name}"),
            Resource::Broker(id) => format!("broker {id}"),
        }
    }

    /// A broker's own configs are asked of that broker.
    fn asked_of(&self, cluster: &mut Cluster) -> Result<To, ClientError> {
        match self {
            Resource::Topic(_) => Ok(To::Any),
            Resource::Broker(id) => cluster.metadata(Some(&[])).map(|_| To::Broker(*id)),
        }
    }
}

/// One config as the broker tells it.
pub(crate) struct Config {
    pub(crate) name: String,
    pub(crate) value: Option<String>,
    source: i8,
    read_only: bool,
    documentation: Option<String>,
}

impl Config {
    pub(crate) fn is_given_to_topic(&self) -> bool {
        self.source == 1
    }

    fn is_default(&self) -> bool {
        self.source == 5
    }

    /// Kafka's `ConfigSource`.
    fn source_text(&self) -> &'static str {
        match self.source {
            1 => "topic",
            2 => "broker, dynamic",
            3 => "cluster, dynamic",
            4 => "broker, static",
            5 => "default",
            6 => "logger",
            7 => "client metrics",
            8 => "group",
            _ => "unknown",
        }
    }
}

pub(crate) fn describe(
    cluster: &mut Cluster,
    resource: &Resource,
) -> Result<Vec<Config>, ClientError> {
    let to = resource.asked_of(cluster)?;
    let (resource_type, name) = resource.wire();
    let version = cluster.version::<DescribeConfigsRequest>(to)?;
    let request = DescribeConfigsRequest {
        resources: vec![DescribeConfigsResource {
            resource_type,
            resource_name: name.into(),
            configuration_keys: None,
        }],
        include_synonyms: false,
        include_documentation: version >= 3,
    };
    let mut configs = Vec::new();
    for result in cluster.call_at(to, version, &request)?.results {
        checked(
            resource.text(),
            result.error_code,
            result.error_message.as_ref(),
        )?;
        configs.extend(result.configs.into_iter().map(|config| Config {
            name: config.name.as_str().to_owned(),
            value: config.value.map(|value| value.as_str().to_owned()),
            source: config.config_source,
            read_only: config.read_only,
            documentation: config.documentation.map(|text| text.as_str().to_owned()),
        }));
    }
    configs.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(configs)
}

/// One change of one config.
pub(crate) enum Change {
    Set(String, String),
    Unset(String),
}

pub(crate) fn alter(
    cluster: &mut Cluster,
    resource: &Resource,
    changes: &[Change],
) -> Result<(), ClientError> {
    let to = resource.asked_of(cluster)?;
    let (resource_type, name) = resource.wire();
    let change = |change: &Change| match change {
        Change::Set(name, value) => AlterableConfig {
            name: name.as_str().into(),
            config_operation: 0,
            value: Some(value.as_str().into()),
        },
        Change::Unset(name) => AlterableConfig {
            name: name.as_str().into(),
            config_operation: 1,
            value: None,
        },
    };
    let request = IncrementalAlterConfigsRequest {
        resources: vec![AlterConfigsResource {
            resource_type,
            resource_name: name.into(),
            configs: changes.iter().map(change).collect(),
        }],
        validate_only: false,
    };
    for answer in cluster.call(to, &request)?.responses {
        checked(
            resource.text(),
            answer.error_code,
            answer.error_message.as_ref(),
        )?;
    }
    Ok(())
}

pub(crate) fn run(args: &ConfigArgs) -> ExitCode {
    ended(serve(args))
}

fn serve(args: &ConfigArgs) -> Result<(), ClientError> {
    let common = &args.common;
    let mut cluster = common.connect()?;
    let (resource, changes) = match &args.command {
        ConfigCommand::Describe {
            kind,
            name,
            all,
            docs,
        } => {
            let resource = Resource::new(*kind, name)?;
            return show_all(common, &mut cluster, &resource, *all, *docs);
        }
        ConfigCommand::Set {
            kind,
            name,
            configs,
        } => {
            let set = configs
                .iter()
                .map(|(name, value)| Change::Set(name.clone(), value.clone()));
            (Resource::new(*kind, name)?, set.collect::<Vec<_>>())
        }
        ConfigCommand::Unset {
            kind,
            name,
            configs,
        } => {
            let unset = configs.iter().cloned().map(Change::Unset);
            (Resource::new(*kind, name)?, unset.collect())
        }
    };
    alter(&mut cluster, &resource, &changes)?;
    match common.json {
        true => show::json(&json!({ "resource": resource.text(), "altered": true }))?,
        false => println!("altered {}", resource.text()),
    }
    Ok(())
}

fn show_all(
    common: &Common,
    cluster: &mut Cluster,
    resource: &Resource,
    all: bool,
    docs: bool,
) -> Result<(), ClientError> {
    let mut configs = describe(cluster, resource)?;
    let every = configs.len();
    configs.retain(|config| all || !config.is_default());
    let mut table = Table::new(match docs {
        true => &["CONFIG", "VALUE", "SOURCE", "READ ONLY", "MEANING"],
        false => &["CONFIG", "VALUE", "SOURCE", "READ ONLY"],
    });
    let mut values = Vec::new();
    for config in &configs {
        let mut row = vec![
            config.name.clone(),
            config.value.clone().unwrap_or_else(|| "-".to_owned()),
            config.source_text().to_owned(),
            if config.read_only { "yes" } else { "no" }.to_owned(),
        ];
        if docs {
            row.push(config.documentation.clone().unwrap_or_default());
        }
        table.row(row);
        values.push(json!({
            "config": config.name, "value": config.value, "source": config.source_text(), "read_only": config.read_only,
            "documentation": config.documentation,
        }));
    }
    if configs.is_empty() && !common.json {
        eprintln!(
            "{} has its {every} defaults; --all shows them",
            resource.text()
        );
    }
    print(common, &table, &Value::Array(values))
}
