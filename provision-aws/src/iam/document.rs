//! Policy documents: as definitions write them, and in the one form that compares.
//!
//! A document's erased form is the document itself, as a tree, in which what may be one or several is always a list. IAM answers
//! documents as they were sent, but for the order of principals, which is its own.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use percent_encoding::percent_decode_str;
use provision_core::dsl::input::{DefaultKind, FieldKind};
use provision_core::dsl::{Input, IntoInput};
use provision_core::schema::{Kind, Literal};
use provision_core::value::Value;

/// A field that takes a policy document: [`Statement`]s, or a document as JSON text.
#[derive(Debug, Clone, Copy)]
pub enum PolicyDocument {}

impl FieldKind for PolicyDocument {
    const KIND: Kind = Kind::Object;
}

/// A field that takes policy documents by name.
#[derive(Debug, Clone, Copy)]
pub enum PolicyDocuments {}

impl FieldKind for PolicyDocuments {
    const KIND: Kind = Kind::Object;
}

impl DefaultKind for PolicyDocuments {
    const EMPTY: Literal = Literal::EmptyMap;
}

/// A statement of a policy: what is allowed or denied, in data centre `D`.
///
/// ```
/// # use {provision_aws::*, provision_core::prelude::*};
/// # fn f<D: DataCentre>(bucket: Ref<String, D>) -> [Statement<D>; 2] {
/// [
///     Statement::allow(["s3:GetObject"]).on([text!("{bucket}/*")]),
///     Statement::deny(["*"]).on(["*"]).when("Bool", "aws:SecureTransport", ["false"]),
/// ]
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Statement<D = ()> {
    effect: &'static str,
    actions: Input,
    resources: Option<Input>,
    principals: BTreeMap<&'static str, Vec<Input>>,
    conditions: BTreeMap<String, BTreeMap<String, Input>>,
    of: PhantomData<fn() -> D>,
}

impl<D> Statement<D> {
    /// Allows these actions: `s3:GetObject`.
    pub fn allow(actions: impl IntoInput<Vec<String>, D>) -> Self {
        Self::new("Allow", actions.into_input())
    }

    /// Denies these actions, whatever allows them.
    pub fn deny(actions: impl IntoInput<Vec<String>, D>) -> Self {
        Self::new("Deny", actions.into_input())
    }

    /// Lets a service of AWS take the role on: `ec2.amazonaws.com`.
    pub fn trust_service(service: impl IntoInput<String, D>) -> Self {
        Self::new("Allow", Input::List(vec!["sts:AssumeRole".into()])).by("Service", service.into_input())
    }

    /// Lets an identity take the role on: the ARN of a role or a user, or an account's twelve digits.
    pub fn trust(identity: impl IntoInput<String, D>) -> Self {
        Self::new("Allow", Input::List(vec!["sts:AssumeRole".into()])).by_identity(identity)
    }

    /// On these resources: ARNs, `*` for all.
    #[must_use]
    pub fn on(mut self, resources: impl IntoInput<Vec<String>, D>) -> Self {
        self.resources = Some(resources.into_input());
        self
    }

    /// For an identity: the ARN of a role or a user, or an account's twelve digits; several times for several.
    #[must_use]
    pub fn by_identity(self, identity: impl IntoInput<String, D>) -> Self {
        let identity = identity.into_input();
        let account = identity.as_text().filter(|text| is_account(text)).map(root_of);
        self.by("AWS", account.map_or(identity, Input::from))
    }

    /// For an identity provider, by its ARN; several times for several.
    #[must_use]
    pub fn by_federated(self, provider: impl IntoInput<String, D>) -> Self {
        self.by("Federated", provider.into_input())
    }

    /// Only if the condition holds, as in `.when("StringEquals", "sts:ExternalId", ["x"])`; several times for several, which
    /// all have to hold.
    #[must_use]
    pub fn when(
        mut self,
        operator: impl Into<String>,
        key: impl Into<String>,
        values: impl IntoInput<Vec<String>, D>,
    ) -> Self {
        self.conditions.entry(operator.into()).or_default().insert(key.into(), values.into_input());
        self
    }

    fn new(effect: &'static str, actions: Input) -> Self {
        let (resources, of) = (None, PhantomData);
        Self { effect, actions, resources, principals: BTreeMap::new(), conditions: BTreeMap::new(), of }
    }

    fn by(mut self, kind: &'static str, who: Input) -> Self {
        self.principals.entry(kind).or_default().push(who);
        self
    }

