//! Whether traffic gets there: each way from one end to the other, step by step, and the answers back.

use ipnet::IpNet;
use provision_core::desired::Desired;
use provision_core::reach::{Place, Question, Reach, Step, Traffic, Unanswered};

use super::acls::{self, Packets};
use super::model::Model;
use super::places::{Leg, legs};
use super::{groups, routes};

/// An end of the way.
#[derive(Debug)]
pub(super) enum End<'a> {
    /// A leg of a place of ours.
    Leg(&'a Leg<'a>),
    /// Addresses outside.
    Net(Vec<IpNet>),
}

impl End<'_> {
    pub(super) fn addresses(&self) -> &[IpNet] {
        match self {
            Self::Leg(leg) => &leg.addresses,
            Self::Net(nets) => nets,
        }
    }

    pub(super) fn words(&self) -> String {
        routes::shown(self.addresses())
    }
}

/// Answers from the definitions; `None` if no place is one of AWS.
pub(crate) fn reach(desired: &Desired, question: &Question) -> Option<Result<Reach, Unanswered>> {
    let model = Model::of(desired);
    let knows = |place: &Place| match place {
        Place::Resource(addr) => model.items().any(|item| item.addr == addr),
        Place::Net(_) => false,
    };
    (knows(&question.from) || knows(&question.to)).then(|| answer(&model, question))
}

fn answer(model: &Model<'_>, question: &Question) -> Result<Reach, Unanswered> {
    let traffic = question.traffic;
    let ways: Vec<Reach> = match (&question.from, &question.to) {
        (Place::Resource(from), Place::Resource(to)) => {
            let (from, to) = (legs(model, from)?, legs(model, to)?);
            let pairs = from.iter().flat_map(|from| to.iter().map(move |to| (from, to)));
            pairs.map(|(from, to)| Reach::by(across(model, from, to, traffic))).collect()
        }
        (Place::Resource(from), Place::Net(net)) => {
            legs(model, from)?.iter().map(|from| Reach::by(outward(model, from, *net, traffic))).collect()
        }
        (Place::Net(net), Place::Resource(to)) => {
            legs(model, to)?.iter().map(|to| Reach::by(inward(model, to, *net, traffic))).collect()
        }
        (Place::Net(_), Place::Net(_)) => Vec::new(),
    };
    Reach::best(ways)
        .ok_or_else(|| Unanswered::Nobody { reason: "one of the places has nothing on the network".to_owned() })
}

/// From a leg to another one.
fn across(model: &Model<'_>, from: &Leg<'_>, to: &Leg<'_>, traffic: Traffic) -> Vec<Step> {
    let (request, answer) = (Packets::Request(traffic), Packets::Answer(traffic));
    let mut steps = vec![
        groups::pass(model, from, "egress", &End::Leg(to), traffic),
        routes::between(model, from, to),
        groups::pass(model, to, "ingress", &End::Leg(from), traffic),
    ];
    // ACLs stand at the edge of subnets: within one they see nothing.
    if from.subnet != to.subnet {
        steps.insert(1, acls::pass(model, from.subnet, "egress", &to.addresses, request));
        steps.insert(3, acls::pass(model, to.subnet, "ingress", &from.addresses, request));
        steps.push(acls::pass(model, to.subnet, "egress", &from.addresses, answer));
        steps.push(acls::pass(model, from.subnet, "ingress", &to.addresses, answer));
    }
    let back = routes::between(model, to, from);
    if steps.iter().all(|step| step.because != back.because) {
        steps.push(Step { because: format!("back: {}", back.because), ..back });
    }
    steps
}

/// From a leg to addresses outside.
fn outward(model: &Model<'_>, from: &Leg<'_>, to: IpNet, traffic: Traffic) -> Vec<Step> {
    let nets = [to];
    vec![
        groups::pass(model, from, "egress", &End::Net(nets.to_vec()), traffic),
        acls::pass(model, from.subnet, "egress", &nets, Packets::Request(traffic)),
        routes::out(model, from, &nets),
        acls::pass(model, from.subnet, "ingress", &nets, Packets::Answer(traffic)),
    ]
}

/// From addresses outside to a leg.
fn inward(model: &Model<'_>, to: &Leg<'_>, from: IpNet, traffic: Traffic) -> Vec<Step> {
    let nets = [from];
    vec![
        routes::into(model, to, &nets),
        acls::pass(model, to.subnet, "ingress", &nets, Packets::Request(traffic)),
        groups::pass(model, to, "ingress", &End::Net(nets.to_vec()), traffic),
        acls::pass(model, to.subnet, "egress", &nets, Packets::Answer(traffic)),
    ]
}
