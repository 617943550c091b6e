//! What AWS' error codes mean for the executor.
//!
//! Codes and their meaning: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>; of load balancing:
//! the errors of each operation at <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/>; codes of the
//! signature: <https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html>; codes of temporary
//! credentials: <https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html>.

use provision_core::call::Refusal;

/// What an answer with an error code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// The server did not do it.
    Refused(Refusal),
    /// It may have happened, or may still happen.
    Unknown,
}

/// Codes that mean one thing whatever the status. They come before the rules by form of [`meaning`].
const CODES: &[(&str, Meaning)] = {
    use Meaning::{Refused, Unknown};
    &[
        // Throttling comes with status 503, and is a refusal all the same.
        ("RequestLimitExceeded", Refused(Refusal::Throttled)),
        ("RequestThrottled", Refused(Refusal::Throttled)),
        ("RequestThrottledException", Refused(Refusal::Throttled)),
        ("TooManyRequestsException", Refused(Refusal::Throttled)),
        ("SlowDown", Refused(Refusal::Throttled)),
        ("EC2ThrottledException", Refused(Refusal::Throttled)),
        ("BandwidthLimitExceeded", Refused(Refusal::Throttled)),
        ("ConcurrentTagAccess", Refused(Refusal::Throttled)),
        // One change of an object, or of a zone, at a time.
        ("ConcurrentModification", Refused(Refusal::Throttled)),
        ("PriorRequestNotComplete", Refused(Refusal::Throttled)),
        // The stamp is past its bound, or the credential has ended.
        ("RequestExpired", Refused(Refusal::Expired)),
        ("RequestTimeTooSkewed", Refused(Refusal::Expired)),
        ("RequestInTheFuture", Refused(Refusal::Expired)),
        ("ExpiredToken", Refused(Refusal::Expired)),
        ("ExpiredTokenException", Refused(Refusal::Expired)),
        ("TokenRefreshRequired", Refused(Refusal::Expired)),
        // Credentials and permissions.
        ("UnauthorizedOperation", Refused(Refusal::Denied)),
        ("AccessDenied", Refused(Refusal::Denied)),
        ("AccessDeniedException", Refused(Refusal::Denied)),
        ("OptInRequired", Refused(Refusal::Denied)),
        ("Blocked", Refused(Refusal::Denied)),
        ("PendingVerification", Refused(Refusal::Denied)),
        ("InvalidClientTokenId", Refused(Refusal::Denied)),
        ("UnrecognizedClientException", Refused(Refusal::Denied)),
        ("MissingAuthenticationToken", Refused(Refusal::Denied)),
        ("MissingAuthenticationTokenException", Refused(Refusal::Denied)),
        ("IncompleteSignature", Refused(Refusal::Denied)),
        // Names and natural keys that are taken.
        ("InvalidGroup.Duplicate", Refused(Refusal::Exists)),
        ("InvalidSubnet.Conflict", Refused(Refusal::Exists)),
        ("InvalidKeyPair.Duplicate", Refused(Refusal::Exists)),
        ("InvalidPlacementGroup.Duplicate", Refused(Refusal::Exists)),
        ("InvalidLaunchTemplateName.AlreadyExistsException", Refused(Refusal::Exists)),
        // Auto Scaling: <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/CommonErrors.html>, and each call's own.
        ("AlreadyExists", Refused(Refusal::Exists)),
        ("ResourceContention", Refused(Refusal::InUse)),
        ("ScalingActivityInProgress", Refused(Refusal::InUse)),
        ("InstanceRefreshInProgress", Refused(Refusal::InUse)),
        ("DuplicateLoadBalancerName", Refused(Refusal::Exists)),
        ("DuplicateTargetGroupName", Refused(Refusal::Exists)),
        ("DuplicateListener", Refused(Refusal::Exists)),
        ("PriorityInUse", Refused(Refusal::Exists)),
        // Load balancing: what is just made may not be visible yet, also a security group that a balancer is to have.
        ("LoadBalancerNotFound", Refused(Refusal::NotFound)),
        ("TargetGroupNotFound", Refused(Refusal::NotFound)),
        ("ListenerNotFound", Refused(Refusal::NotFound)),
        ("RuleNotFound", Refused(Refusal::NotFound)),
        ("SubnetNotFound", Refused(Refusal::NotFound)),
        ("AllocationIdNotFound", Refused(Refusal::NotFound)),
        ("InvalidSecurityGroup", Refused(Refusal::NotFound)),
        ("EntityAlreadyExists", Refused(Refusal::Exists)),
        ("HostedZoneAlreadyExists", Refused(Refusal::Exists)),
        ("BucketAlreadyOwnedByYou", Refused(Refusal::Exists)),
        // A bucket of somebody else: whose it is need not be looked for.
        ("BucketAlreadyExists", Refused(Refusal::Invalid)),
        // IAM, Route 53, S3: what is just made may not be visible yet.
        ("NoSuchEntity", Refused(Refusal::NotFound)),
        ("NoSuchHostedZone", Refused(Refusal::NotFound)),
        ("NoSuchBucket", Refused(Refusal::NotFound)),
        ("InvalidVPCId", Refused(Refusal::NotFound)),
        // Rules: one that is there is authorized, one that is not there is revoked.
        ("InvalidPermission.Duplicate", Refused(Refusal::AlreadySo)),
        ("InvalidPermission.NotFound", Refused(Refusal::AlreadySo)),
        // Gateways: the one is still attached elsewhere, the other is not attached yet.
        ("Resource.AlreadyAssociated", Refused(Refusal::InUse)),
        ("Gateway.NotAttached", Refused(Refusal::InUse)),
        // Things that a definition names and we never make: waiting for them to become visible would be in vain.
        ("InvalidAMIID.NotFound", Refused(Refusal::Invalid)),
        // As `InvalidNatGatewayID.NotFound`, which other calls answer.
        ("NatGatewayNotFound", Refused(Refusal::NotFound)),
        // What we do make, in words of their own.
        ("InvalidPlacementGroup.Unknown", Refused(Refusal::NotFound)),
        ("InvalidLaunchTemplateId.VersionNotFound", Refused(Refusal::NotFound)),
        ("InvalidLaunchTemplateId.NotFoundException", Refused(Refusal::NotFound)),
        // In use, or on the way from one state to another: it passes.
        ("DependencyViolation", Refused(Refusal::InUse)),
        ("IncorrectState", Refused(Refusal::InUse)),
        ("IncorrectInstanceState", Refused(Refusal::InUse)),
        ("VolumeInUse", Refused(Refusal::InUse)),
        ("IncorrectModificationState", Refused(Refusal::InUse)),
        ("ResourceInUse", Refused(Refusal::InUse)),
        ("DeleteConflict", Refused(Refusal::InUse)),
        ("EntityTemporarilyUnmodifiable", Refused(Refusal::InUse)),
        ("HostedZoneNotEmpty", Refused(Refusal::InUse)),
        ("BucketNotEmpty", Refused(Refusal::InUse)),
        ("OperationAborted", Refused(Refusal::InUse)),
        // Tokens. A token whose instance was terminated has made its object, and will make no other.
        ("IdempotentParameterMismatch", Refused(Refusal::TokenMismatch)),
        ("IdempotentInstanceTerminated", Refused(Refusal::Invalid)),
        // No capacity comes with status 500, and is a refusal all the same.
        ("InsufficientInstanceCapacity", Refused(Refusal::Invalid)),
        ("InsufficientCapacity", Refused(Refusal::Invalid)),
        ("InsufficientHostCapacity", Refused(Refusal::Invalid)),
        ("InsufficientReservedInstanceCapacity", Refused(Refusal::Invalid)),
        ("Unsupported", Refused(Refusal::Invalid)),
        // The server does not know itself.
        ("InternalError", Unknown),
        ("ServiceFailure", Unknown),
        ("InternalFailure", Unknown),
        ("InternalServerError", Unknown),
        ("ServiceUnavailable", Unknown),
        ("Unavailable", Unknown),
        ("RequestTimeout", Unknown),
        ("RequestTimeoutException", Unknown),
    ]
};

