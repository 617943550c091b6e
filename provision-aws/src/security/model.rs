//! The definitions as a network: resources by address, with what their fields refer to.

use std::net::IpAddr;

use ipnet::IpNet;
use provision_core::desired::{Desired, DesiredResource};
use provision_core::id::ResourceAddr;
use provision_core::reach::Verdict;
use provision_core::value::{Expr, Symbol};

use crate::provider::NAME;

/// What a field refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Id<'a> {
    /// An object of this infrastructure.
    Ours(&'a ResourceAddr),
    /// An object that somebody else made.
    Theirs(&'a str),
    /// Not known before the plan, or before apply.
    Unknown,
}

impl<'a> Id<'a> {
    /// What an expression refers to; a ref of another data centre also says in which account it is.
    pub(super) fn of(expr: &'a Expr) -> Option<Self> {
        match expr {
            Expr::Null => None,
            Expr::Text(id) => Some(Self::Theirs(id)),
            Expr::Symbol(Symbol::Output(output)) => Some(Self::Ours(&output.resource)),
            Expr::Map(foreign) => foreign.get("id").and_then(Self::of),
            _ => Some(Self::Unknown),
        }
    }

    /// Whether both are the same object.
    pub(super) fn is(self, other: Self) -> Verdict {
        match (self, other) {
            (Id::Ours(a), Id::Ours(b)) => (a == b).into(),
            (Id::Theirs(a), Id::Theirs(b)) => (a == b).into(),
            // Ours may be in the code by its id, too.
            _ => Verdict::May,
        }
    }

    /// As people read it.
    pub(super) fn words(self) -> String {
        match self {
            Self::Ours(addr) => addr.to_string(),
            Self::Theirs(id) => id.to_owned(),
            Self::Unknown => "something that is not known yet".to_owned(),
        }
    }
}

/// A resource with its address.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item<'a> {
    pub(super) addr: &'a ResourceAddr,
    pub(super) of: &'a DesiredResource,
}

impl<'a> Item<'a> {
    pub(super) fn id(self) -> Id<'a> {
        Id::Ours(self.addr)
    }

    pub(super) fn field(self, name: &str) -> Option<&'a Expr> {
        self.of.inputs.get(name).filter(|expr| !expr.is_null())
    }

    pub(super) fn text(self, name: &str) -> Option<&'a str> {
        self.field(name)?.as_text()
    }

    pub(super) fn refers(self, name: &str) -> Option<Id<'a>> {
        self.field(name).and_then(Id::of)
    }

    /// What a list refers to. A list that is not known yet may hold anything.
    pub(super) fn all(self, name: &str) -> Vec<Id<'a>> {
        match self.field(name) {
            None => Vec::new(),
            Some(Expr::List(items)) => items.iter().filter_map(Id::of).collect(),
            Some(_) => vec![Id::Unknown],
        }
    }

    pub(super) fn items(self, name: &str) -> &'a [Expr] {
        self.field(name).and_then(Expr::as_list).unwrap_or_default()
    }

    pub(super) fn net(self, name: &str) -> Option<IpNet> {
        self.text(name)?.parse().ok()
    }

    /// A switch; one that is not known yet may be on.
    pub(super) fn on(self, name: &str) -> Verdict {
        self.field(name).map_or(Verdict::No, |expr| expr.as_bool().map_or(Verdict::May, Verdict::from))
    }
}

/// All of AWS' resources.
#[derive(Debug)]
pub(super) struct Model<'a> {
    items: Vec<(ResourceAddr, &'a DesiredResource)>,
}

impl<'a> Model<'a> {
    pub(super) fn of(desired: &'a Desired) -> Self {
        let resources = desired.blocks.iter().flat_map(|(block, of)| {
            of.resources.iter().map(|(name, resource)| (block.resource(name.clone()), resource))
        });
        Self { items: resources.filter(|(_, resource)| resource.provider.as_str() == NAME).collect() }
    }

    pub(super) fn items(&self) -> impl Iterator<Item = Item<'_>> {
        self.items.iter().map(|(addr, of)| Item { addr, of })
    }

    pub(super) fn types(&self, type_name: &'static str) -> impl Iterator<Item = Item<'_>> {
        self.items().filter(move |item| item.of.type_name.as_str() == type_name)
    }

    /// The resource of that address, which is of that type.
    pub(super) fn get(&self, id: Id<'_>, type_name: &str) -> Option<Item<'_>> {
        let Id::Ours(wanted) = id else { return None };
        let found = self.items().find(|item| item.addr == wanted)?;
        (found.of.type_name.as_str() == type_name).then_some(found)
    }
}

/// Whether an address that is one of these is in the network.
pub(super) fn within(addresses: &[IpNet], net: IpNet) -> Verdict {
    let all = !addresses.is_empty() && addresses.iter().all(|one| net.contains(one));
    let some = addresses.is_empty() || addresses.iter().any(|one| net.contains(one) || one.contains(&net));
    match (all, some) {
        (true, _) => Verdict::Yes,
        (false, true) => Verdict::May,
        (false, false) => Verdict::No,
    }
}

/// A network that a field writes as an address or as a network.
pub(super) fn address(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}
