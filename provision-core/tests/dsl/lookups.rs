//! What a block looks up, and what becomes of it.

use provision_core::dsl::{Input, KnownInput};
use provision_core::prelude::*;
use provision_core::schema::{Literal, Role};

use crate::findings::texts;
use crate::toy::*;

/// An image.
#[data_source(cloud = Toy, kind = "toy_image", check = no_empty_owner)]
pub(crate) struct Image {
    /// Whose it is.
    pub owner: String,
    /// Its name.
    pub name: Option<String>,
    /// Whether the newest one is meant.
    #[attr(default = false)]
    pub newest: bool,
    /// What it supports.
    #[attr(set, default)]
    pub features: Vec<String>,
    /// Its id.
    #[attr(computed)]
    pub id: ImageId,
    /// The network that it was made for.
    #[attr(computed)]
    pub net: NetId,
}

/// A network that is there, of which the same is made elsewhere.
#[data_source(cloud = Toy, kind = "toy_net_by_name")]
pub(crate) struct NetByName {
    /// Its name.
    pub name: String,
    /// Its id.
    #[attr(computed, shared)]
    pub id: NetId,
}

fn no_empty_owner(inputs: &provision_core::dsl::Inputs<'_>) -> Vec<(&'static str, String)> {
    let empty = inputs.text("owner").is_some_and(str::is_empty);
    if empty { vec![("owner", "nobody has no images".to_owned())] } else { Vec::new() }
}

fn images<D: On<Toy>>(b: &Block<D>, (): ()) -> (Ref<ImageId, D>, Ref<NetId, D>) {
    let image = b.find("image", Image { owner: "acme" }).newest(true).features(["b", "a", "b"]);
    let net = b.find("net", NetByName { name: String::from("main") });
    b.put("host", Host { net }).motto(text!("from {image}, for {}", image.net()));
    (image.id(), net.id())
}

fn user<D: On<Toy>>(b: &Block<D>, (image, net): (Ref<ImageId, D>, Ref<NetId, D>)) {
    b.put("host", Host { net }).motto(text!("{image}"));
}

#[test]
fn a_lookup_is_a_query_and_refs_to_what_it_finds() {
    let infra = Infrastructure::new("example");
    let us = infra.dc(UsEast);
    let found = us.block("images", images, ());
    us.block("user", user, found);
    let desired = infra.finish().unwrap();
    let block = &desired.blocks[&"us-east.images".parse().unwrap()];
    let json = serde_json::to_string(&block.lookups).unwrap();
    assert_eq!(
        json,
        concat!(
            r#"{"image":{"type_name":"toy_image","provider":"toy","#,
            r#""query":{"features":["a","b"],"newest":true,"owner":"acme"}},"#,
            r#""net":{"type_name":"toy_net_by_name","provider":"toy","query":{"name":"main"}}}"#
        )
    );
    let inputs = |block: &str| {
        let block = &desired.blocks[&block.parse().unwrap()];
        serde_json::to_string(&block.resources[&"host".parse().unwrap()].inputs).unwrap()
    };
    assert_eq!(
        inputs("us-east.images"),
        concat!(
            r#"{"motto":{"$text":["from ",{"$found":"us-east.images.image#id"},", for ","#,
            r#"{"$found":"us-east.images.image#net"}]},"net":{"$found":"us-east.images.net#id"},"trusts":[]}"#
        )
    );
    // A lookup is no resource: nothing waits for it. The block that hands it on does come first.
    let user = &desired.blocks[&"us-east.user".parse().unwrap()];
    assert!(user.resources[&"host".parse().unwrap()].depends_on().is_empty());
    assert_eq!(user.after, ["us-east.images".parse().unwrap()].into());
    assert_eq!(user.looks_up(&"us-east.user".parse().unwrap()).len(), 2);
    assert!(inputs("us-east.user").contains(r#""net":{"$found":"us-east.images.net#id"}"#));
    assert_eq!(desired.query(&"us-east.images.net".parse().unwrap()).unwrap().target.to_string(), "toy:acme:lab");

    let schema = Image::SCHEMA;
    assert_eq!((schema.type_name, schema.version), ("toy_image", 1));
    assert_eq!(schema.field("newest").unwrap().role, Role::Default(Literal::Bool(false)));
    assert_eq!(schema.field("net").unwrap().role, Role::Computed);
}

/// A type of an author's own that hides a ref.
struct Sly(Ref<NetId, UsEast>);

impl KnownInput<String> for Sly {
    fn into_known(self) -> Input {
        IntoInput::<NetId, UsEast>::into_input(self.0)
    }
}

#[test]
fn what_is_wrong_with_a_lookup() {
    fn bad(b: &Block<UsEast>, net: Ref<NetId, UsEast>) {
        b.put("image", Host { net });
        b.find("image", Image { owner: "" });
        b.find("later", Image { owner: Sly(net) }).newest(true).newest(false);
        b.put("later", Host { net });
    }
    let infra = Infrastructure::new("example");
    let us = infra.dc(UsEast);
    let base = us.block("base", base, &SIZE);
    us.block("bad", bad, base.net);
    assert_eq!(
        texts(infra),
        [
            "us-east.bad.image: another resource of this block has the same name",
            "us-east.bad.image, field owner: nobody has no images",
            "us-east.bad.later, field newest: set twice; the first time at [place]",
            "us-east.bad.later, field owner: holds a ref, and a lookup is answered when a plan is made, before anything \
             is: give it values",
            "us-east.bad.later: another lookup of this block has the same name",
        ]
    );
}
