//! Several listeners, IPv6 and a rack, as a user meets them: whoever connects to a listener is told its address.

use std::collections::BTreeMap;
use std::net::{Ipv6Addr, SocketAddr, TcpListener};
use std::process::Command;
use std::time::{Duration, Instant};

use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_quorum_request::{PartitionData, TopicData};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::{
    DescribeClusterRequest, DescribeConfigsRequest, DescribeQuorumRequest, FetchRequest,
    FindCoordinatorRequest,
};
use kafka_protocol::protocol::StrBytes;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use corelane_tests::harness::broker::{Broker, Options, binary, target_dir};
use corelane_tests::harness::process::run;
use corelane_tests::harness::runtime;
use corelane_tests::harness::topic_name;
use corelane_tests::harness::wire::Wire;

const WITHIN: Duration = Duration::from_secs(30);
const BROKER: i8 = 4;

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound").port()
}

/// Whether this host has `::1`; where it has not, says so.
fn has_ipv6(what: &str) -> bool {
    let has = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
    if !has {
        println!("DID NOT RUN: {what}: this host has no ::1");
    }
    has
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// `host:port` as each API names node 1, and its rack where it does; errors in their place. Of Fetch only where the
/// leader epoch was raised: a client must know an older one.
fn told(wire: &mut Wire, topic: &str) -> BTreeMap<&'static str, String> {
    let mut told = BTreeMap::new();
    let metadata = wire.metadata(topic);
    let node = metadata.brokers.first().expect("one broker");
    told.insert(
        "Metadata",
        format!("{}:{} {:?}", &*node.host, node.port, node.rack.as_deref()),
    );
    let cluster = wire.call(1, &DescribeClusterRequest::default());
    let node = cluster.brokers.first().expect("one broker");
    told.insert(
        "DescribeCluster",
        format!("{}:{} {:?}", &*node.host, node.port, node.rack.as_deref()),
    );
    let group = FindCoordinatorRequest::default().with_coordinator_keys(vec![text("group")]);
    let until = Instant::now() + WITHIN;
    loop {
        let found = wire.call(4, &group);
        let at = &found.coordinators[0];
        // Apache Kafka creates the offsets topic behind this.
        if at.error_code != 0 && Instant::now() < until {
            continue;
        }
        told.insert(
            "FindCoordinator",
            format!("{}:{} {}", &*at.host, at.port, at.error_code),
        );
        break;
    }
    // A client that knows an older leader is told who leads now, and where that is.
    let id = metadata.topics[0].topic_id;
    let epoch = metadata.topics[0].partitions[0].leader_epoch;
    let partition = FetchPartition::default()
        .with_current_leader_epoch(epoch - 1)
        .with_partition_max_bytes(1 << 20);
    let topic = FetchTopic::default()
        .with_topic_id(id)
        .with_partitions(vec![partition]);
    let fetch = FetchRequest::default()
        .with_session_epoch(-1)
        .with_max_bytes(1 << 20)
        .with_topics(vec![topic]);
    for version in [15, 16] {
        if epoch == 0 {
            break;
        }
        let answer = wire.call(version, &fetch);
        let data = &answer.responses[0].partitions[0];
        let leader = match data.current_leader.leader_id.0 {
            -1 => "nobody leads".to_owned(),
            id => {
                let newer = data.current_leader.leader_epoch - epoch;
                format!("{id} leads, epoch +{newer}")
            }
        };
        let nodes = answer.node_endpoints.iter();
        let nodes: Vec<String> = nodes
            .map(|n| {
                format!(
                    "{}@{}:{} {:?}",
                    n.node_id.0,
                    &*n.host,
                    n.port,
                    n.rack.as_deref()
                )
            })
            .collect();
        told.insert(
            if version == 15 {
                "Fetch 15"
            } else {
                "Fetch 16"
            },
            format!("{}: {leader} {nodes:?}", data.error_code),
        );
    }
    told
}

