//! The pure half: the table of types, and the [`Provider`] that reads it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use provision_core::call::{Call, Scope};
use provision_core::desired::{Desired, Finding};
use provision_core::dsl::Cloud;
use provision_core::id::{InfraId, ObjectId, ProviderName, TypeName};
use provision_core::provider::{CannotCompile, Change, Detail, Provider, RateBucket, Rated};
use provision_core::reach::{Question, Reach, Unanswered};
use provision_core::schema::Schema;

use crate::table::{Api, Calls, Delete, Given, Row, Source, Update};
use crate::{autoscaling, ec2, elbv2, iam, route53, s3, security};

/// The name of this provider in targets and schemas.
pub const NAME: &str = "aws";

/// AWS' pure half, and the cloud in `#[data_centre(.., on(Aws, account = "123456789012", region = UsEast1))]`.
// One type for both: with two of the name, the compiler would write the whole path of either.
#[derive(Debug, Clone, Copy, Default)]
pub struct Aws;

/// The types of every service.
pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    [ec2::ROWS, autoscaling::ROWS, elbv2::ROWS, iam::ROWS, route53::ROWS, s3::ROWS].into_iter().flatten().copied()
}

static BY_NAME: LazyLock<BTreeMap<&str, &Row>> =
    LazyLock::new(|| rows().map(|row| (row.schema.type_name, row)).collect());
static DETAILS: LazyLock<BTreeMap<&str, Vec<Detail>>> = LazyLock::new(|| {
    rows().map(|row| (row.schema.type_name, row.reading.details().iter().map(|detail| detail.of).collect())).collect()
});
static DATA_SOURCES: LazyLock<Vec<&Schema>> = LazyLock::new(|| sources().map(|source| source.schema).collect());
static SCHEMAS: LazyLock<Vec<&Schema>> = LazyLock::new(|| rows().map(|row| row.schema).collect());
static APIS: LazyLock<BTreeMap<&str, &Api>> = LazyLock::new(|| uses().map(|api| (api.name, api)).collect());

/// The operations of several types.
pub(crate) fn shared_apis() -> impl Iterator<Item = &'static Api> {
    [ec2::tags::APIS, elbv2::tags::APIS].into_iter().flatten()
}

/// Every use of an operation. One that makes, sets and removes objects of Route 53, or that is the create of one type and a
/// set of another, stands there for each; they are sent alike.
pub(crate) fn uses() -> impl Iterator<Item = &'static Api> {
    rows().flat_map(|row| row.apis).chain(sources().flat_map(|source| source.apis)).chain(shared_apis())
}

/// The data sources of every service.
pub(crate) fn sources() -> impl Iterator<Item = &'static Source> {
    [ec2::DATA_SOURCES, route53::DATA_SOURCES].into_iter().flatten().copied()
}

/// The data source of that name.
#[cfg(feature = "client")]
pub(crate) fn source(type_name: &TypeName) -> Option<&'static Source> {
    sources().find(|source| source.schema.type_name == type_name.as_str())
}

/// The row of a type.
pub(crate) fn row(type_name: &TypeName) -> Option<&'static Row> {
    BY_NAME.get(type_name.as_str()).copied()
}

/// The operation of that name.
#[cfg(feature = "client")]
pub(crate) fn api(name: &str) -> Option<&'static Api> {
    APIS.get(name).copied()
}

/// Every operation that this provider uses, by name.
pub fn apis() -> impl Iterator<Item = &'static Api> {
    APIS.values().copied()
}

impl Cloud for Aws {
    const NAME: &'static str = NAME;

    fn account_problem(account: &str) -> Option<String> {
        let good = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        (!good).then(|| format!("`{}` is not an AWS account: write its 12 digits", account.escape_debug()))
    }
}

impl Provider for Aws {
    fn name(&self) -> ProviderName {
        // A literal that follows the grammar of names.
        ProviderName::new(NAME).unwrap_or_else(|bad| unreachable!("{bad}"))
    }

    fn schemas(&self) -> &'static [&'static Schema] {
        &SCHEMAS
    }

    fn data_sources(&self) -> &'static [&'static Schema] {
        &DATA_SOURCES
    }

    fn identity_key(&self, type_name: &TypeName) -> &'static [&'static str] {
        row(type_name).map_or(&[], |row| row.identity_key)
    }

    fn reach(&self, desired: &Desired, question: &Question) -> Option<Result<Reach, Unanswered>> {
        security::reach(desired, question)
    }

    fn advice(&self, desired: &Desired) -> Vec<Finding> {
        security::advice(desired)
    }

    fn details(&self, type_name: &TypeName) -> &'static [Detail] {
        DETAILS.get(type_name.as_str()).map_or(&[], Vec::as_slice)
    }

    fn lists(&self, type_name: &TypeName, infra: &InfraId, recorded: &BTreeSet<ObjectId>) -> Vec<Scope> {
        row(type_name).map_or_else(Vec::new, |row| row.reading.lists(infra, recorded))
    }

    /// EC2 evaluates each API by itself (its developer guide, "Request throttling for the Amazon EC2 API").
    fn rate_bucket(&self, request: Rated<'_>) -> RateBucket {
        match request {
            Rated::Call(api) => RateBucket::of(api),
            Rated::Read(type_name) => RateBucket::of(format!("Describe {type_name}")),
            Rated::Detail(type_name, detail) => RateBucket::of(format!("Describe {detail} of {type_name}")),
        }
    }

    fn compile(&self, type_name: &TypeName, change: &Change<'_>) -> Result<Vec<Call>, CannotCompile> {
        let cannot = |problem| CannotCompile { type_name: type_name.clone(), problem };
        let row = row(type_name).ok_or_else(|| cannot("this build does not know the type".to_owned()))?;
        let mut calls = Calls::new(type_name);
        match *change {
            Change::Create { desired, mark } => (row.create)(&mut calls, Given(desired), mark),
            Change::Update { id, observed, desired, changed, mark } => {
                let carries = observed.mark.as_ref();
                let (observed, desired) = (Given(&observed.fields), Given(desired));
                let update = Update { id, observed, carries, desired, changed, mark };
                (row.update)(&mut calls, &update)
            }
            Change::Delete { id, recorded, observed } => {
                let observed = observed.map(|observed| &observed.fields);
                (row.delete)(&mut calls, &Delete::new(id, recorded, observed))
            }
        }
        .map_err(cannot)?;
        Ok(calls.done())
    }
}
