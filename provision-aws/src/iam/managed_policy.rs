//! Managed policies, as roles name them.

use std::marker::PhantomData;

use provision_core::dsl::{Input, IntoInput};

use super::policy::PolicyId;

/// A managed policy that a role of data centre `D` has: one of AWS', one that somebody made, or one of ours.
#[derive(Debug, Clone)]
pub struct ManagedPolicy<D = ()> {
    arn: Input,
    of: PhantomData<fn() -> D>,
}

impl<D> ManagedPolicy<D> {
    /// One of AWS' own, by its name with its path: `AmazonSSMManagedInstanceCore`, `service-role/AmazonECSTaskExecutionRolePolicy`.
    pub fn aws(name: impl AsRef<str>) -> Self {
        Self::arn(format!("arn:aws:iam::aws:policy/{}", name.as_ref()))
    }

    /// One that is there, by its ARN.
    pub fn arn(arn: impl Into<String>) -> Self {
        let arn = arn.into();
        let input = if is_arn(&arn) {
            arn.into()
        } else {
            let what = "arn:aws:iam::aws:policy/ReadOnlyAccess";
            Input::problem(format!("`{}` is not the ARN of a managed policy; write `{what}`", arn.escape_debug()))
        };
        Self { arn: input, of: PhantomData }
    }

    /// One of ours: a [`Policy`](super::policy::Policy) or a ref to one.
    pub fn of(policy: impl IntoInput<PolicyId, D>) -> Self {
        Self { arn: policy.into_input(), of: PhantomData }
    }
}

fn is_arn(text: &str) -> bool {
    text.starts_with("arn:")
        && text.contains(":iam::")
        && text.contains(":policy/")
        && (20..=2048).contains(&text.len())
}

impl<D> IntoInput<PolicyId, D> for ManagedPolicy<D> {
    fn into_input(self) -> Input {
        self.arn
    }
}
