//! Infrastructures as large as one likes, written out as people write them: a module per block, a statement per resource.

use std::fmt::Write as _;
use std::path::Path;

use crate::measure::Failure;
use crate::project::Project;

/// How large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    /// Resources in all.
    pub(crate) resources: usize,
    /// Blocks, each with as many of them.
    pub(crate) blocks: usize,
    /// Crates, each with as many of the blocks; with one, the blocks are modules of `infra-defs` itself.
    pub(crate) crates: usize,
}

/// What an edit changes.
pub(crate) const EDITED: [&str; 2] = ["t3.micro", "t3.small"];

impl Size {
    fn per_block(self) -> usize {
        self.resources / self.blocks.max(1)
    }

    /// The crate of a block.
    fn part(self, block: usize) -> String {
        match self.crates {
            0 | 1 => "infra-defs".to_owned(),
            crates => format!("part-{}", block * crates / self.blocks.max(1)),
        }
    }

    /// The file of a block.
    pub(crate) fn file(self, block: usize) -> String {
        format!("{}/src/block_{block}.rs", self.part(block))
    }
}

/// Writes it into a folder.
pub(crate) fn write(root: &Path, size: Size) -> Result<Project, Failure> {
    let mut parts: Vec<String> = (0..size.blocks).map(|block| size.part(block)).collect();
    parts.dedup();
    let infra = "infra-defs".to_owned();
    let members: Vec<String> = parts.iter().filter(|part| **part != infra).chain([&infra]).cloned().collect();
    let project = Project::new(root, &members)?;
    for part in parts.iter().filter(|part| **part != infra) {
        let modules: String =
            (0..size.blocks).filter(|block| size.part(*block) == *part).map(|block| module(block, size)).collect();
        project.member(
            part,
            &[],
            &["provision-aws", "provision-core"],
            &[("src/lib.rs", format!("//! Some of the blocks, generated.\n\n{modules}"))],
        )?;
    }
    let others: Vec<&str> = parts.iter().filter(|part| **part != infra).map(String::as_str).collect();
    project.member("infra-defs", &others, &["provision-aws", "provision-core"], &[("src/lib.rs", root_of(size))])?;
    for block in 0..size.blocks {
        project.write(&size.file(block), &block_text(block, size.per_block()))?;
    }
    Ok(project)
}

fn module(block: usize, _: Size) -> String {
    format!("pub mod block_{block};\n")
}

/// The crate that has the data centre and names the blocks.
fn root_of(size: Size) -> String {
    let mut text =
        "//! An infrastructure, generated.\n\nuse provision_aws::{Aws, UsEast1};\nuse provision_core::prelude::*;\n\n"
            .to_owned();
    if size.crates <= 1 {
        (0..size.blocks).for_each(|block| text.push_str(&module(block, size)));
    }
    text.push_str(
        "\n/// What customers use.\n#[environment(\"prod\")]\npub struct Prod;\n\n/// North Virginia.\n\
         #[data_centre(name = \"us-east\", env = Prod, channel = Stable, on(Aws, account = \"123456789012\", region = \
         UsEast1))]\npub struct UsEast;\n\n/// Everything.\npub fn infrastructure() -> Infrastructure {\n    \
         let infra = Infrastructure::new(\"generated\");\n    infra.environments::<(Prod,)>();\n    \
         let us = infra.dc(UsEast);\n",
    );
    for block in 0..size.blocks {
        let path = match size.crates {
            0 | 1 => String::new(),
            _ => format!("{}::", size.part(block).replace('-', "_")),
        };
        // Writing to a text can't fail.
        writeln!(text, "    us.block(\"block-{block}\", {path}block_{block}::block, cidr!(\"10.{block}.0.0/16\"));")
            .unwrap_or_default();
    }
    text.push_str("    infra\n}\n");
    text
}

/// A network, some groups, and hosts for the rest.
fn block_text(block: usize, resources: usize) -> String {
    let subnets = (resources / 10).clamp(1, 200);
    let groups = (resources / 5).clamp(1, 200);
    let hosts = resources.saturating_sub(1 + subnets + groups);
    let mut text = format!(
        "//! Block {block}, generated.\n\nuse provision_aws::prelude::*;\n\
         use provision_aws::{{Instance, Rule, SecurityGroup, Subnet, SubnetId, Vpc}};\nuse provision_core::prelude::*;\n\n\
         /// What other blocks can use.\n#[derive(Args)]\npub struct Offer<D> {{\n    /// Where hosts go.\n    \
         pub subnet: Ref<SubnetId, D>,\n}}\n\n/// A network with groups and hosts.\n\
         pub fn block<D: AwsDc>(b: &Block<D>, cidr: Cidr) -> Offer<D> {{\n    \
         let vpc = b.put(\"main\", Vpc {{ cidr }}).dns_hostnames(true).tags([(\"team\", \"infra\")]);\n    \
         let [a, b_, c] = D::zones();\n"
    );
    for n in 0..subnets {
        let zone = ["a", "b_", "c"].get(n % 3).unwrap_or(&"a");
        writeln!(
            text,
            "    let subnet_{n} = b.put(\"subnet-{n}\", Subnet {{ vpc, zone: {zone}, cidr: cidr.subnet(24, {n}) }})\n        \
             .tags([(\"team\", \"infra\")]);"
        )
        .unwrap_or_default();
    }
    for n in 0..groups {
        writeln!(
            text,
            "    let group_{n} = b\n        .put(\"group-{n}\", SecurityGroup {{ vpc, description: \"group {n}\" }})\n        \
             .ingress([Rule::tcp(22, cidr!(\"192.0.2.0/24\")), Rule::tcp({}, cidr)])\n        .tags([(\"team\", \"infra\")]);",
            8000 + n
        )
        .unwrap_or_default();
    }
    for n in 0..hosts {
        let (subnet, group, [kind, _]) = (n % subnets, n % groups, EDITED);
        writeln!(
            text,
            "    b.put(\"host-{n}\", Instance {{ subnet: subnet_{subnet}, ami: \"ami-12c6146b\", instance_type: \"{kind}\" \
             }})\n        .security_groups([group_{group}])\n        \
             .user_data(text!(\"#!/bin/sh\\necho 'host {n} of {{}}'\\n\", vpc))\n        .tags([(\"team\", \"infra\")]);"
        )
        .unwrap_or_default();
    }
    text.push_str("    Offer { subnet: subnet_0.id() }\n}\n");
    text
}
