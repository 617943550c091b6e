//! Filters of describe calls.

use crate::support::{create_vpc, ec2, server};

#[tokio::test]
async fn an_escaped_wildcard_is_the_character_itself() {
    let Some(aws) = server().await else { return };
    let mut made = Vec::new();
    for (n, name) in ["a*", "ab", r"a\b"].into_iter().enumerate() {
        let id = create_vpc(&aws, &format!("10.{n}.0.0/16")).await;
        ec2(&aws, "CreateTags", &[("ResourceId.1", &id), ("Tag.1.Key", "name"), ("Tag.1.Value", name)]).await;
        made.push(id);
    }
    let [star, ab, backslash] = made.try_into().expect("three");
    let with = async |value: &str| {
        let filter = [("Filter.1.Name", "tag:name"), ("Filter.1.Value.1", value)];
        let mut found = ec2(&aws, "DescribeVpcs", &filter).await.all("vpcId");
        found.sort();
        found
    };
    let mut all = vec![star.clone(), ab, backslash.clone()];
    all.sort();
    assert_eq!(with("a*").await, all);
    assert_eq!(with(r"a\*").await, [star]);
    assert_eq!(with(r"a\\b").await, [backslash]);
}
