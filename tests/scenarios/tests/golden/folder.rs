//! A folder in which commands run, and what is comparable of what they print.

use std::fmt;
use std::process::{Child, Command, Output, Stdio};

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

    pub(crate) fn run(&self, code: &str, args: &[&str]) -> Ended {
        ended(self.start(code, args).wait_with_output().unwrap())
    }

    #[expect(clippy::disallowed_methods, reason = "a file of the test's own")]
    pub(crate) fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.0.path().join(file)).unwrap()
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
}

pub(crate) fn ended(output: Output) -> Ended {
    let text = |bytes: Vec<u8>| masked(&String::from_utf8(bytes).unwrap());
    Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

impl Ended {
    /// What a run did and how it ended, in an order that does not depend on how long calls took.
    pub(crate) fn did(&self) -> String {
        let done = [": created ", ": updated ", ": replaced ", ": deleted ", ": failed", ": not done"];
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

/// The text with every id, token, run and duration masked.
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
            _ => &word,
        });
        word.clear();
        out.push(c);
    }
    out.pop();
    let lines = out.lines().map(|line| match line.rsplit_once(" after ") {
        Some((line, time)) if time.ends_with(" s") => format!("{line} after [time]\n"),
        Some(_) | None => format!("{line}\n"),
    });
    lines.collect()
}
