//! What goes before its successor is made, and takes its users along.

use std::collections::BTreeSet;

use super::data::{Outcome, ReplaceOrder};
use super::planner::Planner;
use crate::id::ResourceAddr;
use crate::mutant::{self, Mutant};

impl Planner<'_> {
    /// Finds what has to go first because what it uses does. Says whether anything was found that was not known before.
    pub(super) fn more_go_first(&mut self) -> bool {
        if mutant::on(Mutant::UsersStayWhileItGoes) {
            return false;
        }
        let mut found = Vec::new();
        for (block, change) in self.planned() {
            for (name, resource) in &change.resources {
                if resource.order != ReplaceOrder::DeleteFirst || !resource.allowed.contains(&Outcome::Replace) {
                    continue;
                }
                let going = block.resource(name.clone());
                found.extend(
                    resource
                        .users
                        .iter()
                        .filter(|user| self.goes_with(user, &going))
                        .map(|user| (user.clone(), going.clone())),
                );
            }
        }
        let mut more = false;
        for (user, going) in found {
            more |= self.first.entry(user).or_default().insert(going);
        }
        more
    }

    /// Whether a user of what goes has to go with it: it still uses it, also by way of others. One that no longer does
    /// changes over before.
    fn goes_with(&self, user: &ResourceAddr, going: &ResourceAddr) -> bool {
        let mut stack = vec![user.clone()];
        let mut seen = BTreeSet::new();
        while let Some(addr) = stack.pop() {
            if addr == *going {
                return true;
            }
            if seen.insert(addr.clone()) {
                stack.extend(self.desired(&addr).map(|desired| desired.depends_on()).unwrap_or_default());
            }
        }
        false
    }
}
