//! What AlterConfigs and IncrementalAlterConfigs have in common: each resource is checked, and each topic's change decided
//! by the controller.
//!
//! ```text
//!  resource ──┬─ named twice, of another kind, a broker's ─► answered here, as Kafka's `ConfigAdminManager` does
//!             └─ a topic's ─► proposal ─► decision ─┐
//!                                  all decided ◄────┘ ─► one answer, in the order asked
//! ```

use std::collections::{BTreeMap, BTreeSet};

use corelane_engine::controller::command::{AlterTopic, Command, ConfigChange, ConfigOperation};

use crate::api::{k33_alter_configs, k44_incremental_alter_configs};
use crate::broker_configs;
use crate::configs::{Type, resource};
use crate::context::{Operation, Resource, resolve_topic};
use crate::desk::{Decided, Desk, Encoded, Outcome, Refusal, Request, Started, Waiting, Work};
use crate::error_code::{self, ErrorCode};
use crate::protocol::Str;

/// Kafka's `AlterConfigOp.OpType`.
pub mod operation {
    pub const SET: i8 = 0;
    pub const DELETE: i8 = 1;
    pub const APPEND: i8 = 2;
    pub const SUBTRACT: i8 = 3;
}

/// A resource that a request names.
#[derive(Debug)]
pub struct Wanted {
    pub kind: i8,
    pub name: Str,
    pub configs: Vec<WantedConfig>,
}

/// One config of it, and what is to become of it: Kafka's number.
#[derive(Debug)]
pub struct WantedConfig {
    pub name: Str,
    pub operation: i8,
    pub value: Option<Str>,
}

/// Which of the two requests it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    /// AlterConfigs: what is not named goes back to its default.
    Replace,
    /// IncrementalAlterConfigs.
    Change,
}

/// What became of one resource.
#[derive(Debug)]
pub struct Altered {
    pub kind: i8,
    pub name: Str,
    pub refusal: Option<Refusal>,
}

/// A request whose topics are being altered.
#[derive(Debug)]
pub struct Altering {
    which: Which,
    /// In the order asked.
    altered: Vec<Altered>,
    missing: usize,
}

/// Starts a request. It is a barrier: nothing else is under way on its connection.
pub fn start(
    desk: &mut Desk,
    request: &Request,
    which: Which,
    wanted: Vec<Wanted>,
    validate_only: bool,
) -> Started {
    let mut times: BTreeMap<(i8, Str), usize> = BTreeMap::new();
    for resource in &wanted {
        *times
            .entry((resource.kind, resource.name.clone()))
            .or_default() += 1;
    }
    let mut altering = Altering {
        which,
        altered: Vec::new(),
        missing: 0,
    };
    for (slot, resource) in (0u32..).zip(wanted) {
        let (kind, name) = (resource.kind, resource.name.clone());
        let twice = times[&(kind, name.clone())] > 1;
        let checked = match twice {
            true => Err(invalid("Each resource must appear at most once.")),
            false => check(desk, request, which, resource),
        };
        let refusal = match checked {
            Ok(None) => None,
            Ok(Some(change)) => {
                let alter = AlterTopic {
                    name: resolve_topic(&request.context, &name).to_owned(),
                    change,
                    validate_only,
                };
                desk.propose(request.token, slot, Command::AlterTopicConfigs(alter));
                altering.missing += 1;
                None
            }
            Err(refusal) => Some(refusal),
        };
        altering.altered.push(Altered {
            kind,
            name,
            refusal,
        });
    }
    if altering.missing == 0 {
        return Started::Answer(altering.answer(desk, request));
    }
    Started::Waiting(Waiting {
        work: Work::AlterConfigs(Box::new(altering)),
        deadline: None,
        answered: true,
    })
}

fn invalid(why: impl Into<String>) -> Refusal {
    (ErrorCode::InvalidRequest, Some(why.into()))
}

