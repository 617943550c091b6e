//! A folder in which commands run, and what is comparable of what they print.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use provision_core::call::Mark;
use provision_core::id::ObjectId;
use provision_core::sim::{FileCloud, Held, SimConfig, Tamper};
use provision_core::target::TargetId;
use tempfile::TempDir;

/// A folder with a simulated cloud, a state and a key of its own.
pub(crate) struct Folder(TempDir);

/// What a command printed and how it ended, without what differs from run to run.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn command(&self, code: &str, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scenario-provision"));
        command.current_dir(self.0.path()).args(args).env_clear();
        command.env("SCENARIO", code).env("NO_COLOR", "1").env("PROVISION_KEY", self.0.path().join("key"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn start(&self, code: &str, args: &[&str]) -> Child {
        self.command(code, args).spawn().unwrap()
    }

    /// Starts a command, and reads what it prints up to a line with this text.
    pub(crate) fn start_until(&self, code: &str, args: &[&str], text: &str) -> (Child, BufReader<ChildStdout>) {
        let mut child = self.start(code, args);
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            assert_ne!(out.read_line(&mut line).unwrap(), 0, "it ended before it printed `{text}`");
        }
        (child, out)
    }

    pub(crate) fn run(&self, code: &str, args: &[&str]) -> Ended {
        ended(self.start(code, args).wait_with_output().unwrap())
    }

    /// A file of the folder.
    #[expect(clippy::disallowed_methods, reason = "tests read what a command wrote")]
    pub(crate) fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.path().join(name)).unwrap()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.path().join(name).exists()
    }

    #[expect(clippy::disallowed_methods, reason = "a folder of the test's own")]
    pub(crate) fn make_folder(&self, name: &str) {
        std::fs::create_dir_all(self.0.path().join(name)).unwrap();
    }

    pub(crate) fn make_pipe(&self, name: &str) {
        let made = Command::new("mkfifo").arg(self.0.path().join(name)).status().unwrap();
        assert!(made.success());
    }

    /// Puts something that nobody signed behind a block's last entry.
    #[expect(clippy::disallowed_methods, reason = "tests spoil what a command wrote")]
    pub(crate) fn spoil(&self, block: &str) {
        let stream = self.0.path().join(".provision/simulated/state/v1/block").join(block);
        let entries = std::fs::read_dir(&stream).unwrap().count();
        std::fs::write(stream.join(format!("{entries:020}")), "{}").unwrap();
    }

    #[expect(clippy::disallowed_methods, reason = "a file of the test's own")]
    pub(crate) fn write(&self, file: &str, text: &str) {
        std::fs::write(self.0.path().join(file), text).unwrap();
    }

    /// Applies, and expects it to succeed.
    pub(crate) fn apply(&self, code: &str) -> Ended {
        let applied = self.run(code, &["apply", "--simulate", "--auto-approve"]);
        assert_eq!(applied.code, Some(0), "{applied}");
        applied
    }

    /// What the cloud itself holds.
    pub(crate) fn cloud(&self) -> Vec<String> {
        let listed = self.run("", &["state", "list", "--simulate", "--cloud"]);
        assert_eq!(listed.code, Some(0), "{listed}");
        listed.out.lines().map(str::to_owned).collect()
    }

    fn simulated(&self) -> FileCloud {
        FileCloud::open(&self.0.path().join(".provision/simulated/cloud"), SimConfig::instant(0)).unwrap()
    }

    /// The only object of the type, as the cloud itself holds it.
    pub(crate) fn held(&self, type_name: &str) -> Held {
        let objects = self.simulated().objects().unwrap();
        objects.into_iter().find(|held| held.type_name.as_str() == type_name).unwrap()
    }

    /// The object of a resource, as the cloud itself holds it.
    pub(crate) fn held_at(&self, addr: &str) -> Held {
        let is = |held: &Held| held.mark.as_ref().is_some_and(|mark| mark.address.to_string() == addr);
        self.simulated().objects().unwrap().into_iter().find(is).unwrap()
    }

    /// Does something in the cloud behind the runners' back.
    pub(crate) fn tamper(&self, tamper: &Tamper) {
        self.simulated().tamper(tamper).unwrap().unwrap();
    }

    /// Somebody makes an object, in the data centre `west`.
    pub(crate) fn make(&self, type_name: &str, fields: serde_json::Value, mark: Option<Mark>) -> ObjectId {
        let target = TargetId {
            provider: "aws".parse().unwrap(),
            account: "123456789012".to_owned(),
            region: "us-west-2".to_owned(),
        };
        let fields = serde_json::from_value(fields).unwrap();
        let tamper = Tamper::Create { target, type_name: type_name.parse().unwrap(), fields, mark, name: None };
        self.simulated().tamper(&tamper).unwrap().unwrap().unwrap()
    }

    fn state(&self) -> PathBuf {
        self.0.path().join(".provision/simulated/state/v1")
    }

    /// Changes a byte of an entry.
    pub(crate) fn damage(&self, key: &str) {
        let path = self.state().join(key);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[20] ^= 1;
        std::fs::write(path, bytes).unwrap();
    }

    /// Removes all that the store holds.
    pub(crate) fn lose_state(&self) {
        std::fs::remove_dir_all(self.state()).unwrap();
    }

    /// Puts a run's entries where those of another one would stand.
    pub(crate) fn copy_run(&self, from: &str, to: &str) {
        let (from, to) = (self.state().join("run").join(from), self.state().join("run").join(to));
        std::fs::create_dir_all(&to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }

    /// Every file of state and cloud, with what stands in it.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.0.path().join(".provision")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.insert(path.clone(), std::fs::read(path).unwrap());
                }
            }
        }
        files
    }
}

