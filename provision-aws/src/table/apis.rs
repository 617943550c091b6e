//! The operations that we use, each declared once: how it is recovered, and which parameters and answers we know.

use provision_core::call::Refusal;

/// How a call is recovered, without the call's own values: see [`provision_core::call::Recovery`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The API honours an idempotency token.
    Token,
    /// The API refuses a second object of the name.
    Name,
    /// Only the mark, set in the create call, tells.
    Tag,
    /// The API refuses a second object with these values.
    NaturalKey,
    /// Idempotent, recognised by reading back.
    Set,
    /// A removal by id.
    Remove,
    /// Changes nothing.
    Read,
}

/// An operation of AWS.
#[derive(Clone, Copy)]
pub struct Api {
    /// Its name, as AWS' reference writes it.
    pub name: &'static str,
    /// The service that it belongs to, as botocore's models are called: `ec2`.
    pub service: &'static str,
    /// How it is recovered.
    pub class: Class,
    /// Why that is so.
    pub reason: &'static str,
    /// The parameters that we know of it.
    pub parameters: &'static [&'static str],
    /// What error codes mean when it answers them, where that is not what they mean everywhere.
    pub errors: &'static [(&'static str, Refusal)],
    /// Sends it with the SDK.
    #[cfg(feature = "client")]
    pub(crate) send: crate::client::Send,
}

/// Declares operations of a service. One that another service's has the name of gets the service's in front, by
/// `DeleteTags named "autoscaling:DeleteTags"`.
///
/// The form is `Name: Class, "reason"; (parameters) -> (parts of the answer);`. After the reason may
/// stand what error codes mean for it: `["Resource.AlreadyAssociated" => AlreadySo]`.
///
/// Operations, parameters and parts of answers have the names of AWS' reference; the SDK's are made of them (`as` gives one
/// that does not follow the rule). With the feature `client` the compiler checks each against the SDK.
macro_rules! apis {
    ($sdk:ident $service:ident; $(
        $api:ident $(as $operation:ident)? $(named $alias:literal)?: $class:ident, $reason:expr
            $(, [$($code:literal => $refusal:ident),* $(,)?])?;
        ($($in:ident $(as $in_name:ident)?),* $(,)?) -> ($($out:ident $(as $out_name:ident)?),* $(,)?);
    )*) => {
        /// The operations that are this file's own.
        pub(crate) static APIS: &[$crate::table::Api] = &[$($crate::table::Api {
            name: [$($alias,)? stringify!($api)][0],
            service: stringify!($service),
            class: $crate::table::Class::$class,
            reason: $reason,
            parameters: &[$(stringify!($in)),*],
            errors: &[$($(($code, provision_core::call::Refusal::$refusal)),*)?],
            #[cfg(feature = "client")]
            send: |sdk, request, stamp| ::std::boxed::Box::pin(async move {
                let mut take = $crate::client::take::Take::new(request)?;
                let operation = $crate::client::shapes::operation!(sdk.$service, $api $(as $operation)?);
                $(let operation = $crate::client::shapes::set!(operation, take, $in $(as $in_name)?);)*
                take.finish()?;
                let config = match stamp {
                    Some(stamp) => $sdk::config::Builder::new().time_source($crate::client::pinned(stamp)),
                    None => $sdk::config::Builder::new(),
                };
                let probe = $crate::client::answer::Probe::default();
                let sent = operation.customize().config_override(config).interceptor(probe.clone()).send().await;
                Ok(probe.reply(sent.map(|_answer| {
                    let parts: [(&str, Option<provision_core::value::Value>); _] =
                        [$($crate::client::shapes::part!(_answer, $out $(as $out_name)?)),*];
                    $crate::client::shapes::structure(parts)
                })))
            }),
        }),*];
    };
}

/// Declares structures and texts of a service: `text` for enumerations, `sent` for what requests hold, `shown` for what
/// answers hold, `both` for both.
macro_rules! shapes {
    ($sdk:ident; $($way:ident $shape:ident $(($($member:ident $(as $name:ident)?),* $(,)?))?;)*) => {
        #[cfg(feature = "client")]
        const _: () = { $($crate::client::shapes::$way!($sdk $shape $(($($member $(as $name)?),*))?);)* };
    };
}
