//! What a request asks for: the service, the action and its parameters, read from the bytes that came.

use std::collections::BTreeMap;

use bytes::Bytes;
use hyper::{HeaderMap, Method, Uri, header};

use super::rest;

/// The account of access keys that say no other; moto's own.
pub(crate) const DEFAULT_ACCOUNT: &str = "123456789012";

/// A request as it came, with its whole body.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    /// The account whose credentials have signed it.
    pub(crate) account: String,
    /// The signing name: `ec2`, `elasticloadbalancing`, `autoscaling`, `iam`, `route53`, `sts`, `s3`.
    pub(crate) service: String,
    pub(crate) region: String,
    pub(crate) action: String,
    /// The parameters of a query call without `Action` and `Version`. Of a REST call, see [`rest::parse`].
    pub(crate) params: BTreeMap<String, String>,
    /// `X-Amz-Date`, as it was written.
    pub(crate) stamp: Option<String>,
}

impl Call {
    pub(crate) fn parse(request: &Request) -> Self {
        let text = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
        let Scope { key, region, service } = Scope::of(text("authorization").unwrap_or_default()).unwrap_or_default();
        let (action, params) = match service.as_str() {
            "s3" | "route53" => rest::parse(&service, request),
            _ => query(request),
        };
        let account = account_of(&key).to_owned();
        Self { account, service, region, action, params, stamp: text("x-amz-date").map(str::to_owned) }
    }

    pub(crate) fn is_s3(&self) -> bool {
        self.service == "s3"
    }

    pub(crate) fn is_ec2(&self) -> bool {
        self.service == "ec2"
    }

    /// A parameter that is there and not empty.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.params.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

impl Request {
    /// The same query call without these parameters.
    pub(crate) fn without(mut self, names: &[&str]) -> Self {
        let kept = form_urlencoded::parse(&self.body).filter(|(name, _)| !names.contains(&name.as_ref()));
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish();
        self.body = Bytes::from(body);
        self
    }

    /// The same call with a parameter set to this, where its protocol has it: the form of a query call, the query string
    /// of a REST call.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        let in_form = self.method == Method::POST && self.uri.path() == "/";
        let given = if in_form { self.body.to_vec() } else { self.uri.query().unwrap_or_default().as_bytes().to_vec() };
        let kept = form_urlencoded::parse(&given).filter(|(found, _)| found.as_ref() != name);
        let set = form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).append_pair(name, value).finish();
        if in_form {
            self.body = Bytes::from(set);
        } else if let Ok(uri) = format!("{}?{set}", self.uri.path()).parse() {
            self.uri = uri;
        }
        self
    }

    /// The same query call with its values changed.
    pub(crate) fn with_values(mut self, change: impl Fn(&str, &str) -> String) -> Self {
        let pairs: Vec<(String, String)> =
            form_urlencoded::parse(&self.body).map(|(name, value)| (name.to_string(), change(&name, &value))).collect();
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        self.body = Bytes::from(body);
        self
    }

    /// The same request, in an account. moto goes by the account that this header names.
    pub(crate) fn in_account(mut self, account: &str) -> Self {
        if let Ok(account) = account.parse() {
            self.headers.insert("x-moto-account-id", account);
        }
        self
    }

    /// An unsigned query call, which moto takes: it reads the service and the region from the scope only.
    pub(crate) fn query(service: &str, region: &str, body: String) -> Self {
        let mut request = Self::plain(Method::POST, "/", service, region);
        let form = header::HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
        request.headers.insert(header::CONTENT_TYPE, form);
        request.body = Bytes::from(body);
        request
    }

    /// A request without a body. The path, service and region are the testbed's own or a test's literals.
    ///
    /// # Panics
    /// Where they are no path or no text of a header.
    pub(crate) fn plain(method: Method, path: &str, service: &str, region: &str) -> Self {
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential=testbed/20200101/{region}/{service}/aws4_request, SignedHeaders=host, Signature=x"
        );
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, scope.parse().expect("a header value"));
        Self { method, uri: path.parse().expect("a path"), headers, body: Bytes::new() }
    }
}

/// What `… Credential=KEY/DATE/REGION/SERVICE/aws4_request, …` says.
#[derive(Debug, PartialEq, Eq)]
struct Scope {
    key: String,
    region: String,
    service: String,
}

impl Scope {
    fn of(authorization: &str) -> Option<Self> {
        let (_, rest) = authorization.split_once("Credential=")?;
        let mut parts = rest.split([',', ' ']).next()?.split('/');
        let key = parts.next()?.to_owned();
        Some(Self { key, region: parts.nth(1)?.to_owned(), service: parts.next()?.to_owned() })
    }
}

impl Default for Scope {
    /// Of a request that nobody has signed: one for a public object.
    fn default() -> Self {
        Self { key: String::new(), region: "us-east-1".to_owned(), service: "s3".to_owned() }
    }
}

/// The account of an access key: the key itself where it is an account's number, so that credentials for any account
/// can be made up.
fn account_of(key: &str) -> &str {
    let is_account = key.len() == 12 && key.bytes().all(|byte| byte.is_ascii_digit());
    if is_account { key } else { DEFAULT_ACCOUNT }
}

fn query(request: &Request) -> (String, BTreeMap<String, String>) {
    let in_uri = form_urlencoded::parse(request.uri.query().unwrap_or_default().as_bytes()).into_owned();
    let in_body = form_urlencoded::parse(&request.body).into_owned();
    let mut params: BTreeMap<_, _> = in_uri.chain(in_body).collect();
    params.remove("Version");
    (params.remove("Action").unwrap_or_default(), params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_call_is_read_from_its_form_and_scope() {
        let body = "Action=CreateVpc&Version=2016-11-15&CidrBlock=10.0.0.0%2F16&ClientToken=";
        let mut request = Request::query("ec2", "eu-west-1", body.to_owned());
        request.headers.insert("x-amz-date", header::HeaderValue::from_static("20261122T000000Z"));
        let call = Call::parse(&request);
        assert_eq!((call.service.as_str(), call.region.as_str()), ("ec2", "eu-west-1"));
        assert_eq!(call.action, "CreateVpc");
        assert_eq!(call.param("CidrBlock"), Some("10.0.0.0/16"));
        assert_eq!(call.param("ClientToken"), None);
        assert!(!call.params.contains_key("Version"));
        assert_eq!(call.stamp.as_deref(), Some("20261122T000000Z"));
        assert_eq!(call.account, DEFAULT_ACCOUNT);
        let without = request.without(&["ClientToken"]);
        assert_eq!(&without.body[..], b"Action=CreateVpc&Version=2016-11-15&CidrBlock=10.0.0.0%2F16");
    }

    #[test]
    fn an_access_key_can_be_an_account() {
        let key = |key: &str| Scope::of(&format!("AWS4-HMAC-SHA256 Credential={key}/20200101/r/ec2/aws4_request, S=h"));
        assert_eq!(key("222222222222").map(|scope| scope.key).as_deref().map(account_of), Some("222222222222"));
        assert_eq!(account_of("AKIAIOSFODNN"), DEFAULT_ACCOUNT);
        assert_eq!(Scope::of("Bearer x"), None);
    }
}
