//! Regions and their zones, as types.

use std::fmt;
use std::marker::PhantomData;

use provision_core::dsl::input::FieldKind;
use provision_core::dsl::text::{IntoText, Text};
use provision_core::dsl::{Input, IntoInput, On, Region};
use provision_core::schema::Kind;

use crate::Aws;

/// A region of AWS.
pub trait AwsRegion: Region<Aws> + Sized + 'static {
    /// The letters of three zones, which data centres in this region spread over.
    const ZONES: [char; 3];
}

#[diagnostic::on_unimplemented(
    message = "`{Self}` is not on `Aws`, so it cannot hold resources of `Aws`",
    note = "a data centre names its clouds: `#[data_centre(.., on(Aws, account = \"123456789012\", region = UsEast1))]`"
)]
/// A data centre on AWS: what the function of a block asks of `D` to put AWS resources into it.
pub trait AwsDc: On<Aws, Region: AwsRegion> {
    /// Three zones of its region.
    fn zones() -> [Zone<<Self as On<Aws>>::Region>; 3] {
        <<Self as On<Aws>>::Region as AwsRegion>::ZONES.map(Zone::new)
    }

    /// The whole name of a service of its region, as endpoints take it: `com.amazonaws.us-east-1.s3` for `s3`.
    fn service(name: &str) -> String {
        format!("com.amazonaws.{}.{name}", <<Self as On<Aws>>::Region as Region<Aws>>::NAME)
    }

    /// Its region.
    fn region() -> Here<<Self as On<Aws>>::Region> {
        Here(PhantomData)
    }
}

impl<D: On<Aws, Region: AwsRegion>> AwsDc for D {}

/// A zone of region `R`: `UsEast1::A`, or one of [`AwsDc::zones`].
pub struct Zone<R> {
    letter: char,
    of: PhantomData<fn() -> R>,
}

impl<R> Zone<R> {
    const fn new(letter: char) -> Self {
        Self { letter, of: PhantomData }
    }

    /// Its number: 0 for zone `a`. It never changes, so subnets that are numbered by it keep their addresses.
    pub fn number(self) -> u32 {
        u32::from(self.letter).saturating_sub(u32::from('a'))
    }
}

impl<R> Clone for Zone<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Zone<R> {}

impl<R: AwsRegion> fmt::Display for Zone<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", R::NAME, self.letter)
    }
}

impl<R: AwsRegion> fmt::Debug for Zone<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A field that takes a zone of the data centre's own region.
#[derive(Debug, Clone, Copy)]
pub enum AnyZone {}

impl FieldKind for AnyZone {
    const KIND: Kind = Kind::Text;
}

/// Says that a zone lies in the region of the data centre where it is used.
#[diagnostic::on_unimplemented(
    message = "a zone of region `{Self}` is used in data centre `{D}`, which lies in `{Here}`",
    label = "lies in `{Self}`",
    note = "take one of `D::zones()`, or of `{Here}`"
)]
pub trait InRegion<Here, D>: sealed::Same<Here> {}
impl<R, D> InRegion<R, D> for R {}

mod sealed {
    pub trait Same<T> {}
    impl<T> Same<T> for T {}
}

impl<D: AwsDc, R: AwsRegion + InRegion<<D as On<Aws>>::Region, D>> IntoInput<AnyZone, D> for Zone<R> {
    fn into_input(self) -> Input {
        self.to_string().into()
    }
}

impl<D, R: AwsRegion> IntoText<D> for Zone<R> {
    fn append_to(self, text: &mut Text<D>) {
        self.to_string().append_to(text);
    }
}

/// Region `R`, for fields that hold one: [`AwsDc::region`].
pub struct Here<R>(PhantomData<fn() -> R>);

impl<R> Clone for Here<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Here<R> {}

impl<R: AwsRegion> fmt::Debug for Here<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(R::NAME)
    }
}

/// A field that takes the region of the data centre that it is used in.
#[derive(Debug, Clone, Copy)]
pub enum AnyRegion {}

impl FieldKind for AnyRegion {
    const KIND: Kind = Kind::Text;
}

impl<D: AwsDc, R: AwsRegion + InRegion<<D as On<Aws>>::Region, D>> IntoInput<AnyRegion, D> for Here<R> {
    fn into_input(self) -> Input {
        R::NAME.into()
    }
}

macro_rules! regions {
    ($($(#[$doc:meta])* $region:ident $name:literal $($zone:ident $letter:literal)*, spread over $spread:expr;)*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub enum $region {}

        impl Region<Aws> for $region {
            const NAME: &'static str = $name;
        }

        impl AwsRegion for $region {
            const ZONES: [char; 3] = $spread;
        }

        impl $region {
            $(
                #[doc = concat!("Zone ", $name, $letter, ".")]
                pub const $zone: Zone<Self> = Zone::new($letter);
            )*
        }
    )* };
}
regions! {
    /// North Virginia.
    UsEast1 "us-east-1" A 'a' B 'b' C 'c' D 'd' E 'e' F 'f', spread over ['a', 'b', 'c'];
    /// Ohio.
    UsEast2 "us-east-2" A 'a' B 'b' C 'c', spread over ['a', 'b', 'c'];
    /// Oregon.
    UsWest2 "us-west-2" A 'a' B 'b' C 'c' D 'd', spread over ['a', 'b', 'c'];
    /// Ireland.
    EuWest1 "eu-west-1" A 'a' B 'b' C 'c', spread over ['a', 'b', 'c'];
    /// Frankfurt.
    EuCentral1 "eu-central-1" A 'a' B 'b' C 'c', spread over ['a', 'b', 'c'];
    /// Tokyo.
    ApNortheast1 "ap-northeast-1" A 'a' C 'c' D 'd', spread over ['a', 'c', 'd'];
    /// Sydney.
    ApSoutheast2 "ap-southeast-2" A 'a' B 'b' C 'c', spread over ['a', 'b', 'c'];
}
