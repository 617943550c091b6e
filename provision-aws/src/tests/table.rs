//! What users are told of the types is what the table says.

use std::fmt::Write as _;
use std::path::Path;

use provision_core::provider::{self, Asked};

use super::rows;
use crate::provider::{shared_apis, sources};
use crate::table::{Api, Class, Row};

const HEAD: &str = "\
# AWS types

What each type costs and rests on, as the code has it: `UPDATE_DOCS=1 cargo test -p provision-aws --lib` writes this file, and
a test compares it.

*Reads*: a refresh of N objects takes so many calls per account and region. *Recovery* is how it is found out whether a call
landed whose answer was lost: see [guarantees](guarantees.md). Each class is compared with botocore's models of the services.
";

fn class(class: Class) -> &'static str {
    match class {
        Class::Token => "token",
        Class::Name => "name",
        Class::Tag => "tag",
        Class::NaturalKey => "natural key",
        Class::Set => "set",
        Class::Remove => "remove",
        Class::Read => "read",
    }
}

fn reads(row: &Row) -> String {
    let page = row.reading.page_size();
    let mut text = page.map_or_else(|| "1".to_owned(), |page| format!("⌈N / {page}⌉"));
    if let Some(per) = row.reading.per() {
        write!(text, " for each {per}").unwrap();
    }
    for provider::Detail { name, batch, asked } in row.reading.details().iter().map(|detail| detail.of) {
        let n = match batch {
            1 => "N".to_owned(),
            batch => format!("⌈N / {batch}⌉"),
        };
        match asked {
            Asked::Always => write!(text, " + {n} for `{name}`").unwrap(),
            Asked::Set(fields) => {
                let fields: Vec<_> = fields.iter().map(|field| format!("`{field}`")).collect();
                write!(text, " + {n} for `{name}` of those that set one of {}", fields.join(", ")).unwrap();
            }
            Asked::Waiting => {}
        }
    }
    text
}

fn calls(text: &mut String, apis: &[Api]) {
    text.push_str("\n| call | recovery | because |\n|---|---|---|\n");
    for api in apis.iter().filter(|api| api.class != Class::Read) {
        writeln!(text, "| `{}` | {} | {} |", api.name, class(api.class), api.reason).unwrap();
    }
}

fn rendered() -> String {
    let mut text = HEAD.to_owned();
    for row in rows() {
        writeln!(text, "\n## `{}`\n\nReads: {}.", row.schema.type_name, reads(row)).unwrap();
        calls(&mut text, row.apis);
    }
    text.push_str("\n## Calls of several types\n");
    calls(&mut text, &shared_apis().copied().collect::<Vec<_>>());
    text.push_str("\n## Lookups\n\nWhat `b.find(..)` finds: one call per query, account and region, however many blocks ask it.\n");
    text.push_str("\n| data source | call |\n|---|---|\n");
    for source in sources() {
        // What calls look up for themselves is nothing for authors.
        for api in source.apis {
            writeln!(text, "| `{}` | `{}` |", source.schema.type_name, api.name).unwrap();
        }
    }
    text
}

#[test]
#[expect(clippy::disallowed_methods, reason = "writes the document where it is asked for")]
fn the_document_of_the_types_is_what_the_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/aws-types.md");
    let text = rendered();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let told = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(told == text, "docs/aws-types.md is not what the table says: UPDATE_DOCS=1 writes it");
}
