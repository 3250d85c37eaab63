//! Writes messages as Rust: types, defaults, codecs, and the table of APIs.

use std::fmt::Write;

use crate::KAFKA_VERSION;
use crate::schema::{FieldSpec, Kind, MessageKind, MessageSpec, StructSpec, Versions};

/// `ErrorCode` as `error_code`.
pub fn snake(name: &str) -> String {
    let chars: Vec<char> = name.replace("KRaft", "Kraft").chars().collect();
    let mut snake = String::new();
    for (at, c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| chars[before]);
        let ends_a_word = before.is_some_and(|c| !c.is_uppercase());
        let begins_a_word = before.is_some() && chars.get(at + 1).is_some_and(|c| c.is_lowercase());
        if c.is_uppercase() && (ends_a_word || begins_a_word) {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}

/// The name of a field as an identifier.
pub fn ident(field: &FieldSpec) -> String {
    let name = snake(&field.name);
    match &*name {
        "type" | "match" => format!("r#{name}"),
        _ => name,
    }
}

/// When something is the case, among the versions that can occur.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// In every version.
    Always,
    /// In no version.
    Never,
    /// When this expression over `v` holds.
    If(String),
}

impl When {
    /// When the version is in `versions`, among `active`.
    pub fn version_in(versions: Versions, active: Versions) -> Self {
        let both = versions.and(active);
        if both.is_empty() {
            return Self::Never;
        }
        let first = (both.first > active.first).then_some(both.first);
        let last = (both.last < active.last).then_some(both.last);
        Self::If(match (first, last) {
            (None, None) => return Self::Always,
            _ if both.first == both.last => format!("v == {}", both.first),
            (Some(first), None) => format!("v >= {first}"),
            (None, Some(last)) => format!("v <= {last}"),
            (Some(first), Some(last)) => format!("({first}..={last}).contains(&v)"),
        })
    }

    /// As an expression.
    pub fn expression(&self) -> &str {
        match self {
            Self::Always => "true",
            Self::Never => "false",
            Self::If(expression) => expression,
        }
    }

    /// The opposite, as an expression.
    fn negated(expression: &str) -> String {
        for (is, is_not) in [("v >= ", "v < "), ("v <= ", "v > "), ("v == ", "v != ")] {
            if let Some(version) = expression.strip_prefix(is) {
                return format!("{is_not}{version}");
            }
        }
        format!("!{expression}")
    }

    /// `yes` when it is the case, otherwise `no`.
    pub fn choose(&self, yes: &str, no: &str) -> String {
        match self {
            Self::Always => yes.to_owned(),
            Self::Never => no.to_owned(),
            Self::If(expression) => format!("if {expression} {{ {yes} }} else {{ {no} }}"),
        }
    }
}

/// The text with the parameter names that it does not use turned to `_`.
fn parameters(signature: &str, body: &str) -> String {
    let words: Vec<&str> = body
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .collect();
    let mut signature = signature.to_owned();
    for name in ["r", "w", "v", "flex"] {
        if !words.contains(&name) {
            signature = signature.replace(&format!(" {name}: "), " _: ");
        }
    }
    signature
}

/// `mod.rs` of the generated code, formatted.
pub fn index(messages: &[MessageSpec]) -> String {
    let mut modules: Vec<String> = messages.iter().map(|m| snake(&m.name)).collect();
    modules.push("apis".into());
    modules.sort();
    let mut out = format!("//! The messages of Kafka {KAFKA_VERSION}. Generated; do not edit.\n\n");
    for module in &modules {
        let public = if module == "apis" {
            "pub(crate)"
        } else {
            "pub"
        };
        writeln!(out, "{public} mod {module};").expect("a string");
    }
    out.push('\n');
    let mut uses: Vec<String> = messages
        .iter()
        .map(|m| format!("pub use {}::{};\n", snake(&m.name), m.name))
        .collect();
    uses.sort();
    out + &uses.concat()
}

