//! Newtypes for every name and number that identifies something: parsed once, never joined into a path unparsed.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;

/// A name that does not follow the grammar of names.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{given}` is not a {what}: {rule}")]
pub struct BadName {
    what: &'static str,
    given: String,
    rule: &'static str,
}

const NAME_RULE: &str = "write 1 to 40 of a-z, 0-9 and `-`, starting with a letter and not ending with `-`";

fn is_name(s: &str) -> bool {
    let bytes = s.as_bytes();
    matches!(bytes.first(), Some(b'a'..=b'z'))
        && bytes.len() <= 40
        && bytes.last() != Some(&b'-')
        && bytes.iter().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

fn shown(s: &str) -> String {
    s.chars().take(60).flat_map(char::escape_debug).collect()
}

macro_rules! string_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $check:expr, $rule:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Parses the text, or says what is wrong with it.
            pub fn new(text: impl Into<String>) -> Result<Self, BadName> {
                let text = text.into();
                if $check(&text) { Ok(Self(text.into())) } else { Err(BadName { what: $what, given: shown(&text), rule: $rule }) }
            }

            /// The text itself.
            pub fn as_str(&self) -> &str { &self.0 }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.pad(&self.0) }
        }

        impl FromStr for $name {
            type Err = BadName;
            fn from_str(s: &str) -> Result<Self, BadName> { Self::new(s) }
        }

        impl TryFrom<String> for $name {
            type Error = BadName;
            fn try_from(s: String) -> Result<Self, BadName> { Self::new(s) }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self { id.as_str().to_owned() }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        // Most are compared with copies of themselves: those share their text.
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool { Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0 }
        }

        impl Eq for $name {}

        impl Hash for $name {
            fn hash<H: Hasher>(&self, hasher: &mut H) { self.0.hash(hasher); }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> { Some(self.cmp(other)) }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                if Arc::ptr_eq(&self.0, &other.0) { Ordering::Equal } else { self.0.cmp(&other.0) }
            }
        }
    };
}

string_id!(
    /// The infrastructure as a whole: one store holds one infrastructure.
    InfraId, "name of an infrastructure", is_name, NAME_RULE);
string_id!(
    /// An environment: `staging`, `prod`, …
    EnvName, "name of an environment", is_name, NAME_RULE);
string_id!(
    /// A data centre.
    DcName, "name of a data centre", is_name, NAME_RULE);
string_id!(
    /// A block within its data centre.
    BlockName, "name of a block", is_name, NAME_RULE);
string_id!(
    /// A resource within its block.
    ResourceName, "name of a resource", is_name, NAME_RULE);
string_id!(
    /// A health check within its block.
    CheckName, "name of a check", is_name, NAME_RULE);
string_id!(
    /// A provider: `aws`, `gce`, `k8s`.
    ProviderName, "name of a provider", is_name, NAME_RULE);
string_id!(
    /// A resource type, as in `aws_subnet`.
    TypeName, "resource type",
    |s: &str| s.len() <= 60 && s.starts_with(|c: char| c.is_ascii_lowercase()) && s.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_')),
    "write up to 60 of a-z, 0-9 and `_`, starting with a letter");
string_id!(
    /// The id that a cloud gave to an object.
    ObjectId, "object id",
    |s: &str| !s.is_empty() && s.len() <= 512 && s.bytes().all(|b| b.is_ascii_graphic()),
    "an id has 1 to 512 visible ASCII characters");
string_id!(
    /// A run: the digest of its plan, in hex.
    RunId, "run id",
    |s: &str| (16..=64).contains(&s.len()) && s.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')),
    "a run id has 16 to 64 hex digits");
string_id!(
    /// A token that marks one create: it derives from nonce, address and intent number.
    Token, "token",
    |s: &str| (16..=64).contains(&s.len()) && s.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')),
    "a token has 16 to 64 hex digits");
string_id!(
    /// What the code was built from: a commit or a version.
    Revision, "revision",
    |s: &str| !s.is_empty() && s.len() <= 100 && s.bytes().all(|b| b.is_ascii_graphic()),
    "write 1 to 100 visible ASCII characters");
string_id!(
    /// A SHA-256 digest, in hex.
    Digest, "digest",
    |s: &str| s.len() == 64 && s.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')),
    "a digest has 64 hex digits");

impl RunId {
    /// The one run of the plan with this digest.
    pub fn of(plan: &Digest) -> Self {
        Self(plan.0.clone())
    }

    /// The first characters: enough to tell runs apart for a person.
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(hex::encode(sha2::Sha256::digest(bytes)).into())
    }
}

/// A block's address: `us-east.network`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct BlockAddr {
    /// The data centre.
    pub dc: DcName,
    /// The block in it.
    pub block: BlockName,
}

/// A resource's address: `us-east.network.main`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct ResourceAddr {
    /// The block.
    pub block: BlockAddr,
    /// The resource in it.
    pub name: ResourceName,
}

impl BlockAddr {
    /// The address of a resource in this block.
    pub fn resource(&self, name: ResourceName) -> ResourceAddr {
        ResourceAddr { block: self.clone(), name }
    }
}

/// An object of a target. Ids are unique among the objects of one type alone: a role and an instance profile may both be
/// called `web`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct TypedId {
    /// Its type.
    pub type_name: TypeName,
    /// Its id.
    pub id: ObjectId,
}

