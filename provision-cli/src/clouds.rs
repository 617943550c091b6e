//! The providers that this build has, and how their client halves are made.

#[cfg(any(test, not(feature = "aws")))]
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use provision_core::driver::Connector;
use provision_core::driver::pipe::{ClientProcess, Program};
use provision_core::plan::Providers;
use provision_core::provider::{Client, Provider};
use provision_core::target::TargetId;

/// The variable that names the client process for AWS.
pub(crate) const AWS_CLIENT: &str = "PROVISION_AWS_CLIENT";
/// Its file, where it is not named.
#[cfg(any(test, not(feature = "aws")))]
const AWS_CLIENT_FILE: &str = "provision-aws-client";
/// How one comes by it.
const REMEDY: &str = "build it with `cargo build -p provision-aws-client`";

/// The pure halves.
pub(crate) fn providers() -> Providers {
    Providers::new([Arc::new(provision_aws::provider::Aws) as Arc<dyn Provider>])
}

/// The clouds themselves.
pub(crate) struct Real {
    aws: Way,
}

/// How AWS is reached.
enum Way {
    /// By the SDK that is linked in.
    #[cfg(feature = "aws")]
    Linked(provision_aws::client::Variables),
    /// By a process that has it.
    Process(ClientProcess),
    /// Not at all.
    #[cfg(not(feature = "aws"))]
    Missing,
}

impl Real {
    /// As the environment has them. Nothing is started yet.
    pub(crate) fn found() -> Self {
        Self { aws: named().unwrap_or_else(otherwise) }
    }
}

/// The process that the environment names: also where the SDK is linked in.
fn named() -> Option<Way> {
    let path = std::env::var_os(AWS_CLIENT).filter(|path| !path.is_empty())?;
    let remedy = format!("{AWS_CLIENT} names it; {REMEDY}");
    Some(process(path.into(), remedy))
}

#[cfg(feature = "aws")]
fn otherwise() -> Way {
    Way::Linked(provision_aws::client::Variables(|name| std::env::var(name).ok()))
}

/// The process beside this executable, or else where programs are looked for.
#[cfg(not(feature = "aws"))]
fn otherwise() -> Way {
    let beside = std::env::current_exe().ok().and_then(|us| us.parent().map(Path::to_path_buf));
    let path = std::env::var_os("PATH").unwrap_or_default();
    match first_in(beside.into_iter().chain(std::env::split_paths(&path))) {
        Some(path) => process(path, REMEDY.to_owned()),
        None => Way::Missing,
    }
}

/// The process in the first of these folders that has it.
#[cfg(any(test, not(feature = "aws")))]
fn first_in(mut folders: impl Iterator<Item = PathBuf>) -> Option<PathBuf> {
    folders.find_map(|folder| Some(folder.join(AWS_CLIENT_FILE)).filter(|file| Path::is_file(file)))
}

fn process(path: PathBuf, remedy: String) -> Way {
    let build = provision_aws::BUILD.to_owned();
    Way::Process(ClientProcess::new(Program { path, args: Vec::new(), build, remedy }))
}

#[async_trait]
impl Connector for Real {
    async fn connect(&self, target: &TargetId) -> Result<Arc<dyn Client>, String> {
        if target.provider.as_str() != provision_aws::provider::NAME {
            return Err(format!("this build has no client for {}", target.provider));
        }
        match &self.aws {
            #[cfg(feature = "aws")]
            Way::Linked(linked) => linked.connect(target).await,
            Way::Process(process) => process.connect(target).await,
            #[cfg(not(feature = "aws"))]
            Way::Missing => Err(format!(
                "there is no {AWS_CLIENT_FILE} beside this program or on PATH, and this build does not link the AWS SDK: \
                 {REMEDY} (some minutes, once), or use --simulate"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_folder_that_has_the_process_is_taken() {
        let folders: Vec<_> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
        let found = || first_in(folders.iter().map(|folder| folder.path().to_owned()));
        assert_eq!(found(), None);
        std::fs::create_dir(folders[0].path().join(AWS_CLIENT_FILE)).unwrap();
        let last = folders[2].path().join(AWS_CLIENT_FILE);
        std::fs::File::create(&last).unwrap();
        assert_eq!(found(), Some(last), "a folder is no program");
        let middle = folders[1].path().join(AWS_CLIENT_FILE);
        std::fs::File::create(&middle).unwrap();
        assert_eq!(found(), Some(middle));
    }
}
