//! Signature stamps, judged when the call is executed.

use std::time::Duration;

use testbed::aws::{Caller, Fault, Rule};

use crate::support::{aged, ec2, server, vpcs};

const VPC: [(&str, &str); 1] = [("CidrBlock", "10.0.0.0/16")];
const BOUND: Duration = Duration::from_secs(3);

#[tokio::test]
async fn a_fresh_stamp_is_taken_and_an_old_one_refused() {
    let Some(aws) = server().await else { return };
    let minute = Duration::from_secs(60);
    let status = async |age| aged(&aws, "ec2", age, "CreateVpc", &VPC).await.status;
    assert_eq!((status(14 * minute).await, status(16 * minute).await), (Some(200), Some(400)));
    aws.set_stamp_bound(BOUND);
    assert_eq!((status(Duration::ZERO).await, status(2 * BOUND).await), (Some(200), Some(400)));
    let old = aged(&aws, "ec2", 2 * BOUND, "CreateVpc", &VPC).await;
    assert_eq!(old.error(), (400, "RequestExpired".to_owned()));
    assert!(old.header("Date").is_some());
    assert_eq!(vpcs(&aws).await.len(), 2);
    let sts = aged(&aws, "sts", 2 * BOUND, "GetCallerIdentity", &[]).await;
    assert_eq!(sts.error(), (403, "SignatureDoesNotMatch".to_owned()));
    let sts = aged(&aws, "sts", Duration::ZERO, "GetCallerIdentity", &[]).await;
    assert_eq!(sts.one("Account"), "123456789012");
}

#[tokio::test]
async fn a_late_delivery_is_refused_by_its_stamp() {
    let Some(aws) = server().await else { return };
    aws.set_stamp_bound(Duration::from_secs(1));
    let late = Fault::DeliverLate { after: Duration::from_millis(2_500), caller: Caller::Waits };
    aws.add_rule(Rule::new("CreateVpc", late));
    let late = ec2(&aws, "CreateVpc", &VPC).await;
    assert_eq!(late.error(), (400, "RequestExpired".to_owned()));
    assert_eq!(aws.count_executed("CreateVpc"), 0);
    assert!(vpcs(&aws).await.is_empty());
}

#[tokio::test]
async fn a_late_delivery_that_nobody_waits_for_is_refused_by_its_stamp() {
    let Some(aws) = server().await else { return };
    aws.set_stamp_bound(Duration::from_secs(1));
    let after = Duration::from_millis(2_500);
    let caller = Caller::Disconnected;
    aws.add_rule(Rule::new("CreateVpc", Fault::DeliverLate { after, caller }));
    assert_eq!(ec2(&aws, "CreateVpc", &VPC).await.status, None);
    aws.until(|calls| calls[0].result.is_some()).await;
    let call = &aws.calls()[0];
    assert_eq!((call.result, call.status, call.executed), (Some(400), None, false));
    assert!(vpcs(&aws).await.is_empty());
}

#[tokio::test]
async fn a_held_request_is_refused_by_its_stamp_when_it_is_released() {
    let Some(aws) = server().await else { return };
    aws.set_stamp_bound(Duration::from_secs(1));
    let rule = aws.add_rule(Rule::new("CreateVpc", Fault::Hold));
    let release = async {
        rule.arrived(1).await;
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        rule.release();
    };
    let (held, ()) = tokio::join!(ec2(&aws, "CreateVpc", &VPC), release);
    assert_eq!(held.error(), (400, "RequestExpired".to_owned()));
    assert!(vpcs(&aws).await.is_empty());
}

#[tokio::test]
async fn the_services_clock_is_its_own() {
    let Some(aws) = server().await else { return };
    aws.set_clock_ahead(3_600);
    let early = ec2(&aws, "DescribeVpcs", &[]).await;
    assert_eq!(early.error(), (400, "RequestExpired".to_owned()));
    let theirs = httpdate::parse_http_date(early.header("Date").unwrap()).unwrap();
    let ahead = theirs.duration_since(std::time::SystemTime::now()).unwrap();
    assert!(ahead > Duration::from_secs(3_500), "{ahead:?}");
    aws.set_clock_ahead(0);
    assert_eq!(ec2(&aws, "DescribeVpcs", &[]).await.status, Some(200));
}
