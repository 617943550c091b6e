//! The form of entries: what is written, and that nothing else is read.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::world::{author, author_of, holder, infra, run_id};
use crate::id::{BlockAddr, Digest, Epoch, InfraId, Seq};
use crate::machine::Memory;
use crate::stream::envelope::{
    Body, ClaimRef, EntryError, EntryProblem, Expected, Head, read as read_with, reread, seal,
};
use crate::stream::event::BlockEvent;
use crate::stream::key::Signer;

fn addr() -> BlockAddr {
    "us-east.network".parse().unwrap()
}

fn events() -> Vec<BlockEvent> {
    vec![
        BlockEvent::Claimed { run: run_id(1), epoch: Epoch(1), holder: holder(1), took_over: None },
        BlockEvent::Released {},
    ]
}

fn composed() -> (Body<BlockEvent>, Vec<u8>) {
    let claim = ClaimRef { run: run_id(1), epoch: Epoch(1) };
    author(1).compose(&addr(), None, Some(claim), events())
}

static ENTRY: LazyLock<Vec<u8>> = LazyLock::new(|| composed().1);

fn read(bytes: &[u8]) -> Result<Body<BlockEvent>, EntryError> {
    remembering(&Memory::default(), bytes, Seq(0))
}

fn remembering(memory: &Memory, bytes: &[u8], seq: Seq) -> Result<Body<BlockEvent>, EntryError> {
    let expected = Expected { infra: &infra(), id: &addr(), seq, prev: None };
    read_with(memory, bytes, 0, &expected).map(|entry| entry.body.as_ref().clone())
}

fn problem(bytes: &[u8]) -> EntryProblem {
    read(bytes).unwrap_err().problem
}

/// The entry with another body, signed by the same writer.
fn signed(change: impl FnOnce(String) -> String) -> Vec<u8> {
    let text = String::from_utf8(ENTRY.clone()).unwrap();
    let body = change(text.lines().next().unwrap().to_owned());
    let signer = Signer::new(&[1; 32], "");
    let signature = hex::encode(signer.sign(body.as_bytes()));
    format!("{body}\n{{\"key\":\"{}\",\"sig\":\"{signature}\"}}\n", signer.public()).into_bytes()
}

