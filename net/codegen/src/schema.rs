//! Kafka's message definitions: from their JSON to messages with every version range worked out.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

/// A range of versions, both ends inclusive; empty when the first is above the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    /// First version.
    pub first: i16,
    /// Last version; `i16::MAX` when open.
    pub last: i16,
}

impl Versions {
    /// No version.
    pub const NONE: Self = Self { first: 0, last: -1 };

    fn parse(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse::<i16>().map_err(|_| format!("version {text}"));
        if text == "none" {
            return Ok(Self::NONE);
        }
        if let Some(first) = text.strip_suffix('+') {
            return Ok(Self {
                first: number(first)?,
                last: i16::MAX,
            });
        }
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        Ok(Self {
            first: number(first)?,
            last: number(last)?,
        })
    }

    fn parse_opt(text: Option<&String>) -> Result<Self, String> {
        text.map_or(Ok(Self::NONE), |text| Self::parse(text))
    }

    /// Whether there is no version.
    pub fn is_empty(self) -> bool {
        self.first > self.last
    }

    /// Whether this version is in the range.
    pub fn contains(self, version: i16) -> bool {
        self.first <= version && version <= self.last
    }

    /// The versions in both.
    pub fn and(self, other: Self) -> Self {
        Self {
            first: self.first.max(other.first),
            last: self.last.min(other.last),
        }
    }

    /// The least range with both.
    fn hull(self, other: Self) -> Self {
        if self.is_empty() {
            return other;
        }
        Self {
            first: self.first.min(other.first),
            last: self.last.max(other.last),
        }
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.first, self.last) {
            (first, last) if first == last => write!(f, "{first}"),
            (first, i16::MAX) => write!(f, "{first}+"),
            (first, last) => write!(f, "{first}–{last}"),
        }
    }
}

/// What a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageKind {
    /// The body of a request.
    Request,
    /// The body of a response.
    Response,
    /// What stands in front of a body.
    Header,
    /// A schema that is stored or passed through.
    Data,
}

/// One message.
#[derive(Debug)]
pub struct MessageSpec {
    /// Kafka's name, such as `FetchRequest`.
    pub name: String,
    /// What it is for.
    pub kind: MessageKind,
    /// The number of the API, for requests and responses.
    pub api_key: Option<i16>,
    /// All versions.
    pub versions: Versions,
    /// Versions with compact lengths and tagged fields.
    pub flexible: Versions,
    /// Who listens; requests only.
    pub listeners: Vec<String>,
    /// Whether the last version is not stable yet; requests only.
    pub latest_version_unstable: bool,
    /// The message itself, then the structs in it.
    pub structs: Vec<StructSpec>,
}

/// One struct of a message.
#[derive(Debug)]
pub struct StructSpec {
    /// Kafka's name.
    pub name: String,
    /// Versions of the message in which it can occur.
    pub active: Versions,
    /// Its fields, in wire order.
    pub fields: Vec<FieldSpec>,
}

/// One field of a struct.
#[derive(Debug)]
pub struct FieldSpec {
    /// Kafka's name.
    pub name: String,
    /// Its type.
    pub kind: Kind,
    /// Versions that have it.
    pub versions: Versions,
    /// Versions in which it may be null.
    pub nullable: Versions,
    /// Its tag, and the versions in which it is tagged.
    pub tag: Option<(u32, Versions)>,
    /// Whether a version without it may drop its value.
    pub ignorable: bool,
    /// Whether it keeps the old encoding in flexible versions.
    pub never_flexible: bool,
    /// Its default as Kafka writes it; `null` for null, empty for the zero of its type.
    pub default: String,
}

/// The type of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as Kafka names them")]
pub enum Kind {
    Bool,
    Int8,
    Int16,
    Uint16,
    Int32,
    Uint32,
    Int64,
    Float64,
    Uuid,
    String,
    Bytes,
    Records,
    Struct(String),
    Array(Box<Kind>),
}