/// The table of APIs.
pub fn apis(messages: &[MessageSpec]) -> String {
    let mut requests: Vec<&MessageSpec> = messages
        .iter()
        .filter(|m| m.kind == MessageKind::Request)
        .collect();
    requests.sort_by_key(|m| m.api_key);
    let mut out = format!(
        "//! The APIs of Kafka {KAFKA_VERSION}. Generated; do not edit.\n\n\
         use crate::api::{{Api, Listener}};\n\n\
         pub(crate) static APIS: [Api; {}] = [\n",
        requests.len()
    );
    for request in requests {
        let response = messages
            .iter()
            .find(|m| m.kind == MessageKind::Response && m.api_key == request.api_key)
            .expect("every request has a response");
        assert_eq!(request.versions, response.versions, "{}", request.name);
        let listeners: Vec<&str> = request
            .listeners
            .iter()
            .map(|listener| match &**listener {
                "broker" => "Listener::Broker",
                "controller" => "Listener::Controller",
                other => panic!("listener {other}"),
            })
            .collect();
        writeln!(
            out,
            "Api {{ key: {}, name: {:?}, versions: ({}, {}), latest_version_unstable: {}, \
             request_flexible_from: {}, response_flexible_from: {}, listeners: &[{}] }},",
            api_key(request),
            request.name.trim_end_matches("Request"),
            request.versions.first,
            request.versions.last,
            request.latest_version_unstable,
            flexible_from(request),
            flexible_from(response),
            listeners.join(", "),
        )
        .expect("a string");
    }
    out + "];\n"
}

fn api_key(message: &MessageSpec) -> i16 {
    message.api_key.expect("requests and responses have a key")
}

fn flexible_from(message: &MessageSpec) -> String {
    match message.flexible.is_empty() {
        true => "i16::MAX".into(),
        false => message.flexible.first.to_string(),
    }
}

/// The file of one message.
pub fn message(message: &MessageSpec) -> String {
    let mut body = String::new();
    for structure in &message.structs {
        body += &declaration(structure, message);
        body += &default(structure);
        body += &codec(structure, message);
        if structure.name == message.name {
            body += &traits(message);
        }
    }
    let mut uses = vec![
        "DecodeError",
        "EncodeError",
        "Message",
        "Reader",
        "Wire",
        "Writer",
    ];
    for name in ["Records", "Str", "Uuid"] {
        let is_used = body
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .any(|word| word == name);
        if is_used {
            uses.push(name);
        }
    }
    match message.kind {
        MessageKind::Request => uses.push("Request"),
        MessageKind::Response => uses.push("Response"),
        MessageKind::Header | MessageKind::Data => {}
    }
    uses.sort_unstable();
    let bytes = match body.contains("Bytes>") || body.contains(": Bytes,") {
        true => "use bytes::Bytes;\n\n",
        false => "",
    };
    format!(
        "//! `{}` of Kafka {KAFKA_VERSION}, versions {}. Generated; do not edit.\n\n\
         {bytes}use crate::{{{}}};\n\n{body}",
        message.name,
        message.versions,
        uses.join(", ")
    )
}

fn declaration(structure: &StructSpec, message: &MessageSpec) -> String {
    let mut out = String::new();
    if structure.name == message.name {
        let kind = match (message.kind, message.api_key) {
            (MessageKind::Request, Some(key)) => format!("The request of API {key}"),
            (MessageKind::Response, Some(key)) => format!("The response of API {key}"),
            (MessageKind::Header, _) => "A header".into(),
            _ => "A schema Kafka stores or passes through".into(),
        };
        out += &format!("/// {kind}, versions {}.\n", message.versions);
    } else {
        out += &format!(
            "/// Part of [`{}`], versions {}.\n",
            message.name, structure.active
        );
    }
    let derive_default = match has_zero_default(structure) {
        true => ", Default",
        false => "",
    };
    out += &format!(
        "#[derive(Debug, Clone, PartialEq{derive_default})]\npub struct {} {{\n",
        structure.name
    );
    for field in &structure.fields {
        out += &format!("/// Versions {}", field.versions);
        if let Some((tag, tagged)) = field.tag {
            out += &format!(", tag {tag}");
            if tagged != field.versions {
                out += &format!(" in {tagged}");
            }
        }
        if !field.nullable.is_empty() {
            out += ", may be null";
            if field.nullable != field.versions {
                out += &format!(" in {}", field.nullable);
            }
        }
        if !field.default.is_empty() {
            out += &format!(", default {}", field.default);
        }
        if field.ignorable {
            out += ", ignorable";
        }
        out += &format!(".\npub {}: {},\n", ident(field), type_of(field));
    }
    out + "}\n\n"
}

