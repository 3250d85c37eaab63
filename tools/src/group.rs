//! `corelane group`: list, describe with lag, reset, delete.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use corelane_net::protocol::Str;
use corelane_net::protocol::delete_groups_request::DeleteGroupsRequest;
use corelane_net::protocol::describe_groups_request::DescribeGroupsRequest;
use corelane_net::protocol::describe_groups_response::DescribedGroup;
use corelane_net::protocol::list_groups_request::ListGroupsRequest;
use serde_json::{Value, json};

use crate::client::{ClientError, Cluster, To, checked};
use crate::common::{Common, ended};
use crate::consume::{self, From, parse_from};
use crate::fetch::Place;
use crate::member;
use crate::offsets;
use crate::show::{self, Table};
use crate::topic::{each_refused, print};

/// List, describe, reset and delete consumer groups
#[derive(Args)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:
  corelane group list
  corelane group describe billing                          members, offsets and lag
  corelane group reset billing --to earliest --dry-run
  corelane group reset billing --topic orders --to 2026-03-01T12:00
  corelane group delete billing"
)]
pub(crate) struct GroupArgs {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: GroupCommand,
}

#[derive(Subcommand)]
enum GroupCommand {
    /// List groups
    List,
    /// Show members, offsets and lag
    Describe {
        #[arg(required = true, value_name = "GROUP")]
        names: Vec<String>,
    },
    /// Move the offsets of a group without members
    #[command(after_help = "Examples:
  corelane group reset billing --to latest
  corelane group reset billing --topic orders --partition 0 --to 1200
  corelane group reset billing --to -100                   the last 100 records of each partition")]
    Reset {
        #[arg(value_name = "GROUP")]
        name: String,
        /// earliest, latest, an offset, -N (the last N), or a time such as 2026-03-01T12:00 (UTC)
        #[arg(long, value_name = "WHERE", allow_hyphen_values = true, value_parser = parse_from)]
        to: From,
        /// Only these topics [default: all that the group has offsets of]
        #[arg(long, short, value_name = "TOPIC")]
        topic: Vec<String>,
        /// Only these partitions
        #[arg(
            long,
            short,
            value_name = "N",
            value_delimiter = ',',
            requires = "topic"
        )]
        partition: Vec<i32>,
        /// Show what would be done
        #[arg(long)]
        dry_run: bool,
    },
    /// Delete groups without members, and their offsets
    Delete {
        #[arg(required = true, value_name = "GROUP")]
        names: Vec<String>,
    },
}

pub(crate) fn run(args: &GroupArgs) -> ExitCode {
    ended(serve(args))
}

fn serve(args: &GroupArgs) -> Result<(), ClientError> {
    let common = &args.common;
    match &args.command {
        GroupCommand::List => list(common),
        GroupCommand::Describe { names } => describe(common, names),
        GroupCommand::Reset {
            name,
            to,
            topic,
            partition,
            dry_run,
        } => reset(common, name, *to, (topic, partition), *dry_run),
        GroupCommand::Delete { names } => delete(common, names),
    }
}

fn list(common: &Common) -> Result<(), ClientError> {
    let mut cluster = common.connect()?;
    let brokers = cluster.metadata(Some(&[]))?.brokers;
    let mut groups = BTreeMap::new();
    // Every broker knows those that it coordinates.
    for broker in brokers {
        let answer = cluster.call(To::Broker(broker.node_id), &ListGroupsRequest::default())?;
        checked("groups", answer.error_code, None)?;
        for group in answer.groups {
            groups.insert(group.group_id.as_str().to_owned(), group);
        }
    }
    let mut table = Table::new(&["GROUP", "STATE", "TYPE", "PROTOCOL"]);
    let mut values = Vec::new();
    for (name, group) in &groups {
        let text = |text: &Str| match text.as_str() {
            "" => "-".to_owned(),
            text => text.to_owned(),
        };
        table.row(vec![
            name.clone(),
            text(&group.group_state),
            text(&group.group_type),
            text(&group.protocol_type),
        ]);
        values.push(json!({
            "group": name, "state": group.group_state.as_str(), "type": group.group_type.as_str(),
            "protocol": group.protocol_type.as_str(),
        }));
    }
    if groups.is_empty() && !common.json {
        eprintln!("no groups; join one: corelane consume TOPIC --group NAME");
    }
    print(common, &table, &Value::Array(values))
}

