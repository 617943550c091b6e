//! The client against a server that says what each test wants, and keeps what it was sent.

#![expect(clippy::disallowed_methods, reason = "the server of these tests runs beside them")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_ec2::config::Credentials;
use provision_core::call::{Answer, Call, Read, ReadAnswer, Readiness, ReadyCall, Refusal, Scope, Sending, ServerTime};
use provision_core::id::ObjectId;
use provision_core::provider::{Change, Client as _, Provider as _};
use provision_core::target::TargetId;
use provision_core::value::Fields;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{AwsClient, Settings};
use crate::provider::Aws;

/// What the server does with a request.
#[derive(Clone)]
enum Reply {
    With {
        status: u16,
        body: String,
    },
    /// An answer for each action.
    Each(Vec<(&'static str, String)>),
    HangUp,
    Never,
}

struct Server {
    url: String,
    seen: Arc<Mutex<Vec<String>>>,
}

async fn request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let n = stream.read(&mut chunk).await.ok().filter(|&n| n > 0)?;
        bytes.extend_from_slice(&chunk[..n]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Some(text);
            }
        }
    }
}

impl Server {
    async fn start(reply: Reply) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = seen.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (reply, kept) = (reply.clone(), kept.clone());
                tokio::spawn(async move {
                    let Some(text) = request(&mut stream).await else { return };
                    let asked = |action: &str| text.contains(&format!("Action={action}&"));
                    let body_of = |(action, body): (&str, String)| asked(action).then_some(body);
                    let reply = match reply {
                        Reply::Each(each) => {
                            let body = each.into_iter().find_map(body_of).unwrap_or_default();
                            Reply::With { status: 200, body }
                        }
                        other => other,
                    };
                    kept.lock().unwrap().push(text);
                    match reply {
                        Reply::Each(_) => {}
                        Reply::With { status, body } => {
                            let answer = format!(
                                "HTTP/1.1 {status} x\r\ndate: Thu, 01 Jan 2026 00:00:07 GMT\r\n\
                                 content-length: {}\r\nconnection: close\r\n\r\n{body}",
                                body.len()
                            );
                            stream.write_all(answer.as_bytes()).await.unwrap();
                        }
                        Reply::HangUp => {}
                        Reply::Never => std::future::pending().await,
                    }
                });
            }
        });
        Self { url, seen }
    }

    async fn refusing(status: u16, code: &str, message: &str) -> Self {
        let body = format!(
            "<?xml version=\"1.0\"?><Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error>\
             </Errors><RequestID>r</RequestID></Response>"
        );
        Self::start(Reply::With { status, body }).await
    }

    async fn client(&self) -> AwsClient {
        let settings = Settings {
            endpoint_url: Some(self.url.clone()),
            timeout: Duration::from_millis(500),
            ..Settings::default()
        };
        client(&settings).await
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

pub(crate) fn target() -> TargetId {
    TargetId { provider: "aws".parse().unwrap(), account: "123456789012".to_owned(), region: "us-east-1".to_owned() }
}

pub(crate) async fn client(settings: &Settings) -> AwsClient {
    let credentials = Credentials::new("AKIDEXAMPLE", "secretsecret", None, None, "test");
    AwsClient::with_credentials(&target(), settings, credentials).await.unwrap()
}

/// 2026-01-01T00:00:05.678Z.
const STAMP: ServerTime = ServerTime(1_767_225_605_678);

pub(crate) fn sending(call: ReadyCall, object: Option<ObjectId>) -> Sending {
    Sending { call, object, stamp: STAMP, last_instant: STAMP.plus(Duration::from_secs(900)) }
}

fn a_call() -> Sending {
    let desired = Fields::from([("cidr".to_owned(), "10.1.0.0/16".into())]);
    let mark = crate::tests::mark();
    let change = Change::Create { desired: &desired, mark: &mark };
    let calls: Vec<Call> = Aws.compile(&"aws_vpc".parse().unwrap(), &change).unwrap();
    sending(calls[0].ready(None, &Default::default(), &Default::default()).unwrap(), None)
}

const A_VPC: &str = "<CreateVpcResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>r</requestId>\
    <vpc><vpcId>vpc-1</vpcId></vpc></CreateVpcResponse>";

#[tokio::test]
async fn a_call_is_signed_with_its_stamp_and_answers_the_servers_clock() {
    let server = Server::start(Reply::With { status: 200, body: A_VPC.to_owned() }).await;
    let client = server.client().await;
    // Twice: nothing is learnt from the first answer, whose clock is another than ours.
    for _ in 0..2 {
        let Answer::Done { id, outputs, server_time } = client.call(&a_call()).await else { panic!("not done") };
        assert_eq!(id, ObjectId::new("vpc-1").ok());
        assert_eq!(outputs.get("id").and_then(|id| id.as_text()), Some("vpc-1"));
        assert_eq!(server_time, Some(ServerTime(1_767_225_607_000)));
    }
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    for request in seen {
        let request = request.to_lowercase();
        assert!(request.contains("x-amz-date: 20260101t000005z"), "{request}");
        assert!(request.contains("/20260101/us-east-1/ec2/aws4_request"), "{request}");
        assert!(request.contains("action=createvpc"), "{request}");
        assert!(request.contains("provision%3aaddress"), "the mark is in the create call: {request}");
        assert!(!request.contains("secretsecret"));
    }
}

#[tokio::test]
async fn a_refusal_is_the_servers_word_and_has_its_clock() {
    let server = Server::refusing(400, "InvalidSubnet.Conflict", "taken").await;
    let answer = server.client().await.call(&a_call()).await;
    let expected = Answer::Refused {
        refusal: Refusal::Exists,
        code: "InvalidSubnet.Conflict".to_owned(),
        message: "taken".to_owned(),
        server_time: Some(ServerTime(1_767_225_607_000)),
    };
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn nothing_is_sent_twice_whatever_comes_back() {
    let html = Reply::With { status: 200, body: "<html>not EC2</html".to_owned() };
    let idless = Reply::With { status: 200, body: "<CreateVpcResponse></CreateVpcResponse>".to_owned() };
    for reply in [Reply::HangUp, Reply::Never, html, idless] {
        let server = Server::start(reply).await;
        let answer = server.client().await.call(&a_call()).await;
        assert!(matches!(answer, Answer::Unknown { .. }), "{answer:?}");
        assert_eq!(server.seen().len(), 1);
    }
    for (status, code) in [(500, "InternalError"), (503, "Unavailable"), (502, "")] {
        let server = Server::refusing(status, code, "").await;
        let answer = server.client().await.call(&a_call()).await;
        assert!(matches!(answer, Answer::Unknown { .. }), "{answer:?}");
        assert_eq!(server.seen().len(), 1);
    }
    let server = Server::refusing(503, "RequestLimitExceeded", "").await;
    let answer = server.client().await.call(&a_call()).await;
    assert!(matches!(answer, Answer::Refused { refusal: Refusal::Throttled, .. }), "{answer:?}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_request_that_this_build_does_not_know_is_not_sent() {
    let server = Server::start(Reply::HangUp).await;
    let client = server.client().await;
    let mut sending = a_call();
    let mut request = sending.call.request.as_map().cloned().unwrap();
    request.insert("Ipv6Pool".to_owned(), "x".into());
    sending.call.request = request.into();
    let answer = client.call(&sending).await;
    assert!(
        matches!(&answer, Answer::Refused { refusal: Refusal::Invalid, message, .. } if message.contains("Ipv6Pool"))
    );
    sending.call.api = "CreateEverything".to_owned();
    assert!(matches!(client.call(&sending).await, Answer::Refused { refusal: Refusal::Invalid, .. }));
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test]
async fn no_credentials_is_a_refusal_before_anything_is_sent() {
    let server = Server::start(Reply::HangUp).await;
    let settings = Settings { endpoint_url: Some(server.url.clone()), ..Settings::default() };
    let nobody =
        aws_config::profile::ProfileFileCredentialsProvider::builder().profile_name("nobody-is-called-this").build();
    let client = AwsClient::with_credentials(&target(), &settings, nobody).await.unwrap();
    let answer = client.call(&a_call()).await;
    assert!(matches!(answer, Answer::Refused { refusal: Refusal::Denied, .. }), "{answer:?}");
    let error = client.verify(&target()).await.unwrap_err().to_string();
    assert!(error.contains("no AWS credentials: set AWS_ACCESS_KEY_ID"), "{error}");
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test]
async fn another_account_is_named_beside_the_one_that_was_meant() {
    let body = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
        <Account>999</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
    let server = Server::start(Reply::With { status: 200, body: body.to_owned() }).await;
    let client = server.client().await;
    let error = client.verify(&target()).await.unwrap_err().to_string();
    assert!(error.contains("account 999") && error.contains("account 123456789012"), "{error}");
    let other = TargetId { account: "999".to_owned(), ..target() };
    assert_eq!(client.verify(&other).await, Ok(()));
    assert!(!format!("{client:?}").contains("secretsecret"));
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_is_said_to_be_so() {
    let settings = Settings { endpoint_url: Some("http://127.0.0.1:1".to_owned()), ..Settings::default() };
    let error = client(&settings).await.verify(&target()).await.unwrap_err().to_string();
    assert!(error.contains("cannot be reached"), "{error}");
}

#[tokio::test]
async fn what_is_not_there_is_an_empty_page_and_what_is_not_known_is_none() {
    let read = |scope| Read { type_name: "aws_subnet".parse().unwrap(), scope, page: None };
    let by_id = read(Scope::Id(ObjectId::new("subnet-1").unwrap()));
    let server = Server::refusing(400, "InvalidSubnetID.NotFound", "").await;
    let answer = server.client().await.read(&by_id).await;
    assert!(matches!(&answer, ReadAnswer::Page { objects, .. } if objects.is_empty()), "{answer:?}");
    let sweep = read(Scope::Marked("wix".parse().unwrap()));
    let answer = server.client().await.read(&sweep).await;
    assert!(matches!(answer, ReadAnswer::Failed { refusal: Some(Refusal::NotFound), .. }), "{answer:?}");
    let server = Server::refusing(500, "InternalError", "").await;
    let answer = server.client().await.read(&by_id).await;
    assert!(matches!(answer, ReadAnswer::Failed { refusal: None, .. }), "{answer:?}");
    let server = Server::refusing(503, "RequestLimitExceeded", "").await;
    assert_eq!(server.client().await.read(&by_id).await, ReadAnswer::Throttled);
}

#[tokio::test]
async fn a_sweep_is_read_page_by_page_and_filtered_by_the_mark() {
    let body = "<DescribeSubnetsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><subnetSet><item>\
        <subnetId>subnet-1</subnetId><state>pending</state></item></subnetSet><nextToken>two</nextToken>\
        </DescribeSubnetsResponse>";
    let server = Server::start(Reply::With { status: 200, body: body.to_owned() }).await;
    let client = server.client().await;
    let type_name: provision_core::id::TypeName = "aws_subnet".parse().unwrap();
    let scope = Scope::Marked("wix".parse().unwrap());
    let read = Read { type_name: type_name.clone(), scope, page: Some("one".to_owned()) };
    let ReadAnswer::Page { objects, next, server_time } = client.read(&read).await else { panic!("no page") };
    assert_eq!(objects.len(), 1);
    assert_eq!(objects[0].readiness, Readiness::Pending);
    assert!(!objects[0].fields.contains_key("cidr"), "what the answer lacks is not observed");
    assert_eq!((next.as_deref(), server_time), (Some("two"), Some(ServerTime(1_767_225_607_000))));
    let by_id = Read { type_name, scope: Scope::Id(ObjectId::new("subnet-1").unwrap()), page: None };
    client.read(&by_id).await;
    let seen = server.seen();
    for part in ["Filter.1.Name=tag%3Aprovision%3Ainfra", "Filter.1.Value.1=wix", "NextToken=one", "MaxResults=1000"] {
        assert!(seen[0].contains(part), "{part}: {}", seen[0]);
    }
    assert!(seen[1].contains("SubnetId.1=subnet-1") && !seen[1].contains("MaxResults"), "{}", seen[1]);
}

const A_TARGET_GROUP: &str = "<CreateTargetGroupResponse xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\">\
    <CreateTargetGroupResult><TargetGroups><member><TargetGroupArn>arn:1</TargetGroupArn></member></TargetGroups>\
    </CreateTargetGroupResult></CreateTargetGroupResponse>";

fn tags_of(arn: &str, mark: Option<&provision_core::call::Mark>) -> String {
    let tags = mark.map(crate::tags::of_mark).unwrap_or_default();
    let member = |(key, value)| format!("<member><Key>{key}</Key><Value>{value}</Value></member>");
    let tags: String = tags.into_iter().map(member).collect();
    format!(
        "<DescribeTagsResponse xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/\"><DescribeTagsResult>\
         <TagDescriptions><member><ResourceArn>{arn}</ResourceArn><Tags>{tags}</Tags></member></TagDescriptions>\
         </DescribeTagsResult></DescribeTagsResponse>"
    )
}

/// Load balancing answers a create also with an object of the same name and settings that somebody else made.
#[tokio::test]
async fn an_answer_with_what_stood_there_before_is_no_create() {
    let ours = crate::tests::mark();
    let theirs = provision_core::call::Mark {
        incarnation: provision_core::id::Token::new("f".repeat(16)).unwrap(),
        ..ours.clone()
    };
    let json = r#"{"vpc":"vpc-1","protocol":"HTTP","port":80,"name":"web","target_type":"instance","tags":{}}"#;
    let desired: Fields = serde_json::from_str(json).unwrap();
    let change = Change::Create { desired: &desired, mark: &ours };
    let calls: Vec<Call> = Aws.compile(&"aws_lb_target_group".parse().unwrap(), &change).unwrap();
    let create = sending(calls[0].ready(None, &Default::default(), &Default::default()).unwrap(), None);
    let answer = async |tags: String| {
        let each = vec![("CreateTargetGroup", A_TARGET_GROUP.to_owned()), ("DescribeTags", tags)];
        let server = Server::start(Reply::Each(each)).await;
        server.client().await.call(&create).await
    };
    let done = answer(tags_of("arn:1", Some(&ours))).await;
    assert!(matches!(&done, Answer::Done { id: Some(id), .. } if id.as_str() == "arn:1"), "{done:?}");
    for other in [Some(&theirs), None] {
        let refused = answer(tags_of("arn:1", other)).await;
        assert!(matches!(refused, Answer::Refused { refusal: Refusal::Exists, .. }), "{refused:?}");
    }
    let unread = answer(tags_of("arn:other", Some(&ours))).await;
    assert!(matches!(unread, Answer::Unknown { .. }), "{unread:?}");
}
