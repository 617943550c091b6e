//! S3 as a place for state.

use futures::future::join_all;
use testbed::aws::Match;

use crate::support::{s3, server};

#[tokio::test]
async fn a_conditional_put_has_one_winner() {
    let Some(aws) = server().await else { return };
    aws.create_bucket("state").await;
    for round in 0..50 {
        let path = format!("/state/log/{round}");
        let bodies: Vec<String> = (0..20).map(|writer| format!("writer {writer}")).collect();
        let put = |body| s3(&aws, "PUT", &path, &[("If-None-Match", "*")], body);
        let replies = join_all(bodies.iter().map(|body| put(body))).await;
        let with = |status| replies.iter().filter(|reply| reply.status == Some(status)).count();
        assert_eq!((with(200), with(412)), (1, 19), "round {round}");
        let winner = replies.iter().position(|reply| reply.status == Some(200)).unwrap();
        let stored = s3(&aws, "GET", &path, &[], "").await;
        assert_eq!(stored.body, bodies[winner], "round {round}");
    }
    assert_eq!(aws.count(Match::action("PutObject").with("If-None-Match", "*")), 1_000);
}

#[tokio::test]
async fn the_head_of_an_object_has_its_length() {
    let Some(aws) = server().await else { return };
    aws.create_bucket("state").await;
    s3(&aws, "PUT", "/state/a%20key", &[], "twelve bytes").await;
    let head = s3(&aws, "HEAD", "/state/a%20key", &[], "").await;
    assert_eq!((head.status, head.header("Content-Length")), (Some(200), Some("12")));
    assert!(head.header("ETag").is_some() && head.header("Date").is_some());
    let list = s3(&aws, "GET", "/state?list-type=2&prefix=a", &[], "").await;
    assert_eq!(list.all("Key"), ["a key"]);
}
