//! The window into the broker: what `--http` serves, before, after and while it stops, and that looking disturbs nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use corelane_tests::harness::broker::{Broker, Options, binary};
use corelane_tests::harness::process::run;
use corelane_tests::harness::records::Batch;
use corelane_tests::harness::topic_name;
use corelane_tests::harness::wire::{Wire, create_topics, fetch_request, topic_of};
use kafka_protocol::messages::{DeleteTopicsRequest, FetchRequest};

const WITHIN: Duration = Duration::from_secs(20);

fn with_window(shards: usize) -> Options {
    Options {
        flags: vec!["--http".into(), "127.0.0.1:0".into()],
        ..Options::shards(shards)
    }
}

/// Where the window is, by the start screen.
fn window(broker: &Broker) -> SocketAddr {
    let said = broker.said();
    let line = said.iter().rfind(|line| line.contains("http://"));
    let line = line.unwrap_or_else(|| panic!("no window in\n{}", said.join("\n")));
    let (_, rest) = line.split_once("http://").expect("just looked for");
    let (address, _) = rest.split_once('/').expect("a path");
    address.parse().expect("an address")
}

/// One GET: status and body. `None`: nobody answers there.
fn try_get(address: SocketAddr, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, WITHIN).ok()?;
    stream.set_read_timeout(Some(WITHIN)).expect("not zero");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let answer = String::from_utf8(answer).expect("text");
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    Some((status.expect("a status"), body.to_owned()))
}

fn get(address: SocketAddr, path: &str) -> (u16, String) {
    try_get(address, path).unwrap_or_else(|| panic!("no answer to {path}"))
}

fn metrics(address: SocketAddr) -> Page {
    let (status, text) = get(address, "/metrics");
    assert_eq!(status, 200, "{text}");
    Page::parse(&text).unwrap_or_else(|why| panic!("{why} in\n{text}"))
}

type Labels = BTreeMap<String, String>;

/// A page of the text format, read strictly.
#[derive(Debug)]
struct Page {
    kinds: BTreeMap<String, String>,
    samples: BTreeMap<(String, Labels), f64>,
}

impl Page {
    fn parse(text: &str) -> Result<Page, String> {
        let mut page = Page {
            kinds: BTreeMap::new(),
            samples: BTreeMap::new(),
        };
        if !text.ends_with('\n') {
            return Err("no line feed at the end".into());
        }
        let mut helped = None;
        let mut family = None;
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').ok_or("HELP without text")?;
                if help.is_empty() || page.kinds.contains_key(name) {
                    return Err(format!("{line}: empty or a second one"));
                }
                helped = Some(name.to_owned());
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').ok_or("TYPE without one")?;
                if helped.take().as_deref() != Some(name)
                    || !["counter", "gauge", "histogram"].contains(&kind)
                {
                    return Err(format!("{line}: not behind its HELP, or unknown"));
                }
                if (kind == "counter") != name.ends_with("_total") {
                    return Err(format!("{line}: a counter's name ends with _total"));
                }
                page.kinds.insert(name.to_owned(), kind.to_owned());
                family = Some(name.to_owned());
            } else {
                let (name, labels, value) = sample(line).ok_or(format!("{line}: malformed"))?;
                let family = family.as_deref().ok_or("a sample before any TYPE")?;
                let histogram = page.kinds[family] == "histogram";
                let suffix = name.strip_prefix(family).ok_or(format!("{line}: astray"))?;
                let suffixes: &[&str] = match histogram {
                    true => &["_bucket", "_sum", "_count"],
                    false => &[""],
                };
                if !suffixes.contains(&suffix)
                    || labels.contains_key("le") != (suffix == "_bucket")
                    || !value.is_finite()
                    || value < 0.0
                {
                    return Err(format!("{line}: not of {family}"));
                }
                if page.samples.insert((name, labels), value).is_some() {
                    return Err(format!("{line}: twice"));
                }
            }
        }
        page.check_histograms()?;
        Ok(page)
    }

    fn check_histograms(&self) -> Result<(), String> {
        for (family, _) in self.kinds.iter().filter(|(_, kind)| *kind == "histogram") {
            let mut series: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
            for ((name, labels), value) in &self.samples {
                if *name == format!("{family}_bucket") {
                    let mut labels = labels.clone();
                    let bound = labels.remove("le").expect("just checked");
                    let bound = bound.replace("+Inf", "inf").parse().map_err(|_| bound)?;
                    series.entry(labels).or_default().push((bound, *value));
                }
            }
            for (labels, mut buckets) in series {
                buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
                let rises = buckets.windows(2).all(|w| w[0].1 <= w[1].1);
                let last = buckets.last().expect("not empty");
                let count = self
                    .samples
                    .get(&(format!("{family}_count"), labels.clone()));
                let sum = self.samples.get(&(format!("{family}_sum"), labels.clone()));
                if !rises || last.0 != f64::INFINITY || count != Some(&last.1) || sum.is_none() {
                    return Err(format!("{family}{labels:?}: {buckets:?}"));
                }
            }
        }
        Ok(())
    }

    /// The sum over the series of a name that have these labels.
    fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let has = |of: &Labels| {
            let same = |(name, value): &(&str, &str)| of.get(*name).is_some_and(|v| v == value);
            labels.iter().all(same)
        };
        let of_name = self
            .samples
            .iter()
            .filter(|((n, of), _)| n == name && has(of));
        of_name.map(|(_, value)| value).sum()
    }

    fn series(&self, name: &str) -> usize {
        self.samples.keys().filter(|(n, _)| n == name).count()
    }
}

