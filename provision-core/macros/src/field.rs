//! A field of what is described: who sets it, what a change of it does, and the method that it becomes.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Attribute, Error, Expr, ExprLit, GenericArgument, Ident, Lit, LitInt, PathArguments, Result, Type};

use crate::definition::Of;

/// As it was written.
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

/// Who sets it.
pub(crate) enum Role {
    Required,
    Default(Box<Expr>),
    Empty,
    Optional,
    Name(LitInt),
    GlobalName(LitInt),
    Computed,
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
        let (takes, erased) = (of.input(ty), of.erased(ty, &quote!(#name)));
        let signature = quote!(#[track_caller] fn #name(self, #name: impl #takes) -> Self);
        Some((
            quote!(#(#docs)* #[doc = ""] #[doc = #note] #signature;),
            quote!(#signature { self.set(#text, #erased) }),
        ))
    }
}
