//! S3 as far as it can be tested without a server: what is said when something is wrong, and how often a put is sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use object_store::aws::AmazonS3Builder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::driver::{ObjectStoreBackend, OpenError, Store};
use crate::machine::{GetAnswer, PutAnswer, StoreKey};

fn builder(endpoint: &str) -> AmazonS3Builder {
    AmazonS3Builder::new().with_endpoint(endpoint).with_access_key_id("a").with_secret_access_key("b")
}

fn store(endpoint: &str) -> ObjectStoreBackend {
    ObjectStoreBackend::s3(builder(endpoint), "s3://bucket/some/prefix", "bucket/some/prefix").unwrap()
}

/// Answers every request with the same bytes (or closes without an answer) and counts them.
async fn server(answer: &'static str) -> (String, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicU32::new(0));
    let counted = count.clone();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 10_000];
            let read = socket.read(&mut request).await.unwrap_or_default();
            counted.fetch_add(u32::from(read > 0), Ordering::SeqCst);
            socket.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (endpoint, count)
}

#[test]
fn missing_credentials_are_named_without_asking_the_network() {
    let start = Instant::now();
    let bare = AmazonS3Builder::new().with_endpoint("http://127.0.0.1:1");
    let error = ObjectStoreBackend::s3(bare, "s3://bucket", "bucket").err().unwrap();
    assert!(matches!(&error, OpenError::NoCredentials { store } if store == "s3://bucket"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn a_store_that_cannot_be_reached_is_named_quickly() {
    let start = Instant::now();
    let error = store("http://127.0.0.1:1").reached().await.err().unwrap();
    let text = error.to_string();
    assert!(text.starts_with("s3://bucket/some/prefix cannot be used: ") && text.contains("127.0.0.1:1"), "{text}");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_missing_bucket_is_not_taken_for_an_empty_one() {
    let missing = "HTTP/1.1 404 Not Found\r\ncontent-length: 44\r\nconnection: close\r\n\r\n\
                   <Error><Code>NoSuchBucket</Code></Error>    ";
    let store = store(&server(missing).await.0);
    let key = StoreKey("v1/meta/infra".to_owned());
    assert_eq!(store.get(&key).await, GetAnswer::Failed("the bucket does not exist".to_owned()));
    assert_eq!(store.put_if_absent(&key, vec![1]).await, PutAnswer::Unknown("the bucket does not exist".to_owned()));
    let error = store.reached().await.err().unwrap().to_string();
    assert_eq!(error, "s3://bucket/some/prefix cannot be used: the bucket does not exist");
}

#[tokio::test]
async fn a_put_is_sent_once_whatever_the_answer() {
    let answers = [
        ("", false),
        ("HTTP/1.1 500 Oops\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", false),
        ("HTTP/1.1 503 Slow Down\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", false),
        ("HTTP/1.1 412 Precondition Failed\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", true),
    ];
    for (answer, exists) in answers {
        let (endpoint, count) = server(answer).await;
        let put = store(&endpoint).put_if_absent(&StoreKey("v1/x".to_owned()), vec![1]).await;
        assert_eq!(put == PutAnswer::Exists, exists, "{answer}: {put:?}");
        assert!(put != PutAnswer::Done);
        assert_eq!(count.load(Ordering::SeqCst), 1, "{answer}: {put:?}");
    }
}
