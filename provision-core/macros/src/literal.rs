//! Literals: networks and texts.

use ipnet::IpNet;
use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, Ident, LitStr, Result, Token};

pub(crate) fn cidr(literal: &LitStr) -> Result<TokenStream> {
    let text = literal.value();
    let Ok(net) = text.parse::<IpNet>() else {
        return Err(Error::new(
            literal.span(),
            format!("`{text}` is not a network in CIDR notation, like `10.1.0.0/16`"),
        ));
    };
    if net != net.trunc() {
        let problem = format!("`{net}` has host bits set; the network is `{}`", net.trunc());
        return Err(Error::new(literal.span(), problem));
    }
    let len = net.prefix_len();
    Ok(match net {
        IpNet::V4(net) => {
            let octets = net.addr().octets();
            quote!(::provision_core::dsl::Cidr::v4([#(#octets),*], #len))
        }
        IpNet::V6(net) => {
            let bits = net.addr().to_bits();
            quote!(::provision_core::dsl::Cidr::v6(#bits, #len))
        }
    })
}

/// `"literal with {} and {name}", values..`.
pub(crate) struct TextInput {
    format: LitStr,
    values: Vec<Expr>,
}

impl Parse for TextInput {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let format = input.parse()?;
        let mut values = Vec::new();
        if input.parse::<Option<Token![,]>>()?.is_some() {
            values = Punctuated::<Expr, Token![,]>::parse_terminated(input)?.into_iter().collect();
        }
        Ok(Self { format, values })
    }
}

enum Piece {
    Literal(String),
    Next,
    Named(String),
}

/// Splits a format into its pieces, or says what is wrong with it.
fn pieces(format: &str) -> std::result::Result<Vec<Piece>, String> {
    let (mut pieces, mut literal) = (Vec::new(), String::new());
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '{' | '}' if chars.peek() == Some(&c) => {
                chars.next();
                literal.push(c);
            }
            '{' => {
                let mut name = String::new();
                loop {
                    match chars.next() {
                        Some('}') => break,
                        Some(c) => name.push(c),
                        None => return Err("a `{` is not closed; write `{{` for a brace".to_owned()),
                    }
                }
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                pieces.push(if name.is_empty() { Piece::Next } else { Piece::Named(name) });
            }
            '}' => return Err("a `}` without `{`; write `}}` for a brace".to_owned()),
            c => literal.push(c),
        }
    }
    pieces.push(Piece::Literal(literal));
    Ok(pieces)
}

pub(crate) fn text(input: &TextInput) -> Result<TokenStream> {
    let span = input.format.span();
    let mut values = input.values.iter();
    let mut pushes = TokenStream::new();
    for piece in pieces(&input.format.value()).map_err(|problem| Error::new(span, problem))? {
        match piece {
            Piece::Literal(text) if text.is_empty() => {}
            Piece::Literal(text) => pushes.extend(quote!(.push(#text))),
            Piece::Next => {
                let missing = || Error::new(span, "more `{}` than values");
                let value = values.next().ok_or_else(missing)?;
                pushes.extend(quote!(.push(#value)));
            }
            Piece::Named(name) => {
                let what =
                    || Error::new(span, format!("`{{{name}}}` is not a variable; write `{{}}` and the value behind"));
                let mut ident: Ident = syn::parse_str(&name).map_err(|_| what())?;
                ident.set_span(span);
                pushes.extend(quote!(.push(#ident)));
            }
        }
    }
    if let Some(spare) = values.next() {
        return Err(Error::new_spanned(spare, "a value without a `{}` in the text"));
    }
    Ok(quote!(::provision_core::dsl::Text::new() #pushes))
}
