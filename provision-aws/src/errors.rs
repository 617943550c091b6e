//! What EC2's error codes mean for the executor.
//!
//! Codes and their meaning: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>; codes of the
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
        // Rules: one that is there is authorized, one that is not there is revoked.
        ("InvalidPermission.Duplicate", Refused(Refusal::AlreadySo)),
        ("InvalidPermission.NotFound", Refused(Refusal::AlreadySo)),
        // Things that a definition names and we never make: waiting for them to become visible would be in vain.
        ("InvalidAMIID.NotFound", Refused(Refusal::Invalid)),
        ("InvalidKeyPair.NotFound", Refused(Refusal::Invalid)),
        // In use, or on the way from one state to another: it passes.
        ("DependencyViolation", Refused(Refusal::InUse)),
        ("IncorrectState", Refused(Refusal::InUse)),
        ("IncorrectInstanceState", Refused(Refusal::InUse)),
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

/// What an error means, from its code, its message and the status of the answer.
pub fn meaning(code: &str, message: &str, status: u16) -> Meaning {
    if let Some((_, meaning)) = CODES.iter().find(|(known, _)| *known == code) {
        return *meaning;
    }
    if SIGNATURE.contains(&code) {
        let message = message.to_ascii_lowercase();
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
    fn what_the_server_does_not_know_we_do_not_know() {
        for (code, status) in [("InternalError", 500), ("Unavailable", 503), ("", 400), ("Odd", 502)] {
            assert_eq!(meaning(code, "", status), Meaning::Unknown, "{code}");
        }
    }
}