pub(crate) fn ended(output: Output) -> Ended {
    let text = |bytes: Vec<u8>| masked(&String::from_utf8(bytes).unwrap());
    Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

impl Ended {
    /// What a run did and how it ended, in an order that does not depend on how long calls took.
    pub(crate) fn did(&self) -> String {
        let done = [
            ": created ",
            ": updated ",
            ": replaced ",
            ": deleted ",
            ": moved ",
            ": taken over ",
            ": failed",
            ": not done",
        ];
        let mut lines: Vec<&str> =
            self.out.lines().filter(|line| done.iter().any(|done| line.contains(done))).collect();
        lines.sort_unstable();
        lines.dedup();
        lines.extend(self.out.lines().last());
        lines.join("\n")
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code.map_or_else(|| "none".to_owned(), |code| code.to_string());
        write!(f, "{}{}exit code {code}", self.out, self.err)
    }
}

/// The text with every id, token, run, duration, time and name of whoever runs the tests masked.
fn masked(text: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_alphanumeric() {
            word.push(c);
            continue;
        }
        let hex = word.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
        out.push_str(match (hex, word.len()) {
            (true, 8) => "[8 hex]",
            (true, 17) => "[id]",
            (true, 32) => "[32 hex]",
            (true, 64) => "[64 hex]",
            _ => &word,
        });
        word.clear();
        out.push(c);
    }
    out.pop();
    let lines = out.lines().map(|line| match line.rsplit_once(" after ") {
        Some((line, time)) if time.ends_with(" s") => format!("{} after [time]\n", without_time_and_names(line)),
        Some(_) | None => format!("{}\n", without_time_and_names(line)),
    });
    lines.collect()
}

/// The line with dates, names of people and numbers of last entries masked: `2026-01-31 09:05:00 UTC`, `ann@host`,
/// `(entry 7)`.
fn without_time_and_names(line: &str) -> String {
    let shape = |word: &str| word.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect::<String>();
    let mut words: Vec<String> = Vec::new();
    for word in line.split(' ') {
        let last = words.last().map(String::as_str);
        match (last, shape(word).as_str()) {
            (_, "9999-99-99") => words.push("[date]".to_owned()),
            (Some("[date]"), "99:99:99") => words.push("[time]".to_owned()),
            (Some("(entry"), _) => words.push("[n])".to_owned()),
            // Lines of code move.
            _ if place(word).is_some() => words.push(place(word).unwrap_or_default()),
            // JSON has `@` in the names of keys.
            _ if word.contains('@') && !word.contains('"') => {
                words.push(if word.ends_with(',') { "[who]," } else { "[who]" }.to_owned());
            }
            _ => words.push(word.to_owned()),
        }
    }
    words.join(" ")
}

/// A place in the code, without its line: `main.rs:[line]`.
fn place(word: &str) -> Option<String> {
    let (file, rest) = word.split_once(".rs:")?;
    Some(format!("{file}.rs:[line]{}", rest.trim_start_matches(|c: char| c.is_ascii_digit())))
}
