//! Drawings of what depends on what, in Graphviz' language or Mermaid's.
//!
//! An arrow points from what uses something to what it uses, as in `terraform graph`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use provision_core::desired::Desired;
use provision_core::id::{BlockAddr, ResourceAddr};

/// Boxes in groups, and arrows between them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Graph {
    groups: Vec<Group>,
    /// From what uses to what is used, by address; with what carries it where the two are in different data centres.
    edges: BTreeMap<(String, String), Option<String>>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Group {
    label: String,
    /// What it holds, by address; the label is shown, a line each.
    nodes: BTreeMap<String, Vec<String>>,
    groups: Vec<Self>,
}

impl Graph {
    /// All blocks, by environment and data centre.
    pub(crate) fn of_blocks(desired: &Desired) -> Self {
        let mut groups = Vec::new();
        for env in &desired.environments {
            let mut group = Group { label: env.to_string(), ..Group::default() };
            for (dc, _) in desired.dcs.iter().filter(|(_, dc)| dc.env == *env) {
                let blocks = desired.blocks.keys().filter(|addr| addr.dc == *dc);
                let nodes = blocks.map(|addr| (addr.to_string(), vec![addr.block.to_string()])).collect();
                group.groups.push(Group { label: dc.to_string(), nodes, groups: Vec::new() });
            }
            groups.push(group);
        }
        let after = |(addr, block): (&BlockAddr, &provision_core::desired::DesiredBlock)| {
            let from = addr.to_string();
            let edge = |used: &BlockAddr| ((from.clone(), used.to_string()), block.crossings.get(&used.dc).cloned());
            block.after.iter().map(edge).collect::<Vec<_>>()
        };
        Self { groups, edges: desired.blocks.iter().flat_map(after).collect() }
    }

    /// The resources of a block and what they use, also in other blocks; `None` for a block that the code does not have.
    pub(crate) fn of_resources(desired: &Desired, addr: &BlockAddr) -> Option<Self> {
        let block = desired.blocks.get(addr)?;
        let mut groups: BTreeMap<BlockAddr, Group> = BTreeMap::new();
        let mut add = |resource: &ResourceAddr| {
            let made = desired.blocks.get(&resource.block).and_then(|block| block.resources.get(&resource.name));
            let mut label = vec![resource.name.to_string()];
            label.extend(made.map(|made| made.type_name.to_string()));
            label.extend(desired.lookup(resource).map(|lookup| format!("{} (looked up)", lookup.type_name)));
            let fresh = || Group { label: resource.block.to_string(), ..Group::default() };
            groups.entry(resource.block.clone()).or_insert_with(fresh).nodes.insert(resource.to_string(), label);
        };
        let mut edges = BTreeMap::new();
        for (name, resource) in &block.resources {
            let user = addr.resource(name.clone());
            add(&user);
            for used in resource.depends_on().into_iter().chain(resource.looks_up()) {
                add(&used);
                let via = block.crossings.get(&used.block.dc).cloned();
                edges.insert((user.to_string(), used.to_string()), via);
            }
        }
        Some(Self { groups: groups.into_values().collect(), edges })
    }

    /// In Graphviz' language.
    pub(crate) fn dot(&self) -> String {
        let mut out = String::from(
            "digraph provision {\n  rankdir = \"RL\";\n  node [shape = box, fontname = \"sans-serif\"];\n",
        );
        for (number, group) in self.groups.iter().enumerate() {
            group.dot(&mut out, 1, &number.to_string());
        }
        for ((from, to), via) in &self.edges {
            let label = via.iter().map(|via| format!(" [label = {}]", dot_quoted(&[via]))).collect::<String>();
            push(&mut out, 1, &format!("{} -> {}{label};", dot_quoted(&[from]), dot_quoted(&[to])));
        }
        out.push_str("}\n");
        out
    }

    /// In Mermaid's language.
    pub(crate) fn mermaid(&self) -> String {
        // Addresses are no ids there.
        let mut ids = BTreeMap::new();
        self.groups.iter().for_each(|group| group.number(&mut ids));
        let mut out = String::from("flowchart RL\n");
        for (number, group) in self.groups.iter().enumerate() {
            group.mermaid(&mut out, 1, &number.to_string(), &ids);
        }
        for ((from, to), via) in &self.edges {
            let Some((from, to)) = ids.get(from).zip(ids.get(to)) else { continue };
            let label = via.iter().map(|via| format!("|{}|", mermaid_quoted(&[via]))).collect::<String>();
            push(&mut out, 1, &format!("n{from} -->{label} n{to}"));
        }
        out
    }
}

