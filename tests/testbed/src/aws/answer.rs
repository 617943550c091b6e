//! An answer, moto's or our own, and the services' error documents.

use bytes::Bytes;
use hyper::{HeaderMap, header};

use super::call::Call;

/// What goes back to a caller.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as text; of a body that is none, nothing.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_default()
    }

    pub(crate) fn with_text(mut self, text: String) -> Self {
        self.headers.remove(header::CONTENT_LENGTH);
        self.body = Bytes::from(text);
        self
    }

    /// A document, as all these services answer.
    pub(crate) fn ok(text: String) -> Self {
        Self { status: 200, headers: xml(), body: Bytes::from(text) }
    }

    /// An error in the form of the service that was called.
    pub(crate) fn error(call: &Call, status: u16, code: &str, message: &str) -> Self {
        let (code, message) = (escaped(code), escaped(message));
        let id = "testbed-request-id";
        let document = match call.service.as_str() {
            "ec2" => format!(
                "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors><RequestID>{id}</RequestID></Response>"
            ),
            "s3" => {
                format!("<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{id}</RequestId></Error>")
            }
            _ => {
                let kind = if status < 500 { "Sender" } else { "Receiver" };
                format!(
                    "<ErrorResponse><Error><Type>{kind}</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>{id}</RequestId></ErrorResponse>"
                )
            }
        };
        let body = Bytes::from(format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{document}"));
        Self { status, headers: xml(), body }
    }

    /// The error of a call that came too soon after others: in EC2's API Reference, "Request throttling"; S3's "Best practices
    /// design patterns"; and the common errors of the others' API references.
    pub(crate) fn throttled(call: &Call) -> Self {
        match call.service.as_str() {
            "ec2" => Self::error(call, 503, "RequestLimitExceeded", "Request limit exceeded."),
            "s3" => Self::error(call, 503, "SlowDown", "Please reduce your request rate."),
            _ => Self::error(call, 400, "Throttling", "Rate exceeded"),
        }
    }

    /// The error that a service answers when it fails by itself.
    pub(crate) fn server_error(call: &Call, status: u16) -> Self {
        let code = match (call.service.as_str(), status) {
            ("ec2", 503) => "Unavailable",
            ("s3", 503) => "SlowDown",
            (_, 503) => "ServiceUnavailable",
            ("s3" | "ec2", _) => "InternalError",
            _ => "InternalFailure",
        };
        Self::error(call, status, code, "An internal error has occurred")
    }
}

fn xml() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/xml;charset=UTF-8"));
    headers
}

pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
