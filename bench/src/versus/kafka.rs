//! Apache Kafka 4.3.1 from Maven: fetched once, one KRaft node per run, with the settings its documentation recommends.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The version that is compared with.
pub const VERSION: &str = "4.3.1";

/// Kafka's default.
pub const RETENTION_CHECK_MS: u64 = 300_000;

/// Touches the whole heap at start, so that no run pays for fresh memory; left out where memory itself is measured.
const TOUCH: &str = "-XX:+AlwaysPreTouch";

/// JVM options: Kafka's own start script's, with the heap touched at start.
pub const JVM: [&str; 10] = [
    "-server",
    "-Xms1g",
    "-Xmx1g",
    TOUCH,
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-XX:InitiatingHeapOccupancyPercent=35",
    "-XX:+ExplicitGCInvokesConcurrent",
    "-Djava.awt.headless=true",
    "-Dlog4j2.level=WARN",
];

/// The jars, fetched through Maven when they are not in `cache` yet. Returns the class path.
pub fn fetch(cache: &Path) -> io::Result<String> {
    let lib = std::path::absolute(cache.join(format!("kafka-{VERSION}")))?;
    let done = lib.join("complete");
    if !done.exists() {
        eprintln!("versus: fetching Apache Kafka {VERSION} through Maven, once");
        fs::create_dir_all(&lib)?;
        let pom = lib.join("pom.xml");
        fs::write(&pom, pom_text())?;
        let out = format!("-DoutputDirectory={}", lib.display());
        let status = Command::new("mvn")
            .args(["-q", "-B", "-f"])
            .arg(&pom)
            .args(["dependency:copy-dependencies", &out])
            .stdin(Stdio::null())
            .status()?;
        if !status.success() {
            return Err(io::Error::other(format!(
                "mvn could not fetch Kafka: {status}"
            )));
        }
        fs::write(&done, VERSION)?;
    }
    Ok(format!("{}/*", lib.display()))
}

fn pom_text() -> String {
    let dependency = |group: &str, artifact: &str, version: &str| {
        format!(
            "    <dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>\
             <version>{version}</version></dependency>\n"
        )
    };
    let mut text = String::from(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n  <modelVersion>4.0.0</modelVersion>\n  \
         <groupId>corelane</groupId><artifactId>versus</artifactId><version>1</version><packaging>pom</packaging>\n  \
         <dependencies>\n",
    );
    text += &dependency("org.apache.kafka", "kafka_2.13", VERSION);
    text += &dependency("org.slf4j", "slf4j-nop", "1.7.36");
    text + "  </dependencies>\n</project>\n"
}

/// `server.properties`: the file that Kafka ships, for one node that is broker and controller.
pub fn properties(port: u16, data: &Path, retention_check_ms: u64) -> String {
    let controller = port + 1;
    let data = data.display();
    format!(
        "process.roles=broker,controller\n\
         node.id=1\n\
         controller.quorum.voters=1@127.0.0.1:{controller}\n\
         listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{port}\n\
         controller.listener.names=CONTROLLER\n\
         listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\n\
         log.dirs={data}\n\
         num.network.threads=3\n\
         num.io.threads=8\n\
         socket.send.buffer.bytes=102400\n\
         socket.receive.buffer.bytes=102400\n\
         socket.request.max.bytes=104857600\n\
         num.recovery.threads.per.data.dir=2\n\
         offsets.topic.replication.factor=1\n\
         share.coordinator.state.topic.replication.factor=1\n\
         share.coordinator.state.topic.min.isr=1\n\
         transaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\n\
         log.retention.hours=168\n\
         log.segment.bytes=1073741824\n\
         log.retention.check.interval.ms={retention_check_ms}\n"
    )
}

/// What differs between workloads.
#[derive(Clone, Copy, Debug)]
pub struct How {
    /// Whether the heap is touched at start.
    pub touch: bool,
    /// How often old segments are looked for.
    pub retention_check_ms: u64,
}

/// Makes a directory that is freshly formatted and returns the command that serves it. A recording formats once; the
/// rest are copies, which saves each run the start of a JVM.
pub fn prepare(
    class_path: &str,
    port: u16,
    cache: &Path,
    directory: &Path,
    how: How,
) -> io::Result<Vec<String>> {
    let formatted = cache.join("kafka-formatted");
    if !formatted.join("meta.properties").exists() {
        format(class_path, port, &formatted, directory)?;
    }
    let data = std::path::absolute(directory.join("data"))?;
    fs::create_dir_all(&data)?;
    for entry in fs::read_dir(&formatted)? {
        let entry = entry?;
        fs::copy(entry.path(), data.join(entry.file_name()))?;
    }
    let config: PathBuf = directory.join("server.properties");
    fs::write(&config, properties(port, &data, how.retention_check_ms))?;
    let config = config.display().to_string();
    let mut command = vec!["java".to_owned()];
    let options = JVM
        .into_iter()
        .filter(|option| how.touch || *option != TOUCH);
    command.extend(options.map(str::to_owned));
    command.extend(["-cp", class_path, "kafka.Kafka", &config].map(str::to_owned));
    Ok(command)
}

fn format(class_path: &str, port: u16, data: &Path, directory: &Path) -> io::Result<()> {
    let data = std::path::absolute(data)?;
    if data.exists() {
        fs::remove_dir_all(&data)?;
    }
    fs::create_dir_all(&data)?;
    let config = directory.join("format.properties");
    fs::write(&config, properties(port, &data, RETENTION_CHECK_MS))?;
    let mut java = Command::new("java");
    java.args(["-Dlog4j2.level=WARN", "-XX:+UseSerialGC", "-cp", class_path])
        .args(["kafka.tools.StorageTool", "format"])
        .args(["--cluster-id", "AAAAAAAAAAAAAAAAAAAAAA", "--config"])
        .arg(&config);
    let quiet = java.stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    if !quiet.success() {
        return Err(io::Error::other(format!(
            "formatting Kafka's directory: {quiet}"
        )));
    }
    Ok(())
}
