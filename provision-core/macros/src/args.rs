//! `#[derive(Args)]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Error, Fields, Result};

pub(crate) fn expand(item: &DeriveInput) -> Result<TokenStream> {
    let body = match &item.data {
        Data::Struct(data) => {
            let (pattern, value) = fields(&data.fields);
            quote! { let Self #pattern = self; #value }
        }
        Data::Enum(data) => {
            let arms = data.variants.iter().map(|variant| {
                let (ident, name) = (&variant.ident, variant.ident.to_string());
                let (pattern, value) = fields(&variant.fields);
                if matches!(variant.fields, Fields::Unit) {
                    quote!(Self::#ident => #name.into())
                } else {
                    quote!(Self::#ident #pattern => ::provision_core::dsl::Input::Map(
                        [(#name.to_owned(), #value)].into_iter().collect()
                    ))
                }
            });
            quote!(match self { #(#arms,)* })
        }
        Data::Union(_) => return Err(Error::new_spanned(&item.ident, "a union cannot be given to a block")),
    };
    let name = &item.ident;
    let (generics, arguments, bounds) = item.generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #generics ::provision_core::dsl::Args for #name #arguments #bounds {
            fn to_input(&self) -> ::provision_core::dsl::Input {
                #body
            }
        }
    })
}

/// The pattern that takes the fields apart, and the value made of them.
fn fields(fields: &Fields) -> (TokenStream, TokenStream) {
    match fields {
        Fields::Named(named) => {
            let idents: Vec<_> = named.named.iter().filter_map(|field| field.ident.as_ref()).collect();
            let names = idents.iter().map(ToString::to_string);
            let entries = quote!([#((#names.to_owned(), ::provision_core::dsl::Args::to_input(#idents))),*]);
            (quote!({ #(#idents),* }), quote!(::provision_core::dsl::Input::Map(#entries.into_iter().collect())))
        }
        Fields::Unnamed(unnamed) => {
            let idents: Vec<_> = (0..unnamed.unnamed.len()).map(|index| format_ident!("part_{index}")).collect();
            let items = quote!(::std::vec![#(::provision_core::dsl::Args::to_input(#idents)),*]);
            (quote!((#(#idents),*)), quote!(::provision_core::dsl::Input::List(#items)))
        }
        Fields::Unit => (TokenStream::new(), quote!(::provision_core::dsl::Input::Null)),
    }
}