/// What a client of `address` ought to be told.
fn expected(address: &str, rack: Option<&str>) -> BTreeMap<&'static str, String> {
    let node = format!("{address} {rack:?}");
    BTreeMap::from([
        ("Metadata", node.clone()),
        ("DescribeCluster", node.clone()),
        ("FindCoordinator", format!("{address} 0")),
        (
            "Fetch 16",
            format!("74: 1 leads, epoch +0 {:?}", [format!("1@{node}")]),
        ),
    ])
}

/// The same but for what older versions say, which name no address.
fn check(wire: &mut Wire, topic: &str, address: &str, rack: Option<&str>) {
    let mut told = told(wire, topic);
    told.remove("Fetch 15");
    let mut expected = expected(address, rack);
    if !told.contains_key("Fetch 16") {
        expected.remove("Fetch 16");
    }
    assert_eq!(told, expected);
}

/// Value and source of configs of the broker.
fn configs(wire: &mut Wire, names: &[&str]) -> Vec<(String, Option<String>, i8)> {
    let resource = DescribeConfigsResource::default()
        .with_resource_type(BROKER)
        .with_resource_name(text("1"))
        .with_configuration_keys(Some(names.iter().map(|name| text(name)).collect()));
    let ask = DescribeConfigsRequest::default().with_resources(vec![resource]);
    let answer = wire.call(4, &ask);
    let shown = answer.results[0].configs.iter();
    let mut shown: Vec<_> = shown
        .map(|c| {
            let value = c.value.as_deref().map(str::to_owned);
            (c.name.to_string(), value, c.config_source)
        })
        .collect();
    shown.sort();
    shown
}

/// The host and containers: each reaches the broker by what it is told, and what is produced through one is consumed
/// through the other. At a restart the list is another.
#[test]
fn clients_of_two_listeners_are_told_different_addresses() {
    for shards in [1, 4] {
        let (second, third) = (free_port(), free_port());
        let mut broker = Broker::start_own(Options {
            shards,
            flags: words(&[
                "--listen",
                &format!("container=0.0.0.0:{second}"),
                "--advertise",
                &format!("CONTAINER=localhost:{second}"),
                "--rack",
                "rack-7",
            ]),
            ..Options::default()
        });
        let first = broker.address();
        let container: SocketAddr = ([127, 0, 0, 1], second).into();
        let topic = topic_name("listeners");
        Wire::connect(first).create_topic(&topic, 3, &[]);
        // The start after it raises the leader epochs.
        broker.kill_9();
        broker.restart();
        assert!(told(&mut Wire::connect(first), &topic).contains_key("Fetch 16"));
        // So often that every shard has connections of both.
        for _ in 0..8 {
            let told_there = format!("localhost:{second}");
            let rack = Some("rack-7");
            check(&mut Wire::connect(first), &topic, &first.to_string(), rack);
            check(&mut Wire::connect(container), &topic, &told_there, rack);
        }
        let names = ["listeners", "advertised.listeners", "broker.rack"];
        assert_eq!(
            configs(&mut Wire::connect(container), &names),
            [
                (
                    "advertised.listeners".to_owned(),
                    Some(format!(
                        "PLAINTEXT://{first},CONTAINER://localhost:{second}"
                    )),
                    4
                ),
                ("broker.rack".to_owned(), Some("rack-7".to_owned()), 4),
                (
                    "listeners".to_owned(),
                    Some(format!("PLAINTEXT://{first},CONTAINER://0.0.0.0:{second}")),
                    4
                ),
            ]
        );
        let quorum = |address| {
            let partitions = vec![PartitionData::default()];
            let topic = TopicData::default()
                .with_topic_name(corelane_tests::harness::wire::topic_of(
                    "__cluster_metadata",
                ))
                .with_partitions(partitions);
            let ask = DescribeQuorumRequest::default().with_topics(vec![topic]);
            let answer = Wire::connect(address).call(2, &ask);
            let at = &answer.nodes[0].listeners[0];
            format!("{}://{}:{}", &*at.name, &*at.host, at.port)
        };
        assert_eq!(quorum(first), format!("PLAINTEXT://{first}"));
        assert_eq!(quorum(container), format!("CONTAINER://localhost:{second}"));
        let said = broker.said().join("\n");
        for line in [
            format!("PLAINTEXT {first}, advertised as {first}"),
            format!("CONTAINER 0.0.0.0:{second}, advertised as localhost:{second}"),
            "node        1, rack rack-7".to_owned(),
            format!("ready  {first}, 0.0.0.0:{second} after"),
        ] {
            assert!(said.contains(&line), "{line}: {said}");
        }
        through_rdkafka(&first.to_string(), &format!("127.0.0.1:{second}"), &topic);

        // Another list: the second has moved, and there is no rack.
        let clean = shards == 1;
        match clean {
            true => assert!(broker.terminate().success()),
            false => broker.kill_9(),
        }
        broker.options_mut().flags = words(&[
            "--listen",
            &format!("OTHER=127.0.0.1:{third}"),
            "--advertise",
            &format!("OTHER=other.example:{third}"),
        ]);
        broker.restart();
        let other: SocketAddr = ([127, 0, 0, 1], third).into();
        let (there, here) = (format!("other.example:{third}"), first.to_string());
        check(&mut Wire::connect(other), &topic, &there, None);
        check(&mut Wire::connect(first), &topic, &here, None);
        assert!(std::net::TcpStream::connect(container).is_err());
        assert_eq!(
            configs(&mut Wire::connect(first), &["broker.rack"]),
            [("broker.rack".to_owned(), None, 5)]
        );
    }
}

