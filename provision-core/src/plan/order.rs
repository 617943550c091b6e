//! The order in which resources are decided.

use super::planner::Planner;
use crate::desired::DesiredResource;
use crate::fast::FastMap;
use crate::id::ResourceAddr;

/// How far a walk along the refs has come with a resource.
#[derive(Clone, Copy)]
enum Seen {
    Not,
    /// What it uses comes first.
    Open,
    Done,
}

impl<'a> Planner<'a> {
    /// Every desired resource after those whose outputs it uses. The DSL cannot write a cycle; a tree with one that
    /// came another way leaves out what is in it, and the refs of the rest stay unknown.
    pub(super) fn in_ref_order(&self) -> Vec<(ResourceAddr, &'a DesiredResource)> {
        let all: Vec<(ResourceAddr, &DesiredResource)> = self.desired_blocks().collect();
        let numbers: FastMap<&ResourceAddr, usize> =
            all.iter().enumerate().map(|(number, (addr, _))| (addr, number)).collect();
        let mut order = Vec::with_capacity(all.len());
        let mut seen = vec![Seen::Not; all.len()];
        // Depth first with a stack of our own: refs may go deep.
        let mut stack = Vec::new();
        for start in 0..all.len() {
            stack.push(start);
            while let Some(number) = stack.last().copied() {
                match (seen.get_mut(number), all.get(number)) {
                    (Some(seen @ Seen::Not), Some((_, desired))) => {
                        *seen = Seen::Open;
                        stack.extend(desired.uses().into_iter().filter_map(|used| numbers.get(used)));
                    }
                    (Some(seen @ Seen::Open), _) => {
                        stack.pop();
                        *seen = Seen::Done;
                        order.push(number);
                    }
                    (Some(Seen::Done) | None, _) | (_, None) => {
                        stack.pop();
                    }
                }
            }
        }
        order.into_iter().filter_map(|number| all.get(number).cloned()).collect()
    }
}
