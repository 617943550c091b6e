//! Data centres as types: what a marker type says about itself.

use crate::desired::Channel;

/// An environment: `#[environment("prod")] pub struct Prod;`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an environment",
    note = "declare one: `#[environment(\"prod\")] pub struct Prod;`"
)]
pub trait Environment {
    /// Its name.
    const NAME: &'static str;
}

/// A data centre: a marker type that `#[data_centre(..)]` describes.
///
/// Nothing that a block's function sees exposes the environment: there is no `if prod`, and what differs is a parameter.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a data centre",
    note = "declare one: `#[data_centre(name = \"us-east\", env = Prod, channel = Stable, on(..))] pub struct UsEast;`"
)]
pub trait DataCentre: Sized + 'static {
    /// Its environment.
    type Env: Environment;
    /// Its name.
    const NAME: &'static str;
    /// Which releases it runs.
    const CHANNEL: Channel;
    /// Where the calls of each cloud go that it is on.
    fn targets() -> Vec<Target>;
}

/// A cloud that data centres can be on: `Aws`.
pub trait Cloud {
    /// The name of its provider: `aws`.
    const NAME: &'static str;

    /// What is wrong with the name of an account, project or cluster, if anything is.
    fn account_problem(account: &str) -> Option<String> {
        account.is_empty().then(|| "the account is empty".to_owned())
    }
}

/// A region of cloud `C`.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a region of `{C}`")]
pub trait Region<C> {
    /// The name that the cloud gives it.
    const NAME: &'static str;
}

/// Says that a data centre is on cloud `C`: it may hold that cloud's resources.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not on `{C}`, so it cannot hold resources of `{C}`",
    label = "`{Self}` has no target on `{C}`",
    note = "a data centre names its clouds: `#[data_centre(.., on({C}, account = \"..\", region = ..))]`"
)]
pub trait On<C: Cloud>: DataCentre {
    /// The region.
    type Region: Region<C>;
    /// The account, project or cluster.
    const ACCOUNT: &'static str;
}

/// A target as a marker type describes it, unchecked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub(crate) provider: &'static str,
    pub(crate) account: &'static str,
    pub(crate) region: &'static str,
    pub(crate) problem: Option<String>,
}

impl Target {
    /// The target of a data centre on one of its clouds.
    pub fn of<D: On<C>, C: Cloud>() -> Self {
        Self {
            provider: C::NAME,
            account: D::ACCOUNT,
            region: <D::Region as Region<C>>::NAME,
            problem: C::account_problem(D::ACCOUNT),
        }
    }
}

/// Environments in the order in which they are applied: a tuple of markers.
pub trait Environments {
    /// Their names.
    fn names() -> Vec<&'static str>;
}

macro_rules! environments {
    ($($env:ident)*) => {
        impl<$($env: Environment),*> Environments for ($($env,)*) {
            fn names() -> Vec<&'static str> {
                vec![$($env::NAME),*]
            }
        }
    };
}
environments!(A);
environments!(A B);
environments!(A B C);
environments!(A B C E);
environments!(A B C E F);