fn described(
    cluster: &mut Cluster,
    coordinator: To,
    name: &str,
) -> Result<DescribedGroup, ClientError> {
    let request = DescribeGroupsRequest {
        groups: vec![name.into()],
        ..DescribeGroupsRequest::default()
    };
    let answer = cluster.call(coordinator, &request)?;
    let group = answer.groups.into_iter().next().unwrap_or_default();
    checked(
        format!("group {name}"),
        group.error_code,
        group.error_message.as_ref(),
    )?;
    Ok(group)
}

fn describe(common: &Common, names: &[String]) -> Result<(), ClientError> {
    let mut cluster = common.connect()?;
    let mut values = Vec::new();
    for name in names {
        let coordinator = cluster.coordinator(name)?;
        let group = described(&mut cluster, coordinator, name)?;
        let committed = member::committed(&mut cluster, coordinator, name, None)?;
        let mut owners: BTreeMap<Place, usize> = BTreeMap::new();
        for (at, member) in group.members.iter().enumerate() {
            if group.protocol_type == "consumer" {
                owners.extend(
                    member::places(&member.member_assignment)?
                        .into_iter()
                        .map(|place| (place, at)),
                );
            }
        }
        let places: BTreeSet<Place> = committed.keys().chain(owners.keys()).cloned().collect();
        let ends = ends(&mut cluster, &places)?;
        let mut table = Table::new(&[
            "TOPIC",
            "PARTITION",
            "COMMITTED",
            "END",
            "LAG",
            "CLIENT",
            "HOST",
        ]);
        let (mut rows, mut lag_sum) = (Vec::new(), 0);
        for place in &places {
            let (at, end) = (committed.get(place).copied(), ends.get(place).copied());
            let lag = at.zip(end).map(|(at, end)| (end - at).max(0));
            lag_sum += lag.unwrap_or(0);
            let owner = owners.get(place).map(|at| &group.members[*at]);
            let number = |number: Option<i64>| {
                number.map_or_else(|| "-".to_owned(), |number| number.to_string())
            };
            let text = |text: Option<&Str>| {
                text.map_or_else(|| "-".to_owned(), |text| text.as_str().to_owned())
            };
            table.row(vec![
                place.0.clone(),
                place.1.to_string(),
                number(at),
                number(end),
                number(lag),
                text(owner.map(|owner| &owner.client_id)),
                text(owner.map(|owner| &owner.client_host)),
            ]);
            rows.push(json!({
                "topic": place.0, "partition": place.1, "committed": at, "end": end, "lag": lag,
                "member": owner.map(|owner| owner.member_id.as_str()),
            }));
        }
        let members = group.members.iter().map(|member| {
            json!({
                "member": member.member_id.as_str(), "client": member.client_id.as_str(), "host": member.client_host.as_str(),
                "instance": member.group_instance_id.as_ref().map(Str::as_str),
            })
        });
        values.push(json!({
            "group": name, "state": group.group_state.as_str(), "assignor": group.protocol_data.as_str(), "lag": lag_sum,
            "members": members.collect::<Vec<_>>(), "partitions": rows,
        }));
        if !common.json {
            println!(
                "{name}  {}  {} members  lag {lag_sum}",
                group.group_state.as_str(),
                group.members.len()
            );
            if !table.is_empty() {
                table.print()?;
            }
            if name != names.last().expect("it is one of them") {
                println!();
            }
        }
    }
    match common.json {
        true => print(common, &Table::new(&[]), &Value::Array(values)),
        false => Ok(()),
    }
}

