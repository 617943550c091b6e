//! HTTP/1.1 in front of the proxy.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{StreamExt, stream};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    Response, StatusCode,
    body::{Frame, Incoming},
    header::{self, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, sync::oneshot};

use super::{
    answer::Answer,
    call::Request,
    proxy::{Outcome, Proxy},
};

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Serves connections until the runtime ends.
pub(crate) async fn serve(listener: TcpListener, proxy: Arc<Proxy>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, for one; do not spin until there are some.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let proxy = Arc::clone(&proxy);
        tokio::spawn(async move {
            let service = service_fn(|request| respond(request, Arc::clone(&proxy)));
            // Errors are what faults look like from here.
            let _ended = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn respond(request: hyper::Request<Incoming>, proxy: Arc<Proxy>) -> io::Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let request = Request { method: head.method, uri: head.uri, headers: head.headers, body };
    let (sender, outcome) = oneshot::channel();
    // A task of its own: a service goes on with a request when its caller hangs up.
    tokio::spawn({
        let proxy = Arc::clone(&proxy);
        async move { proxy.handle(request, sender).await }
    });
    match outcome.await {
        Ok(Outcome::Answer(answer)) => response(answer, &proxy, whole),
        Ok(Outcome::Cut(answer)) => response(answer, &proxy, half),
        Ok(Outcome::Close) | Err(_) => Err(io::ErrorKind::ConnectionAborted.into()),
    }
}

fn response(answer: Answer, proxy: &Proxy, body: fn(Bytes) -> Body) -> io::Result<Response<Body>> {
    let Answer { status, mut headers, body: bytes } = answer;
    let date = httpdate::fmt_http_date(proxy.state().now());
    headers.insert(header::DATE, HeaderValue::from_str(&date).map_err(io::Error::other)?);
    // An answer without a body keeps its length: that of a HEAD is that of the object.
    if !bytes.is_empty() {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    }
    let mut response = Response::new(body(bytes));
    *response.status_mut() = StatusCode::from_u16(status).map_err(io::Error::other)?;
    *response.headers_mut() = headers;
    Ok(response)
}

fn whole(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

/// The first half, long enough on its way to arrive, and then the end of the connection.
fn half(bytes: Bytes) -> Body {
    let first = stream::iter([Ok(Frame::data(bytes.slice(..bytes.len() / 2)))]);
    let cut = stream::once(async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Err(io::ErrorKind::ConnectionAborted.into())
    });
    StreamBody::new(first.chain(cut)).boxed_unsync()
}