fn type_of(field: &FieldSpec) -> String {
    let kind = type_name(&field.kind);
    match field.nullable.is_empty() {
        true => kind,
        false => format!("Option<{kind}>"),
    }
}

fn type_name(kind: &Kind) -> String {
    match kind {
        Kind::Bool => "bool".into(),
        Kind::Int8 => "i8".into(),
        Kind::Int16 => "i16".into(),
        Kind::Uint16 => "u16".into(),
        Kind::Int32 => "i32".into(),
        Kind::Uint32 => "u32".into(),
        Kind::Int64 => "i64".into(),
        Kind::Float64 => "f64".into(),
        Kind::Uuid => "Uuid".into(),
        Kind::String => "Str".into(),
        Kind::Bytes => "Bytes".into(),
        Kind::Records => "Records".into(),
        Kind::Struct(name) => name.clone(),
        Kind::Array(element) => format!("Vec<{}>", type_name(element)),
    }
}

/// The default of a field, as an expression.
pub fn default_of(field: &FieldSpec) -> String {
    if field.default == "null" {
        assert!(!field.nullable.is_empty(), "{} is null", field.name);
        return "None".into();
    }
    let value = match &field.kind {
        Kind::Bool if field.default.is_empty() => "false".into(),
        Kind::Bool => field.default.clone(),
        Kind::Float64 => {
            assert!(
                field.default.is_empty(),
                "{} is {}",
                field.name,
                field.default
            );
            "0.0".into()
        }
        Kind::Int8 | Kind::Int16 | Kind::Uint16 | Kind::Int32 | Kind::Uint32 | Kind::Int64 => {
            match &*field.default {
                "" => "0".into(),
                text => integer(text).to_string(),
            }
        }
        kind => {
            assert!(
                field.default.is_empty(),
                "{} is {}",
                field.name,
                field.default
            );
            match kind {
                Kind::Array(_) => "Vec::new()".into(),
                Kind::Uuid => "Uuid::ZERO".into(),
                other => format!("{}::default()", type_name(other)),
            }
        }
    };
    match field.nullable.is_empty() {
        true => value,
        false => format!("Some({value})"),
    }
}

fn integer(text: &str) -> i64 {
    let parsed = match text.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16),
        None => text.parse(),
    };
    parsed.unwrap_or_else(|_| panic!("default {text}"))
}

fn has_zero_default(structure: &StructSpec) -> bool {
    structure.fields.iter().all(|field| {
        let default = default_of(field);
        match field.nullable.is_empty() {
            false => default == "None",
            true => matches!(&*default, "0" | "false") || !is_number(&field.kind),
        }
    })
}

fn is_number(kind: &Kind) -> bool {
    use Kind::{Bool, Int8, Int16, Int32, Int64, Uint16, Uint32};
    matches!(kind, Bool | Int8 | Int16 | Uint16 | Int32 | Uint32 | Int64)
}

fn default(structure: &StructSpec) -> String {
    if has_zero_default(structure) {
        return String::new();
    }
    let mut out = format!(
        "impl Default for {} {{\nfn default() -> Self {{\nSelf {{\n",
        structure.name
    );
    for field in &structure.fields {
        out += &format!("{}: {},\n", ident(field), default_of(field));
    }
    out + "}\n}\n}\n\n"
}

/// A condition that holds when the field is not its default.
fn differs(field: &FieldSpec) -> String {
    let this = format!("self.{}", ident(field));
    match (&*default_of(field), &field.kind) {
        ("None", _) => format!("{this}.is_some()"),
        (default, _) if !field.nullable.is_empty() => format!("{this} != {default}"),
        ("false", _) => this,
        ("true", _) => format!("!{this}"),
        (_, Kind::String | Kind::Bytes | Kind::Records | Kind::Array(_)) => {
            format!("!{this}.is_empty()")
        }
        (default, _) => format!("{this} != {default}"),
    }
}

