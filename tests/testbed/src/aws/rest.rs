//! The calls of REST services (S3, Route 53): which one a request is, and its parameters.

use std::collections::BTreeMap;

use roxmltree::{Document, Node};

use super::{call::Request, model};

/// The name of a call and its parameters: `Method`, what the path says (`Bucket`, `Key`, `Id`), what the query string
/// says, `If-Match` and `If-None-Match` where they are there. Of a body that is XML, the texts by their path below the
/// root, such as `VPC.VPCId`; of elements that repeat, the second is `Change.2`.
pub(crate) fn parse(service: &str, request: &Request) -> (String, BTreeMap<String, String>) {
    let query = request.uri.query().unwrap_or_default();
    let mut params: BTreeMap<_, _> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let found = model::rest(service).into_iter().flatten().filter_map(|(name, rest)| {
        let path = path_of(&rest.path, request.uri.path())?;
        let in_query = |part: &String| match part.split_once('=') {
            Some((key, value)) => params.get(key).is_some_and(|found| found == value),
            None => params.contains_key(part),
        };
        let fits = rest.method == request.method.as_str()
            && rest.query.iter().all(in_query)
            && rest.headers.iter().all(|header| request.headers.contains_key(header));
        fits.then(|| (rest.query.len() + rest.headers.len(), name, path))
    });
    // What says most is it: `PUT /b?versioning` is a `CreateBucket` as well. Of what says as much, the first by name.
    let found = found.reduce(|best, other| if other.0 > best.0 { other } else { best });
    let (action, path) = found.map_or_else(|| ("Other".to_owned(), Vec::new()), |(_, name, path)| (name.clone(), path));
    params.insert("Method".to_owned(), request.method.as_str().to_owned());
    params.extend(path);
    for name in ["If-Match", "If-None-Match"] {
        if let Some(value) = request.headers.get(name).and_then(|value| value.to_str().ok()) {
            params.insert(name.to_owned(), value.to_owned());
        }
    }
    // The body of an object is whatever it is, and long.
    if !params.contains_key("Key")
        && let Ok(body) = std::str::from_utf8(&request.body)
        && let Ok(document) = Document::parse(body)
    {
        texts(document.root_element(), "", &mut params);
    }
    (action, params)
}

/// What a path says, if it has the form of the template.
fn path_of(template: &str, path: &str) -> Option<Vec<(String, String)>> {
    let mut rest = path.trim_start_matches('/');
    let mut found = Vec::new();
    for part in template.split('/').filter(|part| !part.is_empty()) {
        let (value, after) = match part.strip_suffix("+}") {
            Some(_) => (rest, ""),
            None => rest.split_once('/').unwrap_or((rest, "")),
        };
        if let Some(name) = part.strip_prefix('{') {
            let name = name.trim_end_matches(['+', '}']);
            let value = percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned();
            if value.is_empty() {
                return None;
            }
            found.push((name.to_owned(), value));
        } else if part != value {
            return None;
        }
        rest = after;
    }
    rest.is_empty().then_some(found)
}

fn texts(node: Node<'_, '_>, prefix: &str, into: &mut BTreeMap<String, String>) {
    let mut seen = BTreeMap::<&str, usize>::new();
    for child in node.children().filter(Node::is_element) {
        let name = child.tag_name().name();
        let count = seen.entry(name).and_modify(|count| *count += 1).or_insert(1);
        let dot = if prefix.is_empty() { "" } else { "." };
        let path = if *count == 1 { format!("{prefix}{dot}{name}") } else { format!("{prefix}{dot}{name}.{count}") };
        if child.children().any(|inner| inner.is_element()) {
            texts(child, &path, into);
        } else {
            into.insert(path, child.text().unwrap_or_default().to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use hyper::{Method, header::HeaderValue};

    use super::*;

    fn named(service: &str, method: Method, path: &str) -> (String, String) {
        let (action, params) = parse(service, &Request::plain(method, path, service, "us-east-1"));
        let key = params.get("Key").or_else(|| params.get("Id")).cloned();
        (action, key.unwrap_or_default())
    }

    #[test]
    fn an_s3_call_is_named_by_method_path_and_query() {
        for (method, path, action, key) in [
            (Method::GET, "/", "ListBuckets", ""),
            (Method::PUT, "/bucket/a%20b/c+d", "PutObject", "a b/c+d"),
            (Method::GET, "/bucket?list-type=2&prefix=a", "ListObjectsV2", ""),
            (Method::GET, "/bucket/", "ListObjects", ""),
            (Method::PUT, "/bucket", "CreateBucket", ""),
            (Method::HEAD, "/bucket/k", "HeadObject", "k"),
            (Method::DELETE, "/bucket/k", "DeleteObject", "k"),
            (Method::PUT, "/bucket/k?partNumber=1&uploadId=u", "UploadPart", "k"),
            (Method::PUT, "/bucket?versioning", "PutBucketVersioning", ""),
            (Method::GET, "/bucket/?publicAccessBlock", "GetPublicAccessBlock", ""),
            (Method::PUT, "/bucket?tagging=", "PutBucketTagging", ""),
            (Method::POST, "/bucket?delete", "DeleteObjects", ""),
            (Method::PATCH, "/bucket", "Other", ""),
        ] {
            assert_eq!(named("s3", method, path), (action.to_owned(), key.to_owned()), "{path}");
        }
        let mut copy = Request::plain(Method::PUT, "/bucket/k", "s3", "us-east-1");
        copy.headers.insert("x-amz-copy-source", HeaderValue::from_static("/other/k"));
        assert_eq!(parse("s3", &copy).0, "CopyObject");
    }

    #[test]
    fn a_route_53_call_is_named_and_its_body_read() {
        let zone = "/2013-04-01/hostedzone/Z1";
        for (method, path, action, id) in [
            (Method::POST, "/2013-04-01/hostedzone".to_owned(), "CreateHostedZone", ""),
            (Method::GET, format!("{zone}/rrset?name=a&type=A"), "ListResourceRecordSets", "Z1"),
            (Method::POST, format!("{zone}/rrset/"), "ChangeResourceRecordSets", "Z1"),
            (Method::DELETE, zone.to_owned(), "DeleteHostedZone", "Z1"),
            (Method::POST, format!("{zone}/associatevpc"), "AssociateVPCWithHostedZone", "Z1"),
            (Method::GET, "/2013-04-01/change/C1".to_owned(), "GetChange", "C1"),
            (Method::GET, "/2013-04-01/hostedzonesbyname?dnsname=a".to_owned(), "ListHostedZonesByName", ""),
        ] {
            assert_eq!(named("route53", method, &path), (action.to_owned(), id.to_owned()), "{path}");
        }
        let mut change = Request::plain(Method::POST, &format!("{zone}/rrset"), "route53", "us-east-1");
        change.body = Bytes::from_static(
            b"<R xmlns='urn:x'><ChangeBatch><Changes><Change><Action>CREATE</Action></Change><Change><Action>DELETE</Action></Change></Changes></ChangeBatch></R>",
        );
        let (_, params) = parse("route53", &change);
        assert_eq!(params["ChangeBatch.Changes.Change.Action"], "CREATE");
        assert_eq!(params["ChangeBatch.Changes.Change.2.Action"], "DELETE");
    }
}
