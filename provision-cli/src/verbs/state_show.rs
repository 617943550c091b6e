//! `state show`: everything that is recorded about a block or a resource.

use provision_core::dsl::Infrastructure;

use crate::cli::{Address, Cli};
use crate::error::CliError;
use crate::render::show::{BlockView, ResourceView};
use crate::{Exit, render, store};

pub(crate) async fn run(
    cli: &Cli,
    address: &Address,
    json: bool,
    infrastructure: fn() -> Infrastructure,
) -> Result<Exit, CliError> {
    let logs = store::logs(cli, infrastructure().name()?).await?;
    let state = store::block(&logs, address.block())?;
    match address {
        Address::Block(addr) => {
            let view = BlockView::of(addr, state, &logs);
            if json { render::json(&view) } else { view.lines().iter().for_each(|line| render::line(line)) }
        }
        Address::Resource(addr) => {
            let Some(view) = ResourceView::of(addr, state, &logs) else {
                let known = BlockView::of(&addr.block, state, &logs).names();
                return Err(CliError::NoResource { resource: addr.clone(), known });
            };
            if json { render::json(&view) } else { view.lines().iter().for_each(|line| render::line(line)) }
        }
    }
    Ok(Exit::Ok)
}
