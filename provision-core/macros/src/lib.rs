//! Procedural macros of provision-core: use them by its prelude.

use proc_macro::TokenStream;
use syn::parse_macro_input;

use crate::definition::Of;

mod args;
mod crossing;
mod definition;
mod field;
mod literal;
mod marker;

fn or_error(result: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    result.unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Describes a resource type: fields, who sets them, and what a change of them does.
///
/// ```text
/// /// A subnet of a VPC.
/// #[resource(cloud = Aws, kind = "aws_subnet", version = 1)]
/// pub struct Subnet {
///     /// The VPC that the subnet lies in.
///     #[attr(replace)]
///     pub vpc: VpcId,
///     /// Whether new instances get a public address.
///     #[attr(default = false)]
///     pub public_ip: bool,
///     /// Its id.
///     #[attr(computed)]
///     pub id: SubnetId,
/// }
/// ```
///
/// | on a field | meaning |
/// |---|---|
/// | nothing | required: part of the struct literal |
/// | `default = ..`, `default` | a setter; the default (or the empty list or map) is ours |
/// | type `Option<..>` | a setter; if it is not set, the field is the server's |
/// | `name(max = 255)` | a setter; if it is not set, the engine makes a unique name |
/// | `name(max = 64, global)` | the same, of what no two regions of an account can have alike |
/// | `computed` | an output; `id` is one of them, and its type is made here |
/// | `computed, moves` | an output that an update of the object may change |
/// | `replace` | a change replaces the object |
/// | `unread` | reads do not show it: it counts as what it was last set to |
/// | `set`, `by_key` | compared as a set, or key by key; otherwise as a whole |
///
/// `check = function` names what finds wrong inputs before anything is planned: see `Resource::check`.
///
/// It becomes: the literal `Subnet`, generic over what its required fields are given; `SubnetExt`, the setters and
/// outputs on what `put` returns; `SubnetKind`, the resource type; `SubnetId`; and `Subnet::SCHEMA`.
#[proc_macro_attribute]
pub fn resource(args: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as syn::ItemStruct);
    or_error(definition::expand(args.into(), &item, Of::Resource))
}

/// Describes a data source: what is there already and can be looked up by a query.
///
/// ```text
/// /// A machine image.
/// #[data_source(cloud = Aws, kind = "aws_ami")]
/// pub struct Ami {
///     /// Whose it is: an account, or `amazon`.
///     pub owner: String,
///     /// Its name, with `*` for anything.
///     pub name: Option<String>,
///     /// Whether the newest one is meant where several fit.
///     #[attr(default = false)]
///     pub newest: bool,
///     /// Its id.
///     #[attr(computed)]
///     pub id: AmiId,
/// }
/// ```
///
/// | on a field | meaning |
/// |---|---|
/// | nothing | part of the query, always: part of the struct literal |
/// | `default = ..`, `default` | part of the query: a setter; the default (or the empty list or map) is asked otherwise |
/// | type `Option<..>` | part of the query if the setter is called |
/// | `computed` | an output: of what is found; `id` is one of them, and its type is made here |
/// | `computed, shared` | of `id`: its type is made elsewhere, as where a resource type makes such objects too |
/// | `set` | the order of what is asked does not matter |
///
/// `check = function` names what finds wrong queries before anything is asked: see `DataSource::check`.
///
/// It becomes: the literal `Ami`, generic over what its required fields are given; `AmiExt`, the setters and outputs on what
/// `find` returns; `AmiKind`, the data source; `AmiId`; and `Ami::SCHEMA`.
#[proc_macro_attribute]
pub fn data_source(args: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as syn::ItemStruct);
    or_error(definition::expand(args.into(), &item, Of::DataSource))
}

/// Says that refs of one data centre may be used in another one of the same environment, and what carries them.
///
/// ```text
/// crossing!(EuWest => UsEast, via = peering);
/// ```
///
/// Stands beside the data centres. In a block of `UsEast`, `b.import(..)` then takes a ref of `EuWest` over.
#[proc_macro]
pub fn crossing(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as crossing::Input);
    or_error(Ok(crossing::expand(&input)))
}

/// Derives `Args` for what a block takes or returns: a structure or a choice of things that are `Args`.
///
/// No bound is put on type parameters, so that `Network<D>` works for every data centre.
#[proc_macro_derive(Args)]
pub fn args(item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as syn::DeriveInput);
    or_error(args::expand(&item))
}

/// Makes a unit struct an environment: `#[environment("prod")] pub struct Prod;`.
#[proc_macro_attribute]
pub fn environment(args: TokenStream, item: TokenStream) -> TokenStream {
    let (name, item) = (parse_macro_input!(args as syn::LitStr), parse_macro_input!(item as syn::ItemStruct));
    or_error(marker::environment(&name, &item))
}

/// Makes a unit struct a data centre, on any number of clouds.
///
/// ```text
/// #[data_centre(name = "us-east", env = Prod, channel = Stable, on(Aws, account = "123456789012", region = UsEast1))]
/// pub struct UsEast;
/// ```
#[proc_macro_attribute]
pub fn data_centre(args: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as syn::ItemStruct);
    or_error(marker::data_centre(args.into(), &item))
}

/// A network, checked by the compiler: `cidr!("10.1.0.0/16")`.
#[proc_macro]
pub fn cidr(input: TokenStream) -> TokenStream {
    let text = parse_macro_input!(input as syn::LitStr);
    or_error(literal::cidr(&text))
}

/// A text with refs and values inside, written as for `format!`: `text!("host={}", vm.private_ip())`, `text!("{host}")`.
#[proc_macro]
pub fn text(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as literal::TextInput);
    or_error(literal::text(&input))
}
