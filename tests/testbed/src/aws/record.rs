//! What was asked of the proxy, and what became of it.

use std::{collections::BTreeMap, time::SystemTime};

use super::{
    call::Call,
    rules::{Fault, Match},
};

/// One request, as it came and as far as it has got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedCall {
    /// Counts the requests from 0, in the order in which they came.
    pub seq: usize,
    /// When it came.
    pub at: SystemTime,
    /// The account whose credentials have signed it.
    pub account: String,
    /// The signing name of the service: `ec2`, `elasticloadbalancing`, `autoscaling`, `iam`, `route53`, `sts`, `s3`.
    pub service: String,
    /// The region of the signature.
    pub region: String,
    /// The API's name, in every protocol: `CreateVpc`, `PutBucketVersioning`, `CreateHostedZone`.
    pub action: String,
    /// The parameters of a query call without `Action` and `Version`. Of a REST call (S3, Route 53): `Method`, what its
    /// path says (`Bucket`, `Key`, `Id`), what its query string says, `If-Match` and `If-None-Match` where they are
    /// there, and the texts of an XML body by their path (`VPC.VPCId`; the second of several is `Change.2`).
    pub params: BTreeMap<String, String>,
    /// What was answered. Nothing as long as there is no answer, and where the connection was closed on
    /// the caller instead.
    pub status: Option<u16>,
    /// What the service said to it when it was its turn, whether or not the caller heard that: of a late
    /// delivery, for one. Nothing as long as it is on its way, and where it never gets there.
    pub result: Option<u16>,
    /// Whether the server behind the proxy was asked to do it: not so for a dry run, a refusal by the proxy, and an
    /// answer that was given again for the same client token.
    pub executed: bool,
    /// The fault of the rule that applied to it.
    pub faulted: Option<Fault>,
}

impl RecordedCall {
    pub(crate) fn new(seq: usize, call: &Call) -> Self {
        let Call { account, service, region, action, params, stamp: _ } = call.clone();
        Self {
            seq,
            at: SystemTime::now(),
            account,
            service,
            region,
            action,
            params,
            status: None,
            result: None,
            executed: false,
            faulted: None,
        }
    }

    /// Whether it is one of those.
    pub fn is(&self, matches: &Match) -> bool {
        let Self { account, service, region, action, params, .. } = self.clone();
        matches.holds(&Call { account, service, region, action, params, stamp: None })
    }
}
