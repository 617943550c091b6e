//! What takes its time: objects that are pending for a while before they are what moto says at once, and deleting before
//! they are deleted.

use std::{
    collections::BTreeMap,
    ops::Range,
    time::{Duration, Instant},
};

use roxmltree::{Document, Node};

use super::{
    answer::Answer,
    call::Call,
    lists::{self, AnyNamespace, elements},
};

/// One kind of state.
struct Row {
    /// The call that begins it. Where none does (an instance that a group has launched), it begins when it is first seen.
    begins: Option<&'static str>,
    /// The call that shows it.
    shown_by: &'static str,
    /// Where an item has its id, and where its state: elements below each other.
    id: &'static str,
    state: &'static str,
    /// The state meanwhile.
    meanwhile: &'static str,
    /// The state that it becomes. What is in another one (deleted, failed) is left alone.
    then: &'static str,
}

const fn row(
    begins: Option<&'static str>,
    shown_by: &'static str,
    id: &'static str,
    state: &'static str,
    meanwhile: &'static str,
    then: &'static str,
) -> Row {
    Row { begins, shown_by, id, state, meanwhile, then }
}

/// From the enumerations of states in botocore's models.
const ROWS: [Row; 15] = [
    row(Some("CreateNatGateway"), "DescribeNatGateways", "natGatewayId", "state", "pending", "available"),
    row(Some("DeleteNatGateway"), "DescribeNatGateways", "natGatewayId", "state", "deleting", "deleted"),
    row(Some("CreateVpcEndpoint"), "DescribeVpcEndpoints", "vpcEndpointId", "state", "pending", "available"),
    row(Some("CreateVolume"), "DescribeVolumes", "volumeId", "status", "creating", "available"),
    row(Some("CreateVpnConnection"), "DescribeVpnConnections", "vpnConnectionId", "state", "pending", "available"),
    row(Some("DeleteVpnConnection"), "DescribeVpnConnections", "vpnConnectionId", "state", "deleting", "deleted"),
    row(Some("CreateTransitGateway"), "DescribeTransitGateways", "transitGatewayId", "state", "pending", "available"),
    row(Some("DeleteTransitGateway"), "DescribeTransitGateways", "transitGatewayId", "state", "deleting", "deleted"),
    row(
        Some("CreateTransitGatewayVpcAttachment"),
        "DescribeTransitGatewayVpcAttachments",
        "transitGatewayAttachmentId",
        "state",
        "pending",
        "available",
    ),
    row(
        Some("DeleteTransitGatewayVpcAttachment"),
        "DescribeTransitGatewayVpcAttachments",
        "transitGatewayAttachmentId",
        "state",
        "deleting",
        "deleted",
    ),
    row(
        Some("CreateTransitGatewayRouteTable"),
        "DescribeTransitGatewayRouteTables",
        "transitGatewayRouteTableId",
        "state",
        "pending",
        "available",
    ),
    row(Some("CreateLoadBalancer"), "DescribeLoadBalancers", "LoadBalancerArn", "State/Code", "provisioning", "active"),
    row(None, "DescribeTargetHealth", "Target/Id", "TargetHealth/State", "initial", "healthy"),
    row(None, "DescribeAutoScalingGroups", "InstanceId", "LifecycleState", "Pending", "InService"),
    row(Some("CreateHostedZone"), "GetChange", "Id", "Status", "PENDING", "INSYNC"),
];

/// What an instant belongs to: the row, what else the call that shows it asks about (a target is healthy in one group
/// and not yet in another), and the id.
type Key = (usize, String, String);

#[derive(Debug, Default)]
pub(crate) struct Settling {
    began: BTreeMap<Key, Instant>,
    set: BTreeMap<String, String>,
}

impl Settling {
    /// Says which state an object is in; `None` ends that.
    pub(crate) fn set(&mut self, id: &str, state: Option<&str>) {
        match state {
            Some(state) => self.set.insert(id.to_owned(), state.to_owned()),
            None => self.set.remove(id),
        };
    }

    /// Remembers what a successful call has begun.
    pub(crate) fn note(&mut self, call: &Call, answer: &Answer, now: Instant) {
        for (at, row) in ROWS.iter().enumerate().filter(|(_, row)| row.begins == Some(call.action.as_str())) {
            // A create's answer names its object first; a delete's need not name it at all.
            let answered = lists::texts_of(answer.text(), row.id).into_iter().next();
            let named =
                || call.params.iter().find(|(name, _)| name.eq_ignore_ascii_case(row.id)).map(|(_, id)| id.clone());
            if let Some(id) = answered.or_else(named) {
                self.began.insert((at, String::new(), id), now);
            }
        }
    }