fn codec(structure: &StructSpec, message: &MessageSpec) -> String {
    let mut min = wire_bytes_min(structure, message);
    if structure.name == message.name {
        // Never in an array, and the only ones that may be empty.
        min = min.max(1);
    }
    assert!(min > 0, "{} may take no byte on the wire", structure.name);
    let read = read_body(structure, message);
    let write = write_body(structure, message);
    let read_signature = parameters(
        "fn read( r: &mut Reader, v: i16, flex: bool) -> Result<Self, DecodeError>",
        &read,
    );
    let write_signature = parameters(
        "fn write(&self, w: &mut Writer, v: i16, flex: bool) -> Result<(), EncodeError>",
        &write,
    );
    format!(
        "impl Wire for {} {{\nconst WIRE_BYTES_MIN: usize = {min};\n\n\
         {read_signature} {{\n{read}}}\n\n{write_signature} {{\n{write}}}\n}}\n\n",
        structure.name
    )
}

fn flex_of(field: &FieldSpec) -> &'static str {
    match field.never_flexible {
        true => "false",
        false => "flex",
    }
}

/// Tagged fields of a struct: when, tag, field.
fn tagged(structure: &StructSpec) -> Vec<(When, u32, &FieldSpec)> {
    let mut tagged: Vec<_> = structure
        .fields
        .iter()
        .filter_map(|field| {
            let (tag, versions) = field.tag?;
            Some((When::version_in(versions, structure.active), tag, field))
        })
        .collect();
    tagged.sort_by_key(|(_, tag, _)| *tag);
    tagged
}

/// Versions that have the field in its place, not as a tagged field.
fn in_place(field: &FieldSpec) -> Versions {
    let Some((_, tagged)) = field.tag else {
        return field.versions;
    };
    if tagged.first <= field.versions.first {
        assert_eq!(tagged.last, field.versions.last, "{}", field.name);
        return Versions::NONE;
    }
    assert_eq!(tagged.last, field.versions.last, "{}", field.name);
    Versions {
        first: field.versions.first,
        last: tagged.first - 1,
    }
}

fn read_value(field: &FieldSpec, active: Versions) -> String {
    let flex = flex_of(field);
    let nullable = When::version_in(field.nullable, active.and(field.versions));
    let null = nullable.expression();
    match (&field.kind, field.nullable.is_empty()) {
        (Kind::String, true) => format!("r.str({flex})?"),
        (Kind::String, false) => format!("r.opt_str({flex}, {null})?"),
        (Kind::Bytes, true) => format!("r.bytes({flex})?"),
        (Kind::Bytes, false) => format!("r.opt_bytes({flex}, {null})?"),
        (Kind::Records, true) => format!("r.records({flex})?"),
        (Kind::Records, false) => format!("r.opt_records({flex}, {null})?"),
        (Kind::Array(_), true) => format!("r.array(v, {flex})?"),
        (Kind::Array(_), false) => format!("r.opt_array(v, {flex}, {null})?"),
        (Kind::Struct(_), true) => format!("Wire::read(r, v, {flex})?"),
        (Kind::Struct(_), false) => format!("r.opt_struct(v, {flex}, {null})?"),
        (Kind::Uuid, true) => "r.uuid()?".into(),
        (scalar, true) => format!("r.{}()?", type_name(scalar)),
        (scalar, false) => panic!("{scalar:?} cannot be null"),
    }
}