#[test]
fn the_bytes_of_an_entry_stay_as_they_are() {
    // These bytes stand in stores: a change of them is a new format.
    insta::assert_snapshot!(String::from_utf8(ENTRY.clone()).unwrap(), @r#"
    {"v":1,"kind":"block","stream":"us-east.network","seq":0,"writer":{"key":"ed25519:8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c","name":"user1@host (8a88e3dd)"},"nonce":"4a43b022ac44f0a0f82fecef6c79ce80","prev":null,"infra":"wix","revision":"abc123","generation":7,"claim":{"run":"0101010101010101010101010101010101010101010101010101010101010101","epoch":1},"events":[{"event":"claimed","run":"0101010101010101010101010101010101010101010101010101010101010101","epoch":1,"holder":{"name":"user1@host","boot_id":"boot","pid_namespace":"pid:[1]","pid":1,"start_time":5,"since":"2026-01-31 09:05:00 UTC"},"took_over":null},{"event":"released"}]}
    {"key":"ed25519:8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c","sig":"d53bf9b4c65babba69403b9a654f2817fdb8f850968803e67182846df6e2b8c2b4dc6b9b8fb6e748b1397f9a7cf30c13c4ab05d77df66915ff6849c584b7550c"}
    "#);
}

#[test]
fn an_entry_is_read_as_it_was_written() {
    assert_eq!(read(&ENTRY).unwrap(), composed().0);
    assert_eq!(read(&signed(|body| body)).unwrap(), composed().0, "the helper of the tests below");
}

#[test]
fn two_attempts_never_make_the_same_bytes() {
    let author = author(1);
    let make = || author.compose::<BlockEvent>(&addr(), None, None, events()).1;
    assert_ne!(make(), make());
}

#[test]
fn what_is_wrong_is_named() {
    let cut = |n: usize| ENTRY[..ENTRY.len() - n].to_vec();
    assert_eq!(problem(&cut(1)), EntryProblem::Truncated);
    assert_eq!(problem(&cut(100)), EntryProblem::Truncated);
    assert_eq!(problem(&ENTRY[..200]), EntryProblem::Truncated);
    assert_eq!(problem(b""), EntryProblem::Truncated);
    let body_end = ENTRY.iter().position(|b| *b == b'\n').unwrap();
    assert_eq!(problem(&ENTRY[..body_end]), EntryProblem::Unsigned);
    assert_eq!(problem(&ENTRY[..=body_end]), EntryProblem::Unsigned);
    let text = String::from_utf8(ENTRY.clone()).unwrap();
    let altered = text.replace("user1@host", "user2@host");
    assert!(matches!(problem(altered.as_bytes()), EntryProblem::Altered { .. }));
    let error = read(altered.as_bytes()).unwrap_err().to_string();
    assert!(error.starts_with("block us-east.network, entry 0: it was altered"), "{error}");

    let newer = signed(|body| body.replace(r#"{"v":1,"#, r#"{"v":2,"new":[],"#));
    assert_eq!(problem(&newer), EntryProblem::NewerFormat { found: 2 });
    assert!(matches!(problem(&signed(|body| body.replace(r#"{"v":1,"#, r#"{"v":0,"#))), EntryProblem::Malformed(_)));
    let unknown = signed(|body| body.replace(r#"{"v":1,"#, r#"{"v":1,"new":[],"#));
    assert!(matches!(problem(&unknown), EntryProblem::Malformed(text) if text.contains("new")));
    let twice = signed(|body| body.replace(r#"{"v":1,"#, r#"{"v":1,"seq":0,"#));
    assert!(matches!(problem(&twice), EntryProblem::Malformed(text) if text.contains("twice")));
    let empty = seal(&Body { events: Vec::<BlockEvent>::new(), ..composed().0 }, &author(1).signer);
    assert!(matches!(problem(&empty), EntryProblem::Malformed(_)));
}

#[test]
fn an_entry_is_good_in_its_own_place_alone() {
    let (body, _) = composed();
    let sealed = |body: &Body<BlockEvent>| seal(body, &author(1).signer);
    let moved = [
        Body { seq: Seq(1), ..body.clone() },
        Body { stream: "us-west.network".to_owned(), ..body.clone() },
        Body { kind: "run".to_owned(), ..body.clone() },
    ];
    for moved in moved {
        assert!(matches!(problem(&sealed(&moved)), EntryProblem::Misplaced { .. }));
    }
    let chained = Body { prev: Some(Digest::of(b"x")), ..body.clone() };
    assert_eq!(problem(&sealed(&chained)), EntryProblem::BrokenChain);
    let other = Body { infra: InfraId::new("other").unwrap(), ..body.clone() };
    let error = read(&sealed(&other)).unwrap_err().to_string();
    assert!(error.contains("`other`") && error.contains("`wix`"), "{error}");
    let stolen = seal(&body, &author(2).signer);
    assert!(matches!(problem(&stolen), EntryProblem::WrongKey { .. }));
    let head = Head { seq: Seq(4), hash: Digest::of(b"x") };
    let next = author_of(1, 7).compose::<BlockEvent>(&addr(), Some(&head), None, events()).0;
    assert_eq!((next.seq, next.prev), (Seq(5), Some(head.hash)));
}

#[test]
fn what_is_remembered_is_good_in_its_own_place_alone() {
    let memory = Memory::default();
    let body = composed().0;
    assert_eq!(remembering(&memory, &ENTRY, Seq(0)), Ok(body.clone()));
    assert_eq!(memory.recall::<Body<BlockEvent>>(&Digest::of(&ENTRY)).as_deref(), Some(&body));
    assert_eq!(remembering(&memory, &ENTRY, Seq(0)), Ok(body));
    let elsewhere = remembering(&memory, &ENTRY, Seq(1)).unwrap_err().problem;
    assert!(matches!(elsewhere, EntryProblem::Misplaced { .. }), "{elsewhere}");
}

#[test]
fn failures_are_not_remembered_and_other_bytes_are_not_known() {
    let memory = Memory::default();
    assert!(remembering(&memory, &ENTRY, Seq(0)).is_ok());
    let mut altered = ENTRY.clone();
    let at = altered.len() - 5;
    altered[at] = if altered[at] == b'0' { b'1' } else { b'0' };
    for _ in 0..2 {
        let problem = remembering(&memory, &altered, Seq(0)).unwrap_err().problem;
        assert!(matches!(problem, EntryProblem::Altered { .. }), "{problem}");
        assert_eq!(memory.recall::<Body<BlockEvent>>(&Digest::of(&altered)), None);
    }
}

#[test]
fn what_was_just_signed_is_checked_but_for_its_signature() {
    let expected = Expected { infra: &infra(), id: &addr(), seq: Seq(0), prev: None };
    let reread = |bytes: &[u8]| reread::<BlockEvent>(&Memory::default(), bytes, &expected);
    assert_eq!(reread(&ENTRY).unwrap().body.as_ref(), &composed().0);
    for wrong in [r#"{"v":1,"seq":0,"#, r#"{"v":1,"new":[],"#] {
        assert!(reread(&signed(|body| body.replace(r#"{"v":1,"#, wrong))).is_err());
    }
    let moved = Body { seq: Seq(1), ..composed().0 };
    assert!(reread(&seal(&moved, &author(1).signer)).is_err());
}

#[test]
fn a_signer_shows_no_secret() {
    let secret = [0xa7; 32];
    let shown = format!("{:?}", Signer::new(&secret, "alice"));
    assert!(shown.contains("alice"), "{shown}");
    assert!(!shown.contains("a7a7") && !shown.contains("167, 167"), "{shown}");
}

#[test]
fn a_signature_that_is_remembered_is_the_one_that_would_be_made() {
    let (memory, body) = (Memory::default(), composed().0);
    let signer = |n: u8| Signer::new(&[n; 32], "user").remembering(memory.clone());
    for n in [1, 2, 1, 2] {
        assert_eq!(seal(&body, &signer(n)), seal(&body, &Signer::new(&[n; 32], "user")));
    }
}

proptest! {
    #[test]
    fn no_change_of_an_entry_can_be_read(at in any::<prop::sample::Index>(), bit in 0_u8..8, kind in 0..4, byte: u8) {
        let mut bytes = ENTRY.clone();
        let at = at.index(bytes.len());
        match kind {
            0 => bytes[at] ^= 1 << bit,
            1 => bytes.truncate(at),
            2 => bytes.insert(at, byte),
            _ => { bytes.remove(at); }
        }
        prop_assume!(bytes != *ENTRY);
        prop_assert!(read(&bytes).is_err());
    }

    #[test]
    fn whole_lines_cannot_be_doubled_or_padded(space in "[ \t\r\n]{1,3}", at in any::<prop::sample::Index>()) {
        let mut bytes = ENTRY.clone();
        let at = at.index(bytes.len() + 1);
        bytes.splice(at..at, space.bytes());
        prop_assert!(read(&bytes).is_err());
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), text in ".{0,200}") {
        prop_assert!(read(&bytes).is_err());
        prop_assert!(read(text.as_bytes()).is_err());
        prop_assert!(read(&signed(|_| text.replace('\n', ""))).is_err());
    }
}

#[test]
fn every_single_bit_counts() {
    for at in 0..ENTRY.len() {
        let mut bytes = ENTRY.clone();
        bytes[at] ^= 0x20;
        assert!(read(&bytes).is_err(), "byte {at} can be changed");
    }
}