    /// The answer with the states as they are by now.
    pub(crate) fn shown(&mut self, call: &Call, answer: Answer, takes: Duration, now: Instant) -> Answer {
        let rows = ROWS
            .iter()
            .enumerate()
            .filter(|(_, row)| [Some(row.shown_by), row.begins].contains(&Some(call.action.as_str())));
        let about = call.params.get("TargetGroupArn").cloned().unwrap_or_default();
        if takes.is_zero() && self.set.is_empty() {
            return answer;
        }
        let mut text = answer.text().to_owned();
        let mut changed = false;
        for (at, row) in rows {
            let edits = Document::parse(&text).map_or_else(
                |_| Vec::new(),
                |document| {
                    let nodes = document.descendants().filter(Node::is_element);
                    nodes.filter_map(|node| self.edit(at, row, node, &about, takes, now)).collect()
                },
            );
            changed |= !edits.is_empty();
            text = lists::edited(&text, &edits);
        }
        if changed { answer.with_text(text) } else { answer }
    }

    /// What the state of this element is to be replaced by, if it has one and it is another.
    fn edit(
        &mut self,
        at: usize,
        row: &Row,
        node: Node<'_, '_>,
        about: &str,
        takes: Duration,
        now: Instant,
    ) -> Option<(Range<usize>, String)> {
        let id = below(node, row.id)?.text()?;
        let state = below(node, row.state)?.first_child().filter(Node::is_text)?;
        if let Some(set) = self.set.get(id) {
            return Some((state.range(), set.clone()));
        }
        let key = (at, if row.begins.is_none() { about.to_owned() } else { String::new() }, id.to_owned());
        if row.begins.is_none() && state.text() == Some(row.then) {
            self.began.entry(key.clone()).or_insert(now);
        }
        let began = self.began.get(&key)?;
        let settled = now.saturating_duration_since(*began) >= takes;
        let pending = !settled && state.text() == Some(row.then);
        pending.then(|| (state.range(), row.meanwhile.to_owned()))
    }
}

fn below<'a>(node: Node<'a, 'a>, path: &str) -> Option<Node<'a, 'a>> {
    path.split('/').try_fold(node, |node, name| elements(node).find(|child| child.has_tag_name_anywhere(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAKES: Duration = Duration::from_secs(2);

    fn call(action: &str, params: &[(&str, &str)]) -> Call {
        let own = |text: &str| text.to_owned();
        let params = params.iter().map(|(name, value)| (own(name), own(value))).collect();
        Call { account: own("a"), service: own("ec2"), region: own("r"), action: own(action), params, stamp: None }
    }

    fn states(settling: &mut Settling, call: &Call, xml: &str, now: Instant) -> Vec<String> {
        let shown = settling.shown(call, Answer::ok(xml.to_owned()), TAKES, now);
        let states = ["state", "State", "Code"].iter().flat_map(|name| lists::texts_of(shown.text(), name));
        states.filter(|text| !text.trim().is_empty()).collect()
    }

    #[test]
    fn a_new_object_is_pending_until_it_has_settled() {
        let (mut settling, start) = (Settling::default(), Instant::now());
        let create = call("CreateNatGateway", &[]);
        let made = "<R><natGateway><natGatewayId>n</natGatewayId><state>available</state></natGateway></R>";
        settling.note(&create, &Answer::ok(made.to_owned()), start);
        assert_eq!(states(&mut settling, &create, made, start), ["pending"]);
        let list = "<R><natGatewaySet><item><natGatewayId>n</natGatewayId><state>available</state></item><item><natGatewayId>m</natGatewayId><state>available</state></item></natGatewaySet></R>";
        let describe = call("DescribeNatGateways", &[]);
        assert_eq!(states(&mut settling, &describe, list, start), ["pending", "available"]);
        assert_eq!(states(&mut settling, &describe, list, start + TAKES), ["available", "available"]);
        settling.note(&call("DeleteNatGateway", &[("NatGatewayId", "n")]), &Answer::ok(String::new()), start);
        let deleted = list.replacen("available", "deleted", 1);
        assert_eq!(states(&mut settling, &describe, &deleted, start), ["deleting", "available"]);
        settling.set("m", Some("failed"));
        assert_eq!(states(&mut settling, &describe, &deleted, start + TAKES), ["deleted", "failed"]);
    }

    #[test]
    fn a_target_settles_in_each_group() {
        let (mut settling, start) = (Settling::default(), Instant::now());
        let xml = "<R><D><member><Target><Id>i</Id></Target><TargetHealth><State>healthy</State></TargetHealth></member></D></R>";
        let (one, two) = (
            call("DescribeTargetHealth", &[("TargetGroupArn", "1")]),
            call("DescribeTargetHealth", &[("TargetGroupArn", "2")]),
        );
        assert_eq!(states(&mut settling, &one, xml, start), ["initial"]);
        assert_eq!(states(&mut settling, &one, xml, start + TAKES), ["healthy"]);
        assert_eq!(states(&mut settling, &two, xml, start + TAKES), ["initial"]);
    }
}
