//! One small infrastructure with a resource of each type, and edits of it.

use simulation::infra::{BlockSpec, DcSpec, Kind, Res, Spec};

/// A VPC and a subnet in one block, a group and an instance in another one that uses them.
pub(crate) fn one_of_each() -> Spec {
    let res = |kind, uid| Res { kind, uid, range: 0, zone: 0, flag: true, tag: 1, picks: [0; 3] };
    let blocks = vec![
        BlockSpec { uid: 100, resources: vec![res(Kind::Vpc, 0), res(Kind::Subnet, 1)] },
        BlockSpec { uid: 101, resources: vec![res(Kind::Group, 2), res(Kind::Instance, 3)] },
    ];
    Spec { dcs: vec![DcSpec { name: "us-test", env: "staging", blocks }], next: 4 }
}

/// The same with each resource changed.
pub(crate) fn each(mut spec: Spec, change: impl Fn(&mut Res)) -> Spec {
    for resource in spec.dcs.iter_mut().flat_map(|dc| &mut dc.blocks).flat_map(|block| &mut block.resources) {
        change(resource);
    }
    spec
}

/// Everything changes in place.
pub(crate) fn updated() -> Spec {
    each(one_of_each(), |res| (res.flag, res.tag) = (false, 2))
}

/// Everything is replaced: the network because its range changes, the rest with it.
pub(crate) fn replaced() -> Spec {
    each(one_of_each(), |res| {
        if res.kind == Kind::Vpc {
            res.range = 1;
        }
    })
}

/// The second block has left the code.
pub(crate) fn without_the_second_block() -> Spec {
    let mut spec = one_of_each();
    spec.dcs[0].blocks.pop();
    spec
}
