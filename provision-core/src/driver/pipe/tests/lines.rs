//! What is written, byte for byte, and how lines are read.

use super::super::frame::{self, Ask, FrameError, Hello, Reply, Request, Response};
use super::{BOUNDS, read, said, sending, target};
use crate::call::{Observed, ReadAnswer, Readiness, Refusal};
use crate::id::ObjectId;

async fn parsed<T: serde::de::DeserializeOwned>(mut text: &[u8]) -> Result<Option<T>, FrameError> {
    frame::read(&mut text).await
}

/// A change of this snapshot is a change of the protocol: count `PROTOCOL` up.
#[tokio::test]
async fn every_line_looks_like_this_and_is_read_back() {
    let mut lines = Vec::new();
    lines.extend(frame::line(&Hello::of("toy 1")).unwrap());
    let asks = [Ask::Connect, Ask::Verify, Ask::Call(Box::new(sending("Remove"))), Ask::Read(read())];
    for (number, ask) in (0..).zip(asks) {
        let request = Request { number, target: target(), ask };
        let line = frame::line(&request).unwrap();
        assert_eq!(parsed::<Request>(&line).await.unwrap(), Some(request));
        lines.extend(line);
    }
    let object = Observed {
        id: ObjectId::new("net-1").unwrap(),
        mark: None,
        fields: Default::default(),
        readiness: Readiness::Failed("broken".to_owned()),
    };
    let (code, message) = ("Code".to_owned(), "Words".to_owned());
    let refused = crate::call::Answer::Refused { refusal: Refusal::InUse, code, message, server_time: None };
    let replies = [
        Reply::Connected(BOUNDS),
        Reply::NoClient("why".to_owned()),
        Reply::Verified,
        Reply::NotVerified(crate::provider::ClientError { target: target(), problem: "why".to_owned() }),
        Reply::Answer(said("Remove")),
        Reply::Answer(refused),
        Reply::Answer(crate::call::Answer::Unknown { reason: "why".to_owned() }),
        Reply::Read(ReadAnswer::Page { objects: vec![object], next: None, server_time: None }),
        Reply::Read(ReadAnswer::Throttled),
        Reply::Read(ReadAnswer::Failed { refusal: None, reason: "why".to_owned() }),
    ];
    for (number, reply) in (0..).zip(replies) {
        let response = Response { number, reply };
        let line = frame::line(&response).unwrap();
        assert_eq!(parsed::<Response>(&line).await.unwrap(), Some(response));
        lines.extend(line);
    }
    insta::assert_snapshot!(String::from_utf8(lines).unwrap());
}

#[tokio::test]
async fn what_is_not_exactly_the_protocol_is_refused() {
    let good = r#"{"provision_client":1,"build":"b"}"#;
    assert!(parsed::<Hello>(format!("{good}\n").as_bytes()).await.unwrap().is_some());
    assert!(parsed::<Hello>(b"").await.unwrap().is_none(), "the end");
    assert!(matches!(parsed::<Hello>(good.as_bytes()).await, Err(FrameError::Cut)));
    for bad in [
        r#"{"provision_client":1,"build":"b","more":1}"#,
        r#"{"provision_client":1,"build":"b","build":"b"}"#,
        r#"{"provision_client":1,"build":"b"} {}"#,
        r#"{"provision_client":"1","build":"b"}"#,
        "",
        "hello",
    ] {
        assert!(matches!(parsed::<Hello>(format!("{bad}\n").as_bytes()).await, Err(FrameError::Garbage(_))), "{bad}");
    }
    let endless = vec![b' '; frame::MOST_OF_A_LINE + 1];
    assert!(matches!(parsed::<Hello>(&endless).await, Err(FrameError::TooLong)));
}