impl Group {
    fn dot(&self, out: &mut String, depth: usize, path: &str) {
        push(out, depth, &format!("subgraph \"cluster_{path}\" {{"));
        push(out, depth + 1, &format!("label = {};", dot_quoted(&[&self.label])));
        for (address, label) in &self.nodes {
            let label: Vec<&str> = label.iter().map(String::as_str).collect();
            push(out, depth + 1, &format!("{} [label = {}];", dot_quoted(&[address]), dot_quoted(&label)));
        }
        for (number, group) in self.groups.iter().enumerate() {
            group.dot(out, depth + 1, &format!("{path}_{number}"));
        }
        push(out, depth, "}");
    }

    fn number<'a>(&'a self, ids: &mut BTreeMap<&'a String, usize>) {
        for address in self.nodes.keys() {
            ids.insert(address, ids.len());
        }
        self.groups.iter().for_each(|group| group.number(ids));
    }

    fn mermaid(&self, out: &mut String, depth: usize, path: &str, ids: &BTreeMap<&String, usize>) {
        push(out, depth, &format!("subgraph g{path}[{}]", mermaid_quoted(&[&self.label])));
        for (id, label) in self.nodes.iter().filter_map(|(address, label)| Some((ids.get(address)?, label))) {
            let label: Vec<&str> = label.iter().map(String::as_str).collect();
            push(out, depth + 1, &format!("n{id}[{}]", mermaid_quoted(&label)));
        }
        for (number, group) in self.groups.iter().enumerate() {
            group.mermaid(out, depth + 1, &format!("{path}_{number}"), ids);
        }
        push(out, depth, "end");
    }
}

fn push(out: &mut String, depth: usize, line: &str) {
    // Writing to a string cannot fail.
    writeln!(out, "{:1$}{line}", "", 2 * depth).unwrap_or_default();
}

/// A quoted id or label of Graphviz: only quote and backslash mean something in it.
fn dot_quoted(lines: &[&str]) -> String {
    let escaped = |line: &&str| super::plain(line).replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", lines.iter().map(escaped).collect::<Vec<_>>().join("\\n"))
}

/// A quoted label of Mermaid: what is not plainly a letter, digit or mark of an address is written as its number.
fn mermaid_quoted(lines: &[&str]) -> String {
    let escaped = |c: char| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' | '.' | '-' | '_' => c.to_string(),
        other => format!("#{};", u32::from(other)),
    };
    let lines = lines.iter().map(|line| line.chars().map(escaped).collect::<String>());
    format!("\"{}\"", lines.collect::<Vec<_>>().join("<br>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_cannot_break_out_of_their_quotes() {
        assert_eq!(dot_quoted(&[r#"a"b\c"#, "d\n\u{1b}"]), r#""a\"b\\c\nd\\n\\u{1b}""#);
        assert_eq!(mermaid_quoted(&["a\"]; b", "us-east.net_1"]), "\"a#34;#93;#59; b<br>us-east.net_1\"");
    }

    #[test]
    fn groups_nest_and_edges_know_their_ends() {
        let inner = Group {
            label: "us-east".to_owned(),
            nodes: BTreeMap::from([
                ("us-east.a".to_owned(), vec!["a".to_owned()]),
                ("us-east.end".to_owned(), vec!["end".to_owned(), "x_y".to_owned()]),
            ]),
            groups: Vec::new(),
        };
        let groups = vec![Group { label: "prod".to_owned(), groups: vec![inner], ..Group::default() }];
        let edges = [("us-east.end", "us-east.a", None), ("us-east.a", "us-east.end", Some("vp\"n"))]
            .map(|(from, to, via)| ((from.to_owned(), to.to_owned()), via.map(str::to_owned)));
        let edges = BTreeMap::from(edges);
        let graph = Graph { groups, edges };
        insta::assert_snapshot!(graph.dot(), @r#"
        digraph provision {
          rankdir = "RL";
          node [shape = box, fontname = "sans-serif"];
          subgraph "cluster_0" {
            label = "prod";
            subgraph "cluster_0_0" {
              label = "us-east";
              "us-east.a" [label = "a"];
              "us-east.end" [label = "end\nx_y"];
            }
          }
          "us-east.a" -> "us-east.end" [label = "vp\"n"];
          "us-east.end" -> "us-east.a";
        }
        "#);
        insta::assert_snapshot!(graph.mermaid(), @r#"
        flowchart RL
          subgraph g0["prod"]
            subgraph g0_0["us-east"]
              n0["a"]
              n1["end<br>x_y"]
            end
          end
          n0 -->|"vp#34;n"| n1
          n1 --> n0
        "#);
    }
}
