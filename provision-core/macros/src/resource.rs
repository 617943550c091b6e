//! `#[resource]`: from the fields of a struct to a literal, an extension trait and a schema.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::parse::Parser as _;
use syn::{
    Attribute, Error, Expr, ExprLit, GenericArgument, Ident, ItemStruct, Lit, LitInt, LitStr, Path, PathArguments,
    Result, Type,
};

/// What is described: the two have the same form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    Resource,
    DataSource,
}

/// What stands in `#[resource(..)]` or `#[data_source(..)]`.
pub(crate) struct Header {
    pub(crate) cloud: Path,
    pub(crate) kind: LitStr,
    pub(crate) version: LitInt,
    pub(crate) check: Option<Path>,
}

pub(crate) struct Field {
    pub(crate) name: Ident,
    /// What it holds, without `Option`.
    pub(crate) ty: Type,
    pub(crate) docs: Vec<Attribute>,
    pub(crate) role: Role,
    replace: bool,
    moves: bool,
    unread: bool,
    /// Whether its type is made elsewhere.
    pub(crate) shared: bool,
    grain: Ident,
}

pub(crate) enum Role {
    Required,
    Default(Box<Expr>),
    Empty,
    Optional,
    Name(LitInt),
    GlobalName(LitInt),
    Computed,
}

pub(crate) fn header(args: TokenStream, item: &ItemStruct, of: Of) -> Result<Header> {
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

/// The `T` of `Option<T>`.
fn inside_option(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Option")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first() {
        Some(GenericArgument::Type(inner)) => Some(inner),
        _ => None,
    }
}

pub(crate) fn field(field: &syn::Field, of: Of) -> Result<Field> {
    let Some(name) = field.ident.clone() else {
        return Err(Error::new_spanned(field, "the fields of a resource have names"));
    };
    let (mut roles, mut replace, mut moves, mut unread, mut shared) = (Vec::new(), false, false, false, false);
    let mut grain = format_ident!("Whole");
    for attr in field.attrs.iter().filter(|attr| attr.path().is_ident("attr")) {
        attr.parse_nested_meta(|meta| {
            let made = of == Of::Resource;
            if meta.path.is_ident("replace") && made {
                replace = true;
            } else if meta.path.is_ident("shared") && !made {
                shared = true;
            } else if meta.path.is_ident("moves") && made {
                moves = true;
            } else if meta.path.is_ident("unread") && made {
                unread = true;
            } else if meta.path.is_ident("set") {
                grain = format_ident!("Set");
            } else if meta.path.is_ident("by_key") && made {
                grain = format_ident!("ByKey");
            } else if meta.path.is_ident("computed") {
                roles.push(Role::Computed);
            } else if meta.path.is_ident("default") {
                let given = meta.input.peek(syn::Token![=]);
                roles.push(if given { Role::Default(Box::new(meta.value()?.parse()?)) } else { Role::Empty });
            } else if meta.path.is_ident("name") && made {
                let (mut max, mut global) = (None, false);
                meta.parse_nested_meta(|part| {
                    if part.path.is_ident("max") {
                        max = Some(part.value()?.parse()?);
                    } else if part.path.is_ident("global") {
                        global = true;
                    } else {
                        return Err(part.error("unknown; write `name(max = 255)` or `name(max = 255, global)`"));
                    }
                    Ok(())
                })?;
                let max = max.ok_or_else(|| meta.error("how long may it be? write `name(max = 255)`"))?;
                roles.push(if global { Role::GlobalName(max) } else { Role::Name(max) });
            } else {
                let known = match of {
                    Of::Resource => {
                        "`replace`, `default`, `computed`, `moves`, `name(max = ..)`, `set`, `by_key` and `unread`"
                    }
                    Of::DataSource => "`default`, `computed`, `shared` and `set`",
                };
                return Err(meta.error(format!("unknown; a field has {known}")));
            }
            Ok(())
        })?;
    }
    let (ty, optional) = inside_option(&field.ty).map_or((&field.ty, false), |inner| (inner, true));
    if optional {
        roles.push(Role::Optional);
    }
    if roles.len() > 1 {
        let problem = "one of `default`, `computed`, `name` and `Option<..>` at most: each says who sets the field";
        return Err(Error::new_spanned(&name, problem));
    }
    if moves && !matches!(roles.first(), Some(Role::Computed)) {
        return Err(Error::new_spanned(&name, "only what is `computed` moves: an update of other fields changes it"));
    }
    let docs = field.attrs.iter().filter(|attr| !attr.path().is_ident("attr")).cloned().collect();
    let role = roles.pop().unwrap_or(Role::Required);
    Ok(Field { name, ty: ty.clone(), docs, role, replace, moves, unread, shared, grain })
}

