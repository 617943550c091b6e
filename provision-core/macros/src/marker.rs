//! Marker types: environments and data centres.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::Parser as _;
use syn::{Error, Ident, ItemStruct, LitStr, Path, Result, Type};

/// A name that follows the grammar of `provision_core::id`.
fn check_name(name: &LitStr) -> Result<()> {
    let text = name.value();
    let good = text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.len() <= 40
        && !text.ends_with('-')
        && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if good {
        return Ok(());
    }
    let rule = "write 1 to 40 of a-z, 0-9 and `-`, starting with a letter and not ending with `-`";
    Err(Error::new(name.span(), format!("`{text}` is not a name: {rule}")))
}

fn check_marker(item: &ItemStruct) -> Result<()> {
    if item.fields.is_empty() && item.generics.params.is_empty() {
        return Ok(());
    }
    Err(Error::new_spanned(&item.ident, "a marker is a unit struct: `pub struct UsEast;`"))
}

pub(crate) fn environment(name: &LitStr, item: &ItemStruct) -> Result<TokenStream> {
    check_marker(item)?;
    check_name(name)?;
    let marker = &item.ident;
    Ok(quote! {
        #item
        impl ::provision_core::dsl::Environment for #marker {
            const NAME: &'static str = #name;
        }
    })
}

struct OnCloud {
    cloud: Path,
    account: LitStr,
    region: Type,
}

pub(crate) fn data_centre(args: TokenStream, item: &ItemStruct) -> Result<TokenStream> {
    check_marker(item)?;
    let (mut name, mut env, mut channel) = (None::<LitStr>, None::<Type>, None::<Ident>);
    let mut clouds = Vec::new();
    let parser = syn::meta::parser(|meta| {
        if meta.path.is_ident("name") {
            name = Some(meta.value()?.parse()?);
        } else if meta.path.is_ident("env") {
            env = Some(meta.value()?.parse()?);
        } else if meta.path.is_ident("channel") {
            channel = Some(meta.value()?.parse()?);
        } else if meta.path.is_ident("on") {
            let (mut cloud, mut account, mut region) = (None, None, None);
            meta.parse_nested_meta(|part| {
                if part.path.is_ident("account") {
                    account = Some(part.value()?.parse()?);
                } else if part.path.is_ident("region") {
                    region = Some(part.value()?.parse()?);
                } else if cloud.is_none() {
                    cloud = Some(part.path);
                } else {
                    return Err(part.error("unknown; write `on(Aws, account = \"..\", region = ..)`"));
                }
                Ok(())
            })?;
            let (Some(cloud), Some(account), Some(region)) = (cloud, account, region) else {
                return Err(meta.error("incomplete; write `on(Aws, account = \"..\", region = ..)`"));
            };
            clouds.push(OnCloud { cloud, account, region });
        } else {
            return Err(meta.error("unknown; a data centre has `name`, `env`, `channel` and `on(..)`"));
        }
        Ok(())
    });
    parser.parse2(args)?;
    let missing = |what| Error::new_spanned(&item.ident, format!("`{what}` is missing in `#[data_centre(..)]`"));
    let name = name.ok_or_else(|| missing("name = \"..\""))?;
    let env = env.ok_or_else(|| missing("env = .."))?;
    let channel = channel.ok_or_else(|| missing("channel = Stable` or `channel = Beta"))?;
    check_name(&name)?;
    if channel != "Stable" && channel != "Beta" {
        return Err(Error::new(channel.span(), "a channel is `Stable` or `Beta`"));
    }
    let marker = &item.ident;
    let paths = clouds.iter().map(|on| &on.cloud);
    let on = clouds.iter().map(|OnCloud { cloud, account, region }| {
        quote! {
            impl ::provision_core::dsl::On<#cloud> for #marker {
                type Region = #region;
                const ACCOUNT: &'static str = #account;
            }
        }
    });
    Ok(quote! {
        #item
        impl ::provision_core::dsl::DataCentre for #marker {
            type Env = #env;
            const NAME: &'static str = #name;
            const CHANNEL: ::provision_core::desired::Channel = ::provision_core::desired::Channel::#channel;
            fn targets() -> ::std::vec::Vec<::provision_core::dsl::dc::Target> {
                ::std::vec![#(::provision_core::dsl::dc::Target::of::<Self, #paths>()),*]
            }
        }
        #(#on)*
    })
}
