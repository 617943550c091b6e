//! One small infrastructure with a resource of each type.

use simulation::infra::{BlockSpec, DcSpec, Kind, Res, Spec};

/// A VPC and a subnet in one block, a group and an instance in another one that uses them.
pub(crate) fn one_of_each() -> Spec {
    let res = |kind, uid| Res { kind, uid, range: 0, zone: 0, flag: true, tag: 1, picks: [0; 3] };
    let blocks = vec![
        BlockSpec { uid: 100, resources: vec![res(Kind::Vpc, 0), res(Kind::Subnet, 1)] },
        BlockSpec { uid: 101, resources: vec![res(Kind::Group, 2), res(Kind::Instance, 3)] },
    ];
    Spec { dcs: vec![DcSpec { name: "us-test", env: "staging", blocks }], next: 4, moved: Vec::new() }
}
