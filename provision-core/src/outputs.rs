//! The outputs of blocks, from their logs alone.
//!
//! A block's outputs are what its function returned, as its log recorded it with the definition that was last applied.
//! Refs in them are filled in from recorded objects, also those of other blocks: a block can pass on what it was given.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::id::BlockAddr;
use crate::plan::BlockInput;
use crate::value::{Expr, OutputRef, Piece, Symbol, Tree, Value};

/// The outputs of a block. What is not known, because its object is not there yet or its log can't be read, stays a ref.
///
/// `None` where no definition of the block is recorded.
pub fn outputs(block: &BlockAddr, recorded: &BTreeMap<BlockAddr, BlockInput>) -> Option<Expr> {
    let state = recorded.get(block)?.as_ref().ok()?;
    let definition = state.definition.as_ref()?;
    // What a lookup found is recorded where it is used.
    let found = |output: &OutputRef| state.found.get(&output.resource)?.output(&output.output);
    let filled = definition.outputs.try_map::<Symbol, std::convert::Infallible>(&mut |symbol| {
        Ok(match symbol {
            Symbol::Output(output) => {
                lookup(output, recorded).map_or_else(|| Tree::Symbol(symbol.clone()), |value| value.widen())
            }
            Symbol::Found(output) => found(output).map_or_else(|| Tree::Symbol(symbol.clone()), |value| value.widen()),
            Symbol::Text(pieces) => text(pieces, recorded, &found),
        })
    });
    match filled {
        Ok(tree) => Some(tree),
        Err(never) => match never {},
    }
}

/// A text with all its refs filled in, or as it is: half a text is of no use to anybody.
fn text(
    pieces: &[Piece],
    recorded: &BTreeMap<BlockAddr, BlockInput>,
    found: &impl Fn(&OutputRef) -> Option<Value>,
) -> Expr {
    let whole = Expr::Symbol(Symbol::Text(pieces.to_vec()));
    whole.resolve(&|output| found(output).or_else(|| lookup(output, recorded))).map_or(whole, |value| value.widen())
}

/// What the log of the resource's block records of it.
fn lookup(output: &OutputRef, recorded: &BTreeMap<BlockAddr, BlockInput>) -> Option<Value> {
    let state = recorded.get(&output.resource.block)?.as_ref().ok()?;
    let object = &state.resources.get(&output.resource.name)?.object;
    match output.output.as_str() {
        "id" => Some(object.id.as_str().into()),
        field => object.fields.get(field).cloned(),
    }
}

/// A path that leads to nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no `{}` in it; {}", missing.escape_debug(), has(names))]
pub struct NoOutput {
    /// What is missing.
    pub missing: String,
    /// What is there instead, in order; nothing in a value that has no parts.
    pub names: Vec<String>,
}

fn has(names: &[String]) -> String {
    if names.is_empty() {
        return "it has no parts".to_owned();
    }
    let names: Vec<_> = names.iter().map(|name| format!("`{}`", name.escape_debug())).collect();
    format!("it has {}", names.join(", "))
}

/// The value at a path: names of maps and places in lists (from 0), with dots in between. The empty path is the whole.
///
/// ```
/// use provision_core::outputs::at;
/// use provision_core::value::Expr;
///
/// let tree: Expr = serde_json::from_str(r#"{"subnets":["subnet-1","subnet-2"],"a.b":true}"#).unwrap();
/// assert_eq!(at(&tree, "subnets.1").unwrap().as_text(), Some("subnet-2"));
/// assert_eq!(at(&tree, "a.b").unwrap().as_bool(), Some(true));
/// assert_eq!(at(&tree, "vpc").unwrap_err().to_string(), "there is no `vpc` in it; it has `a.b`, `subnets`");
/// ```
///
/// # Errors
/// The first part that leads to nothing.
pub fn at<'a>(tree: &'a Expr, path: &str) -> Result<&'a Expr, NoOutput> {
    if path.is_empty() {
        return Ok(tree);
    }
    // A key may have dots itself: the longest one that fits is meant.
    let after = |name: &str| match path.strip_prefix(name)? {
        "" => Some(""),
        rest => rest.strip_prefix('.'),
    };
    let mut parts: Vec<(String, &Expr)> = match tree {
        Tree::Map(map) => map.iter().map(|(name, part)| (name.clone(), part)).collect(),
        Tree::List(list) => list.iter().enumerate().map(|(place, part)| (place.to_string(), part)).collect(),
        Tree::Null | Tree::Bool(_) | Tree::Int(_) | Tree::Text(_) | Tree::Symbol(_) => Vec::new(),
    };
    let names = parts.iter().map(|(name, _)| name.clone()).collect();
    parts.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    let found = parts.into_iter().find_map(|(name, part)| Some((part, after(&name)?)));
    match found {
        Some((part, rest)) => at(part, rest),
        None => Err(NoOutput { missing: path.to_owned(), names }),
    }
}