/// The change of a topic; `None`: nothing is to be changed.
fn check(
    desk: &Desk,
    request: &Request,
    which: Which,
    resource: Wanted,
) -> Result<Option<ConfigChange>, Refusal> {
    let configs = &resource.configs;
    let names: BTreeSet<&Str> = configs.iter().map(|config| &config.name).collect();
    if names.len() < configs.len() {
        return Err(invalid("Error due to duplicate config keys"));
    }
    let nulls = configs
        .iter()
        .filter(|c| c.operation != operation::DELETE && c.value.is_none());
    let nulls: Vec<&str> = nulls.map(|config| &*config.name).collect();
    if !nulls.is_empty() {
        return Err(invalid(format!(
            "Null value not supported for : {}",
            nulls.join(", ")
        )));
    }
    let denied = |code: ErrorCode, why: &str| Err((code, Some(why.to_owned())));
    let allows = |of| desk.allows(&request.context, Operation::AlterConfigs, of);
    match resource.kind {
        resource::TOPIC if !allows(Resource::Topic(&resource.name)) => denied(
            ErrorCode::TopicAuthorizationFailed,
            "Topic authorization failed.",
        ),
        resource::TOPIC => change(which, resource.configs).map(Some),
        resource::BROKER if !allows(Resource::Cluster) => denied(
            ErrorCode::ClusterAuthorizationFailed,
            "Cluster authorization failed.",
        ),
        resource::BROKER => check_broker(desk, &resource).map(|()| None),
        other => Err(invalid(format!("Unknown resource type {other}"))),
    }
}

fn change(which: Which, configs: Vec<WantedConfig>) -> Result<ConfigChange, Refusal> {
    let text = |value: Option<Str>| value.as_deref().unwrap_or_default().to_owned();
    match which {
        Which::Replace => Ok(ConfigChange::Replace(
            configs
                .into_iter()
                .map(|config| (config.name.to_string(), text(config.value)))
                .collect(),
        )),
        Which::Change => {
            let operation = |config: WantedConfig| {
                let value = text(config.value);
                let operation = match config.operation {
                    operation::SET => ConfigOperation::Set(value),
                    operation::DELETE => ConfigOperation::Delete,
                    operation::APPEND => ConfigOperation::Append(value),
                    operation::SUBTRACT => ConfigOperation::Subtract(value),
                    other => return Err(unknown_operation(other)),
                };
                Ok((config.name.to_string(), operation))
            };
            let operations: Result<_, Refusal> = configs.into_iter().map(operation).collect();
            operations.map(ConfigChange::Change)
        }
    }
}

fn unknown_operation(operation: i8) -> Refusal {
    invalid(format!("Unknown operations type {operation}"))
}

/// A broker's configs are what it was started with: only what changes nothing is agreed to.
fn check_broker(desk: &Desk, resource: &Wanted) -> Result<(), Refusal> {
    if !resource.name.is_empty() {
        match resource.name.parse::<i32>() {
            Err(_) => {
                let name = &*resource.name;
                return Err(invalid(format!(
                    "Node id must be an integer, but it is: {name}"
                )));
            }
            Ok(id) if id != desk.node.0 => {
                return Err(invalid(format!(
                    "Unexpected broker id, expected {}, but received {}",
                    desk.node.0, &*resource.name
                )));
            }
            Ok(_) => {}
        }
    }
    let mut changed = Vec::new();
    for config in &resource.configs {
        match config.operation {
            operation::SET => changed.push(&*config.name),
            operation::DELETE => {}
            operation::APPEND => check_list(desk, &config.name, "append")?,
            operation::SUBTRACT => check_list(desk, &config.name, "subtract")?,
            other => return Err(unknown_operation(other)),
        }
    }
    if changed.is_empty() {
        return Ok(());
    }
    Err(invalid(format!(
        "Cannot update these configs dynamically: [{}]",
        changed.join(", ")
    )))
}

fn check_list(desk: &Desk, name: &str, what: &str) -> Result<(), Refusal> {
    let known = broker_configs::shown(desk, |known| known == name);
    let why = match known.first() {
        None => format!("Unknown config name: {name}"),
        Some(config) if config.of == Type::List => {
            return Err(invalid(format!(
                "Cannot update these configs dynamically: [{name}]"
            )));
        }
        Some(_) => format!("Config value {what} is not allowed for config key: {name}"),
    };
    Err((ErrorCode::InvalidConfig, Some(why)))
}

impl Altering {
    fn answer(&self, desk: &Desk, request: &Request) -> Encoded {
        match self.which {
            Which::Replace => k33_alter_configs::answer(desk, request, &self.altered),
            Which::Change => k44_incremental_alter_configs::answer(desk, request, &self.altered),
        }
    }

    /// The controller decided on one topic, and every shard has applied it.
    pub fn on_decision(
        &mut self,
        desk: &Desk,
        request: &Request,
        slot: u32,
        decided: Decided,
    ) -> Option<Outcome> {
        if let Err(error) = decided {
            self.altered[slot as usize].refusal = Some(error_code::of_command(&error));
        }
        self.missing -= 1;
        (self.missing == 0).then(|| Outcome::Reply(self.answer(desk, request)))
    }
}