/// `name{label="value",…} number`.
fn sample(line: &str) -> Option<(String, Labels, f64)> {
    let is_name = |text: &str| {
        let first = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        first && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let end = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at(end);
    let mut labels = Labels::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, after) = rest.split_once("=\"")?;
            let mut value = String::new();
            let mut chars = after.char_indices();
            let end = loop {
                match chars.next()? {
                    (at, '"') => break at,
                    (_, '\\') => value.push(match chars.next()?.1 {
                        'n' => '\n',
                        c @ ('\\' | '"') => c,
                        _ => return None,
                    }),
                    (_, c) => value.push(c),
                }
            };
            if !is_name(label) || labels.insert(label.to_owned(), value).is_some() {
                return None;
            }
            rest = &after[end + 1..];
            match rest.strip_prefix(',') {
                Some(more) => rest = more,
                None => break,
            }
        }
        rest = rest.strip_prefix('}')?;
    }
    let value = rest.strip_prefix(' ')?;
    let parsed = value.parse().ok()?;
    let plain = value.chars().all(|c| c.is_ascii_digit() || c == '.');
    (is_name(name) && plain).then(|| (name.to_owned(), labels, parsed))
}

#[test]
fn the_parser_is_strict() {
    let good = "# HELP a_total A.\n# TYPE a_total counter\na_total{x=\"1\"} 2\n";
    let page = Page::parse(good).expect("good");
    assert_eq!(page.sum("a_total", &[("x", "1")]), 2.0);
    let bad = [
        ("counter", "gauge"),
        ("a_total{", "b_total{"),
        ("# HELP a_total A.\n", ""),
        ("\"1\"", "\"1"),
        ("} 2\n", "} 2"),
        ("} 2", "} -2"),
        ("} 2", "}2"),
        ("} 2\n", "} 2\na_total{x=\"1\"} 3\n"),
        ("x=", "x-y="),
        ("_total", ""),
    ];
    for (from, to) in bad {
        let text = good.replace(from, to);
        assert!(Page::parse(&text).is_err(), "{text}");
    }
    let histogram = "# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 3\n\
        h_sum 4\nh_count 3\n";
    Page::parse(histogram).expect("good");
    for (from, to) in [("} 2", "} 9"), ("count 3", "count 2"), ("h_sum 4\n", "")] {
        let text = histogram.replace(from, to);
        assert!(Page::parse(&text).is_err(), "{text}");
    }
}

