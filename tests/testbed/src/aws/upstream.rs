//! The server behind the proxy, one connection per request (moto closes them anyway).

use std::{io, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::{answer::Answer, call::Request};

const PATIENCE: Duration = Duration::from_secs(60);
/// What belongs to one connection and not to the request or the answer.
const HOP_BY_HOP: [&str; 6] =
    ["connection", "expect", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];

/// Where the server listens: `host:port`.
#[derive(Debug, Clone)]
pub(crate) struct Upstream {
    authority: String,
}

impl Upstream {
    /// From an `http://host:port` without a path.
    pub(crate) fn parse(url: &str) -> Option<Self> {
        let authority = url.strip_prefix("http://")?.trim_end_matches('/');
        let plain = !authority.is_empty() && !authority.contains(['/', '@', '?']);
        plain.then(|| Self {
            authority: if authority.contains(':') { authority.to_owned() } else { format!("{authority}:80") },
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.authority)
    }

    pub(crate) async fn send(&self, request: Request) -> io::Result<Answer> {
        tokio::time::timeout(PATIENCE, self.exchange(request)).await?
    }

    async fn exchange(&self, request: Request) -> io::Result<Answer> {
        let stream = TokioIo::new(TcpStream::connect(&self.authority).await?);
        let (mut sender, connection) = http1::handshake(stream).await.map_err(io::Error::other)?;
        let exchange = async {
            let response = sender.send_request(self.outgoing(request)).await?;
            let (head, body) = response.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok::<_, hyper::Error>(Answer { status: head.status.as_u16(), headers: end_to_end(head.headers), body })
        };
        let mut connection = std::pin::pin!(connection);
        let mut exchange = std::pin::pin!(exchange);
        let mut closed = false;
        loop {
            tokio::select! {
                answer = &mut exchange => return answer.map_err(io::Error::other),
                ended = &mut connection, if !closed => {
                    ended.map_err(io::Error::other)?;
                    closed = true;
                }
            }
        }
    }

    fn outgoing(&self, request: Request) -> hyper::Request<Full<Bytes>> {
        let mut outgoing = hyper::Request::new(Full::new(request.body));
        *outgoing.method_mut() = request.method;
        *outgoing.uri_mut() = request.uri;
        let mut headers = end_to_end(request.headers);
        headers.remove(header::CONTENT_LENGTH);
        if !headers.contains_key(header::HOST)
            && let Ok(host) = self.authority.parse()
        {
            headers.insert(header::HOST, host);
        }
        *outgoing.headers_mut() = headers;
        outgoing
    }
}

fn end_to_end(mut headers: HeaderMap) -> HeaderMap {
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_is_a_server_to_test_against() {
        let parsed = |url| Upstream::parse(url).map(|upstream| upstream.authority);
        assert_eq!(parsed("http://127.0.0.1:4566/").as_deref(), Some("127.0.0.1:4566"));
        assert_eq!(parsed("http://localstack").as_deref(), Some("localstack:80"));
        assert_eq!(parsed("https://ec2.us-east-1.amazonaws.com"), None);
        assert_eq!(parsed("http://a/b"), None);
    }
}
