//! The AWS resource types: what an infra author declares, and the schemas that the calls are compiled from.

use provision_core::schema::{Field, Grain, Kind, Literal, OnChange, Role, Schema};

/// Everything outbound: what AWS gives to a new group.
const ALL_OUTBOUND: Literal =
    Literal::List(&[Literal::Map(&[("cidr", Literal::Text("0.0.0.0/0")), ("protocol", Literal::Text("all"))])]);

const fn field(name: &'static str, kind: Kind, role: Role, on_change: OnChange, grain: Grain) -> Field {
    Field { name, kind, role, on_change, grain }
}

/// The schema of `aws_vpc`.
pub static VPC: Schema = Schema {
    type_name: "aws_vpc",
    provider: "aws",
    version: 1,
    fields: &[
        field("cidr", Kind::Cidr, Role::Required, OnChange::Replace, Grain::Whole),
        field("dns_support", Kind::Bool, Role::Default(Literal::Bool(true)), OnChange::Update, Grain::Whole),
        field("dns_hostnames", Kind::Bool, Role::Default(Literal::Bool(false)), OnChange::Update, Grain::Whole),
        field("tags", Kind::Map, Role::Default(Literal::EmptyMap), OnChange::Update, Grain::ByKey),
        field("id", Kind::Id("VpcId"), Role::Computed, OnChange::Update, Grain::Whole),
    ],
};

/// The schema of `aws_subnet`.
pub static SUBNET: Schema = Schema {
    type_name: "aws_subnet",
    provider: "aws",
    version: 1,
    fields: &[
        field("vpc", Kind::Id("VpcId"), Role::Required, OnChange::Replace, Grain::Whole),
        field("zone", Kind::Text, Role::Required, OnChange::Replace, Grain::Whole),
        field("cidr", Kind::Cidr, Role::Required, OnChange::Replace, Grain::Whole),
        field("public_ip", Kind::Bool, Role::Default(Literal::Bool(false)), OnChange::Update, Grain::Whole),
        field("tags", Kind::Map, Role::Default(Literal::EmptyMap), OnChange::Update, Grain::ByKey),
        field("id", Kind::Id("SubnetId"), Role::Computed, OnChange::Update, Grain::Whole),
    ],
};

/// The schema of `aws_security_group`.
pub static SECURITY_GROUP: Schema = Schema {
    type_name: "aws_security_group",
    provider: "aws",
    version: 1,
    fields: &[
        field("vpc", Kind::Id("VpcId"), Role::Required, OnChange::Replace, Grain::Whole),
        field("description", Kind::Text, Role::Required, OnChange::Replace, Grain::Whole),
        field("name", Kind::Text, Role::Name { max: 255 }, OnChange::Replace, Grain::Whole),
        field("ingress", Kind::List(&Kind::Object), Role::Default(Literal::EmptyList), OnChange::Update, Grain::Set),
        field("egress", Kind::List(&Kind::Object), Role::Default(ALL_OUTBOUND), OnChange::Update, Grain::Set),
        field("tags", Kind::Map, Role::Default(Literal::EmptyMap), OnChange::Update, Grain::ByKey),
        field("id", Kind::Id("SecurityGroupId"), Role::Computed, OnChange::Update, Grain::Whole),
    ],
};

/// The schema of `aws_instance`.
pub static INSTANCE: Schema = Schema {
    type_name: "aws_instance",
    provider: "aws",
    version: 1,
    fields: &[
        field("subnet", Kind::Id("SubnetId"), Role::Required, OnChange::Replace, Grain::Whole),
        field("ami", Kind::Text, Role::Required, OnChange::Replace, Grain::Whole),
        field("instance_type", Kind::Text, Role::Required, OnChange::Replace, Grain::Whole),
        field(
            "security_groups",
            Kind::List(&Kind::Id("SecurityGroupId")),
            Role::Default(Literal::EmptyList),
            OnChange::Update,
            Grain::Set,
        ),
        field("user_data", Kind::Text, Role::Optional, OnChange::Replace, Grain::Whole),
        field("key_name", Kind::Text, Role::Optional, OnChange::Replace, Grain::Whole),
        field("tags", Kind::Map, Role::Default(Literal::EmptyMap), OnChange::Update, Grain::ByKey),
        field("id", Kind::Id("InstanceId"), Role::Computed, OnChange::Update, Grain::Whole),
        field("private_ip", Kind::Text, Role::Computed, OnChange::Update, Grain::Whole),
        field("public_address", Kind::Text, Role::Computed, OnChange::Update, Grain::Whole),
    ],
};

/// Every schema of this provider.
pub const SCHEMAS: &[&Schema] = &[&VPC, &SUBNET, &SECURITY_GROUP, &INSTANCE];
