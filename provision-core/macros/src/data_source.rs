//! `#[data_source]`: from the fields of a struct to a literal, an extension trait and a schema, as for `#[resource]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Error, ItemStruct, Result};

use crate::resource::{Field, Header, Of, Role, field, header, parameter};

pub(crate) fn expand(args: TokenStream, item: &ItemStruct) -> Result<TokenStream> {
    let Header { cloud, kind, version, check } = header(args, item, Of::DataSource)?;
    if !item.generics.params.is_empty() {
        return Err(Error::new_spanned(&item.generics, "a data source is not generic"));
    }
    let fields = item.fields.iter().map(|one| field(one, Of::DataSource)).collect::<Result<Vec<_>>>()?;
    let Some(id) = fields.iter().find(|field| field.name == "id" && matches!(field.role, Role::Computed)) else {
        let form = format!("write `#[attr(computed)] pub id: {}Id`: what refs to it point at", item.ident);
        return Err(Error::new_spanned(&item.ident, form));
    };
    if let Some(other) = fields.iter().find(|field| field.shared && field.name != "id") {
        return Err(Error::new_spanned(&other.name, "only `id` is `shared`: its type is one that is made elsewhere"));
    }
    let (id_type, vis, name) = (&id.ty, &item.vis, &item.ident);
    let id_name = quote!(#id_type).to_string();
    let (marker, ext) = (format_ident!("{name}Kind"), format_ident!("{name}Ext"));

    let required: Vec<&Field> = fields.iter().filter(|field| matches!(field.role, Role::Required)).collect();
    let names: Vec<_> = required.iter().map(|field| &field.name).collect();
    let keys: Vec<_> = names.iter().map(ToString::to_string).collect();
    let params: Vec<_> = names.iter().map(|name| parameter(name)).collect();
    let types: Vec<_> = required.iter().map(|field| &field.ty).collect();
    let units: Vec<_> = params.iter().map(|_| quote!(())).collect();
    let field_docs = required.iter().map(|field| &field.docs);
    let schema = fields.iter().map(Field::schema);
    let (declarations, bodies): (Vec<_>, Vec<_>) =
        fields.iter().filter_map(|field| field.method(Of::DataSource)).unzip();

    let check = check.map(|check| {
        quote! {
            fn check(inputs: &::provision_core::dsl::Inputs<'_>) -> ::std::vec::Vec<(&'static str, ::std::string::String)> {
                #check(inputs)
            }
        }
    });
    let docs = item.attrs.iter();
    let see = format!("Looked up with `find`. The other fields are setters of [`{ext}`] on what it returns.");
    let ext_docs = format!("Setters of the query for a [`{name}`], and outputs of what is found.");
    let marker_docs = format!("The data source of [`{name}`].");
    let id_docs = format!("What a ref to a [`{name}`] points at.");
    let id_made = (!id.shared).then(|| {
        quote! {
            #[doc = #id_docs]
            #[derive(Debug, Clone, Copy)]
            #vis enum #id_type {}

            impl ::provision_core::dsl::input::FieldKind for #id_type {
                const KIND: ::provision_core::schema::Kind = ::provision_core::schema::Kind::Id(#id_name);
            }

            impl ::provision_core::dsl::OfCloud for #id_type {
                type Cloud = #cloud;
            }
        }
    });

    Ok(quote! {
        #(#docs)*
        #[doc = ""]
        #[doc = #see]
        #[derive(Debug, Clone, Copy)]
        #vis struct #name<#(#params = ()),*> {
            #(#(#field_docs)* #vis #names: #params,)*
        }

        #[doc = #marker_docs]
        #[derive(Debug, Clone, Copy)]
        #vis enum #marker {}

        #id_made

        impl #name<#(#units),*> {
            /// The fields of the query and of what is found.
            pub const SCHEMA: &'static ::provision_core::schema::Schema =
                <#marker as ::provision_core::dsl::DataSource>::SCHEMA;
        }

        impl ::provision_core::dsl::DataSource for #marker {
            type Id = #id_type;
            type Cloud = #cloud;
            const SCHEMA: &'static ::provision_core::schema::Schema = {
                use ::provision_core::schema::{Field, Grain, OnChange, Reads, Role, Schema};
                static SCHEMA: Schema = Schema {
                    type_name: #kind,
                    provider: <#cloud as ::provision_core::dsl::Cloud>::NAME,
                    version: #version,
                    fields: &[#(#schema),*],
                };
                &SCHEMA
            };
            #check
        }

        impl<#(#params),*> ::provision_core::dsl::Query for #name<#(#params),*> {
            type Source = #marker;
        }

        impl<D, #(#params),*> ::provision_core::dsl::AskedIn<D> for #name<#(#params),*>
        where
            D: ::provision_core::dsl::On<#cloud>,
            #(#params: ::provision_core::dsl::KnownInput<#types>,)*
        {
            fn into_query(self) -> ::std::vec::Vec<(&'static str, ::provision_core::dsl::Input)> {
                ::std::vec![#((#keys, ::provision_core::dsl::KnownInput::<#types>::into_known(self.#names))),*]
            }
        }

        #[doc = #ext_docs]
        #vis trait #ext<D>: Sized {
            #(#declarations)*
        }

        impl<D> #ext<D> for ::provision_core::dsl::Lookup<'_, #marker, D> {
            #(#bodies)*
        }
    })
}