/// Codes of a signature that does not fit, which is also how an old stamp is reported: the message tells.
const SIGNATURE: &[&str] = &["AuthFailure", "SignatureDoesNotMatch", "InvalidSignatureException", "InvalidSignature"];

/// Codes with several meanings, which words of the message tell apart, in lower case.
const WORDS: &[(&str, &str, Refusal)] = &[
    // A document that names an identity which is not visible yet:
    // <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_general.html#troubleshoot_general_eventual-consistency>.
    ("MalformedPolicyDocument", "invalid principal", Refusal::NotFound),
    // A batch of records that makes one which is there, or removes one which is not.
    ("InvalidChangeBatch", "it already exists", Refusal::Exists),
    ("InvalidChangeBatch", "it was not found", Refusal::AlreadySo),
    // A new profile is not known everywhere at once.
    ("InvalidParameterValue", "iam instance profile", Refusal::NotFound),
    // Auto Scaling has no code of its own for what is not there.
    ("ValidationError", "iaminstanceprofile", Refusal::NotFound),
    ("ValidationError", "not part of the group", Refusal::AlreadySo),
    ("ValidationError", "not found", Refusal::NotFound),
    ("ValidationError", "does not exist", Refusal::NotFound),
];

/// What an error means, from its code, its message and the status of the answer.
pub fn meaning(code: &str, message: &str, status: u16) -> Meaning {
    if let Some((_, meaning)) = CODES.iter().find(|(known, _)| *known == code) {
        return *meaning;
    }
    let message = message.to_ascii_lowercase();
    let said = |(known, words, _): &&(&str, &str, Refusal)| *known == code && message.contains(words);
    if let Some((_, _, refusal)) = WORDS.iter().find(said) {
        return Meaning::Refused(*refusal);
    }
    if SIGNATURE.contains(&code) {
        let stamp = ["expired", "not yet current", "earlier than", "later than"];
        let old = stamp.iter().any(|words| message.contains(words));
        return Meaning::Refused(if old { Refusal::Expired } else { Refusal::Denied });
    }
    if code.starts_with("Throttl") {
        return Meaning::Refused(Refusal::Throttled);
    }
    if status >= 500 || code.is_empty() {
        return Meaning::Unknown;
    }
    // `InvalidVpcID.NotFound`, `InvalidGroup.InUse`, and all of their kind.
    Meaning::Refused(match code.rsplit_once('.') {
        Some((_, "NotFound")) => Refusal::NotFound,
        Some((_, "InUse")) => Refusal::InUse,
        _ => Refusal::Invalid,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_mean_what_the_executor_has_to_do() {
        let refused = |code, status| match meaning(code, "", status) {
            Meaning::Refused(refusal) => refusal,
            Meaning::Unknown => panic!("{code} is a refusal"),
        };
        for (code, status, refusal) in [
            ("InvalidVpcID.NotFound", 400, Refusal::NotFound),
            ("InvalidGroup.NotFound", 400, Refusal::NotFound),
            ("InvalidInstanceID.NotFound", 400, Refusal::NotFound),
            ("InvalidAMIID.NotFound", 400, Refusal::Invalid),
            ("InvalidGroup.Duplicate", 400, Refusal::Exists),
            ("InvalidSubnet.Conflict", 400, Refusal::Exists),
            ("DuplicateListener", 400, Refusal::Exists),
            ("TargetGroupNotFound", 400, Refusal::NotFound),
            ("CertificateNotFound", 400, Refusal::Invalid),
            ("ResourceInUse", 400, Refusal::InUse),
            ("InvalidPermission.Duplicate", 400, Refusal::AlreadySo),
            ("InvalidPermission.NotFound", 400, Refusal::AlreadySo),
            ("DependencyViolation", 400, Refusal::InUse),
            ("InvalidGroup.InUse", 400, Refusal::InUse),
            ("IdempotentParameterMismatch", 400, Refusal::TokenMismatch),
            ("RequestLimitExceeded", 503, Refusal::Throttled),
            ("Throttling", 400, Refusal::Throttled),
            ("ThrottlingException", 400, Refusal::Throttled),
            ("RequestExpired", 400, Refusal::Expired),
            ("UnauthorizedOperation", 403, Refusal::Denied),
            ("InvalidVpcID.Malformed", 400, Refusal::Invalid),
            ("VpcLimitExceeded", 400, Refusal::Invalid),
            ("InsufficientInstanceCapacity", 500, Refusal::Invalid),
        ] {
            assert_eq!(refused(code, status), refusal, "{code}");
        }
    }

    #[test]
    fn an_old_stamp_is_told_from_a_wrong_key_by_the_message() {
        let old = "Signature expired: 20260101T000000Z is now earlier than 20260101T001500Z";
        for code in SIGNATURE {
            assert_eq!(meaning(code, old, 403), Meaning::Refused(Refusal::Expired));
            assert_eq!(meaning(code, "The signature does not match", 403), Meaning::Refused(Refusal::Denied));
        }
    }

    #[test]
    fn auto_scaling_says_in_words_what_is_not_there() {
        let of = |message| meaning("ValidationError", message, 400);
        assert_eq!(of("AutoScalingGroup name not found - null"), Meaning::Refused(Refusal::NotFound));
        assert_eq!(of("Max bound, 1, must be greater than or equal to min bound"), Meaning::Refused(Refusal::Invalid));
    }

    #[test]
    fn what_a_code_leaves_open_the_message_tells() {
        let refusal = |code, message| meaning(code, message, 400);
        for (code, message, meant) in [
            (
                "InvalidChangeBatch",
                "[Tried to create resource record set [name='a.'] but it already exists]",
                Refusal::Exists,
            ),
            (
                "InvalidChangeBatch",
                "[Tried to delete resource record set [name='a.'] but it was not found]",
                Refusal::AlreadySo,
            ),
            ("InvalidChangeBatch", "RRSet with DNS name a. is not permitted in zone b.", Refusal::Invalid),
            ("MalformedPolicyDocument", "Invalid principal in policy: \"AWS\":\"arn:x\"", Refusal::NotFound),
            ("MalformedPolicyDocument", "Syntax errors in policy.", Refusal::Invalid),
        ] {
            assert_eq!(refusal(code, message), Meaning::Refused(meant), "{message}");
        }
    }

    #[test]
    fn what_the_server_does_not_know_we_do_not_know() {
        for (code, status) in [("InternalError", 500), ("Unavailable", 503), ("", 400), ("Odd", 502)] {
            assert_eq!(meaning(code, "", status), Meaning::Unknown, "{code}");
        }
    }
}
