//! What came back: classified, with the server's clock.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use aws_sdk_ec2::config::interceptors::{
    BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_sdk_ec2::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::date_time::{DateTime, Format};
use provision_core::call::{ReadAnswer, Refusal, ServerTime};
use provision_core::value::Value;

use crate::errors::{Meaning, meaning};

/// Watches one request: whether it left, and the `Date` of the answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Probe(Arc<Seen>);

#[derive(Debug, Default)]
struct Seen {
    sent: AtomicBool,
    /// 0 stands for no answer, or one without a date.
    server_ms: AtomicU64,
}

impl Intercept for Probe {
    fn name(&self) -> &'static str {
        "provision"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), aws_smithy_runtime_api::box_error::BoxError> {
        self.0.sent.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), aws_smithy_runtime_api::box_error::BoxError> {
        let date = context.response().headers().get("date");
        if let Some(ms) = date.and_then(parse_date) {
            self.0.server_ms.store(ms, Ordering::Relaxed);
        }
        Ok(())
    }
}

fn parse_date(text: &str) -> Option<u64> {
    DateTime::from_str(text, Format::HttpDate).ok()?.to_millis().ok()?.try_into().ok()
}

/// What came back for a request.
pub(crate) enum Reply {
    /// The answer, as a tree.
    Done { answer: Value, server_time: Option<ServerTime> },
    /// There is none.
    Failed { failure: Failure, server_time: Option<ServerTime> },
}

/// Why there is no answer.
pub(crate) enum Failure {
    /// The server says no, or the request never left.
    Refused { refusal: Refusal, code: String, message: String },
    /// Nobody knows.
    Unknown { reason: String },
}

impl Probe {
    /// What came back, with the server's clock.
    pub(crate) fn reply<E>(&self, sent: Result<Value, SdkError<E, HttpResponse>>) -> Reply
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let server_time = Some(self.0.server_ms.load(Ordering::Relaxed)).filter(|&ms| ms != 0).map(ServerTime);
        match sent {
            Ok(answer) => Reply::Done { answer, server_time },
            Err(error) => Reply::Failed { failure: self.failure(&error), server_time },
        }
    }

    /// What a failed request means.
    pub(crate) fn failure<E>(&self, error: &SdkError<E, HttpResponse>) -> Failure
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        if !self.0.sent.load(Ordering::Relaxed) {
            // Construction, credentials and signing come before sending.
            let (code, message) = ("NotSent".to_owned(), chain(error));
            return Failure::Refused { refusal: Refusal::Denied, code, message };
        }
        let SdkError::ServiceError(service) = error else { return Failure::Unknown { reason: chain(error) } };
        let status = service.raw().status().as_u16();
        let (code, message) = (service.err().code().unwrap_or_default(), service.err().message().unwrap_or_default());
        match meaning(code, message, status) {
            Meaning::Refused(refusal) => {
                Failure::Refused { refusal, code: code.to_owned(), message: message.to_owned() }
            }
            Meaning::Unknown => Failure::Unknown { reason: format!("status {status} {code}: {message}") },
        }
    }
}

impl From<Failure> for ReadAnswer {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused { refusal: Refusal::Throttled, .. } => Self::Throttled,
            Failure::Refused { refusal, code, message } => {
                Self::Failed { refusal: Some(refusal), reason: format!("{code}: {message}") }
            }
            Failure::Unknown { reason } => Self::Failed { refusal: None, reason },
        }
    }
}

/// An error and its sources, in one line; each says what the one before does not.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        let words = source.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        next = source.source();
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn dates_are_those_of_http() {
        assert_eq!(super::parse_date("Thu, 01 Jan 1970 00:00:05 GMT"), Some(5000));
        assert_eq!(super::parse_date("yesterday"), None);
    }
}