/// Produces through one address, and consumes as a member of a group through the other.
fn through_rdkafka(produce_to: &str, consume_from: &str, topic: &str) {
    let config = |address: &str| {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", address);
        // `localhost` may be `::1` first, where nobody listens.
        config.set("broker.address.family", "v4");
        config
    };
    let producer: BaseProducer = config(produce_to).create().expect("a producer");
    for n in 0..30 {
        let value = format!("record {n}");
        let record = BaseRecord::<[u8], str>::to(topic).payload(&*value);
        producer.send(record).expect("room in the queue");
    }
    producer.flush(WITHIN).expect("everything is acknowledged");
    let consumer: BaseConsumer = config(consume_from)
        .set("group.id", format!("readers-of-{topic}"))
        .set("auto.offset.reset", "earliest")
        .create()
        .expect("a consumer");
    consumer.subscribe(&[topic]).expect("a subscription");
    let until = Instant::now() + WITHIN;
    let mut seen = Vec::new();
    while seen.len() < 30 {
        assert!(Instant::now() < until, "{} of 30 records", seen.len());
        if let Some(message) = consumer.poll(Duration::from_millis(100)) {
            let message = message.expect("a record");
            seen.push(String::from_utf8(message.payload().expect("a value").to_vec()).unwrap());
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 30);
    let metadata = consumer.fetch_metadata(Some(topic), WITHIN);
    let metadata = metadata.expect("metadata");
    let node = &metadata.brokers()[0];
    let (_, port) = consume_from.rsplit_once(':').expect("an address");
    assert_eq!(
        format!("{}:{}", node.host(), node.port()),
        format!("localhost:{port}")
    );
}

/// `::1`, and the wildcard that takes clients of both families.
#[test]
fn ipv6_serves_and_its_wildcard_serves_both_families() {
    if !has_ipv6("listeners of IPv6") {
        return;
    }
    let (loopback, any) = (free_port(), free_port());
    let broker = Broker::start_own(Options {
        flags: words(&[
            "--listen",
            &format!("V6=[::1]:{loopback}"),
            "--listen",
            &format!("ANY=[::]:{any}"),
            "--advertise",
            &format!("ANY=[::1]:{any}"),
        ]),
        ..Options::default()
    });
    let topic = topic_name("ipv6");
    let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, loopback));
    Wire::connect(v6).create_topic(&topic, 1, &[]);
    check(
        &mut Wire::connect(v6),
        &topic,
        &format!("::1:{loopback}"),
        None,
    );
    for address in [
        SocketAddr::from((Ipv6Addr::LOCALHOST, any)),
        ([127, 0, 0, 1], any).into(),
    ] {
        let mut wire = Wire::connect(address);
        check(&mut wire, &topic, &format!("::1:{any}"), None);
    }
    let first = broker.address();
    let shown = configs(
        &mut Wire::connect(first),
        &["listeners", "advertised.listeners"],
    );
    let values: Vec<String> = shown
        .into_iter()
        .filter_map(|(_, value, _)| value)
        .collect();
    assert_eq!(
        values,
        [
            format!("PLAINTEXT://{first},V6://[::1]:{loopback},ANY://[::1]:{any}"),
            format!("PLAINTEXT://{first},V6://[::1]:{loopback},ANY://[::]:{any}"),
        ]
    );
    let said = broker.said().join("\n");
    let line = format!("ANY [::]:{any}, advertised as [::1]:{any}");
    assert!(said.contains(&line), "{said}");
    // Our own tool goes where it is told.
    let mut list = Command::new(binary());
    list.args(["topic", "list", "--brokers", &v6.to_string()]);
    let listed = run(list, b"", WITHIN).expect_ok("corelane topic list");
    assert!(listed.text().contains(&topic), "{}", listed.text());
}

