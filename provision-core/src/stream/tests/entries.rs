//! The form of entries: what is written, and that nothing else is read.

use std::sync::LazyLock;

use base64::prelude::{BASE64_STANDARD_NO_PAD, Engine as _};
use proptest::prelude::*;

use super::world::{author, author_of, holder, infra, run_id};
use crate::id::{BlockAddr, Digest, Epoch, InfraId, Seq};
use crate::machine::Memory;
use crate::stream::BlockState;
use crate::stream::envelope::{
    Body, ClaimRef, Entry, EntryError, EntryProblem, Expected, Head, Say, Unread, read as read_with, reread, written_by,
};
use crate::stream::event::BlockEvent;
use crate::stream::key::{Purpose, Signer};
use crate::stream::wire;

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
    author(1).compose(&addr(), None, Some(claim), says())
}

fn says() -> Vec<Say<BlockEvent>> {
    events().into_iter().map(Say::from).collect()
}

/// What stands after it: an entry that says no more than it must.
fn second() -> (Head, Vec<u8>) {
    let (body, bytes) = composed();
    let head = Entry { body: body.into(), hash: Digest::of(&bytes), modified_ms: 0 }.head();
    let claim = ClaimRef { run: run_id(1), epoch: Epoch(1) };
    let says = vec![BlockEvent::Reserved { run: run_id(2) }.into()];
    let next = author(1).compose::<BlockEvent>(&addr(), Some(&head), Some(claim), says).1;
    (head, next)
}

/// The first entry as the format before this one had it.
const OLD: &str = concat!(
    r#"{"v":1,"kind":"block","stream":"us-east.network","seq":0,"writer":{"key":"ed25519:8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c","name":"user1@host (8a88e3dd)"},"nonce":"4a43b022ac44f0a0f82fecef6c79ce80","prev":null,"infra":"wix","revision":"abc123","generation":7,"claim":{"run":"0101010101010101010101010101010101010101010101010101010101010101","epoch":1},"events":[{"event":"claimed","run":"0101010101010101010101010101010101010101010101010101010101010101","epoch":1,"holder":{"name":"user1@host","boot_id":"boot","pid_namespace":"pid:[1]","pid":1,"start_time":5,"since":"2026-01-31 09:05:00 UTC"},"took_over":null},{"event":"released"}]}"#,
    "\n",
    r#"{"key":"ed25519:8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c","sig":"d53bf9b4c65babba69403b9a654f2817fdb8f850968803e67182846df6e2b8c2b4dc6b9b8fb6e748b1397f9a7cf30c13c4ab05d77df66915ff6849c584b7550c"}"#,
    "\n"
);

static ENTRY: LazyLock<Vec<u8>> = LazyLock::new(|| composed().1);

fn read(bytes: &[u8]) -> Result<Body<BlockEvent>, EntryError> {
    remembering(&Memory::default(), bytes, Seq(0))
}

fn remembering(memory: &Memory, bytes: &[u8], seq: Seq) -> Result<Body<BlockEvent>, EntryError> {
    after(memory, bytes, seq, None)
}

fn after(memory: &Memory, bytes: &[u8], seq: Seq, prev: Option<&Head>) -> Result<Body<BlockEvent>, EntryError> {
    let expected = Expected { infra: &infra(), id: &addr(), seq, prev };
    match read_with(memory, bytes, 0, &expected, &mut BlockState::default()) {
        Ok(entry) => Ok(entry.body.as_ref().clone()),
        Err(Unread::Entry(error)) => Err(error),
        Err(Unread::Illegal(illegal)) => panic!("{illegal}"),
    }
}

fn seal(body: &Body<BlockEvent>, signer: &Signer) -> Vec<u8> {
    wire::write(body, None, &vec![None; body.events.len()], signer)
}

fn problem(bytes: &[u8]) -> EntryProblem {
    read(bytes).unwrap_err().problem
}

/// The entry with another body, signed by the same writer.
fn signed(change: impl FnOnce(String) -> String) -> Vec<u8> {
    let text = String::from_utf8(ENTRY.clone()).unwrap();
    let body = change(text.lines().next().unwrap().to_owned());
    let signature = BASE64_STANDARD_NO_PAD.encode(Signer::new(&[1; 32], "").sign(Purpose::Entry, body.as_bytes()));
    format!("{body}\n{{\"sig\":\"{signature}\"}}\n").into_bytes()
}