fn write_value(field: &FieldSpec, active: Versions) -> String {
    let flex = flex_of(field);
    let nullable = When::version_in(field.nullable, active.and(field.versions));
    let null = nullable.expression();
    let this = format!("self.{}", ident(field));
    match (&field.kind, field.nullable.is_empty()) {
        (Kind::String, true) => format!("w.str(&{this}, {flex})?;"),
        (Kind::String, false) => format!("w.opt_str({this}.as_ref(), {flex}, {null})?;"),
        (Kind::Bytes, true) => format!("w.bytes(&{this}, {flex})?;"),
        (Kind::Bytes, false) => format!("w.opt_bytes({this}.as_ref(), {flex}, {null})?;"),
        (Kind::Records, true) => format!("w.records(&{this}, {flex})?;"),
        (Kind::Records, false) => format!("w.opt_records({this}.as_ref(), {flex}, {null})?;"),
        (Kind::Array(_), true) => format!("w.array(&{this}, v, {flex})?;"),
        (Kind::Array(_), false) => format!("w.opt_array({this}.as_deref(), v, {flex}, {null})?;"),
        (Kind::Struct(_), true) => format!("{this}.write(w, v, {flex})?;"),
        (Kind::Struct(_), false) => format!("w.opt_struct({this}.as_ref(), v, {flex}, {null})?;"),
        (Kind::Uuid, true) => format!("w.uuid({this});"),
        (Kind::Int16, true) if is_error_code(field) => format!("w.error_code({this});"),
        (scalar, true) => format!("w.{}({this});", type_name(scalar)),
        (scalar, false) => panic!("{scalar:?} cannot be null"),
    }
}

/// Whether the field is one of Kafka's error codes: the writer notes the first.
fn is_error_code(field: &FieldSpec) -> bool {
    field.name.ends_with("ErrorCode")
}

/// `body` in the versions with a section of tagged fields.
fn when_flexible(structure: &StructSpec, message: &MessageSpec, body: &str) -> String {
    match When::version_in(message.flexible, structure.active) {
        When::Never => String::new(),
        When::Always => body.to_owned(),
        When::If(_) => format!("if flex {{\n{body}}}\n"),
    }
}

fn read_body(structure: &StructSpec, message: &MessageSpec) -> String {
    let tagged = tagged(structure);
    let mut fields = String::new();
    for field in &structure.fields {
        let when = When::version_in(in_place(field), structure.active);
        let value = when.choose(&read_value(field, structure.active), &default_of(field));
        fields += &format!("{}: {value},\n", ident(field));
    }
    if tagged.is_empty() {
        let tags = when_flexible(structure, message, "r.skip_tags()?;\n");
        if tags.is_empty() {
            return format!("Ok(Self {{\n{fields}}})\n");
        }
        return format!("let m = Self {{\n{fields}}};\n{tags}Ok(m)\n");
    }
    let mut tags = String::from(
        "let mut tags = r.tags()?;\nwhile let Some(tag) = tags.next(r)? {\nmatch tag {\n",
    );
    for (when, tag, field) in tagged {
        let guard = match &when {
            When::If(expression) => format!(" if {expression}"),
            When::Always | When::Never => String::new(),
        };
        let value = read_value(field, structure.active);
        tags += &format!("{tag}{guard} => m.{} = {value},\n", ident(field));
    }
    tags += "_ => tags.skip(r)?,\n}\n}\n";
    let tags = when_flexible(structure, message, &tags);
    format!("let mut m = Self {{\n{fields}}};\n{tags}Ok(m)\n")
}

fn write_body(structure: &StructSpec, message: &MessageSpec) -> String {
    let mut out = String::new();
    for field in &structure.fields {
        let present = When::version_in(field.versions, structure.active);
        let place = When::version_in(in_place(field), structure.active);
        let write = write_value(field, structure.active);
        match &place {
            When::Always => out += &format!("{write}\n"),
            When::If(expression) => out += &format!("if {expression} {{ {write} }}\n"),
            When::Never => {}
        }
        if field.ignorable {
            continue;
        }
        let name = format!("{}.{}", structure.name, field.name);
        let absent = format!("return Err(EncodeError::Absent({name:?}, v));");
        let differs = differs(field);
        match &present {
            When::If(_) if present == place => {
                out.pop();
                out += &format!(" else if {differs} {{ {absent} }}\n");
            }
            When::If(expression) => {
                out += &format!(
                    "if {} && {differs} {{ {absent} }}\n",
                    When::negated(expression)
                );
            }
            When::Always | When::Never => {}
        }
    }
    let mut tags = String::new();
    let tagged = tagged(structure);
    for (when, tag, field) in &tagged {
        let differs = differs(field);
        let condition = match when {
            When::If(expression) => format!("{expression} && {differs}"),
            When::Always | When::Never => differs,
        };
        tags += &format!("let tag{tag} = {condition};\n");
    }
    let counts: Vec<String> = tagged
        .iter()
        .map(|(_, tag, _)| format!("u32::from(tag{tag})"))
        .collect();
    match counts.is_empty() {
        true => tags += "w.uvarint(0);\n",
        false => tags += &format!("w.uvarint({});\n", counts.join(" + ")),
    }
    for (_, tag, field) in &tagged {
        let write = write_value(field, structure.active);
        tags += &format!(
            "if tag{tag} {{ let mark = w.begin_tag({tag}); {write} w.end_tag(mark)?; }}\n"
        );
    }
    out + &when_flexible(structure, message, &tags) + "Ok(())\n"
}

