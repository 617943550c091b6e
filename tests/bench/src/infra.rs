//! Infrastructures of any size, and the provider of their only type.
//!
//! Blocks of 50 resources: a base, seven that use it, and 42 of which each uses one of the seven. A block uses the base of
//! another one, eight of them the same one. The type is as small as the peer's `terraform_data`: one field that says
//! something, and one for what it uses.

#![expect(unreachable_pub, reason = "the macros make public traits of these types")]

use provision_core::call::{Call, Effect, Recovery, Wait};
use provision_core::id::{ProviderName, TypeName};
use provision_core::prelude::*;
use provision_core::provider::{CannotCompile, Change, Provider};
use provision_core::schema::Schema;
use provision_core::value::{Fields, Tree};

/// Resources in a block.
pub(crate) const PER_BLOCK: usize = 50;
/// How many of them use the base; the others use one of these.
const MIDDLE: usize = 7;
/// How many blocks use the same one.
const FAN_OUT: usize = 8;

/// The cloud.
pub enum Plain {}
impl Cloud for Plain {
    const NAME: &'static str = "plain";
}

/// Its only region.
pub enum Here {}
impl Region<Plain> for Here {
    const NAME: &'static str = "here";
}

/// Something.
#[resource(cloud = Plain, kind = "plain_item", version = 1)]
pub struct Item {
    /// What it says.
    pub input: String,
    /// What it uses.
    pub uses: Option<ItemId>,
    /// Its id.
    #[attr(computed)]
    pub id: ItemId,
}

/// The only environment.
#[environment("prod")]
pub struct Prod;

/// The only data centre.
#[data_centre(name = "dc", env = Prod, channel = Stable, on(Plain, account = "1", region = Here))]
pub struct Dc;

/// What a block is made from.
#[derive(Args)]
struct Params<D> {
    number: u64,
    resources: u64,
    above: Option<Ref<ItemId, D>>,
}

/// What blocks offer.
#[derive(Args)]
struct Base<D> {
    base: Ref<ItemId, D>,
}

fn block<D: On<Plain>>(b: &Block<D>, params: &Params<D>) -> Base<D> {
    let say = |n: usize| text(params.number, n);
    let base = b.put("item-0", Item { input: say(0) });
    let base = match params.above {
        Some(above) => base.uses(above),
        None => base,
    };
    let base = base.id();
    let resources = usize::try_from(params.resources).unwrap_or(PER_BLOCK);
    let mut middle = Vec::new();
    for n in 1..resources {
        let used = if n <= MIDDLE { base } else { middle[n % MIDDLE] };
        let item = b.put(name(n), Item { input: say(n) }).uses(used);
        if n <= MIDDLE {
            middle.push(item.id());
        }
    }
    Base { base }
}

fn name(n: usize) -> String {
    format!("item-{n}")
}

/// What a resource says.
fn text(block: u64, n: usize) -> String {
    format!("something that number {n} of block {block} says")
}

/// An infrastructure of so many resources.
pub(crate) fn infrastructure(resources: usize) -> Infrastructure {
    let infra = Infrastructure::new("bench");
    infra.environments::<(Prod,)>();
    let dc = infra.dc(Dc);
    let mut bases: Vec<Base<Dc>> = Vec::new();
    for (number, left) in sizes(resources) {
        let above = above(number).and_then(|above| bases.get(above)).map(|base| base.base);
        let params = Params { number: number as u64, resources: left as u64, above };
        bases.push(dc.block(format!("b{number}"), block, &params));
    }
    infra
}

/// The numbers of the blocks, and how many resources each has.
fn sizes(resources: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..resources.div_ceil(PER_BLOCK)).map(move |number| (number, PER_BLOCK.min(resources - number * PER_BLOCK)))
}

/// The block whose base a block uses.
fn above(number: usize) -> Option<usize> {
    (number > 0).then(|| (number - 1) / FAN_OUT)
}

/// The same for the peer: resources of its built-in `terraform_data`.
pub(crate) fn terraform(resources: usize) -> String {
    let mut main = String::new();
    for (number, size) in sizes(resources) {
        for n in 0..size {
            let used = match n {
                0 => above(number).map(|above| (above, 0)),
                _ if n <= MIDDLE => Some((number, 0)),
                _ => Some((number, n % MIDDLE + 1)),
            };
            let input = match used {
                Some((block, n)) => format!("[\"{}\", terraform_data.b{block}_{n}.id]", text(number as u64, n)),
                None => format!("[\"{}\"]", text(number as u64, n)),
            };
            main.push_str(&format!("resource \"terraform_data\" \"b{number}_{n}\" {{\n  input = {input}\n}}\n"));
        }
    }
    main
}

/// The pure half of the provider.
pub(crate) struct PlainProvider;

impl Provider for PlainProvider {
    fn name(&self) -> ProviderName {
        Plain::NAME.parse().unwrap_or_else(|bad| unreachable!("{bad}"))
    }

    fn schemas(&self) -> &'static [&'static Schema] {
        <[&Schema]>::as_ref(&[Item::SCHEMA])
    }

    fn compile(&self, type_name: &TypeName, change: &Change<'_>) -> Result<Vec<Call>, CannotCompile> {
        let (api, recovery, fields, effect) = match change {
            Change::Create { desired, mark } => {
                let (fields, computed) = ((*desired).clone(), vec!["id".to_owned()]);
                let effect = Effect::Create { fields, computed, mark: Some((*mark).clone()) };
                ("CreateItem", Recovery::Tag, (*desired).clone(), effect)
            }
            Change::Update { desired, mark, .. } => {
                let effect = Effect::Set { fields: (*desired).clone(), mark: mark.cloned() };
                ("SetItem", Recovery::Set, (*desired).clone(), effect)
            }
            Change::Delete { .. } => ("RemoveItem", Recovery::Remove, Fields::new(), Effect::Remove),
        };
        Ok(vec![Call {
            api: api.to_owned(),
            type_name: type_name.clone(),
            request: Tree::Map(fields.iter().map(|(name, value)| (name.clone(), value.widen())).collect()),
            recovery,
            effect,
            wait: Wait::No,
        }])
    }

    fn identity_key(&self, _: &TypeName) -> &'static [&'static str] {
        &[]
    }
}
