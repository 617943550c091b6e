//! Pages of describe answers.

use std::collections::BTreeSet;

use testbed::aws::KNOWN_IMAGE;

use crate::support::{create_vpc, ec2, query, route53, server, zone};

#[tokio::test]
async fn seven_vpcs_come_five_at_a_time() {
    let Some(aws) = server().await else { return };
    let mut made = BTreeSet::new();
    for n in 0..7 {
        made.insert(create_vpc(&aws, &format!("10.{n}.0.0/16")).await);
    }
    let filter = [("Filter.1.Name", "is-default"), ("Filter.1.Value.1", "false"), ("MaxResults", "5")];
    let mut pages = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let mut params = filter.to_vec();
        params.extend(token.as_deref().map(|token| ("NextToken", token)));
        let page = ec2(&aws, "DescribeVpcs", &params).await;
        pages.push(page.all("vpcId"));
        token = page.all("nextToken").pop();
        if token.is_none() {
            break;
        }
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [5, 2]);
    assert_eq!(pages.concat().into_iter().collect::<BTreeSet<_>>(), made);
}

#[tokio::test]
async fn without_a_size_everything_comes() {
    let Some(aws) = server().await else { return };
    for n in 0..7 {
        create_vpc(&aws, &format!("10.{n}.0.0/16")).await;
    }
    let whole = ec2(&aws, "DescribeVpcs", &[]).await;
    assert_eq!(whole.all("vpcId").len(), 8);
    assert!(whole.all("nextToken").is_empty());
}

#[tokio::test]
async fn a_token_that_was_not_handed_out_is_refused() {
    let Some(aws) = server().await else { return };
    let wrong = ec2(&aws, "DescribeVpcs", &[("MaxResults", "5"), ("NextToken", "3")]).await;
    assert_eq!(wrong.error(), (400, "InvalidNextToken".to_owned()));
}

#[tokio::test]
async fn instances_are_paged_by_reservation() {
    let Some(aws) = server().await else { return };
    let run = [("ImageId", KNOWN_IMAGE), ("InstanceType", "t3.micro"), ("MinCount", "2"), ("MaxCount", "2")];
    for _ in 0..3 {
        ec2(&aws, "RunInstances", &run).await;
    }
    let first = ec2(&aws, "DescribeInstances", &[("MaxResults", "2")]).await;
    assert_eq!((first.all("reservationId").len(), first.all("instanceId").len()), (2, 4));
    let token = first.one("nextToken");
    let last = ec2(&aws, "DescribeInstances", &[("MaxResults", "2"), ("NextToken", &token)]).await;
    assert_eq!((last.all("reservationId").len(), last.all("instanceId").len()), (1, 2));
    let id = first.one("instanceId");
    let both = ec2(&aws, "DescribeInstances", &[("MaxResults", "5"), ("InstanceId.1", &id)]).await;
    assert_eq!(both.error(), (400, "InvalidParameterCombination".to_owned()));
}

#[tokio::test]
async fn the_other_services_page_in_their_own_words() {
    let Some(aws) = server().await else { return };
    let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
    let vpc = create_vpc(&aws, "10.0.0.0/16").await;
    for n in 0..3 {
        let name = format!("n{n}");
        let role = [("RoleName", name.as_str()), ("AssumeRolePolicyDocument", policy)];
        query(&aws, "iam", "CreateRole", &role).await;
        let group = [("Name", name.as_str()), ("Protocol", "HTTP"), ("Port", "80"), ("VpcId", &vpc)];
        query(&aws, "elasticloadbalancing", "CreateTargetGroup", &group).await;
        zone(&aws, &format!("{name}.test"), &name).await;
    }
    for (service, action, size, token, next, element) in [
        ("iam", "ListRoles", "MaxItems", "Marker", "Marker", "RoleName"),
        ("elasticloadbalancing", "DescribeTargetGroups", "PageSize", "Marker", "NextMarker", "TargetGroupName"),
    ] {
        let first = query(&aws, service, action, &[(size, "2")]).await;
        let marker = first.one(next);
        let last = query(&aws, service, action, &[(size, "2"), (token, &marker)]).await;
        assert_eq!((first.all(element).len(), last.all(element).len()), (2, 1), "{action}");
        let whole: BTreeSet<_> = [first.all(element), last.all(element)].concat().into_iter().collect();
        assert_eq!(whole.into_iter().collect::<Vec<_>>(), ["n0", "n1", "n2"]);
        assert!(last.all(next).is_empty());
    }
    let first = route53(&aws, "GET", "/hostedzone?maxitems=2", "").await;
    assert_eq!((first.all("Name").len(), first.one("IsTruncated")), (2, "true".to_owned()));
    let last =
        route53(&aws, "GET", &format!("/hostedzone?maxitems=2&marker={}", escaped(&first.one("NextMarker"))), "").await;
    assert_eq!((last.all("Name").len(), last.one("IsTruncated")), (1, "false".to_owned()));
}

fn escaped(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