impl Kind {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(match text {
            "bool" => Self::Bool,
            "int8" => Self::Int8,
            "int16" => Self::Int16,
            "uint16" => Self::Uint16,
            "int32" => Self::Int32,
            "uint32" => Self::Uint32,
            "int64" => Self::Int64,
            "float64" => Self::Float64,
            "uuid" => Self::Uuid,
            "string" => Self::String,
            "bytes" => Self::Bytes,
            "records" => Self::Records,
            _ => match text.strip_prefix("[]") {
                Some(element) => Self::Array(Box::new(Self::parse(element)?)),
                None if text.starts_with(char::is_uppercase) => Self::Struct(text.to_owned()),
                None => return Err(format!("type {text}")),
            },
        })
    }

    /// The struct this is, or is an array of.
    pub fn structure(&self) -> Option<&str> {
        match self {
            Self::Struct(name) => Some(name),
            Self::Array(element) => element.structure(),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MessageJson {
    name: String,
    #[serde(rename = "type")]
    kind: MessageKind,
    api_key: Option<i16>,
    valid_versions: String,
    flexible_versions: Option<String>,
    #[serde(default)]
    listeners: Vec<String>,
    #[serde(default)]
    latest_version_unstable: bool,
    #[serde(default)]
    fields: Vec<FieldJson>,
    #[serde(default)]
    common_structs: Vec<CommonJson>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CommonJson {
    name: String,
    #[serde(rename = "versions")]
    _versions: String,
    fields: Vec<FieldJson>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FieldJson {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    versions: String,
    nullable_versions: Option<String>,
    tagged_versions: Option<String>,
    tag: Option<u32>,
    #[serde(default)]
    ignorable: bool,
    default: Option<serde_json::Value>,
    flexible_versions: Option<String>,
    fields: Option<Vec<FieldJson>>,
    // What follows says nothing about the wire.
    #[serde(rename = "about")]
    _about: Option<String>,
    #[serde(rename = "entityType")]
    _entity_type: Option<String>,
    #[serde(rename = "mapKey", default)]
    _map_key: bool,
    #[serde(rename = "zeroCopy", default)]
    _zero_copy: bool,
}

/// Parses one definition; `None` for a message of which no version is left.
pub fn parse(text: &str) -> Result<Option<MessageSpec>, String> {
    let is_comment = |line: &&str| line.trim_start().starts_with("//");
    let json: Vec<&str> = text.lines().filter(|line| !is_comment(line)).collect();
    let json: MessageJson =
        serde_json::from_str(&json.join("\n")).map_err(|error| error.to_string())?;
    let versions = Versions::parse(&json.valid_versions)?;
    if versions.is_empty() {
        return Ok(None);
    }
    let mut parser = Parser {
        commons: json.common_structs.iter().map(|c| (&*c.name, c)).collect(),
        structs: Vec::new(),
    };
    parser.structure(&json.name, &json.fields, versions)?;
    Ok(Some(MessageSpec {
        name: json.name,
        kind: json.kind,
        api_key: json.api_key,
        versions,
        flexible: Versions::parse_opt(json.flexible_versions.as_ref())?.and(versions),
        listeners: json.listeners,
        latest_version_unstable: json.latest_version_unstable,
        structs: parser.structs,
    }))
}

struct Parser<'a> {
    commons: BTreeMap<&'a str, &'a CommonJson>,
    structs: Vec<StructSpec>,
}

impl Parser<'_> {
    fn structure(
        &mut self,
        name: &str,
        fields: &[FieldJson],
        active: Versions,
    ) -> Result<(), String> {
        let at = self.structs.iter().position(|s| s.name == name);
        let is_common = self.commons.contains_key(name);
        let at = match at {
            Some(at) if is_common => at,
            Some(_) => return Err(format!("two structs {name}")),
            None => {
                self.structs.push(StructSpec {
                    name: name.to_owned(),
                    active: Versions::NONE,
                    fields: Vec::new(),
                });
                self.structs.len() - 1
            }
        };
        // A struct used in several places gets the versions of all of them.
        let active = self.structs[at].active.hull(active);
        self.structs[at].active = active;
        let mut specs = Vec::new();
        for field in fields {
            let spec =
                field_spec(field, active).map_err(|e| format!("{name}.{}: {e}", field.name))?;
            if spec.versions.is_empty() {
                continue;
            }
            if let Some(inner) = spec.kind.structure() {
                let common = self.commons.get(inner).copied();
                let inner_fields = match (&field.fields, common) {
                    (Some(fields), None) => fields,
                    (None, Some(common)) => &common.fields,
                    _ => return Err(format!("{name}.{}: which {inner}?", field.name)),
                };
                self.structure(inner, inner_fields, spec.versions)?;
            }
            specs.push(spec);
        }
        self.structs[at].fields = specs;
        Ok(())
    }
}

fn field_spec(json: &FieldJson, active: Versions) -> Result<FieldSpec, String> {
    let kind = Kind::parse(&json.kind)?;
    let versions = Versions::parse(&json.versions)?.and(active);
    let nullable = Versions::parse_opt(json.nullable_versions.as_ref())?.and(versions);
    let tagged = Versions::parse_opt(json.tagged_versions.as_ref())?.and(versions);
    let tag = match json.tag {
        Some(tag) if !tagged.is_empty() => Some((tag, tagged)),
        _ => None,
    };
    if tag.is_some() && matches!(kind, Kind::Struct(_)) && !nullable.is_empty() {
        return Err("a tagged struct that may be null: Kafka has none yet".into());
    }
    let never_flexible = match json.flexible_versions.as_deref() {
        None => false,
        Some("none") => true,
        Some(other) => return Err(format!("flexible versions {other}")),
    };
    let default = match &json.default {
        None if kind == Kind::Records && !nullable.is_empty() => "null".to_owned(),
        None => String::new(),
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    Ok(FieldSpec {
        name: json.name.clone(),
        kind,
        versions,
        nullable,
        tag,
        ignorable: json.ignorable,
        never_flexible,
        default,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_ranges() {
        let check = |text, first, last| {
            assert_eq!(Versions::parse(text), Ok(Versions { first, last }));
        };
        check("3+", 3, i16::MAX);
        check("2-7", 2, 7);
        check("1", 1, 1);
        assert!(Versions::parse("none").unwrap().is_empty());
        assert!(Versions::parse("x").is_err());
    }

    #[test]
    fn a_type_or_key_we_do_not_know_is_an_error() {
        let check = |field: &str| {
            let json = format!(
                r#"{{"name": "X", "type": "data", "validVersions": "0", "flexibleVersions": "0+",
                    // a comment
                    "fields": [{{"name": "A", "versions": "0+", {field}}}]}}"#
            );
            parse(&json)
        };
        assert!(check(r#""type": "int32""#).is_ok());
        assert!(check(r#""type": "int48""#).is_err());
        assert!(check(r#""type": "int32", "sticky": true"#).is_err());
        assert!(check(r#""type": "Missing""#).is_err());
    }
}
