//! The pure half: the table of types, and the [`Provider`] that reads it.

use provision_core::call::{Call, Mark};
use provision_core::id::{ObjectId, ProviderName, TypeName};
use provision_core::provider::{CannotCompile, Change, Provider};
use provision_core::schema::Schema;

use crate::request::{Calls, Given, Update};
use crate::{instance, resources, security_group, subnet, vpc};

/// The name of this provider in targets and schemas.
pub const NAME: &str = "aws";

/// AWS' pure half.
#[derive(Debug, Clone, Copy, Default)]
pub struct Aws;

/// How the calls of one type are compiled.
struct Row {
    type_name: &'static str,
    /// What no two objects can share.
    identity_key: &'static [&'static str],
    create: fn(&mut Calls, Given<'_>, &Mark) -> Result<(), String>,
    update: fn(&mut Calls, &Update<'_>) -> Result<(), String>,
    delete: fn(&mut Calls, &ObjectId),
}

static TYPES: &[Row] = &[
    Row { type_name: "aws_vpc", identity_key: &[], create: vpc::create, update: vpc::update, delete: vpc::delete },
    Row {
        type_name: "aws_subnet",
        identity_key: &["vpc", "cidr"],
        create: subnet::create,
        update: subnet::update,
        delete: subnet::delete,
    },
    Row {
        type_name: "aws_security_group",
        identity_key: &["vpc", "name"],
        create: security_group::create,
        update: security_group::update,
        delete: security_group::delete,
    },
    Row {
        type_name: "aws_instance",
        identity_key: &[],
        create: instance::create,
        update: instance::update,
        delete: instance::delete,
    },
];

impl Provider for Aws {
    fn name(&self) -> ProviderName {
        // A literal that follows the grammar of names.
        ProviderName::new(NAME).unwrap_or_else(|bad| unreachable!("{bad}"))
    }

    fn schemas(&self) -> &'static [&'static Schema] {
        resources::SCHEMAS
    }

    fn identity_key(&self, type_name: &TypeName) -> &'static [&'static str] {
        TYPES.iter().find(|row| row.type_name == type_name.as_str()).map_or(&[], |row| row.identity_key)
    }

    fn compile(&self, type_name: &TypeName, change: &Change<'_>) -> Result<Vec<Call>, CannotCompile> {
        let cannot = |problem| CannotCompile { type_name: type_name.clone(), problem };
        let row = TYPES.iter().find(|row| row.type_name == type_name.as_str());
        let row = row.ok_or_else(|| cannot("this build does not know the type".to_owned()))?;
        let mut calls = Calls::new(type_name);
        match *change {
            Change::Create { desired, mark } => (row.create)(&mut calls, Given(desired), mark).map_err(cannot)?,
            Change::Update { id, observed, desired, changed, mark } => {
                let update = Update { id, observed: Given(&observed.fields), desired: Given(desired), changed, mark };
                (row.update)(&mut calls, &update).map_err(cannot)?;
            }
            Change::Delete { id, recorded: _ } => (row.delete)(&mut calls, id),
        }
        Ok(calls.done())
    }
}
