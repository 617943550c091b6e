//! What authors choose from: enumerations whose members have AWS' own words.

/// Declares enumerations that fields take: `Name { Member = "AWS' word" }`. A typo is then an error of the compiler.
macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident { $($(#[$member_doc:meta])* $member:ident = $word:literal),* $(,)? })*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $($(#[$member_doc])* $member,)*
        }

        impl $name {
            /// Its name in AWS' words, as plans and logs have it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$member => $word,)*
                }
            }
        }

        impl provision_core::dsl::input::FieldKind for $name {
            const KIND: provision_core::schema::Kind = provision_core::schema::Kind::Text;
        }

        impl<D> provision_core::dsl::IntoInput<Self, D> for $name {
            fn into_input(self) -> provision_core::dsl::Input {
                self.as_str().into()
            }
        }
    )* };
}