/// The ends of these partitions, where their topics still exist.
fn ends(
    cluster: &mut Cluster,
    places: &BTreeSet<Place>,
) -> Result<BTreeMap<Place, i64>, ClientError> {
    let mut by_topic: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for (topic, partition) in places {
        by_topic.entry(topic).or_default().push(*partition);
    }
    let mut ends = BTreeMap::new();
    for (topic, partitions) in by_topic {
        match offsets::at(cluster, topic, &partitions, offsets::LATEST) {
            Ok(found) => ends.extend(
                found
                    .into_iter()
                    .map(|(partition, end)| ((topic.to_owned(), partition), end)),
            ),
            Err(ClientError::Refused { .. } | ClientError::Usage(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(ends)
}

fn reset(
    common: &Common,
    name: &str,
    to: From,
    (topics, partitions): (&[String], &[i32]),
    dry_run: bool,
) -> Result<(), ClientError> {
    let mut cluster = common.connect()?;
    let coordinator = cluster.coordinator(name)?;
    let group = described(&mut cluster, coordinator, name)?;
    if !group.members.is_empty() {
        return Err(ClientError::Usage(format!(
            "group {name} has {} members: offsets can be moved while it has none",
            group.members.len()
        )));
    }
    let before = member::committed(&mut cluster, coordinator, name, None)?;
    let mut places: Vec<Place> = Vec::new();
    match topics.is_empty() {
        true => places.extend(before.keys().cloned()),
        false => {
            for topic in topics {
                let all: Vec<i32> = offsets::leaders(&mut cluster, topic)?.into_keys().collect();
                let wanted = if partitions.is_empty() {
                    &all[..]
                } else {
                    partitions
                };
                places.extend(wanted.iter().map(|partition| (topic.clone(), *partition)));
            }
        }
    }
    if places.is_empty() {
        return Err(ClientError::Usage(format!(
            "group {name} has no offsets: name a topic with --topic"
        )));
    }
    let mut after = consume::positions(&mut cluster, &places, to)?;
    // An offset beyond the end would wait for records to come.
    let ends = ends(&mut cluster, &places.iter().cloned().collect())?;
    for (place, at) in &mut after {
        *at = ends.get(place).map_or(*at, |end| (*at).min(*end));
    }
    if !dry_run {
        let refusal = member::commit(&mut cluster, coordinator, name, (&Str::new(), -1), &after)?;
        checked(format!("group {name}"), refusal, None)?;
    }
    let mut table = Table::new(&["TOPIC", "PARTITION", "BEFORE", "AFTER"]);
    let mut values = Vec::new();
    for (place, at) in &after {
        let old = before.get(place);
        table.row(vec![
            place.0.clone(),
            place.1.to_string(),
            old.map_or_else(|| "-".to_owned(), i64::to_string),
            at.to_string(),
        ]);
        values.push(json!({ "topic": place.0, "partition": place.1, "before": old, "after": at }));
    }
    print(
        common,
        &table,
        &json!({ "group": name, "done": !dry_run, "partitions": values }),
    )?;
    if dry_run && !common.json {
        eprintln!("nothing was changed: without --dry-run it would be");
    }
    Ok(())
}

fn delete(common: &Common, names: &[String]) -> Result<(), ClientError> {
    let mut cluster = common.connect()?;
    let mut refused = Ok(());
    let mut deleted = Vec::new();
    for name in names {
        let coordinator = cluster.coordinator(name)?;
        let request = DeleteGroupsRequest {
            groups_names: vec![name.as_str().into()],
        };
        for result in cluster.call(coordinator, &request)?.results {
            let result = checked(format!("group {name}"), result.error_code, None);
            match result {
                Ok(()) => deleted.push(name.clone()),
                Err(_) => refused = each_refused(refused, result),
            }
        }
    }
    match common.json {
        true => show::json(&json!({ "deleted": deleted }))?,
        false => deleted.iter().for_each(|name| println!("deleted {name}")),
    }
    refused
}
