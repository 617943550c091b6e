//! Ids and everything else that derives from the seed.

use std::net::Ipv4Addr;

use sha2::Digest as _;

use crate::id::{BadName, ObjectId, TypeName};
use crate::value::Value;

/// How many bits of an id come from seed and number; the rest is a check sum.
const BODY_BITS: u32 = 40;
const BODY_MASK: u64 = (1 << BODY_BITS) - 1;
const BODY_DIGITS: usize = 10;
const CHECK_DIGITS: usize = 7;

/// A number that depends on the seed and on every part.
pub(super) fn mix(seed: u64, parts: &[&[u8]]) -> u64 {
    let mut hash = sha2::Sha256::new();
    hash.update(seed.to_be_bytes());
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut first = [0; 8];
    first.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
    u64::from_be_bytes(first)
}

fn check(prefix: &str, body: &str) -> String {
    let sum = mix(0, &[b"id", prefix.as_bytes(), body.as_bytes()]);
    format!("{:07x}", sum & 0x0fff_ffff)
}

/// The id of the object with this number: `<prefix>-<17 hex>`.
///
/// The digits end with a check sum, so that an id of a simulated cloud is told from a text that only looks like one
/// (the id of a real machine image, say), also when its object is gone.
pub(super) fn mint(seed: u64, number: u64, type_name: &TypeName) -> Result<ObjectId, BadName> {
    let name = type_name.as_str();
    let prefix = name.split_once('_').map_or(name, |(_, rest)| rest).replace('_', "-");
    // An odd factor makes this a permutation of the numbers: no two objects share an id.
    let odd = mix(seed, &[b"factor"]) | 1;
    let body = number.wrapping_mul(odd).wrapping_add(mix(seed, &[b"offset"])) & BODY_MASK;
    let body = format!("{body:0BODY_DIGITS$x}");
    ObjectId::new(format!("{prefix}-{body}{}", check(&prefix, &body)))
}

/// Whether the text is an id that a simulated cloud made, of an object that lives or not.
pub(super) fn is_id(text: &str) -> bool {
    let Some((prefix, digits)) = text.rsplit_once('-') else { return false };
    if digits.len() != BODY_DIGITS + CHECK_DIGITS || !digits.is_ascii() {
        return false;
    }
    let (body, sum) = digits.split_at(BODY_DIGITS);
    check(prefix, body) == sum
}

/// Calls `f` with every text in the value, also deep inside.
pub(super) fn each_text<'a>(value: &'a Value, f: &mut impl FnMut(&'a str)) {
    match value {
        Value::Null | Value::Bool(_) | Value::Int(_) => {}
        Value::Text(text) => f(text),
        Value::List(items) => items.iter().for_each(|item| each_text(item, f)),
        Value::Map(map) => map.values().for_each(|item| each_text(item, f)),
        Value::Symbol(never) => match *never {},
    }
}

/// What a computed field holds: an address where its name says so, else its name and some digits.
pub(super) fn placeholder(seed: u64, id: &ObjectId, output: &str) -> Value {
    if output == "id" {
        return id.as_str().into();
    }
    let random = mix(seed, &[b"output", id.as_str().as_bytes(), output.as_bytes()]);
    let words = || output.split('_');
    if words().any(|word| matches!(word, "ip" | "ipv4" | "address")) {
        let [.., b, c, d] = random.to_be_bytes();
        // The networks for documentation where it is public, so that nobody's address is ever shown.
        let address = if words().any(|word| word == "public") {
            Ipv4Addr::new(203, 0, 113, d)
        } else {
            Ipv4Addr::new(10, b, c, d)
        };
        return address.to_string().into();
    }
    format!("{output}-{:08x}", random & 0xffff_ffff).into()
}