#[test]
fn metrics_grow_by_what_was_done() {
    let broker = Broker::start_own(with_window(2));
    let address = window(&broker);
    let (mine, other) = (topic_name("counted"), topic_name("beside"));
    let mut wire = Wire::connect(broker.address());
    wire.create_topic(&mine, 4, &[]);
    wire.create_topic(&other, 1, &[]);
    let batch = Batch::of(&[b"one", b"two", b"three"]).bytes();
    let before = metrics(address);
    for n in 0..20 {
        let answer = wire.produce(&mine, n % 4, batch.clone());
        assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
    }
    let unknown = wire.produce(&mine, 99, batch.clone());
    assert_eq!(unknown.responses[0].partition_responses[0].error_code, 3);
    // From the middle on: two batches and the one that holds the offset.
    let answer = wire.fetch(&mine, 1, 7);
    let records = answer.responses[0].partitions[0].records.clone();
    assert_eq!(records.expect("records").len(), 3 * batch.len());
    let after = metrics(address);

    let grew =
        |name: &str, labels: &[(&str, &str)]| after.sum(name, labels) - before.sum(name, labels);
    let bytes = batch.len() as f64;
    let of_mine = [("topic", &*mine)];
    assert_eq!(
        grew("corelane_topic_produced_bytes_total", &of_mine),
        20.0 * bytes
    );
    assert_eq!(
        grew("corelane_topic_produced_records_total", &of_mine),
        60.0
    );
    assert_eq!(
        grew("corelane_topic_fetched_bytes_total", &of_mine),
        3.0 * bytes
    );
    assert_eq!(grew("corelane_topic_fetched_records_total", &of_mine), 9.0);
    let of_other = [("topic", &*other)];
    assert_eq!(
        after.sum("corelane_topic_produced_bytes_total", &of_other),
        0.0
    );
    assert_eq!(grew("corelane_produced_bytes_total", &[]), 20.0 * bytes);
    assert_eq!(grew("corelane_produced_records_total", &[]), 60.0);
    assert_eq!(grew("corelane_produced_batches_total", &[]), 20.0);
    assert_eq!(grew("corelane_fetched_bytes_total", &[]), 3.0 * bytes);
    assert_eq!(grew("corelane_fetched_records_total", &[]), 9.0);

    let requests = "corelane_requests_total";
    assert_eq!(
        grew(requests, &[("api", "Produce"), ("result", "ok")]),
        20.0
    );
    assert_eq!(
        grew(requests, &[("api", "Produce"), ("result", "retriable")]),
        1.0
    );
    assert_eq!(grew(requests, &[("api", "Fetch"), ("result", "ok")]), 1.0);
    assert_eq!(grew(requests, &[]), 22.0, "nothing else was asked");
    let produced = [("api", "Produce")];
    assert_eq!(grew("corelane_request_seconds_count", &produced), 21.0);
    // Twenty flushes, one after the other, in more than no and less than all time.
    let seconds = grew("corelane_request_seconds_sum", &produced);
    assert!(seconds > 0.0 && seconds < 60.0, "{seconds}");

    // One at a time, each is a group of its own, written and flushed before its answer.
    assert_eq!(grew("corelane_journal_groups_total", &[]), 20.0);
    assert_eq!(
        grew("corelane_journal_written_bytes_total", &[]),
        20.0 * 4096.0
    );
    assert!(grew("corelane_disk_flushes_total", &[]) >= 20.0);
    assert!(grew("corelane_received_bytes_total", &[]) > 21.0 * bytes);
    assert!(grew("corelane_sent_bytes_total", &[]) > 3.0 * bytes);
    assert_eq!(after.sum("corelane_connections", &[]), 1.0);
    assert!(after.sum("corelane_partitions", &[]) >= 5.0);
    for shard in ["0", "1"] {
        let of = [("shard", shard)];
        assert_eq!(after.sum("corelane_shard_up", &of), 1.0);
        let (busy, all) = (
            grew("corelane_busy_seconds_total", &of),
            grew("corelane_loop_seconds_total", &of),
        );
        assert!(busy > 0.0 && busy < all, "shard {shard}: {busy} of {all} s");
        assert!(grew("corelane_pass_seconds_count", &of) > 0.0);
        assert!(grew("corelane_cpu_seconds_total", &of) > 0.0);
        assert!(grew("corelane_ring_enters_total", &of) > 0.0);
        assert!(grew("corelane_ring_completions_total", &of) > 0.0);
        assert!(after.sum("corelane_arena_bytes", &of) > 0.0);
    }
    assert!(after.sum("process_resident_memory_bytes", &[]) > 1e6);
    assert_eq!(after.sum("corelane_appends_stalled", &[]), 0.0);
    assert_eq!(get(address, "/nothing").0, 404);
}

