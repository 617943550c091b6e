//! Numbers of autonomous systems, which BGP knows networks by.

use provision_core::dsl::input::FieldKind;
use provision_core::dsl::{Input, IntoInput};
use provision_core::schema::Kind;

/// A field that takes the number of any autonomous system: 1 to 4294967294.
///
/// Those of 64512 to 65534 and of 4200000000 to 4294967294 are private (RFC 6996): whoever has none of their own takes one of
/// these.
#[derive(Debug, Clone, Copy)]
pub enum Asn {}

/// A field that takes the number of a gateway of Amazon's: a private one, 64512 to 65534 or 4200000000 to 4294967294.
#[derive(Debug, Clone, Copy)]
pub enum PrivateAsn {}

/// The largest that `BgpAsn` of a customer gateway takes; larger ones are `BgpAsnExtended`:
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateCustomerGateway.html>.
pub(super) const LARGEST_PLAIN: i64 = 2_147_483_647;

impl FieldKind for Asn {
    const KIND: Kind = Kind::Int;
}

impl FieldKind for PrivateAsn {
    const KIND: Kind = Kind::Int;
}

impl<D> IntoInput<Asn, D> for u32 {
    fn into_input(self) -> Input {
        // The last one is reserved: RFC 7300.
        if (1..Self::MAX).contains(&self) {
            return i64::from(self).into();
        }
        Input::problem(format!("{self} is no number of an autonomous system; those go from 1 to 4294967294"))
    }
}

impl<D> IntoInput<PrivateAsn, D> for u32 {
    fn into_input(self) -> Input {
        if (64_512..=65_534).contains(&self) || (4_200_000_000..Self::MAX).contains(&self) {
            return i64::from(self).into();
        }
        let right = "write one of 64512 to 65534, or of 4200000000 to 4294967294";
        Input::problem(format!("{self} is not the number of a private autonomous system; {right}"))
    }
}