/// The same for the entry of the format before.
fn signed_old(change: impl FnOnce(String) -> String) -> Vec<u8> {
    let body = change(OLD.lines().next().unwrap().to_owned());
    let signer = Signer::new(&[1; 32], "");
    let signature = hex::encode(signer.sign(Purpose::Entry, body.as_bytes()));
    format!("{body}\n{{\"key\":\"{}\",\"sig\":\"{signature}\"}}\n", signer.public()).into_bytes()
}

#[test]
fn the_bytes_of_an_entry_stay_as_they_are() {
    // These bytes stand in stores: a change of them is a new format.
    insta::assert_snapshot!(String::from_utf8([ENTRY.clone(), second().1].concat()).unwrap(), @r#"
    {"v":2,"seq":0,"nonce":"4a43b022ac44f0a0f82fecef6c79ce80","heading":{"kind":"block","stream":"us-east.network","infra":"wix","writer":{"key":"ed25519:8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c","name":"user1@host (8a88e3dd)"},"revision":"abc123","generation":7,"claim":{"run":"0101010101010101010101010101010101010101010101010101010101010101","epoch":1}},"events":[{"event":"claimed","run":"0101010101010101010101010101010101010101010101010101010101010101","epoch":1,"holder":{"name":"user1@host","boot_id":"boot","pid_namespace":"pid:[1]","pid":1,"start_time":5,"since":"2026-01-31 09:05:00 UTC"},"took_over":null},{"event":"released"}]}
    {"sig":"EYdN0CI6YiLKf/TRX58FVriyuH3eCEU+FHKOUY3jZUVO+QPcaGp3jHwo5xuXNf6nBlaki33TLLkNw3Ks5YAxAA"}
    {"v":2,"seq":1,"nonce":"4a43b022ac44f0a0f82fecef6c79ce80","prev":"01c2dc0df90b3e32438f209d2aad360bc574cced4d92500b6d4b5f5a25c571bf","events":[{"event":"reserved","run":"0202020202020202020202020202020202020202020202020202020202020202"}]}
    {"sig":"329T69ZMC0rxl4BypX7gDLyWfQwDMHdcH15783v/KxFpUnjRjZRFjjFI6bF2qYpCnI4ILIFtnKLEhVO76W/fBg"}
    "#);
}

#[test]
fn an_entry_of_the_format_before_is_read() {
    let read = read(OLD.as_bytes()).unwrap();
    assert_eq!(read, Body { v: 1, ..composed().0 });
    assert_eq!(signed_old(|body| body), OLD.as_bytes(), "the helper of the tests below");
}

#[test]
fn an_entry_is_read_as_it_was_written() {
    assert_eq!(read(&ENTRY).unwrap(), composed().0);
    assert_eq!(read(&signed(|body| body)).unwrap(), composed().0, "the helper of the tests below");
}

#[test]
fn two_attempts_never_make_the_same_bytes() {
    let author = author(1);
    let make = || author.compose::<BlockEvent>(&addr(), None, None, says()).1;
    assert_ne!(make(), make());
}

#[test]
fn what_is_cut_is_named() {
    for entry in [&ENTRY[..], OLD.as_bytes()] {
        let cut = |n: usize| entry[..entry.len() - n].to_vec();
        assert_eq!(problem(&cut(1)), EntryProblem::Truncated);
        assert_eq!(problem(&cut(80)), EntryProblem::Truncated);
        assert_eq!(problem(&entry[..200]), EntryProblem::Truncated);
        let body_end = entry.iter().position(|b| *b == b'\n').unwrap();
        assert_eq!(problem(&entry[..body_end]), EntryProblem::Unsigned);
        assert_eq!(problem(&entry[..=body_end]), EntryProblem::Unsigned);
    }
    assert_eq!(problem(b""), EntryProblem::Truncated);
}

#[test]
fn what_is_wrong_is_named() {
    let text = String::from_utf8(ENTRY.clone()).unwrap();
    let altered = text.replace("user1@host", "user2@host");
    assert!(matches!(problem(altered.as_bytes()), EntryProblem::Altered { .. }));
    let error = read(altered.as_bytes()).unwrap_err().to_string();
    assert!(error.starts_with("block us-east.network, entry 0: it was altered"), "{error}");

    let newer = signed(|body| body.replace(r#"{"v":2,"#, r#"{"v":3,"new":[],"#));
    assert_eq!(problem(&newer), EntryProblem::NewerFormat { found: 3 });
    let zero = signed_old(|body| body.replace(r#"{"v":1,"#, r#"{"v":0,"#));
    assert!(matches!(problem(&zero), EntryProblem::Malformed(_)));
    let [unknown, twice] = [r#""new":[],"#, r#""seq":0,"#].map(|more| {
        let add = |v: &str| (format!("{{\"v\":{v},"), format!("{{\"v\":{v},{more}"));
        let ((old, old_with), (now, now_with)) = (add("1"), add("2"));
        [signed_old(|body| body.replace(&old, &old_with)), signed(|body| body.replace(&now, &now_with))]
    });
    for unknown in unknown {
        assert!(matches!(problem(&unknown), EntryProblem::Malformed(text) if text.contains("new")));
    }
    for twice in twice {
        assert!(matches!(problem(&twice), EntryProblem::Malformed(text) if text.contains("twice")));
    }
    let nobody = signed(|body| {
        let (start, rest) = body.split_once(r#""heading""#).unwrap();
        format!("{start}{}", &rest[rest.find(r#""events""#).unwrap()..])
    });
    assert_eq!(problem(&nobody), EntryProblem::Nobody);
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
    assert!(matches!(problem(&stolen), EntryProblem::Altered { .. }));
    let stolen = signed_old(|body| body.replace("8a88e3dd", "8a88e3de"));
    assert!(matches!(problem(&stolen), EntryProblem::WrongKey { .. }));
    let head = Head { seq: Seq(4), hash: Digest::of(b"x"), ..second().0 };
    let next = author_of(1, 7).compose::<BlockEvent>(&addr(), Some(&head), None, says()).0;
    assert_eq!((next.seq, next.prev), (Seq(5), Some(head.hash)));
}

#[test]
fn what_is_as_before_is_not_said_again_and_is_as_good() {
    let (head, bytes) = second();
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(!text.contains("heading") && !text.contains("us-east") && text.len() < 420, "{text}");
    let (infra, id) = (infra(), addr());
    let by = |seq, prev: Option<&Head>| {
        let expected = Expected::<BlockEvent> { infra: &infra, id: &id, seq, prev };
        written_by(&bytes, &expected).map_err(|error| error.problem)
    };
    let name = by(Seq(1), Some(&head)).unwrap();
    assert_eq!(name, composed().0.writer.name);
    assert!(matches!(by(Seq(2), Some(&head)), Err(EntryProblem::Misplaced { .. })));
    assert_eq!(by(Seq(1), None), Err(EntryProblem::Nobody));
    let other = Head { hash: Digest::of(b"x"), ..head.clone() };
    assert_eq!(by(Seq(1), Some(&other)), Err(EntryProblem::BrokenChain));
    // After an entry of somebody else it would have said more.
    let mut heading = head.heading.as_ref().clone();
    heading.writer.key = author(2).signer.public();
    let theirs = Head { heading: heading.into(), ..head };
    assert!(matches!(by(Seq(1), Some(&theirs)), Err(EntryProblem::Altered { .. })));
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
    let body = composed().0;
    let shorts = [None, None];
    let reread = |bytes: &[u8]| reread::<BlockEvent>(&Memory::default(), bytes, &body, &shorts, &expected);
    assert_eq!(reread(&ENTRY).unwrap().body.as_ref(), &body);
    for wrong in [r#"{"v":2,"seq":0,"#, r#"{"v":2,"new":[],"#] {
        assert!(reread(&signed(|body| body.replace(r#"{"v":2,"#, wrong))).is_err());
    }
    for other in [("released", "healthy"), ("abc123", "abc124")] {
        assert!(reread(&signed(|body| body.replace(other.0, other.1))).is_err(), "{other:?}");
    }
    let moved = Body { seq: Seq(1), ..body.clone() };
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
    fn no_change_of_an_entry_can_be_read(at in any::<prop::sample::Index>(), bit in 0_u8..8, kind in 0..4, byte: u8, old: bool) {
        let before = if old { OLD.into() } else { ENTRY.clone() };
        let mut bytes = before.clone();
        let at = at.index(bytes.len());
        match kind {
            0 => bytes[at] ^= 1 << bit,
            1 => bytes.truncate(at),
            2 => bytes.insert(at, byte),
            _ => { bytes.remove(at); }
        }
        prop_assume!(bytes != before);
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
    for entry in [&ENTRY[..], OLD.as_bytes()] {
        for at in 0..entry.len() {
            let mut bytes = entry.to_vec();
            bytes[at] ^= 0x20;
            assert!(read(&bytes).is_err(), "byte {at} can be changed");
        }
    }
}
