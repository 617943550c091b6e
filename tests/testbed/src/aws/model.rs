//! What botocore's models say about calls: `tools/aws-calls.json`, written by `tools/aws_calls.py`.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

static MODEL: LazyLock<Model> = LazyLock::new(|| {
    // Our own file, and a test reads it.
    serde_json::from_str(include_str!("../../tools/aws-calls.json")).expect("tools/aws-calls.json")
});

#[derive(Debug, Deserialize)]
struct Model {
    rest: BTreeMap<String, BTreeMap<String, Rest>>,
    pages: BTreeMap<String, BTreeMap<String, Paged>>,
    tokens: BTreeMap<String, Vec<String>>,
}

/// How a call of a REST service is told from the others.
#[derive(Debug, Deserialize)]
pub(crate) struct Rest {
    pub(crate) method: String,
    /// `/{Bucket}/{Key+}`.
    pub(crate) path: String,
    /// What its query string has: `versioning`, `list-type=2`.
    pub(crate) query: Vec<String>,
    pub(crate) headers: Vec<String>,
}

/// How a list call pages. The names are those on the wire.
#[derive(Debug, Deserialize)]
pub(crate) struct Paged {
    /// The parameter with the size of a page.
    pub(crate) size: String,
    /// The parameter with the token of a page.
    pub(crate) token: String,
    /// The element of an answer with the token of the next page.
    pub(crate) next: String,
    /// The element of an answer that says whether there is more.
    pub(crate) more: Option<String>,
    /// The element of an answer that holds the items.
    pub(crate) list: String,
    /// The element of an item.
    pub(crate) item: String,
    min: Option<usize>,
    max: Option<usize>,
}

/// The page of a service whose caller names no size, and the largest one; none where everything comes. From the
/// reference of `DescribeAutoScalingGroups` (50, 100), of `DescribeLoadBalancers` (`PageSize` 1 to 400), of IAM's
/// `MaxItems` (100, at most 1,000), of Route 53's `ListHostedZones` (100). EC2 answers everything.
const SIZES: [(&str, Option<usize>, usize); 5] = [
    ("autoscaling", Some(50), 100),
    ("ec2", None, 1_000),
    ("elasticloadbalancing", Some(400), 400),
    ("iam", Some(100), 1_000),
    ("route53", Some(100), 100),
];

impl Paged {
    /// The largest page.
    pub(crate) fn largest(&self, service: &str) -> usize {
        let most = SIZES.iter().find(|(name, ..)| *name == service).map_or(1_000, |(_, _, most)| *most);
        self.max.map_or(most, |max| max.min(most))
    }

    /// The size of a page, as asked for. An error says what would be right.
    pub(crate) fn size_of(&self, service: &str, asked: Option<&str>) -> Result<Option<usize>, String> {
        let usual = SIZES.iter().find(|(name, ..)| *name == service).map_or(&None, |(_, usual, _)| usual);
        let Some(asked) = asked else {
            return Ok(*usual);
        };
        let (least, most) = (self.min.unwrap_or(1), self.largest(service));
        let size = asked.parse::<usize>().map_err(|_| format!("{} is not a number", self.size))?;
        // Those without a bound in the model take more and answer as many as they would at most.
        if size < least || (self.max.is_some() && size > most) {
            return Err(format!(
                "Value ( {size} ) for parameter {} is invalid. Expecting {least} to {most}.",
                self.size
            ));
        }
        Ok(Some(size.min(most)))
    }
}

/// How an action of a service pages, if it does.
pub(crate) fn paged(service: &str, action: &str) -> Option<&'static Paged> {
    MODEL.pages.get(service)?.get(action)
}

/// The calls of a REST service, by name.
pub(crate) fn rest(service: &str) -> Option<&'static BTreeMap<String, Rest>> {
    MODEL.rest.get(service)
}

/// Whether an action has a `ClientToken`.
pub(crate) fn takes_token(service: &str, action: &str) -> bool {
    MODEL.tokens.get(service).is_some_and(|actions| actions.iter().any(|name| name == action))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_models_say_what_pages_and_what_takes_a_token() {
        let page = |service, action| paged(service, action).map(|page| (page.size.as_str(), page.list.as_str()));
        assert_eq!(page("ec2", "DescribeVpcs"), Some(("MaxResults", "vpcSet")));
        assert_eq!(page("elasticloadbalancing", "DescribeRules"), Some(("PageSize", "Rules")));
        assert_eq!(page("route53", "ListHostedZones"), Some(("maxitems", "HostedZones")));
        assert_eq!(page("ec2", "DescribeAddresses"), None);
        assert!(takes_token("ec2", "CreateNatGateway") && !takes_token("ec2", "CreateVpc"));
        assert!(!takes_token("elasticloadbalancing", "CreateLoadBalancer"));
    }

    #[test]
    fn sizes_are_bounded_as_by_the_services() {
        let size = |service, action, asked| paged(service, action).unwrap().size_of(service, asked).map_err(drop);
        assert_eq!(size("ec2", "DescribeVpcs", None), Ok(None));
        assert_eq!(size("ec2", "DescribeVpcs", Some("5")), Ok(Some(5)));
        assert_eq!(size("ec2", "DescribeVpcs", Some("4")), Err(()));
        assert_eq!(size("ec2", "DescribeVpcs", Some("1001")), Err(()));
        assert_eq!(size("elasticloadbalancing", "DescribeListeners", Some("401")), Err(()));
        assert_eq!(size("elasticloadbalancing", "DescribeListeners", None), Ok(Some(400)));
        assert_eq!(size("autoscaling", "DescribeAutoScalingGroups", Some("500")), Ok(Some(100)));
        assert_eq!(size("iam", "ListRoles", None), Ok(Some(100)));
        assert_eq!(size("ec2", "DescribeVpcs", Some("many")), Err(()));
    }
}
