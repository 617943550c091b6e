//! `graph`: the blocks of the code, or the resources of one, as a drawing.

use provision_core::desired::Desired;

use crate::cli::{GraphArgs, GraphFormat};
use crate::error::CliError;
use crate::render::graph::Graph;
use crate::{Exit, render};

pub(crate) fn run(args: &GraphArgs, desired: &Desired) -> Result<Exit, CliError> {
    let graph = match &args.block {
        None => Graph::of_blocks(desired),
        Some(block) => Graph::of_resources(desired, block).ok_or_else(|| CliError::NotInCode {
            block: block.clone(),
            known: desired.blocks.keys().map(ToString::to_string).collect(),
        })?,
    };
    let text = match args.format {
        GraphFormat::Dot => graph.dot(),
        GraphFormat::Mermaid => graph.mermaid(),
    };
    render::line(text.trim_end());
    Ok(Exit::Ok)
}
