//! What AWS would refuse, found before anything is planned.

use provision_core::dsl::Inputs;

type Problems = Vec<(&'static str, String)>;

/// VPCs and subnets are IPv4 networks of /16 to /28.
pub(super) fn network(inputs: &Inputs<'_>) -> Problems {
    let Some(cidr) = inputs.cidr("cidr") else { return Vec::new() };
    let good = cidr.is_v4() && cidr.prefix_len().is_some_and(|len| (16..=28).contains(&len));
    if good { Vec::new() } else { vec![("cidr", format!("AWS takes IPv4 networks of /16 to /28, not `{cidr}`"))] }
}

/// A VPC's network, and names only where they can be resolved.
pub(super) fn vpc(inputs: &Inputs<'_>) -> Problems {
    let mut problems = network(inputs);
    if inputs.bool("dns_support") == Some(false) && inputs.bool("dns_hostnames") == Some(true) {
        problems.push(("dns_hostnames", "needs `dns_support`, which is set to false".to_owned()));
    }
    problems
}

/// The texts of a group that AWS takes.
pub(super) fn security_group(inputs: &Inputs<'_>) -> Problems {
    let good = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
    let mut problems = Problems::new();
    for field in ["description", "name"] {
        let Some(text) = inputs.text(field) else { continue };
        if text.is_empty() || text.len() > 255 || !text.chars().all(good) {
            let rule = "write 1 to 255 of a-z, A-Z, 0-9, spaces, and ._-:/()#,@[]+=&;{}!$*";
            problems.push((field, format!("AWS does not take `{}`: {rule}", text.escape_debug())));
        }
    }
    if inputs.text("name").is_some_and(|name| name.starts_with("sg-")) {
        problems.push(("name", "AWS keeps names that start with `sg-` for itself; write another one".to_owned()));
    }
    problems
}

/// The form of an image's id, the size of user data, and that no group is chosen silently.
pub(super) fn instance(inputs: &Inputs<'_>) -> Problems {
    let mut problems = Problems::new();
    if inputs.is_empty("security_groups") {
        let problem = "an instance has a security group at least, else AWS gives it the VPC's own: \
                       write `.security_groups([group])`";
        problems.push(("security_groups", problem.to_owned()));
    }
    if let Some(ami) = inputs.text("ami").filter(|ami| !ami.starts_with("ami-")) {
        problems.push(("ami", format!("`{}` is not the id of an image: it starts with `ami-`", ami.escape_debug())));
    }
    if let Some(data) = inputs.text("user_data").filter(|data| data.len() > 16 * 1024) {
        problems.push(("user_data", format!("{} bytes; AWS takes 16384 at most", data.len())));
    }
    problems
}

#[cfg(test)]
mod tests {
    use provision_core::prelude::*;

    use crate::prelude::*;
    use crate::{Aws, Instance, Rule, SecurityGroup, Subnet, UsEast1, Vpc};

    #[environment("prod")]
    struct Prod;

    #[data_centre(name = "us-east", env = Prod, channel = Stable, on(Aws, account = "12345", region = UsEast1))]
    struct UsEast;

    fn wrong<D: AwsDc>(b: &Block<D>, (): ()) {
        let vpc = b.put("main", Vpc { cidr: cidr!("10.0.0.0/8") }).dns_support(false).dns_hostnames(true);
        let [zone, ..] = D::zones();
        let subnet = b.put("subnet", Subnet { vpc, zone, cidr: cidr!("10.0.0.0/29") });
        let group = SecurityGroup { vpc, description: "größer" };
        #[expect(clippy::reversed_empty_ranges, reason = "what is tested")]
        b.put("group", group).name("sg-x").ingress([Rule::tcp_ports(9..=5, cidr!("10.0.0.0/8"))]);
        b.put("host", Instance { subnet, ami: "debian", instance_type: "t3.micro" }).user_data("x".repeat(20_000));
    }

    #[test]
    fn what_aws_would_refuse_is_found() {
        let infra = Infrastructure::new("example");
        infra.dc(UsEast).block("net", wrong, ());
        let mut texts: Vec<_> =
            infra.finish().unwrap_err().iter().map(|f| format!("{}: {}", f.subject, f.problem)).collect();
        texts.sort();
        insta::assert_snapshot!(texts.join("\n"));
    }

    /// The default of `egress` is what its author would write: the two must not differ.
    #[test]
    fn all_outbound_is_a_rule() {
        fn groups<D: AwsDc>(b: &Block<D>, (): ()) {
            let vpc = b.put("main", Vpc { cidr: cidr!("10.0.0.0/16") });
            b.put("default", SecurityGroup { vpc, description: "x" });
            b.put("same", SecurityGroup { vpc, description: "x" }).egress([Rule::all(cidr!("0.0.0.0/0"))]);
        }
        #[data_centre(name = "us", env = Prod, channel = Stable, on(Aws, account = "123456789012", region = UsEast1))]
        struct Us;
        let infra = Infrastructure::new("example");
        infra.dc(Us).block("net", groups, ());
        let desired = infra.finish().unwrap();
        let resources = &desired.blocks[&"us.net".parse().unwrap()].resources;
        let egress = |name: &str| &resources[&name.parse().unwrap()].inputs["egress"];
        assert_eq!(egress("default"), egress("same"));
    }
}
