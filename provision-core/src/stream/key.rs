//! Signing keys: each writer of entries has one, and every entry names the key that signed it.

use std::fmt;
use std::sync::Arc;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::id::Digest;
use crate::machine::Memory;
use crate::mutant::{self, Mutant};

const PREFIX: &str = "ed25519:";

/// What a signature is for. It is prepended to what is signed, so that a signature is good for nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// An entry of a stream.
    Entry,
    /// A checkpoint.
    Checkpoint,
}

impl Purpose {
    const fn domain(self) -> &'static [u8] {
        match self {
            Self::Entry => b"provision entry v1\0",
            Self::Checkpoint => b"provision checkpoint v1\0",
        }
    }
}

/// A public key, as `ed25519:` and 64 hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Enough of the key to tell writers apart for a person.
    pub fn short(&self) -> String {
        hex::encode(self.0.get(..4).unwrap_or_default())
    }

    /// Whether the key made this signature of these bytes.
    pub(super) fn verifies(&self, purpose: Purpose, body: &[u8], signature: &[u8; 64]) -> bool {
        if mutant::on(Mutant::SignatureNotVerified) {
            return true;
        }
        // The strict check also refuses weak keys, under which one signature fits many messages.
        let signed = [purpose.domain(), body].concat();
        VerifyingKey::from_bytes(&self.0)
            .is_ok_and(|key| key.verify_strict(&signed, &Signature::from_bytes(signature)).is_ok())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", hex::encode(self.0))
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        key.to_string()
    }
}

impl TryFrom<String> for PublicKey {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut bytes = [0; 32];
        let digits = text.strip_prefix(PREFIX).ok_or("a key begins with `ed25519:`")?;
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| "a key has 64 hex digits")?;
        Ok(Self(bytes))
    }
}

/// Who writes entries: a secret key, and a name for people.
#[derive(Clone)]
pub struct Signer {
    key: SigningKey,
    name: String,
    made: Option<Memory>,
}

impl Signer {
    /// A writer with this secret key. `who` is a person's name for it, `user@host`; the key's short form goes with it.
    pub fn new(secret: &[u8; 32], who: &str) -> Self {
        let key = SigningKey::from_bytes(secret);
        let short = PublicKey(key.verifying_key().to_bytes()).short();
        Self { key, name: format!("{who} ({short})"), made: None }
    }

    /// Remembers the signatures that it makes. There is one signature of the same bytes, so a simulation that plays the
    /// same beginning again and again need not make it anew; whoever writes nothing twice gains nothing.
    #[must_use]
    pub fn remembering(self, memory: Memory) -> Self {
        Self { made: Some(memory), ..self }
    }

    /// The public key.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.key.verifying_key().to_bytes())
    }

    /// The name that stands in entries: `alice@build-3 (9f86d081)`.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn sign(&self, purpose: Purpose, body: &[u8]) -> [u8; 64] {
        let Some(memory) = &self.made else { return self.make(purpose, body) };
        let what = Digest::of(&[purpose.domain(), &self.public().0, body].concat());
        let made = memory.recall::<[u8; 64]>(&what).unwrap_or_else(|| {
            let made = Arc::new(self.make(purpose, body));
            memory.remember(what, body.len(), made.clone());
            made
        });
        *made
    }

    fn make(&self, purpose: Purpose, body: &[u8]) -> [u8; 64] {
        self.key.sign(&[purpose.domain(), body].concat()).to_bytes()
    }
}

/// Shows no secret.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("name", &self.name).finish_non_exhaustive()
    }
}
