//! Pages of describe answers.

use std::collections::BTreeSet;

use testbed::aws::KNOWN_IMAGE;

use crate::support::{create_vpc, ec2, server};

#[tokio::test]
async fn seven_vpcs_come_three_at_a_time() {
    let Some(aws) = server().await else { return };
    let mut made = BTreeSet::new();
    for n in 0..7 {
        made.insert(create_vpc(&aws, &format!("10.{n}.0.0/16")).await);
    }
    let filter = [("Filter.1.Name", "is-default"), ("Filter.1.Value.1", "false"), ("MaxResults", "3")];
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
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
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
    let wrong = ec2(&aws, "DescribeVpcs", &[("MaxResults", "3"), ("NextToken", "3")]).await;
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
