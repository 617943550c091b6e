//! The AWS resource types: what an infra author declares, and the schemas that the calls are compiled from.

use provision_core::dsl::Cloud;
use provision_core::schema::Schema;

pub use crate::provider::Aws;

mod check;
pub mod instance;
pub mod region;
pub mod rule;
pub mod security_group;
pub mod subnet;
pub mod vpc;

pub use instance::{Instance, InstanceExt, InstanceId, InstanceKind};
pub use rule::Rule;
pub use security_group::{SecurityGroup, SecurityGroupExt, SecurityGroupId, SecurityGroupKind};
pub use subnet::{Subnet, SubnetExt, SubnetId, SubnetKind};
pub use vpc::{Vpc, VpcExt, VpcId, VpcKind};

// The cloud in `#[data_centre(.., on(Aws, account = "123456789012", region = UsEast1))]` is the provider itself: with two
// types of the name, the compiler would write the whole path of either.
impl Cloud for Aws {
    const NAME: &'static str = "aws";

    fn account_problem(account: &str) -> Option<String> {
        let good = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        (!good).then(|| format!("`{}` is not an AWS account: write its 12 digits", account.escape_debug()))
    }
}

/// Every schema of this provider.
pub const SCHEMAS: &[&Schema] = &[Vpc::SCHEMA, Subnet::SCHEMA, SecurityGroup::SCHEMA, Instance::SCHEMA];

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use provision_core::schema::Reads;

    /// The schemas, a field a line: what calls and logs are made from changes only on purpose.
    #[test]
    fn schemas() {
        let mut text = String::new();
        for schema in super::SCHEMAS {
            writeln!(text, "{} {} version {}", schema.provider, schema.type_name, schema.version).unwrap();
            for field in schema.fields {
                let (kind, role) = (field.kind, field.role);
                let unread = if field.reads == Reads::Unread { ", Unread" } else { "" };
                writeln!(
                    text,
                    "  {}: {kind:?}, {role:?}, {:?}, {:?}{unread}",
                    field.name, field.on_change, field.grain
                )
                .unwrap();
            }
        }
        insta::assert_snapshot!(text);
    }
}
