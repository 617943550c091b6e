//! `#[resource]` and `#[data_source]`: from the fields of a struct to a literal, an extension trait and a schema.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::parse::Parser as _;
use syn::{Error, ItemStruct, LitInt, LitStr, Path, Result, Type};

use crate::field::{Field, Role, field, parameter};

/// What is described: the two have the same form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    Resource,
    DataSource,
}

impl Of {
    /// What a field of this type is given.
    pub(crate) fn input(self, ty: &Type) -> TokenStream {
        match self {
            Self::Resource => quote!(::provision_core::dsl::IntoInput<#ty, D>),
            Self::DataSource => quote!(::provision_core::dsl::KnownInput<#ty>),
        }
    }

    /// What was given, without its type.
    pub(crate) fn erased(self, ty: &Type, given: &TokenStream) -> TokenStream {
        match self {
            Self::Resource => quote!(::provision_core::dsl::IntoInput::<#ty, D>::into_input(#given)),
            Self::DataSource => quote!(::provision_core::dsl::KnownInput::<#ty>::into_known(#given)),
        }
    }

    fn not_generic(self) -> &'static str {
        match self {
            Self::Resource => "a resource is not generic",
            Self::DataSource => "a data source is not generic",
        }
    }

    fn traits(self) -> Traits {
        match self {
            Self::Resource => Traits {
                described: quote!(Resource),
                literal: quote!(Definition),
                kind: quote!(Kind),
                in_dc: quote!(DefinedIn),
                into: quote!(into_inputs),
                put: quote!(Added),
            },
            Self::DataSource => Traits {
                described: quote!(DataSource),
                literal: quote!(Query),
                kind: quote!(Source),
                in_dc: quote!(AskedIn),
                into: quote!(into_query),
                put: quote!(Lookup),
            },
        }
    }

    fn texts(self, name: &str, ext: &str) -> Texts {
        match self {
            Self::Resource => Texts {
                see: format!("The other fields are setters of [`{ext}`] on what `put` returns."),
                ext: format!("Setters and outputs of a [`{name}`] that was put into a block."),
                marker: format!("The resource type of [`{name}`]."),
                schema: "The fields of the type, and who sets them.",
            },
            Self::DataSource => Texts {
                see: format!("Looked up with `find`. The other fields are setters of [`{ext}`] on what it returns."),
                ext: format!("Setters of the query for a [`{name}`], and outputs of what is found."),
                marker: format!("The data source of [`{name}`]."),
                schema: "The fields of the query and of what is found.",
            },
        }
    }
}

/// What `provision_core::dsl` calls the parts.
struct Traits {
    /// What the marker is.
    described: TokenStream,
    /// What the literal is, and its type that is the marker.
    literal: TokenStream,
    kind: TokenStream,
    /// What the literal is in a data centre, and its method.
    in_dc: TokenStream,
    into: TokenStream,
    /// What the setters and outputs are methods of.
    put: TokenStream,
}

/// What the documentation says of the parts.
struct Texts {
    see: String,
    ext: String,
    marker: String,
    schema: &'static str,
}

/// What stands in `#[resource(..)]` or `#[data_source(..)]`.
struct Header {
    cloud: Path,
    kind: LitStr,
    version: LitInt,
    check: Option<Path>,
}

fn header(args: TokenStream, item: &ItemStruct, of: Of) -> Result<Header> {
    let (mut cloud, mut kind, mut version, mut check) = (None, None, None, None);
    let parser = syn::meta::parser(|meta| {
        if meta.path.is_ident("cloud") {
            cloud = Some(meta.value()?.parse()?);
        } else if meta.path.is_ident("kind") {
            kind = Some(meta.value()?.parse()?);
        } else if meta.path.is_ident("version") && of == Of::Resource {
            version = Some(meta.value()?.parse()?);
        } else if meta.path.is_ident("check") {
            check = Some(meta.value()?.parse()?);
        } else {
            return Err(meta.error(match of {
                Of::Resource => "unknown; a resource has `cloud`, `kind`, `version` and `check`",
                Of::DataSource => "unknown; a data source has `cloud`, `kind` and `check`",
            }));
        }
        Ok(())
    });
    parser.parse2(args)?;
    // No record of what was found is ever lifted: it is found anew.
    let version = version.or_else(|| (of == Of::DataSource).then(|| LitInt::new("1", item.ident.span())));
    let (Some(cloud), Some(kind), Some(version)) = (cloud, kind, version) else {
        let form = match of {
            Of::Resource => "incomplete; write `#[resource(cloud = Aws, kind = \"aws_vpc\", version = 1)]`",
            Of::DataSource => "incomplete; write `#[data_source(cloud = Aws, kind = \"aws_ami\")]`",
        };
        return Err(Error::new_spanned(&item.ident, form));
    };
    Ok(Header { cloud, kind, version, check })
}

pub(crate) fn expand(args: TokenStream, item: &ItemStruct, of: Of) -> Result<TokenStream> {
    let Header { cloud, kind, version, check } = header(args, item, of)?;
    if !item.generics.params.is_empty() {
        return Err(Error::new_spanned(&item.generics, of.not_generic()));
    }
    let fields = item.fields.iter().map(|one| field(one, of)).collect::<Result<Vec<_>>>()?;
    let Some(id) = fields.iter().find(|field| field.name == "id" && matches!(field.role, Role::Computed)) else {
        let form = format!("write `#[attr(computed)] pub id: {}Id`: what refs to it point at", item.ident);
        return Err(Error::new_spanned(&item.ident, form));
    };
    if let Some(other) = fields.iter().find(|field| field.shared && field.name != "id") {
        return Err(Error::new_spanned(&other.name, "only `id` is `shared`: its type is one that is made elsewhere"));
    }
    let (id_type, vis, name) = (&id.ty, &item.vis, &item.ident);
    let (marker, ext) = (format_ident!("{name}Kind"), format_ident!("{name}Ext"));

    let required: Vec<&Field> = fields.iter().filter(|field| matches!(field.role, Role::Required)).collect();
    let names: Vec<_> = required.iter().map(|field| &field.name).collect();
    let params: Vec<_> = names.iter().map(|name| parameter(name)).collect();
    let inputs = required.iter().map(|field| of.input(&field.ty));
    let units = params.iter().map(|_| quote!(()));
    let given = required.iter().map(|field| {
        let (name, key) = (&field.name, field.name.to_string());
        let erased = of.erased(&field.ty, &quote!(self.#name));
        quote!((#key, #erased))
    });
    let field_docs = required.iter().map(|field| &field.docs);
    let schema = fields.iter().map(Field::schema);
    let (declarations, bodies): (Vec<_>, Vec<_>) = fields.iter().filter_map(|field| field.method(of)).unzip();
    let check = check.map(|check| {
        quote! {
            fn check(inputs: &::provision_core::dsl::Inputs<'_>) -> ::std::vec::Vec<(&'static str, ::std::string::String)> {
                #check(inputs)
            }
        }
    });

    let docs = item.attrs.iter();
    let Texts { see, ext: ext_docs, marker: marker_docs, schema: schema_docs } =
        of.texts(&name.to_string(), &ext.to_string());
    let Traits { described, literal, kind: kind_of, in_dc, into, put } = of.traits();
    let id_made = (!id.shared).then(|| id_type_made(item, id_type, &cloud));

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
            #[doc = #schema_docs]
            pub const SCHEMA: &'static ::provision_core::schema::Schema =
                <#marker as ::provision_core::dsl::#described>::SCHEMA;
        }

        impl ::provision_core::dsl::#described for #marker {
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

        impl<#(#params),*> ::provision_core::dsl::#literal for #name<#(#params),*> {
            type #kind_of = #marker;
        }

        impl<D, #(#params),*> ::provision_core::dsl::#in_dc<D> for #name<#(#params),*>
        where
            D: ::provision_core::dsl::On<#cloud>,
            #(#params: #inputs,)*
        {
            fn #into(self) -> ::std::vec::Vec<(&'static str, ::provision_core::dsl::Input)> {
                ::std::vec![#(#given),*]
            }
        }

        #[doc = #ext_docs]
        #vis trait #ext<D>: Sized {
            #(#declarations)*
        }

        impl<D> #ext<D> for ::provision_core::dsl::#put<'_, #marker, D> {
            #(#bodies)*
        }
    })
}

/// The type that refs point at.
fn id_type_made(item: &ItemStruct, id_type: &Type, cloud: &Path) -> TokenStream {
    let (vis, docs) = (&item.vis, format!("What a ref to a [`{}`] points at.", item.ident));
    let id_name = quote!(#id_type).to_string();
    quote! {
        #[doc = #docs]
        #[derive(Debug, Clone, Copy)]
        #vis enum #id_type {}

        impl ::provision_core::dsl::input::FieldKind for #id_type {
            const KIND: ::provision_core::schema::Kind = ::provision_core::schema::Kind::Id(#id_name);
        }

        impl ::provision_core::dsl::OfCloud for #id_type {
            type Cloud = #cloud;
        }
    }
}
