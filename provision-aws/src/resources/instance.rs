//! Instances.

use provision_core::prelude::*;

use super::{Aws, SecurityGroupId, SubnetId, check};

/// A virtual machine.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, subnet: Ref<SubnetId, D>, inside: Ref<SecurityGroupId, D>) {
/// let db = b.put("db", Instance { subnet, ami: "ami-12c6146b", instance_type: "t3.micro" }).security_groups([inside]);
/// b.put("web", Instance { subnet, ami: "ami-12c6146b", instance_type: "t3.micro" })
///     .security_groups([inside])
///     .user_data(text!("#!/bin/sh\necho {} > /etc/db\n", db.private_ip()));
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_instance", version = 1, check = check::instance)]
pub struct Instance {
    /// The subnet that it lies in.
    #[attr(replace)]
    pub subnet: SubnetId,
    /// The image that it starts from: `ami-…`.
    #[attr(replace)]
    pub ami: String,
    /// Its size: `t3.micro`.
    #[attr(replace)]
    pub instance_type: String,
    /// The groups whose rules hold for it: one at least.
    #[attr(set, default)]
    pub security_groups: Vec<SecurityGroupId>,
    /// What it runs at its first start; may hold refs.
    #[attr(replace, unread)]
    pub user_data: Option<String>,
    /// The key pair that may log in.
    #[attr(replace)]
    pub key_name: Option<String>,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id.
    #[attr(computed)]
    pub id: InstanceId,
    /// Its address in the subnet.
    #[attr(computed)]
    pub private_ip: String,
    /// Its public address; empty if the subnet gives none.
    #[attr(computed)]
    pub public_address: String,
}
