//! The command `speed`: starts a process for each measurement, and prints the table.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use clap::Args;

use crate::table::{Aim, Figure, Row, table};
use crate::terraform;
use crate::usage::Took;
use crate::work::Work;

/// What is measured.
#[derive(Args)]
pub(crate) struct SpeedArgs {
    /// Plans to create so many resources.
    #[arg(long, value_delimiter = ',', default_value = "10000,100000")]
    plan: Vec<usize>,
    /// Plans of so many that stand already.
    #[arg(long, value_delimiter = ',', default_value = "2000,10000")]
    noop: Vec<usize>,
    /// Applies of so many.
    #[arg(long, value_delimiter = ',', default_value = "1000,2000,10000")]
    apply: Vec<usize>,
    /// The largest apply that the peer is given: its time grows with the square.
    #[arg(long, default_value_t = 1000)]
    peer_apply: usize,
    /// The largest plan that the peer is given.
    #[arg(long, default_value_t = 10000)]
    peer_plan: usize,
    /// The largest plan of what stands that the peer is given, which it has to apply first.
    #[arg(long, default_value_t = 1000)]
    peer_noop: usize,
    /// The peer is not measured.
    #[arg(long)]
    without_terraform: bool,
    /// Where the files go; a directory that is removed in the end, unless this is given.
    #[arg(long)]
    dir: Option<PathBuf>,
}

/// What the issue that this bench is for says of the peer: what, how many, CPU seconds, peak in MB.
const PUBLISHED: [(Work, usize, f64, Option<u64>); 4] = [
    (Work::Apply, 1_000, 39.0, None),
    (Work::Apply, 2_000, 184.0, None),
    (Work::Noop, 2_000, 5.5, Some(298)),
    (Work::Plan, 10_000, 36.0, Some(659)),
];

/// Measures everything, and prints the table.
///
/// # Errors
/// Something of ours fails; what the peer can't do is told in the table.
pub(crate) fn run(args: &SpeedArgs) -> Result<(), Box<dyn Error>> {
    let kept;
    let dir = match &args.dir {
        Some(dir) => dir,
        None => {
            kept = tempfile::tempdir()?;
            &kept.path().to_owned()
        }
    };
    let peer = if args.without_terraform { None } else { terraform::version() };
    let peer_named = match (&peer, args.without_terraform) {
        (Some(version), _) => format!("terraform {version}"),
        (None, true) => "terraform not asked for".to_owned(),
        (None, false) => "no terraform on PATH".to_owned(),
    };
    println!("{}\n", machine(&peer_named));
    let bench = Bench { dir, args, peer: peer.is_some() };
    let mut rows = Vec::new();
    for resources in &args.plan {
        rows.push(bench.row(Work::Plan, *resources)?);
    }
    for resources in &args.apply {
        rows.push(bench.row(Work::Apply, *resources)?);
    }
    for resources in &args.noop {
        rows.push(bench.row(Work::Noop, *resources)?);
    }
    println!("{}", table(&rows));
    Ok(())
}

/// What was measured where.
fn machine(peer: &str) -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("an unknown processor", |(_, model)| model);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or("unknown").to_owned();
    format!("{model}, {cores} cores; load {load} as it began; {peer}")
}

struct Bench<'a> {
    dir: &'a Path,
    args: &'a SpeedArgs,
    peer: bool,
}

impl Bench<'_> {
    fn row(&self, work: Work, resources: usize) -> Result<Row, Box<dyn Error>> {
        let (what, most, peers, aim) = match work {
            Work::Plan if resources >= 100_000 => {
                let aim = Aim::AtMost(Duration::from_secs(1), 300_000_000);
                ("plan to create", self.args.peer_plan, Work::TerraformPlan, Some(aim))
            }
            Work::Plan => ("plan to create", self.args.peer_plan, Work::TerraformPlan, Some(Aim::Times(1_000))),
            Work::Noop => ("plan of what stands,", self.args.peer_noop, Work::TerraformNoop, Some(Aim::Times(1_000))),
            Work::Apply => {
                let aim = (resources == 2_000).then_some(Aim::Times(500));
                ("apply of", self.args.peer_apply, Work::TerraformApply, aim)
            }
            Work::Define | Work::TerraformPlan | Work::TerraformApply | Work::TerraformNoop => {
                return Err("it is no line of the table".into());
            }
        };
        let what = format!("{what} {}", thousands(resources));
        let ours = self.ours(work, resources).map_err(|error| format!("{what}: {error}"))?;
        let peer = self.peers(work, peers, resources, most);
        Ok(Row { what, ours: Figure::Measured(ours), peer, aim })
    }

    fn ours(&self, work: Work, resources: usize) -> Result<Took, Box<dyn Error>> {
        let dir = self.dir.join(format!("ours-{resources}"));
        std::fs::create_dir_all(&dir)?;
        let applied = dir.join("cloud.json").exists();
        match work {
            Work::Apply if applied => {
                std::fs::remove_dir_all(&dir)?;
                std::fs::create_dir_all(&dir)?;
            }
            Work::Noop if !applied => {
                child(Work::Apply, resources, &dir)?;
            }
            _ => {}
        }
        child(work, resources, &dir)
    }

    fn peers(&self, work: Work, peers: Work, resources: usize, most: usize) -> Figure {
        let published = PUBLISHED.iter().find(|(what, many, ..)| (*what, *many) == (work, resources));
        let published = published.map(|(.., cpu, peak)| Figure::Published {
            cpu: Duration::from_secs_f64(*cpu),
            peak: peak.map(|peak| peak * 1_000_000),
        });
        if !self.peer {
            let why = if self.args.without_terraform { "not asked for" } else { "it is not on PATH" };
            return published.unwrap_or_else(|| Figure::Missing(why.to_owned()));
        }
        if resources > most {
            let why = format!("it is given {} at the most (flags)", thousands(most));
            return published.unwrap_or(Figure::Missing(why));
        }
        match self.measured(peers, resources) {
            Ok(took) => Figure::Measured(took),
            Err(error) => Figure::Missing(error.to_string()),
        }
    }

    fn measured(&self, work: Work, resources: usize) -> Result<Took, Box<dyn Error>> {
        let dir = self.dir.join(format!("terraform-{resources}"));
        let applied = dir.join("terraform.tfstate").exists();
        match work {
            Work::TerraformNoop if applied => {}
            Work::TerraformNoop => {
                terraform::init(&dir, resources)?;
                child(Work::TerraformApply, resources, &dir)?;
            }
            _ => {
                if applied {
                    std::fs::remove_dir_all(&dir)?;
                }
                terraform::init(&dir, resources)?;
            }
        }
        child(work, resources, &dir)
    }
}

/// Does a piece of work in a process of its own.
fn child(work: Work, resources: usize, dir: &Path) -> Result<Took, Box<dyn Error>> {
    use clap::ValueEnum as _;
    let name = work.to_possible_value().ok_or("it has no name")?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["one", name.get_name(), &resources.to_string()]).arg(dir).stdin(Stdio::null());
    let ended = command.output()?;
    if !ended.status.success() {
        return Err(String::from_utf8_lossy(&ended.stderr).trim().to_owned().into());
    }
    Ok(serde_json::from_slice(&ended.stdout)?)
}

/// A number as people read it.
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| str::from_utf8(group).unwrap_or("")).collect();
    groups.join(",")
}