fn wire_bytes_min(structure: &StructSpec, message: &MessageSpec) -> usize {
    let versions = structure.active.first..=structure.active.last;
    let least = versions.map(|version| bytes_min_at(structure, message, version));
    least.min().expect("a struct occurs in some version")
}

fn bytes_min_at(structure: &StructSpec, message: &MessageSpec, version: i16) -> usize {
    let flexible = message.flexible.contains(version);
    let mut bytes = usize::from(flexible);
    for field in &structure.fields {
        if !in_place(field).contains(version) {
            continue;
        }
        let compact = flexible && !field.never_flexible;
        bytes += match &field.kind {
            Kind::Bool | Kind::Int8 => 1,
            Kind::Int16 | Kind::Uint16 => 2,
            Kind::Int32 | Kind::Uint32 => 4,
            Kind::Int64 | Kind::Float64 => 8,
            Kind::Uuid => 16,
            Kind::String | Kind::Bytes | Kind::Records | Kind::Array(_) if compact => 1,
            Kind::String => 2,
            Kind::Bytes | Kind::Records | Kind::Array(_) => 4,
            Kind::Struct(_) if field.nullable.contains(version) => 1,
            Kind::Struct(name) => {
                let inner = message.structs.iter().find(|s| s.name == *name);
                bytes_min_at(inner.expect("parsed"), message, version)
            }
        };
    }
    bytes
}

fn traits(message: &MessageSpec) -> String {
    let mut out = format!(
        "impl Message for {0} {{\nconst NAME: &'static str = {0:?};\n\
         const VERSIONS: (i16, i16) = ({1}, {2});\nconst FLEXIBLE_FROM: i16 = {3};\n}}\n\n",
        message.name,
        message.versions.first,
        message.versions.last,
        flexible_from(message),
    );
    match message.kind {
        MessageKind::Request => {
            let response = message.name.replace("Request", "Response");
            out += &format!(
                "impl Request for {} {{\nconst API_KEY: i16 = {};\n\
                 type Response = crate::{response};\n}}\n\n",
                message.name,
                api_key(message)
            );
        }
        MessageKind::Response => {
            out += &format!(
                "impl Response for {} {{\nconst API_KEY: i16 = {};\n}}\n\n",
                message.name,
                api_key(message)
            );
        }
        MessageKind::Header | MessageKind::Data => {}
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let check = |kafka, rust| assert_eq!(snake(kafka), rust);
        check("ErrorCode", "error_code");
        check("V3AndBelowTopics", "v3_and_below_topics");
        check("KRaftVersionRecord", "kraft_version_record");
        check("LeaderAndISRs", "leader_and_is_rs");
        check("hmac", "hmac");
    }

    #[test]
    fn conditions_say_no_more_than_needed() {
        let range = |first, last| Versions { first, last };
        let check = |versions, expected: &str| {
            let when = When::version_in(versions, range(2, 9));
            assert_eq!(when.expression(), expected);
        };
        check(range(0, i16::MAX), "true");
        check(range(2, 9), "true");
        check(range(3, i16::MAX), "v >= 3");
        check(range(0, 4), "v <= 4");
        check(range(5, 5), "v == 5");
        check(range(3, 4), "(3..=4).contains(&v)");
        check(range(0, 1), "false");
    }
}
