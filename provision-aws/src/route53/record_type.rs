//! Types of records.

use provision_core::dsl::input::FieldKind;
use provision_core::dsl::{Input, IntoInput};
use provision_core::schema::Kind;

/// What a record says about its name. Route 53 makes a zone's own `NS` and `SOA`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordType {
    /// An IPv4 address.
    A,
    /// An IPv6 address.
    Aaaa,
    /// Who may give out certificates: `0 issue "letsencrypt.org"`.
    Caa,
    /// Another name.
    Cname,
    /// The keys that a signed zone below it is signed with.
    Ds,
    /// Where the service is, with parameters of HTTPS.
    Https,
    /// Where mail goes: `10 mail.example.com`.
    Mx,
    /// A rule for rewriting names.
    Naptr,
    /// The name servers of a zone below.
    Ns,
    /// The name of an address.
    Ptr,
    /// Where a service is: `1 10 5269 host.example.com`.
    Srv,
    /// Keys of SSH servers.
    Sshfp,
    /// Where a service is, with parameters.
    Svcb,
    /// Certificates of TLS servers.
    Tlsa,
    /// A text, written without the quotes that DNS needs.
    Txt,
}

impl RecordType {
    const ALL: [Self; 15] = [
        Self::A,
        Self::Aaaa,
        Self::Caa,
        Self::Cname,
        Self::Ds,
        Self::Https,
        Self::Mx,
        Self::Naptr,
        Self::Ns,
        Self::Ptr,
        Self::Srv,
        Self::Sshfp,
        Self::Svcb,
        Self::Tlsa,
        Self::Txt,
    ];

    /// As DNS writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Caa => "CAA",
            Self::Cname => "CNAME",
            Self::Ds => "DS",
            Self::Https => "HTTPS",
            Self::Mx => "MX",
            Self::Naptr => "NAPTR",
            Self::Ns => "NS",
            Self::Ptr => "PTR",
            Self::Srv => "SRV",
            Self::Sshfp => "SSHFP",
            Self::Svcb => "SVCB",
            Self::Tlsa => "TLSA",
            Self::Txt => "TXT",
        }
    }

    /// The type that DNS writes so, if it is one that we have.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == text)
    }
}

impl FieldKind for RecordType {
    const KIND: Kind = Kind::Text;
}

impl<D> IntoInput<Self, D> for RecordType {
    fn into_input(self) -> Input {
        self.as_str().into()
    }
}
