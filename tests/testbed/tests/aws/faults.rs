//! Faults by rule.

use std::time::{Duration, Instant};

use testbed::aws::{Caller, Fault, Match, Rule};

use crate::support::{create_vpc, ec2, s3, server, vpcs};

const VPC: [(&str, &str); 1] = [("CidrBlock", "10.0.0.0/16")];

#[tokio::test]
async fn a_lost_request_is_not_executed() {
    let Some(aws) = server().await else { return };
    let rule = aws.add_rule(Rule::new("CreateVpc", Fault::LoseRequest));
    assert_eq!(ec2(&aws, "CreateVpc", &VPC).await.status, None);
    assert_eq!((rule.hits(), aws.count("CreateVpc"), aws.count_executed("CreateVpc")), (1, 1, 0));
    assert!(vpcs(&aws).await.is_empty());
    assert_eq!(aws.calls()[0].faulted, Some(Fault::LoseRequest));
    create_vpc(&aws, "10.0.0.0/16").await;
}

#[tokio::test]
async fn a_lost_answer_is_one_of_an_executed_call() {
    let Some(aws) = server().await else { return };
    aws.add_rule(Rule::new("CreateVpc", Fault::LoseAnswer).nth(2));
    create_vpc(&aws, "10.0.0.0/16").await;
    assert_eq!(ec2(&aws, "CreateVpc", &VPC).await.status, None);
    assert_eq!(vpcs(&aws).await.len(), 2);
    let call = &aws.calls()[1];
    assert_eq!((call.executed, call.result, call.status), (true, Some(200), None));
}

#[tokio::test]
async fn an_error_comes_after_the_execution_or_instead_of_it() {
    let Some(aws) = server().await else { return };
    aws.add_rule(Rule::new("CreateVpc", Fault::ErrorAfter(500)));
    let full = Fault::Refuse { status: 400, code: "VpcLimitExceeded".to_owned() };
    aws.add_rule(Rule::new("CreateVpc", full).nth(2));
    let after = ec2(&aws, "CreateVpc", &VPC).await;
    assert_eq!(after.error(), (500, "InternalError".to_owned()));
    let instead = ec2(&aws, "CreateVpc", &VPC).await;
    assert_eq!(instead.error(), (400, "VpcLimitExceeded".to_owned()));
    assert_eq!(vpcs(&aws).await.len(), 1);
}

#[tokio::test]
async fn a_late_request_is_executed_late() {
    let Some(aws) = server().await else { return };
    let after = Duration::from_secs(2);
    aws.add_rule(Rule::new("CreateVpc", Fault::DeliverLate { after, caller: Caller::Disconnected }));
    aws.add_rule(Rule::new("CreateVpc", Fault::DeliverLate { after, caller: Caller::Waits }).nth(2));
    let start = Instant::now();
    assert_eq!(ec2(&aws, "CreateVpc", &VPC).await.status, None);
    assert!(start.elapsed() < after);
    assert!(vpcs(&aws).await.is_empty());
    aws.executed("CreateVpc", 1).await;
    assert!(start.elapsed() >= after);
    assert_eq!(vpcs(&aws).await.len(), 1);
    let start = Instant::now();
    create_vpc(&aws, "10.1.0.0/16").await;
    assert!(start.elapsed() >= after);
}

#[tokio::test]
async fn a_cut_connection_leaves_half_an_answer() {
    let Some(aws) = server().await else { return };
    aws.add_rule(Rule::new("CreateVpc", Fault::CutConnection));
    let cut = ec2(&aws, "CreateVpc", &VPC).await;
    let promised: usize = cut.header("Content-Length").unwrap().parse().unwrap();
    assert_eq!((cut.status, cut.body.len()), (Some(200), promised / 2));
    assert_eq!(vpcs(&aws).await.len(), 1);
}

#[tokio::test]
async fn a_held_request_waits_and_outlives_its_caller() {
    let Some(aws) = server().await else { return };
    let rule = aws.add_rule(Rule::new("CreateVpc", Fault::Hold).times(2));
    let gone = tokio::time::timeout(Duration::from_millis(300), ec2(&aws, "CreateVpc", &VPC)).await;
    assert!(gone.is_err(), "it is held");
    rule.arrived(1).await;
    assert!(vpcs(&aws).await.is_empty());
    let held = async {
        aws.arrived("CreateVpc", 2).await;
        assert_eq!(ec2(&aws, "DescribeVpcs", &[]).await.all("vpcId").len(), 1, "others go on");
        rule.release_one();
        aws.executed("CreateVpc", 1).await;
        assert_eq!(vpcs(&aws).await.len(), 1);
        rule.release();
    };
    let (answer, ()) = tokio::join!(ec2(&aws, "CreateVpc", &VPC), held);
    assert_eq!(answer.status, Some(200));
    assert_eq!(vpcs(&aws).await.len(), 2);
}

#[tokio::test]
async fn a_held_answer_is_one_of_an_executed_call() {
    let Some(aws) = server().await else { return };
    let rule = aws.add_rule(Rule::new("CreateVpc", Fault::HoldAnswer));
    let meanwhile = async {
        aws.executed("CreateVpc", 1).await;
        assert_eq!(vpcs(&aws).await.len(), 1);
        assert_eq!(aws.calls()[0].status, None);
        rule.release();
    };
    let (answer, ()) = tokio::join!(ec2(&aws, "CreateVpc", &VPC), meanwhile);
    assert_eq!(answer.status, Some(200));
}

#[tokio::test]
async fn s3_requests_are_met_by_method_and_key() {
    let Some(aws) = server().await else { return };
    aws.create_bucket("state").await;
    aws.add_rule(Rule::new(Match::s3("PUT", "log/"), Fault::LoseAnswer));
    let put = async |key: &str| s3(&aws, "PUT", &format!("/state/{key}"), &[], "x").await.status;
    assert_eq!(put("plan/1").await, Some(200));
    assert_eq!(put("log/1").await, None);
    let get = s3(&aws, "GET", "/state/log/1", &[], "").await;
    assert_eq!((get.status, get.body.as_str()), (Some(200), "x"));
    assert_eq!(aws.count(Match::s3("PUT", "").with("Bucket", "state")), 2);
}
