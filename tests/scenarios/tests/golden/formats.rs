//! Logs that earlier builds wrote, as they stand in stores: every later build reads them and goes on with them.
//!
//! `formats/format-N.jsonl` has all files of a state and its simulated cloud, after applies of `first`, `other-port`, `first`
//! and `other-description`: of format 1 by the last build that wrote it, of format 2 by the first. They are never made anew.

use serde_json::Value;

use crate::folder::{Ended, Folder};

/// A folder with what the fixture holds.
fn unpacked(fixture: &str) -> Folder {
    let folder = Folder::new();
    for line in fixture.lines() {
        let held: Value = serde_json::from_str(line).unwrap();
        let file = format!(".provision/simulated/{}", held["file"].as_str().unwrap());
        folder.make_folder(file.rsplit_once('/').unwrap().0);
        folder.write(&file, held["text"].as_str().unwrap());
    }
    folder
}

/// The entries of all logs, with the format of each.
fn entries(folder: &Folder) -> Vec<(String, Vec<u8>, u64)> {
    let files = folder.files().into_iter().map(|(path, bytes)| (path.display().to_string(), bytes));
    let logs = files.filter(|(path, _)| path.contains("/v1/block/") || path.contains("/v1/run/"));
    let format = |bytes: &[u8]| {
        let body: Value = serde_json::from_slice(bytes.split(|byte| *byte == b'\n').next().unwrap()).unwrap();
        body["v"].as_u64().unwrap()
    };
    logs.map(|(path, bytes)| (path, bytes.clone(), format(&bytes))).collect()
}

/// What is told of the log, with the code of today: its history, and what does not depend on how events share entries.
fn told(folder: &Folder) -> [Ended; 3] {
    let looks: [&[&str]; 3] = [&["state", "history", "west.web"], &["state", "show", "west.web"], &["output"]];
    looks.map(|look| folder.run("first", &[look, &["--simulate"]].concat()))
}

fn is_read_and_gone_on_with(fixture: &str, format: u64) -> [Ended; 3] {
    let folder = unpacked(fixture);
    let before = entries(&folder);
    assert!(before.len() > 30 && before.iter().all(|(_, _, found)| *found == format), "format {format} alone");
    let told = told(&folder);
    assert!(told.iter().all(|told| told.code == Some(0)), "{}", told[0]);
    let plan = |code: &str| folder.run(code, &["plan", "--simulate", "--detailed-exitcode"]).code;
    assert_eq!(plan("other-description"), Some(0), "there is nothing to do");

    // Back to what the log has said before, and on to what it has not.
    for code in ["other-port", "fields-set", "other-description"] {
        folder.apply(code);
        assert_eq!(plan(code), Some(0), "{code}");
    }
    let after = entries(&folder);
    assert!(before.iter().all(|entry| after.contains(entry)), "nothing of it is written anew");
    assert!(after.iter().all(|entry| before.contains(entry) || entry.2 == 2));
    assert!(after.len() > before.len());
    let destroyed = folder.run("first", &["destroy", "--simulate", "--auto-approve"]);
    assert_eq!((destroyed.code, folder.cloud().len()), (Some(0), 0), "{destroyed}");
    told
}

#[test]
fn logs_of_all_formats_are_read_alike_and_gone_on_with() {
    let first = is_read_and_gone_on_with(include_str!("formats/format-1.jsonl"), 1);
    let second = is_read_and_gone_on_with(include_str!("formats/format-2.jsonl"), 2);
    insta::assert_snapshot!("history_of_a_log_of_format_1", first[0]);
    insta::assert_snapshot!("history_of_a_log_of_format_2", second[0]);
    for (first, second) in first.iter().zip(&second).skip(1) {
        assert_eq!(first.to_string(), second.to_string());
    }
}
