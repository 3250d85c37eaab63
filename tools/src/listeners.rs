//! Which listeners the broker has: `--listen`, `--advertise` and the file's, joined and checked before anything is bound.

use std::net::{SocketAddr, ToSocketAddrs};

use corelane_engine::controller::command::LISTENER_DEFAULT;
use corelane_net::listeners::LISTENERS_MAX;
use serde::Deserialize;

/// One `[[listeners]]` of the file.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileListener {
    name: Option<String>,
    bind: String,
    advertise: Option<String>,
}

/// What a person said about listeners, flags or file.
#[derive(Default)]
pub(crate) struct Said {
    pub(crate) listen: Vec<String>,
    pub(crate) advertise: Vec<String>,
    pub(crate) listeners: Vec<FileListener>,
}

/// One listener that the broker is to have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ListenerConfig {
    pub(crate) name: String,
    pub(crate) bind: SocketAddr,
    /// `None`: the address bound.
    pub(crate) advertise: Option<(String, u16)>,
}

/// Joins flags and file: a `--listen` stands for all listeners of the file, an `--advertise` for what the file says of
/// that one. The error is one line for a person.
pub(crate) fn resolve(flags: Said, file: Said) -> Result<Vec<ListenerConfig>, String> {
    let short = !file.listen.is_empty() || !file.advertise.is_empty();
    if short && !file.listeners.is_empty() {
        return Err("the file has [[listeners]] and listen or advertise: say it one way".into());
    }
    let mut listeners = Vec::new();
    if flags.listen.is_empty() && !file.listeners.is_empty() {
        for listener in file.listeners {
            add_of_file(&mut listeners, listener)?;
        }
    } else {
        let listen = match (flags.listen, file.listen) {
            (flags, _) if !flags.is_empty() => flags,
            (_, file) if !file.is_empty() => file,
            _ => vec!["127.0.0.1:9092".into()],
        };
        for text in listen {
            let (name, address) = named(&text, "--listen")?;
            add(&mut listeners, name, address, &format!("--listen {text}"))?;
        }
    }
    let advertise = match flags.advertise.is_empty() {
        true => file.advertise,
        false => flags.advertise,
    };
    let mut told: Vec<String> = Vec::new();
    for text in advertise {
        let (name, address) = named(&text, "--advertise")?;
        let address = advertised(address, &format!("--advertise {text}"))?;
        let known = listeners.iter_mut().find(|l| l.name == name);
        let listener =
            known.ok_or_else(|| format!("--advertise {text}: no listener is named {name}"))?;
        if told.contains(&name) {
            return Err(format!(
                "--advertise {text}: listener {name} has another already"
            ));
        }
        listener.advertise = Some(address);
        told.push(name);
    }
    listeners.iter().try_for_each(check_reachable)?;
    Ok(listeners)
}

fn add_of_file(listeners: &mut Vec<ListenerConfig>, of: FileListener) -> Result<(), String> {
    let name = of.name.as_deref().unwrap_or(LISTENER_DEFAULT);
    let name = checked_name(name, &format!("[[listeners]] name = \"{name}\""))?;
    let said = format!("[[listeners]] {name}, bind = \"{}\"", of.bind);
    add(listeners, name.clone(), &of.bind, &said)?;
    if let Some(text) = of.advertise {
        let said = format!("[[listeners]] {name}, advertise = \"{text}\"");
        let listener = listeners.last_mut().expect("just added");
        listener.advertise = Some(advertised(&text, &said)?);
    }
    Ok(())
}

/// `said`: how a person finds it again.
fn add(
    listeners: &mut Vec<ListenerConfig>,
    name: String,
    address: &str,
    said: &str,
) -> Result<(), String> {
    let bind = address
        .to_socket_addrs()
        .map_err(|e| format!("{said}: {e} (expected HOST:PORT, e.g. 127.0.0.1:9092)"))?
        .next()
        .ok_or_else(|| format!("{said}: no address"))?;
    if listeners.iter().any(|other| other.name == name) {
        return Err(format!(
            "{said}: there is a listener {name} already; name this one: NAME=HOST:PORT"
        ));
    }
    if let Some(other) = listeners.iter().find(|other| collide(other.bind, bind)) {
        return Err(format!(
            "{said}: listener {} has port {} already",
            other.name,
            bind.port()
        ));
    }
    if listeners.len() == LISTENERS_MAX {
        return Err(format!("{said}: more than {LISTENERS_MAX} listeners"));
    }
    listeners.push(ListenerConfig {
        name,
        bind,
        advertise: None,
    });
    Ok(())
}

