//! Calls of every protocol: their names, their faults, their throttles.

use testbed::aws::{Fault, Match, Rule, Throttle};

use crate::support::{all, query, route53, s3, server, zone};

#[tokio::test]
async fn a_call_is_named_by_its_api_in_every_protocol() {
    let Some(aws) = server().await else { return };
    query(&aws, "elasticloadbalancing", "DescribeLoadBalancers", &[]).await;
    query(&aws, "iam", "ListRoles", &[]).await;
    zone(&aws, "one.test", "a").await;
    aws.create_bucket("bucket").await;
    let versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    assert_eq!(s3(&aws, "PUT", "/bucket?versioning", &[], versioning).await.status, Some(200));
    assert_eq!(s3(&aws, "GET", "/bucket?versioning", &[], "").await.one("Status"), "Enabled");
    let block = s3(&aws, "GET", "/bucket?publicAccessBlock", &[], "").await;
    assert_eq!(block.one("BlockPublicAcls"), "true", "a new bucket blocks public access");
    let named = |name: &str| {
        (aws.calls().iter().find(|call| call.action == name).map(|call| call.service.clone()), name.to_owned())
    };
    for (service, name) in [
        ("elasticloadbalancing", "DescribeLoadBalancers"),
        ("iam", "ListRoles"),
        ("route53", "CreateHostedZone"),
        ("s3", "PutBucketVersioning"),
        ("s3", "GetPublicAccessBlock"),
    ] {
        assert_eq!(named(name), (Some(service.to_owned()), name.to_owned()));
    }
    assert_eq!(aws.count(Match::action("CreateHostedZone").with("Name", "one.test")), 1);
    assert_eq!(aws.count(Match::action("PutBucketVersioning").with("Bucket", "bucket").with("Status", "Enabled")), 1);
}

#[tokio::test]
async fn faults_strike_in_every_protocol() {
    let Some(aws) = server().await else { return };
    aws.add_rule(Rule::new("CreateHostedZone", Fault::LoseAnswer));
    assert_eq!(zone(&aws, "one.test", "a").await.status, None);
    // It was made: its reference is taken.
    assert_eq!(zone(&aws, "one.test", "a").await.error(), (409, "HostedZoneAlreadyExists".to_owned()));
    aws.add_rule(Rule::new(Match::service("route53"), Fault::Refuse { status: 400, code: "Throttling".to_owned() }));
    let refused = route53(&aws, "GET", "/hostedzone", "").await;
    assert_eq!((refused.error().1.as_str(), refused.all("ErrorResponse").len()), ("Throttling", 1));
    aws.add_rule(Rule::new("CreateRole", Fault::ErrorAfter(500)));
    let role = [("RoleName", "r"), ("AssumeRolePolicyDocument", r#"{"Version":"2012-10-17","Statement":[]}"#)];
    assert_eq!(query(&aws, "iam", "CreateRole", &role).await.error(), (500, "InternalFailure".to_owned()));
    assert_eq!(query(&aws, "iam", "GetRole", &[("RoleName", "r")]).await.one("RoleName"), "r");
}

#[tokio::test]
async fn each_service_throttles_in_its_own_words() {
    let Some(aws) = server().await else { return };
    let closed = Some(Throttle { burst: 0, per_second: 0.0 });
    for service in ["ec2", "elasticloadbalancing", "route53", "s3"] {
        aws.set_throttle(service, closed);
    }
    let throttled = |status, code: &str| (status, code.to_owned());
    assert_eq!(query(&aws, "ec2", "DescribeVpcs", &[]).await.error(), throttled(503, "RequestLimitExceeded"));
    let balancers = query(&aws, "elasticloadbalancing", "DescribeLoadBalancers", &[]).await;
    assert_eq!(balancers.error(), throttled(400, "Throttling"));
    assert_eq!(route53(&aws, "GET", "/hostedzone", "").await.error(), throttled(400, "Throttling"));
    assert_eq!(s3(&aws, "GET", "/", &[], "").await.error(), throttled(503, "SlowDown"));
    let roles = query(&aws, "iam", "ListRoles", &[]).await;
    assert_eq!((roles.status, all(&roles.body, "Code").len()), (Some(200), 0));
}