/// Every topic that exists, and none that does not, although no shard is asked for all at once.
#[test]
fn a_thousand_topics_have_their_lines_and_deleted_ones_have_none() {
    const TOPICS: usize = 1_200;
    let broker = Broker::start_own(with_window(2));
    let address = window(&broker);
    let mut wire = Wire::connect(broker.address());
    let stem = topic_name("many");
    let names: Vec<String> = (0..TOPICS).map(|n| format!("{stem}.{n:04}")).collect();
    for some in names.chunks(300) {
        let mut all = create_topics(&some[0], 1, &[]);
        let more = some[1..].iter();
        all.topics
            .extend(more.flat_map(|name| create_topics(name, 1, &[]).topics));
        let answer = wire.call(5, &all);
        assert!(answer.topics.iter().all(|topic| topic.error_code == 0));
    }
    let batch = Batch::of(&[b"x"]).bytes();
    for name in [&names[0], &names[TOPICS / 2], &names[TOPICS - 1]] {
        let answer = wire.produce(name, 0, batch.clone());
        assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
        wire.fetch(name, 0, 0);
    }
    let family = "corelane_topic_produced_records_total";
    let page = metrics(address);
    assert_eq!(page.series(family), TOPICS);
    for (n, name) in names.iter().enumerate() {
        let expected = f64::from(u8::from([0, TOPICS / 2, TOPICS - 1].contains(&n)));
        assert!(page.samples.contains_key(&(
            family.to_owned(),
            Labels::from([("topic".to_owned(), name.clone())])
        )));
        assert_eq!(page.sum(family, &[("topic", name)]), expected, "{name}");
        let fetched = page.sum("corelane_topic_fetched_records_total", &[("topic", name)]);
        assert_eq!(fetched, expected, "{name}");
    }
    let gone = DeleteTopicsRequest::default()
        .with_topic_names(vec![topic_of(&names[0]), topic_of(&names[7])])
        .with_timeout_ms(10_000);
    let answer = wire.call(5, &gone);
    assert!(answer.responses.iter().all(|topic| topic.error_code == 0));
    let page = metrics(address);
    assert_eq!(page.series(family), TOPICS - 2);
    assert_eq!(page.sum(family, &[]), 2.0);
    // Of all, what was appended stays counted.
    assert_eq!(page.sum("corelane_produced_records_total", &[]), 3.0);
}

/// Whoever starts it, and whoever sends clients to it, is told the truth from the first moment to the last.
#[test]
fn health_and_readiness_from_start_to_end() {
    let address = {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        free.local_addr().expect("bound")
    };
    let mut options = with_window(2);
    options.flags[1] = address.to_string();
    let opened = AtomicBool::new(false);
    let mut broker = thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            // In this order, some perhaps not seen: nobody there, starting, ready.
            let mut seen = vec![];
            loop {
                let done = opened.load(Ordering::SeqCst);
                let answer = try_get(address, "/readyz");
                if seen.last() != Some(&answer) {
                    seen.push(answer);
                }
                if done {
                    return seen;
                }
            }
        });
        let broker = Broker::start_own(options);
        opened.store(true, Ordering::SeqCst);
        let seen = watcher.join().expect("no panic");
        let order = [
            None,
            Some((503, "starting\n".to_owned())),
            Some((200, "ready\n".to_owned())),
        ];
        let places: Vec<_> = seen
            .iter()
            .map(|answer| order.iter().position(|known| known == answer))
            .collect();
        assert!(
            places.iter().all(Option::is_some) && places.is_sorted(),
            "{seen:?}"
        );
        assert_eq!(places.last(), Some(&Some(2)), "{seen:?}");
        broker
    });
    assert_eq!(get(address, "/healthz"), (200, "ok\n".to_owned()));

    // A fetch that waits keeps the stop waiting, for some seconds.
    let mut wire = Wire::connect(broker.address());
    let topic = topic_name("waiting");
    wire.create_topic(&topic, 1, &[]);
    wire.send::<FetchRequest>(11, &fetch_request(&topic, 0, 0, 60_000));
    let until = Instant::now() + WITHIN;
    while metrics(address).sum("corelane_requests_parked", &[]) < 1.0 {
        assert!(Instant::now() < until, "the fetch does not wait");
    }
    let killed = Command::new("kill")
        .args(["-TERM", &broker.pid().to_string()])
        .status();
    assert!(killed.expect("kill is a program").success());
    let mut stopping = 0;
    while let Some((status, text)) = try_get(address, "/readyz") {
        match (status, &*text) {
            (200, "ready\n") if stopping == 0 => continue,
            (503, "stopping\n") => stopping += 1,
            other => panic!("{other:?} after {stopping}"),
        }
        if stopping == 1 {
            // It lives, and says what it does, while it ends.
            assert_eq!(get(address, "/healthz"), (200, "ok\n".to_owned()));
            assert_eq!(metrics(address).sum("corelane_shard_up", &[]), 2.0);
        }
        if Instant::now() > until + WITHIN {
            panic!("it does not end");
        }
    }
    assert!(stopping > 0, "nobody was told");
    assert!(broker.wait(WITHIN).success());
}