/// As with Kafka, a port has one listener, or one of IPv4 beside one of IPv6. The wildcard of IPv6 is both.
fn collide(a: SocketAddr, b: SocketAddr) -> bool {
    let both = |address: SocketAddr| address.is_ipv6() && address.ip().is_unspecified();
    a.port() == b.port() && a.port() != 0 && (a.is_ipv4() == b.is_ipv4() || both(a) || both(b))
}

/// `[NAME=]REST`.
fn named<'a>(text: &'a str, flag: &str) -> Result<(String, &'a str), String> {
    match text.split_once('=') {
        None => Ok((LISTENER_DEFAULT.to_owned(), text)),
        Some((name, rest)) => Ok((checked_name(name, &format!("{flag} {text}"))?, rest)),
    }
}

/// In capitals, as Kafka has them.
fn checked_name(name: &str, said: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || name.len() > 64 || !name.chars().all(fits) {
        return Err(format!(
            "{said}: a listener's name is up to 64 letters, digits, '_' and '-'"
        ));
    }
    Ok(name.to_ascii_uppercase())
}

/// A name or address that clients can connect to, and its port.
fn advertised(text: &str, said: &str) -> Result<(String, u16), String> {
    let wrong = || format!("{said}: expected HOST:PORT, e.g. broker1.example:9092");
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').ok_or_else(wrong)?,
        None if host.contains(':') => {
            return Err(format!(
                "{said}: an IPv6 address stands in brackets, e.g. [::1]:9092"
            ));
        }
        None => host,
    };
    // Longer ones are no names, and clients read the length into 16 bits.
    if host.is_empty() || host.len() > 255 || host.contains(|c: char| c.is_whitespace()) {
        return Err(wrong());
    }
    if is_wildcard(host) {
        return Err(format!("{said}: clients cannot connect to {host}"));
    }
    match port.parse() {
        Ok(0) | Err(_) => Err(wrong()),
        Ok(port) => Ok((host.to_owned(), port)),
    }
}

fn is_wildcard(host: &str) -> bool {
    host.parse()
        .is_ok_and(|ip: std::net::IpAddr| ip.to_canonical().is_unspecified())
}