    fn erased(self) -> Input {
        let map = |entries: BTreeMap<String, Input>| Input::Map(entries);
        let mut parts =
            BTreeMap::from([("Action".to_owned(), self.actions), ("Effect".to_owned(), self.effect.into())]);
        parts.extend(self.resources.map(|resources| ("Resource".to_owned(), resources)));
        if !self.principals.is_empty() {
            let all = self.principals.into_iter().map(|(kind, who)| (kind.to_owned(), in_order(who)));
            parts.insert("Principal".to_owned(), map(all.collect()));
        }
        if !self.conditions.is_empty() {
            let all = self.conditions.into_iter().map(|(operator, keys)| (operator, map(keys)));
            parts.insert("Condition".to_owned(), map(all.collect()));
        }
        map(parts)
    }
}

/// Principals, in the order in which they are compared.
fn in_order(who: Vec<Input>) -> Input {
    if who.len() == 1 {
        return Input::List(who);
    }
    let texts: Option<std::collections::BTreeSet<&str>> = who.iter().map(Input::as_text).collect();
    texts.map_or_else(
        || {
            Input::problem(
                "several principals, and one of them a ref: IAM answers them in an order of its own, so write a statement \
                 for each",
            )
        },
        |texts| Input::List(texts.into_iter().map(Input::from).collect()),
    )
}

fn document(statements: Vec<Input>) -> Input {
    let entries = [("Statement".to_owned(), Input::List(statements)), ("Version".to_owned(), VERSION.into())];
    Input::Map(BTreeMap::from(entries))
}

impl<D> IntoInput<PolicyDocument, D> for Statement<D> {
    fn into_input(self) -> Input {
        document(vec![self.erased()])
    }
}

impl<D, const N: usize> IntoInput<PolicyDocument, D> for [Statement<D>; N] {
    fn into_input(self) -> Input {
        document(self.into_iter().map(Statement::erased).collect())
    }
}

impl<D> IntoInput<PolicyDocument, D> for Vec<Statement<D>> {
    fn into_input(self) -> Input {
        document(self.into_iter().map(Statement::erased).collect())
    }
}

impl<D> IntoInput<PolicyDocument, D> for &str {
    fn into_input(self) -> Input {
        match serde_json::from_str(self).map_err(|error| error.to_string()).and_then(checked) {
            Ok(document) => document.widen(),
            Err(problem) => Input::problem(format!("not a policy document: {problem}")),
        }
    }
}

impl<D, N: Into<String>, V: IntoInput<PolicyDocument, D>, const LEN: usize> IntoInput<PolicyDocuments, D>
    for [(N, V); LEN]
{
    fn into_input(self) -> Input {
        Input::Map(self.into_iter().map(|(name, document)| (name.into(), document.into_input())).collect())
    }
}

/// The version of the policy language: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html>.
const VERSION: &str = "2012-10-17";

/// The elements of a statement:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html>.
const ELEMENTS: [&str; 9] =
    ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];