/// The parameter that a field of the literal is generic over; `instance_type` must not become a likely name of a type.
pub(crate) fn parameter(name: &Ident) -> Ident {
    let camel: String = name
        .to_string()
        .split('_')
        .map(|word| word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1)).collect::<String>())
        .collect();
    format_ident!("{camel}In", span = name.span())
}

impl Field {
    pub(crate) fn schema(&self) -> TokenStream {
        let Self { name, ty, docs: _, role, replace, moves, unread, shared: _, grain } = self;
        let name = name.to_string();
        let role = match role {
            Role::Required => quote!(Role::Required),
            Role::Default(value) => {
                let literal = match &**value {
                    Expr::Lit(ExprLit { lit: Lit::Bool(value), .. }) => {
                        quote!(::provision_core::schema::Literal::Bool(#value))
                    }
                    Expr::Lit(ExprLit { lit: Lit::Int(value), .. }) => {
                        quote!(::provision_core::schema::Literal::Int(#value))
                    }
                    Expr::Lit(ExprLit { lit: Lit::Str(value), .. }) => {
                        quote!(::provision_core::schema::Literal::Text(#value))
                    }
                    constant => quote!(#constant),
                };
                quote!(Role::Default(#literal))
            }
            Role::Empty => quote!(Role::Default(<#ty as ::provision_core::dsl::input::DefaultKind>::EMPTY)),
            Role::Optional => quote!(Role::Optional),
            Role::Name(max) => quote!(Role::Name { max: #max }),
            Role::GlobalName(max) => quote!(Role::GlobalName { max: #max }),
            Role::Computed => quote!(Role::Computed),
        };
        let on_change = match (*replace, *moves) {
            (true, _) => quote!(OnChange::Replace),
            (false, true) => quote!(OnChange::Moves),
            (false, false) => quote!(OnChange::Update),
        };
        let reads = if *unread { quote!(Reads::Unread) } else { quote!(Reads::Shown) };
        quote!(Field {
            name: #name,
            kind: <#ty as ::provision_core::dsl::input::FieldKind>::KIND,
            role: #role,
            on_change: #on_change,
            grain: Grain::#grain,
            reads: #reads,
        })
    }

    /// Its setter or output: the declaration in the trait, and the body.
    pub(crate) fn method(&self, of: Of) -> Option<(TokenStream, TokenStream)> {
        let Self { name, ty, docs, role, .. } = self;
        let text = name.to_string();
        let note = match role {
            Role::Required => return None,
            Role::Computed if name == "id" => return None,
            Role::Computed => {
                let signature = quote!(fn #name(&self) -> ::provision_core::dsl::Ref<#ty, D>);
                return Some((quote!(#(#docs)* #signature;), quote!(#signature { self.output(#text) })));
            }
            Role::Default(value) => format!("If it is not set: `{}`.", quote!(#value)),
            Role::Empty => "If it is not set: empty.".to_owned(),
            Role::Optional if of == Of::DataSource => "If it is not set, it is not asked for.".to_owned(),
            Role::Optional => "If it is not set, the cloud decides.".to_owned(),
            Role::Name(_) | Role::GlobalName(_) => "If it is not set, the engine makes a unique name.".to_owned(),
        };
        let (takes, erased) = match of {
            Of::Resource => (
                quote!(::provision_core::dsl::IntoInput<#ty, D>),
                quote!(::provision_core::dsl::IntoInput::<#ty, D>::into_input(#name)),
            ),
            Of::DataSource => (
                quote!(::provision_core::dsl::KnownInput<#ty>),
                quote!(::provision_core::dsl::KnownInput::<#ty>::into_known(#name)),
            ),
        };
        let signature = quote!(#[track_caller] fn #name(self, #name: impl #takes) -> Self);
        Some((
            quote!(#(#docs)* #[doc = ""] #[doc = #note] #signature;),
            quote!(#signature { self.set(#text, #erased) }),
        ))
    }
}

pub(crate) fn expand(args: TokenStream, item: &ItemStruct) -> Result<TokenStream> {
    let Header { cloud, kind, version, check } = header(args, item, Of::Resource)?;
    if !item.generics.params.is_empty() {
        return Err(Error::new_spanned(&item.generics, "a resource is not generic"));
    }
    let fields = item.fields.iter().map(|one| field(one, Of::Resource)).collect::<Result<Vec<_>>>()?;
    let Some(id) = fields.iter().find(|field| field.name == "id" && matches!(field.role, Role::Computed)) else {
        let form = format!("write `#[attr(computed)] pub id: {}Id`: what refs to it point at", item.ident);
        return Err(Error::new_spanned(&item.ident, form));
    };
    let (id_type, vis, name) = (&id.ty, &item.vis, &item.ident);
    let id_name = quote!(#id_type).to_string();
    let (marker, ext) = (format_ident!("{name}Kind"), format_ident!("{name}Ext"));

    let required: Vec<_> = fields.iter().filter(|field| matches!(field.role, Role::Required)).collect();
    let names: Vec<_> = required.iter().map(|field| &field.name).collect();
    let keys: Vec<_> = names.iter().map(ToString::to_string).collect();
    let params: Vec<_> = names.iter().map(|name| parameter(name)).collect();
    let types: Vec<_> = required.iter().map(|field| &field.ty).collect();
    let units: Vec<_> = params.iter().map(|_| quote!(())).collect();
    let field_docs = required.iter().map(|field| &field.docs);
    let schema = fields.iter().map(Field::schema);
    let (declarations, bodies): (Vec<_>, Vec<_>) = fields.iter().filter_map(|field| field.method(Of::Resource)).unzip();

    let check = check.map(|check| {
        quote! {
            fn check(inputs: &::provision_core::dsl::Inputs<'_>) -> ::std::vec::Vec<(&'static str, ::std::string::String)> {
                #check(inputs)
            }
        }
    });
    let docs = item.attrs.iter();
    let see = format!("The other fields are setters of [`{ext}`] on what `put` returns.");
    let ext_docs = format!("Setters and outputs of a [`{name}`] that was put into a block.");
    let marker_docs = format!("The resource type of [`{name}`].");
    let id_docs = format!("What a ref to a [`{name}`] points at.");

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

        #[doc = #id_docs]
        #[derive(Debug, Clone, Copy)]
        #vis enum #id_type {}

        impl #name<#(#units),*> {
            /// The fields of the type, and who sets them.
            pub const SCHEMA: &'static ::provision_core::schema::Schema =
                <#marker as ::provision_core::dsl::Resource>::SCHEMA;
        }

        impl ::provision_core::dsl::Resource for #marker {
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

        impl ::provision_core::dsl::input::FieldKind for #id_type {
            const KIND: ::provision_core::schema::Kind = ::provision_core::schema::Kind::Id(#id_name);
        }

        impl ::provision_core::dsl::OfCloud for #id_type {
            type Cloud = #cloud;
        }

        impl<#(#params),*> ::provision_core::dsl::Definition for #name<#(#params),*> {
            type Kind = #marker;
        }

        impl<D, #(#params),*> ::provision_core::dsl::DefinedIn<D> for #name<#(#params),*>
        where
            D: ::provision_core::dsl::On<#cloud>,
            #(#params: ::provision_core::dsl::IntoInput<#types, D>,)*
        {
            fn into_inputs(self) -> ::std::vec::Vec<(&'static str, ::provision_core::dsl::Input)> {
                ::std::vec![#((#keys, ::provision_core::dsl::IntoInput::<#types, D>::into_input(self.#names))),*]
            }
        }

        #[doc = #ext_docs]
        #vis trait #ext<D>: Sized {
            #(#declarations)*
        }

        impl<D> #ext<D> for ::provision_core::dsl::Added<'_, #marker, D> {
            #(#bodies)*
        }
    })
}