/// A wildcard is nothing to tell clients.
fn check_reachable(listener: &ListenerConfig) -> Result<(), String> {
    let ListenerConfig {
        name,
        bind,
        advertise,
    } = listener;
    if advertise.is_some() || !bind.ip().is_unspecified() {
        return Ok(());
    }
    let flag = match name == LISTENER_DEFAULT {
        true => "--advertise HOST:PORT".to_owned(),
        false => format!("--advertise {name}=HOST:PORT"),
    };
    Err(format!(
        "listener {name}: {bind} is every address of this host, clients need one of them: say which with {flag}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(listen: &[&str], advertise: &[&str]) -> Said {
        let owned = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
        Said {
            listen: owned(listen),
            advertise: owned(advertise),
            listeners: Vec::new(),
        }
    }

    fn of_file(text: &str) -> Said {
        #[derive(Deserialize)]
        struct File {
            listeners: Vec<FileListener>,
        }
        let file: File = toml::from_str(text).expect("the test's file is TOML");
        Said {
            listeners: file.listeners,
            ..Said::default()
        }
    }

    /// One line per listener, or the error.
    fn check(flags: Said, file: Said, expected: &str) {
        let shown = |l: ListenerConfig| match l.advertise {
            None => format!("{} {}", l.name, l.bind),
            Some((host, port)) => format!("{} {} as {host} {port}", l.name, l.bind),
        };
        let got = match resolve(flags, file) {
            Ok(listeners) => {
                let shown: Vec<String> = listeners.into_iter().map(shown).collect();
                shown.join(", ")
            }
            Err(error) => error,
        };
        assert_eq!(got, expected);
    }

    #[test]
    fn flags_are_one_listener_each() {
        let flags = |listen: &[&str], advertise: &[&str], expected: &str| {
            check(said(listen, advertise), Said::default(), expected);
        };
        flags(&[], &[], "PLAINTEXT 127.0.0.1:9092");
        flags(&["[::1]:9092"], &[], "PLAINTEXT [::1]:9092");
        flags(
            &["[::]:9092"],
            &["[fe80::1]:1"],
            "PLAINTEXT [::]:9092 as fe80::1 1",
        );
        flags(
            &["host=127.0.0.1:9092", "CONTAINER=0.0.0.0:9093"],
            &["CONTAINER=broker:9093"],
            "HOST 127.0.0.1:9092, CONTAINER 0.0.0.0:9093 as broker 9093",
        );
        flags(
            &["127.0.0.1:9092", "V6=[::1]:9092"],
            &[],
            "PLAINTEXT 127.0.0.1:9092, V6 [::1]:9092",
        );
        flags(
            &["127.0.0.1:0", "B=127.0.0.1:0"],
            &[],
            "PLAINTEXT 127.0.0.1:0, B 127.0.0.1:0",
        );
    }

    #[test]
    fn what_is_wrong_is_one_line_that_names_it() {
        let flags = |listen: &[&str], advertise: &[&str], expected: &str| {
            check(said(listen, advertise), Said::default(), expected);
        };
        flags(
            &["127.0.0.1:1", "127.0.0.1:2"],
            &[],
            "--listen 127.0.0.1:2: there is a listener PLAINTEXT already; name this one: NAME=HOST:PORT",
        );
        flags(
            &["a=127.0.0.1:1", "A=127.0.0.1:2"],
            &[],
            "--listen A=127.0.0.1:2: there is a listener A already; name this one: NAME=HOST:PORT",
        );
        flags(
            &["A=127.0.0.1:1", "B=127.0.0.2:1"],
            &[],
            "--listen B=127.0.0.2:1: listener A has port 1 already",
        );
        flags(
            &["A=[::]:1", "B=127.0.0.1:1"],
            &["A=h:1"],
            "--listen B=127.0.0.1:1: listener A has port 1 already",
        );
        flags(
            &["A=127.0.0.1:1"],
            &["h:1"],
            "--advertise h:1: no listener is named PLAINTEXT",
        );
        flags(
            &[],
            &["h:1", "g:1"],
            "--advertise g:1: listener PLAINTEXT has another already",
        );
        for wildcard in ["0.0.0.0", "[::]", "[::ffff:0.0.0.0]"] {
            let text = format!("{wildcard}:1");
            let host = wildcard.trim_matches(['[', ']']);
            let expected = format!("--advertise {text}: clients cannot connect to {host}");
            flags(&[], &[&text], &expected);
        }
        flags(
            &["C=[::]:1"],
            &[],
            "listener C: [::]:1 is every address of this host, clients need one of them: say which with \
             --advertise C=HOST:PORT",
        );
        flags(
            &["a b=127.0.0.1:1"],
            &[],
            "--listen a b=127.0.0.1:1: a listener's name is up to 64 letters, digits, '_' and '-'",
        );
        flags(
            &[],
            &["::1:9092"],
            "--advertise ::1:9092: an IPv6 address stands in brackets, e.g. [::1]:9092",
        );
        for wrong in ["nowhere", ":1", "a:b", "h:0", "[::1:9", "h:70000"] {
            let expected =
                format!("--advertise {wrong}: expected HOST:PORT, e.g. broker1.example:9092");
            flags(&[], &[wrong], &expected);
        }
        let many: Vec<String> = (0..17).map(|n| format!("L{n}=127.0.0.1:0")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        flags(
            &many,
            &[],
            "--listen L16=127.0.0.1:0: more than 16 listeners",
        );
    }

    #[test]
    fn flags_win_over_the_file() {
        const FILE: &str = "
            [[listeners]]
            bind = \"127.0.0.1:1\"
            [[listeners]]
            name = \"container\"
            bind = \"0.0.0.0:2\"
            advertise = \"broker:2\"";
        let as_said = "PLAINTEXT 127.0.0.1:1, CONTAINER 0.0.0.0:2 as broker 2";
        check(Said::default(), of_file(FILE), as_said);
        let other = said(&["A=127.0.0.1:3"], &[]);
        check(other, of_file(FILE), "A 127.0.0.1:3");
        check(
            said(&[], &["CONTAINER=other:9"]),
            of_file(FILE),
            "PLAINTEXT 127.0.0.1:1, CONTAINER 0.0.0.0:2 as other 9",
        );
        let one = said(&["0.0.0.0:1"], &["file:1"]);
        check(said(&[], &["flag:1"]), one, "PLAINTEXT 0.0.0.0:1 as flag 1");
        let mut both = of_file(FILE);
        both.listen.push("127.0.0.1:1".to_owned());
        check(
            Said::default(),
            both,
            "the file has [[listeners]] and listen or advertise: say it one way",
        );
        check(
            Said::default(),
            of_file("[[listeners]]\nname = \"B\"\nbind = \"127.0.0.1:1\"\nadvertise = \"[::]:1\""),
            "[[listeners]] B, advertise = \"[::]:1\": clients cannot connect to ::",
        );
    }
}