/// A document that somebody wrote, in normal form.
fn checked(document: Value) -> Result<Value, String> {
    let document = normal_form(document);
    let statements = document.as_map().and_then(|map| map.get("Statement")).and_then(Value::as_list);
    for statement in statements.ok_or("it has no `Statement`")? {
        let parts = statement.as_map().ok_or("a statement is an object")?;
        if let Some(unknown) = parts.keys().find(|key| !ELEMENTS.contains(&key.as_str())) {
            return Err(format!("a statement has no `{}`; it has {}", unknown.escape_debug(), ELEMENTS.join(", ")));
        }
        if !matches!(parts.get("Effect").and_then(Value::as_text), Some("Allow" | "Deny")) {
            return Err("a statement has an `Effect`, which is `Allow` or `Deny`".to_owned());
        }
        if !parts.contains_key("Action") && !parts.contains_key("NotAction") {
            return Err("a statement has an `Action` or a `NotAction`".to_owned());
        }
    }
    Ok(document)
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// How IAM answers an account that is named by its digits.
fn root_of(account: &str) -> String {
    format!("arn:aws:iam::{account}:root")
}

fn listed(value: Value) -> Value {
    if value.as_list().is_some() { value } else { Value::List(vec![value]) }
}

fn plain(value: Value) -> Value {
    match value {
        Value::Bool(_) | Value::Int(_) => value.to_plain_text().into(),
        other => other,
    }
}

/// The values of a map, each changed.
fn each(value: Value, change: impl Fn(&str, Value) -> Value) -> Value {
    match value {
        Value::Map(map) => Value::Map(
            map.into_iter()
                .map(|(key, value)| {
                    let new = change(&key, value);
                    (key, new)
                })
                .collect(),
        ),
        other => other,
    }
}

fn principals(value: Value) -> Value {
    each(value, |kind, who| match listed(who) {
        Value::List(mut who) => {
            for one in &mut who {
                if let Some(account) = one.as_text().filter(|text| kind == "AWS" && is_account(text)) {
                    *one = root_of(account).into();
                }
            }
            who.sort();
            who.dedup();
            Value::List(who)
        }
        other => other,
    })
}

/// Every document with one meaning has one form: single things are lists of one, principals are sorted.
pub(crate) fn normal_form(document: Value) -> Value {
    each(document, |key, value| match (key, value) {
        ("Statement", statements) => match listed(statements) {
            Value::List(statements) => Value::List(statements.into_iter().map(statement).collect()),
            other => other,
        },
        (_, other) => other,
    })
}

fn statement(value: Value) -> Value {
    each(value, |key, value| match key {
        "Action" | "NotAction" | "Resource" | "NotResource" => listed(value),
        "Principal" | "NotPrincipal" => principals(value),
        "Condition" => each(value, |_, keys| {
            each(keys, |_, values| match listed(values) {
                Value::List(values) => Value::List(values.into_iter().map(plain).collect()),
                other => other,
            })
        }),
        _ => value,
    })
}

/// A document as an answer holds it: JSON, with what is not a letter or a digit as `%22`
/// (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html>). What is none stays as it is, and differs.
pub(crate) fn observed(text: &str) -> Value {
    let plain = percent_decode_str(text).decode_utf8_lossy();
    serde_json::from_str(&plain).map_or_else(|_| text.into(), normal_form)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITTEN: &str = r#"{
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"AWS": ["123456789012", "arn:aws:iam::111111111111:role/a"], "Service": "ec2.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"Bool": {"aws:MultiFactorAuthPresent": true}}
        }
    }"#;

    #[test]
    fn a_document_compares_however_it_is_written() {
        let written = checked(serde_json::from_str(WRITTEN).unwrap()).unwrap();
        assert_eq!(
            written.to_plain_text(),
            r#"{"Statement":[{"Action":["sts:AssumeRole"],"Condition":{"Bool":{"aws:MultiFactorAuthPresent":["true"]}},"#
                .to_owned()
                + r#""Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111111111111:role/a","#
                + r#""arn:aws:iam::123456789012:root"],"Service":["ec2.amazonaws.com"]}}],"Version":"2012-10-17"}"#
        );
        let encoded: String = written.to_plain_text().bytes().map(|byte| format!("%{byte:02X}")).collect();
        assert_eq!(observed(&encoded), written);
        assert_eq!(observed("%7Bno json"), "%7Bno json".into());
    }

    #[test]
    fn statements_make_the_document_that_one_would_write() {
        let by = || Statement::<()>::trust("arn:aws:iam::111111111111:role/a").by_identity("123456789012");
        let built: Input = IntoInput::<PolicyDocument, ()>::into_input([
            Statement::trust_service("ec2.amazonaws.com"),
            by().when("Bool", "aws:SecureTransport", ["true"]),
        ]);
        let text = r#"{"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"ec2.amazonaws.com"}},
            {"Effect":"Allow","Action":"sts:AssumeRole","Condition":{"Bool":{"aws:SecureTransport":"true"}},
             "Principal":{"AWS":["123456789012","arn:aws:iam::111111111111:role/a"]}}]}"#;
        let parsed = IntoInput::<PolicyDocument, ()>::into_input(text);
        let known = |input: Input| input.try_map::<provision_core::value::Never, ()>(&mut |_| Err(())).unwrap();
        assert_eq!(known(built), known(parsed));
    }

    #[test]
    fn what_is_no_document_is_told() {
        let problem = |text: &str| checked(serde_json::from_str(text).unwrap()).unwrap_err();
        assert!(problem("[]").contains("no `Statement`"));
        assert!(problem(r#"{"Statement":{"Effect":"Allow","Action":"*","Resouce":"*"}}"#).contains("no `Resouce`"));
        assert!(problem(r#"{"Statement":{"Effect":"allow","Action":"*"}}"#).contains("`Allow` or `Deny`"));
        assert!(problem(r#"{"Statement":{"Effect":"Deny"}}"#).contains("`NotAction`"));
    }
}
