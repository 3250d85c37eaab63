//! Writes code that fills messages at random, for the tests: a message that a version can carry, and no other.

use crate::KAFKA_VERSION;
use crate::rust::{When, default_of, ident, snake};
use crate::schema::{MessageSpec, StructSpec};

/// The whole file: an impl per struct, a macro that names every message, and one that names every API.
pub fn samples(messages: &[MessageSpec]) -> String {
    let mut out = format!(
        "//! Fills the messages of Kafka {KAFKA_VERSION} at random. Generated; do not edit.\n\n\
         use corelane_protocol::*;\n\n\
         use super::fill::{{Fill, Sample}};\n\n"
    );
    for message in messages {
        for structure in &message.structs {
            let path = match structure.name == message.name {
                true => structure.name.clone(),
                false => format!("{}::{}", snake(&message.name), structure.name),
            };
            out += &sample(structure, &path);
        }
    }
    out += "/// Calls a macro with the names of all messages.\nmacro_rules! each_message {\n($call:ident) => {\n$call! {\n";
    for message in messages {
        out += &format!("{}\n", message.name);
    }
    out += "}\n};\n}\n\npub(crate) use each_message;\n\n";
    out += "/// Calls a macro with the number, the request and the response of every API.\n\
            #[allow(unused_macros)]\nmacro_rules! each_api {\n($call:ident) => {\n$call! {\n";
    let mut apis: Vec<(i16, &str)> = messages.iter().filter_map(api).collect();
    apis.sort_unstable();
    for (key, name) in apis {
        out += &format!("{key} {name}Request {name}Response\n");
    }
    out + "}\n};\n}\n\n#[allow(unused_imports)]\npub(crate) use each_api;\n"
}

/// Number and name of a request's API.
fn api(message: &MessageSpec) -> Option<(i16, &str)> {
    Some((message.api_key?, message.name.strip_suffix("Request")?))
}

fn sample(structure: &StructSpec, path: &str) -> String {
    let mut fields = String::new();
    for field in &structure.fields {
        let when = When::version_in(field.versions, structure.active);
        let nullable = When::version_in(field.nullable, structure.active.and(field.versions));
        let value = match field.nullable.is_empty() {
            true => "f.value(v)".to_owned(),
            false => format!("f.maybe(v, {})", nullable.expression()),
        };
        let default = match &*default_of(field) {
            text if !text.contains("::") => text.to_owned(),
            text if text.starts_with("Some(") => "Some(Default::default())".to_owned(),
            _ => "Default::default()".to_owned(),
        };
        let value = when.choose(&value, &default);
        fields += &format!("{}: {value},\n", ident(field));
    }
    format!(
        "impl Sample for {path} {{\nfn sample(f: &mut Fill, v: i16) -> Self {{\n\
         Self {{\n{fields}}}\n}}\n}}\n\n"
    )
}
