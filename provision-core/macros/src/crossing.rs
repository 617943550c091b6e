//! `crossing!`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned as _;
use syn::{Error, Ident, Result, Token, Type};

/// `EuWest => UsEast, via = peering`.
pub(crate) struct Input {
    from: Type,
    to: Type,
    via: Ident,
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let form = |error: Error| Error::new(error.span(), "write `crossing!(EuWest => UsEast, via = peering)`");
        let from = input.parse().map_err(form)?;
        input.parse::<Token![=>]>().map_err(form)?;
        let to = input.parse().map_err(form)?;
        input.parse::<Token![,]>().map_err(form)?;
        let key: Ident = input.parse().map_err(form)?;
        input.parse::<Token![=]>().map_err(form)?;
        let via = input.parse().map_err(form)?;
        if key != "via" {
            return Err(form(Error::new(key.span(), "")));
        }
        input.parse::<Option<Token![,]>>()?;
        if !input.is_empty() {
            return Err(form(input.error("")));
        }
        Ok(Self { from, to, via })
    }
}

pub(crate) fn expand(Input { from, to, via }: &Input) -> TokenStream {
    let via = via.to_string();
    // Where the two environments differ, the error points at the data centre that the refs would come from.
    let check = quote_spanned! {from.span()=>
        ::provision_core::dsl::crossing::of_one_environment::<
            <#from as ::provision_core::dsl::DataCentre>::Env,
            <#to as ::provision_core::dsl::DataCentre>::Env,
        >()
    };
    quote! {
        impl ::provision_core::dsl::Crossing<#to> for #from {
            const VIA: &'static str = #via;
        }
        const _: () = #check;
    }
}
