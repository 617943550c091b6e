//! What the server holds, asked past the proxy: by no code of the project's own client.

use std::collections::BTreeSet;

use roxmltree::{Document, Node};
use testbed::aws::AwsServer;

/// The objects that are there, but for those that every account has from the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// The ids of the VPCs.
    pub vpcs: BTreeSet<String>,
    /// Of the subnets.
    pub subnets: BTreeSet<String>,
    /// Of the security groups.
    pub groups: BTreeSet<String>,
    /// Of the instances that are not terminated.
    pub instances: BTreeSet<String>,
}

impl Held {
    /// Asks the server.
    pub async fn of(aws: &AwsServer) -> Self {
        let vpcs = aws.raw_ec2("DescribeVpcs", &[]).await;
        let subnets = aws.raw_ec2("DescribeSubnets", &[]).await;
        let groups = aws.raw_ec2("DescribeSecurityGroups", &[]).await;
        let instances = aws.raw_ec2("DescribeInstances", &[]).await;
        Self {
            vpcs: ids(&vpcs, "vpcSet", "vpcId", |vpc| text(vpc, "isDefault") != "true"),
            subnets: ids(&subnets, "subnetSet", "subnetId", |subnet| text(subnet, "defaultForAz") != "true"),
            groups: ids(&groups, "securityGroupInfo", "groupId", |group| text(group, "groupName") != "default"),
            instances: ids(&instances, "instancesSet", "instanceId", |instance| {
                let state = child(instance, "instanceState").map_or("", |state| text(state, "name"));
                state != "terminated"
            }),
        }
    }

    /// How many VPCs, subnets, groups and instances.
    pub fn counts(&self) -> [usize; 4] {
        [self.vpcs.len(), self.subnets.len(), self.groups.len(), self.instances.len()]
    }

    /// Every id.
    pub fn ids(&self) -> BTreeSet<String> {
        [&self.vpcs, &self.subnets, &self.groups, &self.instances].into_iter().flatten().cloned().collect()
    }

    /// The one VPC.
    ///
    /// # Panics
    /// Where there is not exactly one.
    pub fn vpc(&self) -> &str {
        one(&self.vpcs)
    }

    /// The one instance.
    ///
    /// # Panics
    /// Where there is not exactly one.
    pub fn instance(&self) -> &str {
        one(&self.instances)
    }
}

fn one(ids: &BTreeSet<String>) -> &str {
    assert_eq!(ids.len(), 1, "{ids:?}");
    ids.first().map_or("", String::as_str)
}

fn ids(xml: &str, set: &str, id: &str, counts: impl Fn(Node<'_, '_>) -> bool) -> BTreeSet<String> {
    let document = Document::parse(xml).unwrap_or_else(|error| panic!("{error}: {xml}"));
    let sets = document.descendants().filter(|node| node.has_tag_name_only(set));
    let items = sets.flat_map(|set| set.children().filter(Node::is_element));
    items.filter(|item| counts(*item)).map(|item| text(item, id).to_owned()).collect()
}

trait LocalName {
    fn has_tag_name_only(&self, name: &str) -> bool;
}

impl LocalName for Node<'_, '_> {
    /// The namespace is the API's version.
    fn has_tag_name_only(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.has_tag_name_only(name))
}

fn text<'a>(node: Node<'a, '_>, name: &str) -> &'a str {
    child(node, name).and_then(|child| child.text()).unwrap_or("")
}

/// The texts of all elements of this name in an answer.
///
/// # Panics
/// Where the answer is no XML.
pub fn texts(xml: &str, element: &str) -> Vec<String> {
    let document = Document::parse(xml).unwrap_or_else(|error| panic!("{error}: {xml}"));
    let found = document.descendants().filter(|node| node.has_tag_name_only(element));
    found.filter_map(|node| node.text().map(str::to_owned)).collect()
}

/// The ids of the groups of the instances in an answer, by the instances themselves: moto's network interfaces keep those
/// that an instance once had.
///
/// # Panics
/// Where the answer is no XML.
pub fn instance_groups(xml: &str) -> Vec<String> {
    let document = Document::parse(xml).unwrap_or_else(|error| panic!("{error}: {xml}"));
    let sets = document.descendants().filter(|node| node.has_tag_name_only("instancesSet"));
    let instances = sets.flat_map(|set| set.children().filter(Node::is_element));
    let groups = instances.filter_map(|instance| child(instance, "groupSet"));
    let items = groups.flat_map(|set| set.children().filter(Node::is_element));
    items.map(|item| text(item, "groupId").to_owned()).collect()
}
