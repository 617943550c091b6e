//! Gateways that are attached to one VPC at a time: by a call of their own, after they were made.

use provision_core::call::Wait;
use provision_core::value::Value;

use crate::table::calls::{Calls, Delete, Part, Update, field, known_id, parts};

/// How gateways of a type are attached; the VPC is their field `vpc`.
pub(super) struct VpcAttachment {
    pub(super) attach: &'static str,
    pub(super) detach: &'static str,
    /// The member of both requests that names the gateway.
    pub(super) gateway: &'static str,
    /// How long either takes.
    pub(super) takes: Wait,
}

impl VpcAttachment {
    pub(super) fn attach(&self, calls: &mut Calls, id: Part, vpc: &str) {
        let request = parts([(self.gateway, id), ("VpcId", vpc.into())]);
        calls.set_and_wait(self.attach, request, field("vpc", vpc), self.takes);
    }

    fn detach(&self, calls: &mut Calls, id: Part, vpc: &str) {
        let request = parts([(self.gateway, id), ("VpcId", vpc.into())]);
        calls.set_and_wait(self.detach, request, field("vpc", Value::Null), self.takes);
    }

    /// To another VPC, if that changes.
    pub(super) fn update(&self, calls: &mut Calls, update: &Update<'_>) -> Result<(), String> {
        if update.changes("vpc") {
            if let Some(vpc) = update.observed.optional_text("vpc")? {
                self.detach(calls, known_id(update.id), vpc);
            }
            self.attach(calls, known_id(update.id), update.desired.text("vpc")?);
        }
        Ok(())
    }

    /// Away from where it was seen last: an attached gateway can't be deleted.
    pub(super) fn before_delete(&self, calls: &mut Calls, delete: &Delete<'_>) {
        if let Some(vpc) = delete.last("vpc").and_then(Value::as_text) {
            self.detach(calls, known_id(delete.id), vpc);
        }
    }
}