impl fmt::Display for TypedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.type_name.0)?;
        f.write_str(" ")?;
        f.write_str(&self.id.0)
    }
}

impl FromStr for TypedId {
    type Err = BadName;
    fn from_str(s: &str) -> Result<Self, BadName> {
        let bad = || BadName { what: "object", given: shown(s), rule: "write its type, a space and its id" };
        let (type_name, id) = s.split_once(' ').ok_or_else(bad)?;
        Ok(Self { type_name: type_name.parse()?, id: id.parse()? })
    }
}

impl fmt::Display for BlockAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Each of them is written so often that what `write!` takes shows.
        f.write_str(&self.dc.0)?;
        f.write_str(".")?;
        f.write_str(&self.block.0)
    }
}

impl fmt::Display for ResourceAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.block.fmt(f)?;
        f.write_str(".")?;
        f.write_str(&self.name.0)
    }
}

impl FromStr for BlockAddr {
    type Err = BadName;
    fn from_str(s: &str) -> Result<Self, BadName> {
        let bad = || BadName { what: "block address", given: shown(s), rule: "write `<dc>.<block>`" };
        let (dc, block) = s.split_once('.').ok_or_else(bad)?;
        Ok(Self { dc: dc.parse()?, block: block.parse()? })
    }
}

impl FromStr for ResourceAddr {
    type Err = BadName;
    fn from_str(s: &str) -> Result<Self, BadName> {
        let bad = || BadName { what: "resource address", given: shown(s), rule: "write `<dc>.<block>.<resource>`" };
        let (block, name) = s.rsplit_once('.').ok_or_else(bad)?;
        Ok(Self { block: block.parse()?, name: name.parse()? })
    }
}

macro_rules! via_text {
    ($($name:ident),*) => { $(
        impl TryFrom<String> for $name {
            type Error = BadName;
            fn try_from(s: String) -> Result<Self, BadName> { s.parse() }
        }
        impl From<$name> for String {
            fn from(addr: $name) -> Self { addr.to_string() }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )* };
}
via_text!(BlockAddr, ResourceAddr, TypedId, Nonce);

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl $name {
            /// The number after this one.
            #[must_use]
            pub fn next(self) -> Self { Self(self.0.saturating_add(1)) }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Display::fmt(&self.0, f) }
        }
    };
}

number_id!(
    /// An entry's position in its stream; the first is 0.
    Seq);
number_id!(
    /// Counts the claims of a block; a higher epoch supersedes a lower one.
    Epoch);
number_id!(
    /// A number that CI hands in and that never falls on the main line.
    Generation);
number_id!(
    /// Counts the intents of a block over its whole life.
    IntentNo);

/// Sixteen random bytes that make one plan different from every other.
///
/// Drawn by whoever asks for a plan; names and tokens derive from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Nonce(pub [u8; 16]);

impl Nonce {
    /// Derives 32 hex digits from the nonce and what they are for; the same parts give the same digits.
    ///
    /// The parts are length-prefixed, so `["ab", "c"]` and `["a", "bc"]` differ.
    pub fn derive(&self, parts: &[&str]) -> String {
        use sha2::Digest as _;
        let mut hash = sha2::Sha256::new();
        hash.update(self.0);
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let mut digits = hex::encode(hash.finalize());
        digits.truncate(32);
        digits
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for Nonce {
    type Err = BadName;
    fn from_str(s: &str) -> Result<Self, BadName> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(s, &mut bytes).map_err(|_| BadName {
            what: "nonce",
            given: shown(s),
            rule: "a nonce has 32 hex digits",
        })?;
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_slashes_dots_or_upper_case() {
        for bad in ["", "a/b", "a.b", "../x", "A", "1a", "-a", "a-", "a b", "é", &"a".repeat(41)] {
            assert!(ResourceName::new(bad).is_err(), "{bad:?} was accepted");
        }
        for good in ["a", "private-1a", &"a".repeat(40)] {
            assert!(ResourceName::new(good).is_ok(), "{good:?} was refused");
        }
    }

    #[test]
    fn addresses_survive_their_text() {
        let addr: ResourceAddr = "us-east.network.main".parse().unwrap();
        assert_eq!(addr.to_string(), "us-east.network.main");
        assert_eq!(addr.block.to_string(), "us-east.network");
        for bad in ["a.b", "a.b.c.d", "..", "a..b"] {
            assert!(bad.parse::<ResourceAddr>().is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn an_object_is_of_a_type() {
        let object: TypedId = "aws_iam_role web/1".parse().unwrap();
        assert_eq!((object.type_name.as_str(), object.id.as_str()), ("aws_iam_role", "web/1"));
        assert_eq!(object.to_string(), "aws_iam_role web/1");
        for bad in ["web", "aws_iam_role ", " web", "aws_iam_role a b"] {
            assert!(bad.parse::<TypedId>().is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn derived_digits_depend_on_every_part() {
        let nonce = Nonce([7; 16]);
        assert_eq!(nonce.derive(&["a", "b"]), nonce.derive(&["a", "b"]));
        assert_ne!(nonce.derive(&["ab", "c"]), nonce.derive(&["a", "bc"]));
        assert_ne!(nonce.derive(&["a"]), Nonce([8; 16]).derive(&["a"]));
    }
}
