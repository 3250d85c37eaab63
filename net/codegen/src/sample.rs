//! Writes code that fills messages at random, for the tests: a message that a version can carry, and no other.

use crate::KAFKA_VERSION;
use crate::rust::{When, default_of, ident, snake};
use crate::schema::{MessageSpec, StructSpec};

/// The whole file: an impl per struct, and a macro that names every message.
pub fn samples(messages: &[MessageSpec]) -> String {
    let mut out = format!(
        "//! Fills the messages of Kafka {KAFKA_VERSION} at random. Generated; do not edit.\n\n\
         use bytes::Bytes;\n\
         use corelane_protocol::*;\n\n\
         use super::fill::{{Fill, Sample}};\n\n"
    );
    for message in messages {
        for structure in &message.structs {
            out += &sample(structure, &snake(&message.name));
        }
    }
    out += "/// Calls a macro with every message, as a list.\n#[macro_export]\nmacro_rules! each_message {\n($call:ident) => {\n$call! {\n";
    for message in messages {
        out += &format!("{}\n", message.name);
    }
    out + "}\n};\n}\n"
}

fn sample(structure: &StructSpec, module: &str) -> String {
    let name = &structure.name;
    let mut fields = String::new();
    for field in &structure.fields {
        let when = When::version_in(field.versions, structure.active);
        let nullable = When::version_in(field.nullable, structure.active.and(field.versions));
        let value = match field.nullable.is_empty() {
            true => "f.value(v)".to_owned(),
            false => format!("f.maybe(v, {})", nullable.expression()),
        };
        let default = match &*default_of(field) {
            text if text.contains("default()") => "Default::default()".to_owned(),
            text if text.starts_with("Some(") && text.contains("::") => {
                "Some(Default::default())".to_owned()
            }
            text => text.to_owned(),
        };
        let value = when.choose(&value, &default);
        fields += &format!("{}: {value},\n", ident(field));
    }
    format!(
        "impl Sample for {module}::{name} {{\nfn sample(f: &mut Fill, v: i16) -> Self {{\n\
         Self {{\n{fields}}}\n}}\n}}\n\n"
    )
}
