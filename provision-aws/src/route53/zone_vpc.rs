//! VPCs of private zones.

use std::marker::PhantomData;

use provision_core::dsl::input::FieldKind;
use provision_core::dsl::{Added, Args, Imported, Input, IntoInput, On, Ref, Region, SameDc};
use provision_core::schema::Kind;

use crate::Aws;
use crate::ec2::vpc::{VpcId, VpcKind};
use crate::region::AwsDc;

/// A VPC in which the names of a private zone of data centre `D` are known: its own, or one that was imported.
///
/// Its erased form is a map: `{"vpc": "vpc-1", "region": "us-east-1"}`.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # #[environment("prod")]
/// # struct Prod;
/// # #[data_centre(name = "a", env = Prod, channel = Stable, on(Aws, account = "123456789012", region = UsEast1))]
/// # struct A;
/// # #[data_centre(name = "b", env = Prod, channel = Stable, on(Aws, account = "123456789012", region = EuWest1))]
/// # struct B;
/// crossing!(B => A, via = peering);
///
/// fn names(b: &Block<A>, (ours, theirs): (Ref<VpcId, A>, Ref<VpcId, B>)) {
///     let vpcs = [ZoneVpc::of(ours), ZoneVpc::of(b.import(theirs))];
///     b.put("names", HostedZone { name: "a.internal" }).private(true).vpcs(vpcs);
/// }
/// ```
#[derive(Debug)]
pub struct ZoneVpc<D = ()> {
    vpc: Input,
    region: &'static str,
    of: PhantomData<fn() -> D>,
}

// Derived, it would ask that of the data centre too.
impl<D> Clone for ZoneVpc<D> {
    fn clone(&self) -> Self {
        Self { vpc: self.vpc.clone(), region: self.region, of: PhantomData }
    }
}

impl<D> ZoneVpc<D> {
    /// A VPC, in the region of the data centre that it comes from.
    pub fn of(vpc: impl SomewhereVpc<D>) -> Self {
        let (vpc, region) = vpc.and_its_region();
        Self { vpc, region, of: PhantomData }
    }
}

/// A VPC that says by its type in which region it lies, for data centre `D`: a ref of its own, or an imported one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no VPC whose region is known",
    label = "a VPC of a block, or an imported one, belongs here"
)]
pub trait SomewhereVpc<D> {
    /// Its id, and its region.
    fn and_its_region(self) -> (Input, &'static str);
}

fn region_of<D: AwsDc>() -> &'static str {
    <<D as On<Aws>>::Region as Region<Aws>>::NAME
}

impl<D: AwsDc, O: SameDc<D>> SomewhereVpc<D> for Ref<VpcId, O> {
    fn and_its_region(self) -> (Input, &'static str) {
        (IntoInput::<VpcId, D>::into_input(self), region_of::<D>())
    }
}

impl<D: AwsDc, O: SameDc<D>> SomewhereVpc<D> for Added<'_, VpcKind, O> {
    fn and_its_region(self) -> (Input, &'static str) {
        (IntoInput::<VpcId, D>::into_input(self), region_of::<D>())
    }
}

impl<D, O: AwsDc> SomewhereVpc<D> for Imported<VpcId, O, D> {
    fn and_its_region(self) -> (Input, &'static str) {
        (IntoInput::<VpcId, D>::into_input(self), region_of::<O>())
    }
}

impl<D> Args for ZoneVpc<D> {
    fn to_input(&self) -> Input {
        IntoInput::<ZoneVpc, D>::into_input(self.clone())
    }
}

impl<D> IntoInput<ZoneVpc, D> for ZoneVpc<D> {
    fn into_input(self) -> Input {
        let parts = [("vpc", self.vpc), ("region", self.region.into())];
        Input::Map(parts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

impl FieldKind for ZoneVpc {
    const KIND: Kind = Kind::Object;
}