/// Each is one line on standard error, with the exit code of wrong settings, or of a host that cannot.
#[test]
fn what_is_wrong_with_listeners_is_one_line() {
    let scratch = target_dir()
        .join("tmp")
        .join(topic_name("listeners-refused"));
    let directory = scratch.display().to_string();
    let refused = |flags: &[&str], code: i32, parts: &[&str]| {
        let mut command = Command::new(binary());
        command
            .arg("broker")
            .args(["--data-dir", &directory])
            .args(flags);
        command.env("NO_COLOR", "1");
        let ended = run(command, b"", WITHIN);
        assert_eq!(ended.code, Some(code), "{flags:?}: {}", ended.stderr);
        assert_eq!(ended.stderr.trim().lines().count(), 1, "{}", ended.stderr);
        for part in parts {
            assert!(
                ended.stderr.contains(part),
                "{flags:?}: {part}: {}",
                ended.stderr
            );
        }
    };
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = (taken.local_addr().expect("bound").to_string(), taken);
    let second = format!("CONTAINER={}", taken.0);
    let one = ["--listen", "127.0.0.1:0"];
    let with = |more: &[&'static str]| [&one[..], more].concat();
    refused(
        &["--listen", "127.0.0.1:0", "--listen", &second],
        13,
        &["listener CONTAINER", &taken.0, "in use"],
    );
    refused(
        &["--listen", "127.0.0.1:0", "--listen", "A=192.0.2.1:9092"],
        13,
        &[
            "listener A",
            "192.0.2.1:9092 is not an address of this host",
        ],
    );
    refused(
        &with(&["--listen", "127.0.0.1:0"]),
        2,
        &["a listener PLAINTEXT already"],
    );
    refused(
        &["--listen", "A=127.0.0.1:7", "--listen", "B=127.0.0.2:7"],
        2,
        &["--listen B=127.0.0.2:7", "listener A has port 7 already"],
    );
    refused(
        &with(&["--advertise", "A=h:1"]),
        2,
        &["--advertise A=h:1", "no listener is named A"],
    );
    refused(
        &with(&["--advertise", "0.0.0.0:1"]),
        2,
        &["clients cannot connect to 0.0.0.0"],
    );
    refused(
        &["--listen", "0.0.0.0:0"],
        2,
        &["listener PLAINTEXT", "--advertise HOST:PORT"],
    );
    refused(
        &["--listen", "[::]:0"],
        2,
        &["listener PLAINTEXT", "--advertise HOST:PORT"],
    );
    refused(&with(&["--rack", ""]), 2, &["--rack"]);
    let file = scratch.with_extension("toml");
    let file_name = file.display().to_string();
    for (text, parts) in [
        (
            "[[listeners]]\nbnd = \"h:1\"",
            &["unknown field `bnd`", ":2:"][..],
        ),
        ("[[listeners]]\nname = \"A\"", &["missing field `bind`"]),
        (
            "listen = \"127.0.0.1:1\"\n[[listeners]]\nbind = \"127.0.0.1:2\"",
            &["say it one way"],
        ),
        (
            "[[listeners]]\nname = \"A\"\nbind = \"127.0.0.1:2\"\nadvertise = \"[::]:3\"",
            &["[[listeners]] A", "clients cannot connect to ::"],
        ),
    ] {
        std::fs::write(&file, text).expect("the target directory is writable");
        refused(&["--config", &file_name], 2, parts);
    }
    drop(std::fs::remove_file(file));
    drop(std::fs::remove_dir_all(scratch));
}

/// The same from the file, without one flag about listeners.
#[test]
fn the_file_has_one_table_for_each_listener() {
    let (host, container) = (free_port(), free_port());
    let config = format!(
        "rack = \"a\"\n[[listeners]]\nname = \"CONTAINER\"\nbind = \"127.0.0.1:{container}\"\n\
         advertise = \"broker.example:{container}\"\n[[listeners]]\nname = \"HOST\"\nbind = \"127.0.0.1:{host}\"\n"
    );
    let scratch = target_dir().join("tmp").join(topic_name("listeners-file"));
    let file = scratch.with_extension("toml");
    std::fs::write(&file, config).expect("the target directory is writable");
    let broker = Broker::start_own(Options {
        listen: false,
        flags: words(&["--config", &file.display().to_string()]),
        ..Options::default()
    });
    let topic = topic_name("file");
    let at = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
    Wire::connect(at(host)).create_topic(&topic, 1, &[]);
    for (port, told) in [
        (host, format!("127.0.0.1:{host}")),
        (container, format!("broker.example:{container}")),
    ] {
        check(&mut Wire::connect(at(port)), &topic, &told, Some("a"));
    }
    drop(broker);
    drop(std::fs::remove_file(file));
}

/// The answers of Apache Kafka with the same two listeners, each asked through both.
#[test]
fn answers_through_two_listeners_are_those_of_apache_kafka() {
    if runtime::java().is_none() {
        return runtime::did_not_run("listeners beside Apache Kafka", "java with mvn");
    }
    let play = |kafka: bool| {
        let second = free_port();
        let container = format!("127.0.0.1:{second}");
        let options = match kafka {
            true => Options {
                kafka: true,
                properties: vec![
                    ("listeners", format!("CONTAINER://{container}")),
                    (
                        "advertised.listeners",
                        format!("CONTAINER://broker.example:{second}"),
                    ),
                    (
                        "listener.security.protocol.map",
                        "CONTAINER:PLAINTEXT".to_owned(),
                    ),
                    ("broker.rack", "rack-7".to_owned()),
                ],
                ..Options::default()
            },
            false => Options {
                flags: words(&[
                    "--listen",
                    &format!("CONTAINER={container}"),
                    "--advertise",
                    &format!("CONTAINER=broker.example:{second}"),
                    "--rack",
                    "rack-7",
                ]),
                kafka: false,
                ..Options::default()
            },
        };
        let mut broker = Broker::start_own(options);
        let first = broker.address();
        Wire::connect(first).create_topic("t", 1, &[]);
        // The start after it raises the leader epochs.
        broker.kill_9();
        broker.restart();
        let mut wire = Wire::connect(first);
        let until = Instant::now() + WITHIN;
        while wire.fetch("t", 0, 0).responses[0].partitions[0].error_code != 0 {
            assert!(Instant::now() < until, "the topic is not served again");
        }
        let names = ["broker.rack", "advertised.listeners"];
        let mut answers = vec![format!("{:?}", configs(&mut wire, &names))];
        for address in [first, container.parse().expect("an address")] {
            answers.push(format!("{:?}", told(&mut Wire::connect(address), "t")));
        }
        // The ports are the test's own.
        let own = |answer: &String| {
            let answer = answer.replace(&first.port().to_string(), "FIRST");
            answer.replace(&second.to_string(), "SECOND")
        };
        answers.iter().map(own).collect::<Vec<_>>()
    };
    assert_eq!(play(false), play(true));
}
