//! An interrupted run drains; the next one finishes.

use std::io::{BufRead as _, BufReader, Read as _};

use rustix::process::{Pid, Signal, kill_process};

use crate::folder::Folder;

#[test]
fn an_interrupted_apply_drains_and_the_next_one_finishes() {
    let folder = Folder::new();
    let mut child = folder.start("first", &["apply", "--simulate", "--auto-approve"]);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("creating") {
        line.clear();
        assert_ne!(out.read_line(&mut line).unwrap(), 0, "it ended before it was interrupted");
    }
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    // As a build server cancels a job: that is one interrupt.
    kill_process(pid, Signal::INT).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest}");
    assert!(rest.contains("Interrupted; the next run goes on from here."), "{rest}");

    assert!(rest.contains("calls on their way are waited for"), "{rest}");

    // If the first create was sent, it was answered and recorded; nothing after it was begun.
    let cloud = folder.cloud();
    assert!(cloud.len() <= 1, "{cloud:?}\n{rest}");
    let listed = folder.run("first", &["state", "list", "--simulate"]);
    assert_eq!(listed.out.contains("west.network.main"), !cloud.is_empty(), "{listed}");
    assert!(!listed.out.contains("open") && !listed.out.contains("claimed"), "{listed}");

    folder.apply("first");
    assert_eq!(folder.cloud().len(), 3);
    assert_eq!(folder.run("first", &["plan", "--simulate", "--detailed-exitcode"]).code, Some(0));
}
