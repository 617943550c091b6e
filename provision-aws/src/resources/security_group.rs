//! Security groups.

use provision_core::prelude::*;
use provision_core::schema::Literal;

use super::{Aws, Rule, VpcId, check};

/// What AWS gives to a new group, in the form of [`Rule::all`] to `0.0.0.0/0`.
const ALL_OUTBOUND: Literal =
    Literal::List(&[Literal::Map(&[("cidr", Literal::Text("0.0.0.0/0")), ("protocol", Literal::Text("all"))])]);

/// A set of rules that say which traffic reaches and leaves the instances that have it.
///
/// ```
/// # use {provision_aws::{*, prelude::*}, provision_core::prelude::*};
/// # fn f<D: AwsDc>(b: &Block<D>, vpc: Ref<VpcId, D>) {
/// let office = b.put("office", SecurityGroup { vpc, description: "from the office" })
///     .ingress([Rule::tcp(22, cidr!("192.0.2.0/24"))]);
/// b.put("inside", SecurityGroup { vpc, description: "from the bastion" }).ingress([Rule::tcp_from(22, office)]);
/// # }
/// ```
#[resource(cloud = Aws, kind = "aws_security_group", version = 1, check = check::security_group)]
pub struct SecurityGroup {
    /// The VPC that the group belongs to.
    #[attr(replace)]
    pub vpc: VpcId,
    /// What the group is for.
    #[attr(replace)]
    pub description: String,
    /// Its name, unique in the VPC.
    #[attr(replace, name(max = 255))]
    pub name: String,
    /// What may come in; nothing else does.
    #[attr(set, default)]
    pub ingress: Vec<Rule>,
    /// What may go out; nothing else does. The default is what AWS gives to a new group: everything, over IPv4.
    #[attr(set, default = ALL_OUTBOUND)]
    pub egress: Vec<Rule>,
    /// Tags.
    #[attr(by_key, default)]
    pub tags: Tags,
    /// Its id.
    #[attr(computed)]
    pub id: SecurityGroupId,
}
