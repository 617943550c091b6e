//! What blocks offer, as text and as JSON.

use std::collections::BTreeMap;

use provision_core::id::BlockAddr;
use provision_core::outputs::unknown;
use provision_core::value::{Expr, Tree};
use serde::Serialize;

use super::plain;
use super::plan::expr;
use super::style::{BOLD, DIM};

/// Prints blocks, a value a line.
pub(crate) fn show(blocks: &BTreeMap<BlockAddr, Expr>) {
    for (block, tree) in blocks {
        super::line(&format!("{BOLD}{block}{BOLD:#}"));
        lines(tree).iter().for_each(|line| super::line(&format!("  {line}")));
    }
    if blocks.is_empty() {
        super::line(&format!("{DIM}No block offers anything yet.{DIM:#}"));
    }
}

/// A name and its value a line; a value without parts alone.
pub(crate) fn lines(tree: &Expr) -> Vec<String> {
    let parts: Vec<(String, &Expr)> = match tree {
        Tree::Map(map) => map.iter().map(|(name, value)| (plain(name), value)).collect(),
        Tree::List(list) => list.iter().enumerate().map(|(place, value)| (place.to_string(), value)).collect(),
        Tree::Null | Tree::Bool(_) | Tree::Int(_) | Tree::Text(_) | Tree::Symbol(_) => return vec![expr(tree)],
    };
    let width = parts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    parts.iter().map(|(name, value)| format!("{name:width$}  {}", expr(value))).collect()
}

/// All outputs as JSON.
#[derive(Serialize)]
pub(crate) struct All<'a> {
    format_version: &'static str,
    /// A ref stands for what is not known yet: `{"$ref": "us-east.network.main#id"}`.
    outputs: &'a BTreeMap<BlockAddr, Expr>,
    /// The paths of what is not known yet.
    unknown: Vec<String>,
}

/// All outputs as JSON.
pub(crate) fn all(outputs: &BTreeMap<BlockAddr, Expr>) -> All<'_> {
    let path = |block: &BlockAddr, path: &str| match path {
        "" => block.to_string(),
        path => format!("{block}.{path}"),
    };
    let unknown =
        outputs.iter().flat_map(|(block, tree)| unknown(tree).into_iter().map(move |below| path(block, &below)));
    All { format_version: super::FORMAT_VERSION, outputs, unknown: unknown.collect() }
}
