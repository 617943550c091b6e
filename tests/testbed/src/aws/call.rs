//! What a request asks for: the service, the action and its parameters, read from the bytes that came.

use std::collections::BTreeMap;

use bytes::Bytes;
use hyper::{HeaderMap, Method, Uri, header};

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
    pub(crate) service: String,
    pub(crate) region: String,
    pub(crate) action: String,
    /// The parameters of a query call without `Action` and `Version`. Of an S3 call: `Method`, `Bucket`,
    /// `Key`, `If-Match` and `If-None-Match` where they are there, and what its query string says.
    pub(crate) params: BTreeMap<String, String>,
    /// `X-Amz-Date`, as it was written.
    pub(crate) stamp: Option<String>,
}

impl Call {
    pub(crate) fn parse(request: &Request) -> Self {
        let text = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
        let (region, service) = scope(text("authorization").unwrap_or_default())
            .unwrap_or_else(|| ("us-east-1".to_owned(), "s3".to_owned()));
        let (action, params) = if service == "s3" { s3(request) } else { query(request) };
        Self { service, region, action, params, stamp: text("x-amz-date").map(str::to_owned) }
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

    /// The same query call with its values changed.
    pub(crate) fn with_values(mut self, change: impl Fn(&str, &str) -> String) -> Self {
        let pairs: Vec<(String, String)> =
            form_urlencoded::parse(&self.body).map(|(name, value)| (name.to_string(), change(&name, &value))).collect();
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        self.body = Bytes::from(body);
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

/// Region and service of `… Credential=KEY/DATE/REGION/SERVICE/aws4_request, …`.
fn scope(authorization: &str) -> Option<(String, String)> {
    let (_, rest) = authorization.split_once("Credential=")?;
    let mut parts = rest.split([',', ' ']).next()?.split('/').skip(2);
    Some((parts.next()?.to_owned(), parts.next()?.to_owned()))
}

fn query(request: &Request) -> (String, BTreeMap<String, String>) {
    let in_uri = form_urlencoded::parse(request.uri.query().unwrap_or_default().as_bytes()).into_owned();
    let in_body = form_urlencoded::parse(&request.body).into_owned();
    let mut params: BTreeMap<_, _> = in_uri.chain(in_body).collect();
    params.remove("Version");
    (params.remove("Action").unwrap_or_default(), params)
}

fn s3(request: &Request) -> (String, BTreeMap<String, String>) {
    let query = request.uri.query().unwrap_or_default();
    let mut params: BTreeMap<_, _> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let path = request.uri.path().trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let action = s3_action(request, bucket, key, &params);
    let mut set = |name: &str, value: &str| params.insert(name.to_owned(), value.to_owned());
    set("Method", request.method.as_str());
    for (name, value) in [("Bucket", bucket), ("Key", key)] {
        if !value.is_empty() {
            set(name, &percent_encoding::percent_decode_str(value).decode_utf8_lossy());
        }
    }
    for name in ["If-Match", "If-None-Match"] {
        if let Some(value) = request.headers.get(name).and_then(|value| value.to_str().ok()) {
            set(name, value);
        }
    }
    (action.to_owned(), params)
}

fn s3_action(request: &Request, bucket: &str, key: &str, query: &BTreeMap<String, String>) -> &'static str {
    let has = |name: &str| query.contains_key(name);
    match (request.method.as_str(), bucket.is_empty(), key.is_empty()) {
        ("GET", true, _) => "ListBuckets",
        ("GET", _, true) if has("list-type") => "ListObjectsV2",
        ("GET", _, true) => "ListObjects",
        ("PUT", _, true) => "CreateBucket",
        ("HEAD", _, true) => "HeadBucket",
        ("DELETE", _, true) => "DeleteBucket",
        ("POST", _, true) if has("delete") => "DeleteObjects",
        ("PUT", ..) if has("partNumber") => "UploadPart",
        ("PUT", ..) if request.headers.contains_key("x-amz-copy-source") => "CopyObject",
        ("PUT", ..) => "PutObject",
        ("GET", ..) => "GetObject",
        ("HEAD", ..) => "HeadObject",
        ("DELETE", ..) if has("uploadId") => "AbortMultipartUpload",
        ("DELETE", ..) => "DeleteObject",
        ("POST", ..) if has("uploads") => "CreateMultipartUpload",
        ("POST", ..) if has("uploadId") => "CompleteMultipartUpload",
        _ => "Other",
    }
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
        let without = request.without(&["ClientToken"]);
        assert_eq!(&without.body[..], b"Action=CreateVpc&Version=2016-11-15&CidrBlock=10.0.0.0%2F16");
    }

    #[test]
    fn an_s3_call_is_named_by_method_and_path() {
        let action = |method: Method, path: &str| {
            let call = Call::parse(&Request::plain(method, path, "s3", "us-east-1"));
            (call.action.clone(), call.param("Key").unwrap_or_default().to_owned())
        };
        let named = |action: &str, key: &str| (action.to_owned(), key.to_owned());
        assert_eq!(action(Method::PUT, "/bucket/a%20b/c+d"), named("PutObject", "a b/c+d"));
        assert_eq!(action(Method::GET, "/bucket?list-type=2&prefix=a"), named("ListObjectsV2", ""));
        assert_eq!(action(Method::PUT, "/bucket"), named("CreateBucket", ""));
        assert_eq!(action(Method::DELETE, "/bucket/k"), named("DeleteObject", "k"));
        assert_eq!(action(Method::PUT, "/bucket/k?partNumber=1&uploadId=u"), named("UploadPart", "k"));
    }
}