/// Many look, some hold on to what they got or say nothing at all, and a producer goes on as before.
#[test]
fn a_storm_of_scrapes_disturbs_nobody() {
    let broker = Broker::start_own(with_window(2));
    let address = window(&broker);
    let topic = topic_name("storm");
    let mut wire = Wire::connect(broker.address());
    wire.create_topic(&topic, 2, &[]);
    let files = broker.open_files();
    let silent: Vec<TcpStream> = (0..8)
        .map(|_| TcpStream::connect(address).expect("the kernel's queue has room"))
        .collect();
    let over = AtomicBool::new(false);
    let pages = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let mut last = 0.0;
                while !over.load(Ordering::Relaxed) {
                    let page = metrics(address);
                    let produced = page.sum("corelane_produced_records_total", &[]);
                    assert!(produced >= last, "{produced} after {last}");
                    last = produced;
                    assert_eq!(get(address, "/healthz").0, 200);
                    pages.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let batch = Batch::of(&[&[5; 1000]]).bytes();
        let mut n = 0;
        while n < 400 || pages.load(Ordering::Relaxed) < 60 {
            let answer = wire.produce(&topic, n % 2, batch.clone());
            let partition = &answer.responses[0].partition_responses[0];
            assert_eq!(
                (partition.error_code, partition.base_offset),
                (0, i64::from(n / 2))
            );
            n += 1;
        }
        over.store(true, Ordering::Relaxed);
        // A page that was asked for after an answer knows of it.
        let page = metrics(address);
        assert_eq!(
            page.sum("corelane_produced_records_total", &[]),
            f64::from(n)
        );
        let results: BTreeSet<String> = page
            .samples
            .iter()
            .filter(|((name, _), value)| name == "corelane_requests_total" && **value > 0.0)
            .map(|((_, labels), _)| labels["result"].clone())
            .collect();
        assert_eq!(results, BTreeSet::from(["ok".to_owned()]));
    });
    drop(silent);
    let until = Instant::now() + WITHIN;
    while broker.open_files() > files + 2 {
        assert!(Instant::now() < until, "{} files", broker.open_files());
        thread::yield_now();
    }
}

#[test]
fn what_is_wrong_with_the_window_is_said_in_one_line() {
    let scratch = std::env::temp_dir().join(topic_name("corelane-window"));
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let taken = taken
        .local_addr()
        .map(|address| (taken, address.to_string()));
    let (_taken, address) = taken.expect("bound");
    for (http, part) in [(&*address, &*address), ("9644", "127.0.0.1:9644")] {
        let mut command = Command::new(binary());
        command
            .args(["broker", "--listen", "127.0.0.1:0", "--http", http])
            .arg("--data-dir")
            .arg(&scratch);
        let ended = run(command, b"", WITHIN);
        assert!(!ended.ok, "{http}: it started");
        let said = ended.stderr.trim();
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains("--http") && said.contains(part), "{said}");
    }
    drop(std::fs::remove_dir_all(scratch));
}

#[test]
fn without_the_flag_there_is_no_window_and_the_start_screen_says_how() {
    let broker = Broker::start_own(Options::default());
    let said = broker.said().join("\n");
    assert!(said.contains("--http 127.0.0.1:9644"), "{said}");
    assert!(!said.contains("http://"), "{said}");
    let threads = std::fs::read_dir(format!("/proc/{}/task", broker.pid())).expect("/proc");
    let names: Vec<String> = threads
        .map(|task| task.expect("a thread").path().join("comm"))
        .map(|comm| std::fs::read_to_string(comm).unwrap_or_default())
        .collect();
    assert!(!names.iter().any(|name| name.trim() == "http"), "{names:?}");
}
