//! Flags of the verbs that change something.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use provision_core::id::{BlockAddr, DcName, EnvName, ObjectId, ResourceAddr, ResourceName};
use provision_core::plan::Selection;

use super::{parse_input, parse_switch};
use crate::report::ReportFile;

/// Flags of `apply`.
#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// A plan that `plan --out` wrote: it is applied as it is, once. Definitions and state of its blocks have to be those that
    /// it was made from; --revision and --generation too, where they are given [default: plan now]
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) select: SelectArgs,
    /// Allow that most of what there is goes because the code no longer has it
    #[arg(long)]
    pub(crate) allow_many_deletions: bool,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// Flags of `destroy`.
#[derive(Debug, Args)]
pub(crate) struct DestroyArgs {
    #[command(flatten)]
    pub(crate) select: SelectArgs,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// Flags of `import`.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The resource, as in `us-east.network.main`
    pub(crate) address: ResourceAddr,
    /// The id of the object, as in `vpc-0123456789abcdef0`
    pub(crate) id: ObjectId,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// Flags of `adopt`.
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("how").required(true).multiple(false).args(["objects", "tag", "by_name"])))]
pub(crate) struct AdoptArgs {
    /// The block, as in `us-east.network`
    pub(crate) block: BlockAddr,
    /// Resources of the block, each with the id of its object
    #[arg(value_name = "NAME=ID")]
    pub(crate) objects: Vec<NamedObject>,
    /// Look for objects that carry this tag; several times: all of them
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) tag: Vec<Tag>,
    /// Look for objects whose name, or whose tag `Name`, is that of the resource
    #[arg(long)]
    pub(crate) by_name: bool,
    /// Take over what was found, although some resources have no object that fits
    #[arg(long, conflicts_with = "objects")]
    pub(crate) partial: bool,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// Which blocks it is about: those that every given flag names. Nothing selects a part of a block.
#[derive(Debug, Args)]
pub(crate) struct SelectArgs {
    /// Only blocks of this environment; several with commas or several times
    #[arg(long, value_name = "ENV", value_delimiter = ',')]
    env: Vec<EnvName>,
    /// Only blocks of this data centre; several with commas or several times
    #[arg(long, value_name = "DC", value_delimiter = ',')]
    dc: Vec<DcName>,
    /// Only this block (`us-east.network`), whole; several with commas or several times
    #[arg(long, value_name = "BLOCK", value_delimiter = ',')]
    block: Vec<BlockAddr>,
}

impl SelectArgs {
    /// What they select.
    pub(crate) fn selection(&self) -> Selection {
        Selection {
            envs: self.env.iter().cloned().collect(),
            dcs: self.dc.iter().cloned().collect(),
            blocks: self.block.iter().cloned().collect(),
        }
    }
}

/// Flags of every verb that makes a run.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Do not ask
    #[arg(long)]
    pub(crate) auto_approve: bool,
    /// How long a block that another run holds is waited for: `30`, `30s`, `5m` [default: not at all]
    #[arg(long, env = "PROVISION_LOCK_TIMEOUT", value_name = "SECONDS", value_parser = parse_time, hide_env_values = true)]
    pub(crate) lock_timeout: Option<Duration>,
    /// Whether anything may be asked; `--input=false` never waits for an answer
    #[arg(long, env = "PROVISION_INPUT", value_name = "BOOL", default_value = "true", value_parser = parse_input,
        action = clap::ArgAction::Set, hide_env_values = true)]
    pub(crate) input: bool,
    /// One JSON object per line on standard output instead of text; needs --auto-approve
    #[arg(long)]
    pub(crate) json: bool,
    /// On a terminal: print every resource, not only what failed or took long
    #[arg(long, env = "PROVISION_VERBOSE", value_parser = parse_switch, hide_env_values = true)]
    pub(crate) verbose: bool,
    /// Write what became of each block to FILE: JSON (.json) or JUnit (.xml); several with commas or several times
    #[arg(long, env = "PROVISION_REPORT", value_name = "FILE", value_delimiter = ',')]
    pub(crate) report: Vec<ReportFile>,
}

/// A number of seconds, or a time with its unit.
fn parse_time(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map(Duration::from_secs).ok();
    let time = seconds.or_else(|| humantime::parse_duration(text).ok());
    time.ok_or_else(|| "write a number of seconds, or a time with its unit, as in `30`, `90s` or `5m`".to_owned())
}

/// A resource of a block, and the object that is to become its.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedObject {
    pub(crate) name: ResourceName,
    pub(crate) id: ObjectId,
}

impl FromStr for NamedObject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, id) = text.split_once('=').ok_or("write `<resource>=<id>`, as in `main=vpc-0123456789abcdef0`")?;
        let bad = |bad: provision_core::id::BadName| bad.to_string();
        Ok(Self { name: name.parse().map_err(bad)?, id: id.parse().map_err(bad)? })
    }
}

/// A tag that objects carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag {
    key: String,
    value: String,
}

impl FromStr for Tag {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok(Self { key: key.to_owned(), value: value.to_owned() }),
            Some(_) | None => Err("write `<key>=<value>`, as in `team=web`"),
        }
    }
}

impl AdoptArgs {
    /// The tags by key. What is given twice with different values is carried by nothing.
    pub(crate) fn tags(&self) -> Result<BTreeMap<String, String>, String> {
        let mut tags = BTreeMap::new();
        for Tag { key, value } in &self.tag {
            if let Some(other) = tags.insert(key.clone(), value.clone())
                && other != *value
            {
                return Err(format!("no object has both `{key}={other}` and `{key}={value}`: give one of them"));
            }
        }
        Ok(tags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_or_are_seconds() {
        assert_eq!(parse_time("30"), Ok(Duration::from_secs(30)));
        assert_eq!(parse_time("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(parse_time("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_time("0"), Ok(Duration::ZERO));
        for bad in ["", "-1", "soon", "5 parsecs", "99999999999999999999"] {
            assert!(parse_time(bad).is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn objects_and_tags_are_pairs() {
        let object = |text: &str| text.parse::<NamedObject>();
        assert_eq!(object("main=vpc-1").unwrap().id.as_str(), "vpc-1");
        assert!(object("main").is_err() && object("Main=vpc-1").is_err() && object("main=").is_err());
        let tag = |text: &str| text.parse::<Tag>();
        assert_eq!(tag("a=b=c"), Ok(Tag { key: "a".to_owned(), value: "b=c".to_owned() }));
        assert!(tag("=b").is_err() && tag("a").is_err());
    }
}
