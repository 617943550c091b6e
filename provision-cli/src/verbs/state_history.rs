//! `state history`: a block's log, entry by entry.

use provision_core::dsl::Infrastructure;
use provision_core::history::told;
use provision_core::stream::{fold_block, list_blocks, read_log};

use crate::cli::{Address, Cli};
use crate::error::CliError;
use crate::{Exit, render, store};

pub(crate) async fn run(
    cli: &Cli,
    address: &Address,
    json: bool,
    infrastructure: fn() -> Infrastructure,
) -> Result<Exit, CliError> {
    let block = address.block().clone();
    let read = store::read(cli, infrastructure().name()?, {
        let block = block.clone();
        move |io, infra| async move {
            let entries = read_log(&io, &infra, &block).await?;
            // Nobody should read a log as history that no run would accept.
            fold_block(&block, &entries)?;
            let known = if entries.is_empty() { list_blocks(&io).await? } else { Vec::new() };
            Ok((entries, known))
        }
    });
    let (entries, known) = read.await?;
    if entries.is_empty() {
        let known = known.iter().map(ToString::to_string).collect();
        return Err(CliError::NoBlock { block, known });
    }
    let all = told(&entries);
    let shown: Vec<_> = match address {
        Address::Block(_) => all,
        Address::Resource(resource) => {
            let of_it: Vec<_> = all.iter().copied().filter(|told| told.resource == Some(&resource.name)).collect();
            if of_it.is_empty() {
                let mut known: Vec<String> = all.iter().filter_map(|told| Some(told.resource?.to_string())).collect();
                known.sort_unstable();
                known.dedup();
                return Err(CliError::NoResource { resource: resource.clone(), known });
            }
            of_it
        }
    };
    if json {
        render::json(&render::history::json(address, &shown));
    } else {
        render::history::lines(&shown).iter().for_each(|line| render::line(line));
    }
    Ok(Exit::Ok)
}