/// The path of every part that is not known yet, in order.
pub fn unknown(tree: &Expr) -> Vec<String> {
    fn walk(tree: &Expr, path: &str, out: &mut Vec<String>) {
        let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        match tree {
            Tree::Null | Tree::Bool(_) | Tree::Int(_) | Tree::Text(_) => {}
            Tree::List(list) => {
                list.iter().enumerate().for_each(|(place, part)| walk(part, &below(&place.to_string()), out));
            }
            Tree::Map(map) => map.iter().for_each(|(name, part)| walk(part, &below(name), out)),
            Tree::Symbol(_) => out.push(path.to_owned()),
        }
    }
    let mut out = Vec::new();
    walk(tree, "", &mut out);
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use super::*;
    use crate::desired::DesiredBlock;
    use crate::id::IntentNo;
    use crate::stream::event::ObjectRecord;
    use crate::stream::{BlockState, ResourceState};
    use crate::target::TargetId;
    use crate::value::Fields;

    fn block(outputs: &str, objects: &[(&str, &str)]) -> BlockInput {
        let definition = DesiredBlock {
            function: "f".to_owned(),
            params: Value::Null,
            after: BTreeSet::new(),
            resources: BTreeMap::new(),
            outputs: serde_json::from_str(outputs).unwrap(),
            checks: BTreeMap::new(),
            lookups: BTreeMap::new(),
            crossings: BTreeMap::new(),
        };
        let object = |id: &str| ResourceState {
            object: ObjectRecord {
                type_name: "toy_net".parse().unwrap(),
                version: 1,
                target: TargetId { provider: "toy".parse().unwrap(), account: "1".into(), region: "r".into() },
                id: id.parse().unwrap(),
                mark: None,
                fields: Fields::from([("address".to_owned(), "10.0.0.1".into())]),
                depends_on: BTreeSet::new(),
            },
            applied: None,
            made: IntentNo(1),
            maker: None,
            protected: false,
        };
        let resources = objects.iter().map(|(name, id)| (name.parse().unwrap(), object(id))).collect();
        Ok(BlockState { definition: Some(Arc::new(definition)), resources, ..BlockState::default() })
    }

    fn shown(block: &str, recorded: &BTreeMap<BlockAddr, BlockInput>) -> (String, Vec<String>) {
        let tree = outputs(&block.parse().unwrap(), recorded).unwrap();
        (serde_json::to_string(&tree).unwrap(), unknown(&tree))
    }

    #[test]
    fn refs_are_filled_in_also_those_that_a_block_passes_on() {
        let here =
            r##"{"net":{"$ref":"dc.a.net#id"},"size":3,"url":{"$text":["http://",{"$ref":"dc.b.host#address"}]}}"##;
        let mut recorded = BTreeMap::from([
            ("dc.a".parse().unwrap(), block("null", &[("net", "net-1")])),
            ("dc.b".parse().unwrap(), block(here, &[("host", "host-1")])),
        ]);
        let known = r#"{"net":"net-1","size":3,"url":"http://10.0.0.1"}"#;
        assert_eq!(shown("dc.b", &recorded), (known.to_owned(), vec![]));

        // Neither a damaged log nor an object that is not there yet is guessed at.
        recorded.insert("dc.a".parse().unwrap(), Err("damaged".to_owned()));
        recorded.insert("dc.b".parse().unwrap(), block(here, &[]));
        assert_eq!(shown("dc.b", &recorded), (here.to_owned(), vec!["net".to_owned(), "url".to_owned()]));
        assert_eq!(outputs(&"dc.a".parse().unwrap(), &recorded), None);
    }

    #[test]
    fn a_path_that_leads_nowhere_says_what_is_there() {
        let tree: Expr = serde_json::from_str(r#"{"a":[1,{"b":"x"}],"a.1":true}"#).unwrap();
        assert_eq!(at(&tree, "a.1"), Ok(&Tree::Bool(true)), "the longest name");
        assert_eq!(at(&tree, "a.0"), Ok(&Tree::Int(1)));
        let error = |path| at(&tree, path).unwrap_err().to_string();
        assert_eq!(error("a.2"), "there is no `2` in it; it has `0`, `1`");
        assert_eq!(error("a.0.x"), "there is no `x` in it; it has no parts");
        assert_eq!(error("\u{1b}"), r"there is no `\u{1b}` in it; it has `a`, `a.1`");
    }
}
