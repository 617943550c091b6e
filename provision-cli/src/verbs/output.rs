//! `output`: what blocks offer, from the store alone.

use std::collections::BTreeMap;

use provision_core::dsl::Infrastructure;
use provision_core::id::BlockAddr;
use provision_core::outputs::{at, outputs, unknown};
use provision_core::value::{Expr, Tree, Value};

use crate::cli::{Cli, OutputArgs, OutputPath};
use crate::error::CliError;
use crate::{Exit, render, store};

pub(crate) async fn run(
    cli: &Cli,
    args: &OutputArgs,
    infrastructure: fn() -> Infrastructure,
) -> Result<Exit, CliError> {
    let logs = store::logs(cli, infrastructure().name()?).await?;
    match &args.path {
        None => {
            let of = |block: &BlockAddr| Some((block.clone(), outputs(block, &logs).filter(|tree| !tree.is_null())?));
            let all: BTreeMap<BlockAddr, Expr> = logs.keys().filter_map(of).collect();
            if args.json {
                render::json(&render::output::all(&all));
            } else {
                render::output::show(&all);
            }
            Ok(if store::tell_damaged(&logs) { Exit::Failed } else { Exit::Ok })
        }
        Some(path) => {
            store::block(&logs, &path.block)?;
            let tree = outputs(&path.block, &logs).filter(|tree| !tree.is_null());
            let tree = tree.ok_or_else(|| CliError::NoOutputs { block: path.block.clone() })?;
            one(args, path, &tree)
        }
    }
}

fn one(args: &OutputArgs, path: &OutputPath, tree: &Expr) -> Result<Exit, CliError> {
    let OutputPath { block, path } = path;
    let value = at(tree, path).map_err(|problem| CliError::NoOutput { block: block.clone(), problem })?;
    if args.raw {
        render::as_it_is(&raw(block, path, value)?);
    } else if args.json {
        render::json(&known(block, path, value)?);
    } else if path.is_empty() {
        render::output::show(&BTreeMap::from([(block.clone(), value.clone())]));
    } else {
        render::line(&render::plan::expr(value));
    }
    Ok(Exit::Ok)
}

/// The value, all of it known: a program must not take half of it for the whole.
fn known(block: &BlockAddr, path: &str, value: &Expr) -> Result<Value, CliError> {
    let below = unknown(value).first().cloned();
    value.resolve(&|_| None).map_err(|_| {
        let parts = [path, below.as_deref().unwrap_or_default()];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        CliError::NotKnownYet(render::plain(&format!("{block}.{}", parts.join("."))))
    })
}

fn raw(block: &BlockAddr, path: &str, value: &Expr) -> Result<String, CliError> {
    match known(block, path, value)? {
        Tree::Text(text) => Ok(text),
        Tree::Int(number) => Ok(number.to_string()),
        Tree::Bool(truth) => Ok(truth.to_string()),
        Tree::Null | Tree::List(_) | Tree::Map(_) => {
            let name = if path.is_empty() { block.to_string() } else { format!("{block}.{path}") };
            Err(CliError::NoText(render::plain(&name)))
        }
        Tree::Symbol(never) => match never {},
    }
}
