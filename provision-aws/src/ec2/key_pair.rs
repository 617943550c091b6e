//! `aws_key_pair`: AWS refuses a second one of the name.

use provision_core::call::{Mark, Read, Readiness, Recovery, Wait};
use provision_core::dsl::input::FieldKind;
use provision_core::dsl::{Input, Inputs, IntoInput};
use provision_core::prelude::*;
use provision_core::schema::Kind;
use provision_core::value::Tree;

use super::list::List;
use super::tags;
use crate::Aws;
#[cfg(test)]
use crate::table::Examples;
use crate::table::calls::{Calls, Delete, Given, New, Update, field, known_id, parts};
use crate::table::reading::{Page, Reading, Request};
use crate::table::shown::{Seen, Shown};
use crate::table::{Answered, Row};

/// A public key that instances let in.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, subnet: Ref<SubnetId, D>, inside: Ref<SecurityGroupId, D>) {
/// let ops = b.put("ops", KeyPair {
///     public_key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMnUwbTmGDLdgnM4vUp8hh7sk7/2fMSAXnGGVKmWzlYn ops@example.org",
/// });
/// b.put("db", Instance { subnet, ami: "ami-12c6146b", instance_type: "t3.micro" })
///     .security_groups([inside])
///     .key_name(ops.key_name());
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_key_pair", version = 1, check = check)]
pub struct KeyPair {
    /// The key, as a line of `authorized_keys`; its comment is left out, because AWS writes its own.
    #[attr(replace)]
    pub public_key: SshKey,
    /// Its name, unique in the region.
    #[attr(replace, name(max = 255))]
    pub name: String,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id.
    #[attr(computed)]
    pub id: KeyPairId,
    /// Its name, for what uses it.
    #[attr(computed)]
    pub key_name: String,
    /// Its fingerprint, as AWS makes it: of RSA keys MD5, of ED25519 keys SHA-256.
    #[attr(computed)]
    pub fingerprint: String,
}

/// A public key as a line of `authorized_keys`: `ssh-ed25519` or `ssh-rsa`, the key, and a comment, which is left out.
#[derive(Debug, Clone, Copy)]
pub enum SshKey {}

impl FieldKind for SshKey {
    const KIND: Kind = Kind::Text;
}

impl<D> IntoInput<SshKey, D> for &str {
    fn into_input(self) -> Input {
        normal(self).map_or_else(Input::problem, Into::into)
    }
}

impl<D> IntoInput<SshKey, D> for String {
    fn into_input(self) -> Input {
        IntoInput::<SshKey, D>::into_input(self.as_str())
    }
}

/// The line without its comment.
///
/// Types: <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/create-key-pairs.html>, "supported: ED25519 and RSA".
fn normal(line: &str) -> Result<String, String> {
    let mut words = line.split_whitespace();
    let (kind, key) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let shown = kind.chars().take(20).flat_map(char::escape_debug).collect::<String>();
    if !matches!(kind, "ssh-ed25519" | "ssh-rsa") {
        return Err(format!(
            "`{shown}` is no kind of key that AWS takes: write `ssh-ed25519 AAAA...` or `ssh-rsa AAAA...`"
        ));
    }
    if !key.starts_with("AAAA") {
        return Err(format!("after `{shown}` stands the key, which begins with `AAAA`"));
    }
    Ok(format!("{kind} {key}"))
}

fn check(inputs: &Inputs<'_>) -> Vec<(&'static str, String)> {
    let good = |name: &&str| !name.is_ascii() || name.trim() != *name || name.is_empty() || name.len() > 255;
    let Some(name) = inputs.text("name").filter(good) else { return Vec::new() };
    let rule = "write 1 to 255 ASCII characters, without spaces at the ends";
    vec![("name", format!("AWS does not take `{}`: {rule}", name.escape_debug()))]
}

apis! { aws_sdk_ec2 ec2;
    ImportKeyPair: Name, "takes no token; a name that is taken is InvalidKeyPair.Duplicate";
        (KeyName, PublicKeyMaterial, TagSpecifications) -> (KeyPairId, KeyName, KeyFingerprint);
    DeleteKeyPair: Remove, "ids are never used again; the call names the id, not the name"; (KeyPairId) -> ();
    DescribeKeyPairs: Read, ""; (KeyPairIds, Filters, IncludePublicKey) -> (KeyPairs);
}
shapes! { aws_sdk_ec2;
    shown KeyPairInfo(KeyPairId, KeyName, KeyFingerprint, PublicKey, Tags);
}

