//! A caller that reads what is on the wire, and repeats nothing by itself.

use std::time::{Duration, SystemTime};

use testbed::aws::{AwsServer, Options};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// What came back before the connection was closed.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    /// Nothing where there was no answer at all.
    pub(crate) status: Option<u16>,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The contents of the elements of this name.
    pub(crate) fn all(&self, element: &str) -> Vec<String> {
        all(&self.body, element)
    }

    /// Of the first one.
    pub(crate) fn one(&self, element: &str) -> String {
        self.all(element).first().cloned().unwrap_or_else(|| panic!("no {element} in {self:?}"))
    }

    /// Status and error code.
    pub(crate) fn error(&self) -> (u16, String) {
        (self.status.unwrap_or_default(), self.one("Code"))
    }
}

pub(crate) fn all(xml: &str, element: &str) -> Vec<String> {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    let parts = xml.split(&open).skip(1);
    parts.filter_map(|part| part.split_once(&close)).map(|(text, _)| text.to_owned()).collect()
}

/// A server without an environment's influence, or nothing where the test is to be skipped.
pub(crate) async fn server() -> Option<AwsServer> {
    let options = Options { existing: None, ..Options::default() };
    testbed::available(AwsServer::start(options).await)
}

/// An S3 request.
pub(crate) async fn s3(aws: &AwsServer, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let scope = scope("us-east-1", "s3");
    let mut all = vec![("Authorization", scope.as_str())];
    all.extend(headers);
    send(aws.endpoint_url(), method, path, &all, body).await
}

fn scope(region: &str, service: &str) -> String {
    scope_of("k", region, service)
}

fn scope_of(key: &str, region: &str, service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={key}/20200101/{region}/{service}/aws4_request, SignedHeaders=host, Signature=x"
    )
}

async fn send(url: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let authority = url.trim_start_matches("http://");
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    let mut stream = TcpStream::connect(authority).await.expect("a server that listens");
    stream.write_all(request.as_bytes()).await.expect("a server that reads");
    let mut bytes = Vec::new();
    // A reset is as good an end as a close.
    let _ended = stream.read_to_end(&mut bytes).await;
    let text = String::from_utf8(bytes).expect("text");
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Reply { status, head: head.to_owned(), body: body.to_owned() }
}

/// A query call with a stamp of `age` ago.
pub(crate) async fn aged(
    aws: &AwsServer,
    service: &str,
    age: Duration,
    action: &str,
    params: &[(&str, &str)],
) -> Reply {
    signed(aws, "k", service, age, action, params).await
}

/// A query call with an access key.
async fn signed(
    aws: &AwsServer,
    key: &str,
    service: &str,
    age: Duration,
    action: &str,
    params: &[(&str, &str)],
) -> Reply {
    let version = match service {
        "autoscaling" => "2011-01-01",
        "elasticloadbalancing" => "2015-12-01",
        "iam" => "2010-05-08",
        "sts" => "2011-06-15",
        _ => "2016-11-15",
    };
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.append_pair("Action", action).append_pair("Version", version).extend_pairs(params);
    let scope = scope_of(key, aws.region(), service);
    let stamp = stamp(SystemTime::now() - age);
    let headers = [
        ("Authorization", scope.as_str()),
        ("X-Amz-Date", stamp.as_str()),
        ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),
    ];
    send(aws.endpoint_url(), "POST", "/", &headers, &body.finish()).await
}

/// A query call of any service.
pub(crate) async fn query(aws: &AwsServer, service: &str, action: &str, params: &[(&str, &str)]) -> Reply {
    signed(aws, "k", service, Duration::ZERO, action, params).await
}

/// A query call of an account.
pub(crate) async fn of_account(
    aws: &AwsServer,
    account: &str,
    service: &str,
    action: &str,
    params: &[(&str, &str)],
) -> Reply {
    signed(aws, account, service, Duration::ZERO, action, params).await
}

pub(crate) async fn ec2(aws: &AwsServer, action: &str, params: &[(&str, &str)]) -> Reply {
    query(aws, "ec2", action, params).await
}

/// A Route 53 call: the path goes on after `/2013-04-01`.
pub(crate) async fn route53(aws: &AwsServer, method: &str, path: &str, body: &str) -> Reply {
    let scope = scope("us-east-1", "route53");
    let stamp = stamp(SystemTime::now());
    let headers = [("Authorization", scope.as_str()), ("X-Amz-Date", stamp.as_str()), ("Content-Type", "text/xml")];
    send(aws.endpoint_url(), method, &format!("/2013-04-01{path}"), &headers, body).await
}

/// A zone of this name, and its id.
pub(crate) async fn zone(aws: &AwsServer, name: &str, reference: &str) -> Reply {
    let body = format!(
        "<CreateHostedZoneRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Name>{name}</Name><CallerReference>{reference}</CallerReference></CreateHostedZoneRequest>"
    );
    route53(aws, "POST", "/hostedzone", &body).await
}

/// A VPC with two subnets in two zones.
pub(crate) async fn network(aws: &AwsServer) -> (String, [String; 2]) {
    let vpc = create_vpc(aws, "10.0.0.0/16").await;
    let subnet = async |cidr: &str, zone: &str| {
        let params = [("VpcId", vpc.as_str()), ("CidrBlock", cidr), ("AvailabilityZone", zone)];
        ec2(aws, "CreateSubnet", &params).await.one("subnetId")
    };
    let subnets = [subnet("10.0.1.0/24", "us-east-1a").await, subnet("10.0.2.0/24", "us-east-1b").await];
    (vpc, subnets)
}

pub(crate) async fn create_vpc(aws: &AwsServer, cidr: &str) -> String {
    ec2(aws, "CreateVpc", &[("CidrBlock", cidr)]).await.one("vpcId")
}

/// The VPCs that there really are, but for the default one.
pub(crate) async fn vpcs(aws: &AwsServer) -> Vec<String> {
    let filter = [("Filter.1.Name", "is-default"), ("Filter.1.Value.1", "false")];
    all(&aws.raw_ec2("DescribeVpcs", &filter).await, "vpcId")
}

/// `Sun, 22 Nov 2026 17:24:30 GMT` as `20261122T172430Z`.
fn stamp(at: SystemTime) -> String {
    let date = httpdate::fmt_http_date(at);
    let parts: Vec<&str> = date.split([' ', ':']).collect();
    let months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let month = months.find(parts[2]).expect("a month") / 3 + 1;
    format!("{}{month:02}{}T{}{}{}Z", parts[3], parts[1], parts[4], parts[5], parts[6])
}