pub(crate) static ROW: Row = Row {
    schema: KeyPair::SCHEMA,
    identity_key: &["name"],
    create,
    update,
    delete,
    answers: &[Answered {
        api: "ImportKeyPair",
        id: &["KeyPairId"],
        outputs: &[("key_name", &["KeyName"]), ("fingerprint", &["KeyFingerprint"])],
    }],
    reading: &WithKeys(List {
        schema: KeyPair::SCHEMA,
        api: "DescribeKeyPairs",
        ids: "KeyPairIds",
        filters: "Filters",
        most: None,
        objects: &["KeyPairs"],
        id: "KeyPairId",
        keys: &[("name", "key-name")],
        observe,
        details: &[],
    }),
    apis: APIS,
    #[cfg(test)]
    examples: Examples {
        whole: r#"{"name":"ops","public_key":"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMnUwbTmGDLdgnM4vUp8hh7sk7/2fMSAXnGGVKmWzlYn",
            "tags":{}}"#,
        changes: &[r#"{"tags":{"other":"1"}}"#],
    },
};

/// A list that shows the keys themselves only if it is asked to.
struct WithKeys(List);

impl Reading for WithKeys {
    fn request(&self, read: &Read) -> Result<Request, String> {
        let mut request = self.0.request(read)?;
        if let Tree::Map(parameters) = &mut request.parameters {
            parameters.insert("IncludePublicKey".to_owned(), true.into());
        }
        Ok(request)
    }

    fn page(&self, answer: Shown<'_>) -> Page {
        self.0.page(answer)
    }

    fn page_size(&self) -> Option<i64> {
        self.0.page_size()
    }
}

fn create(calls: &mut Calls, desired: Given<'_>, mark: &Mark) -> Result<(), String> {
    let (name, key) = (desired.text("name")?, desired.text("public_key")?);
    if normal(key)? != key {
        return Err("the field `public_key`: write the kind and the key, without a comment".to_owned());
    }
    let (specification, users) = tags::specification("key-pair", desired, mark)?;
    let mut fields = field("name", name);
    fields.extend(field("public_key", key));
    fields.extend(field("tags", users));
    let request =
        parts([("KeyName", name.into()), ("PublicKeyMaterial", key.into()), ("TagSpecifications", specification)]);
    let new = New { fields, computed: &["id", "key_name", "fingerprint"], mark: Some(mark) };
    calls.create("ImportKeyPair", request, Recovery::Name { name: name.to_owned() }, new, Wait::No);
    Ok(())
}

fn update(calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
    update.only(&["tags"])?;
    tags::update(calls, update)
}

fn delete(calls: &mut Calls, delete: &Delete<'_>) -> Result<(), String> {
    calls.remove("DeleteKeyPair", parts([("KeyPairId", known_id(delete.id))]), Wait::No);
    Ok(())
}

fn observe(pair: Shown<'_>) -> Option<Seen> {
    let key = pair.text("PublicKey").map(|line| normal(line).unwrap_or_else(|_| line.trim().to_owned()));
    let seen = Seen::new(Readiness::Ready)
        .with("name", pair.text("KeyName"))
        .with("key_name", pair.text("KeyName"))
        .with("public_key", key)
        .with("fingerprint", pair.text("KeyFingerprint"));
    Some(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_no_comment() {
        for line in ["ssh-rsa AAAAB3Nz ops@example.org and more\n", " ssh-rsa\tAAAAB3Nz", "ssh-rsa AAAAB3Nz"] {
            assert_eq!(normal(line), Ok("ssh-rsa AAAAB3Nz".to_owned()));
        }
        assert!(normal("ecdsa-sha2-nistp256 AAAAE2Vj").unwrap_err().contains("`ssh-ed25519 AAAA...`"));
        assert!(normal("-----BEGIN PUBLIC KEY-----").unwrap_err().contains("no kind of key"));
        assert!(normal("ssh-rsa ops@example.org").unwrap_err().contains("begins with `AAAA`"));
    }
}
