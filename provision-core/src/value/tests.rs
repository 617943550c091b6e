use super::*;

fn output(text: &str) -> OutputRef {
    read_output(text.into()).unwrap()
}

#[test]
fn symbols_survive_json_and_data_is_never_taken_for_one() {
    let (vpc, image) = (output("dc.net.main#id"), output("dc.net.image#id"));
    let tree: Expr = Tree::Map(BTreeMap::from([
        ("$ref".to_owned(), Tree::Text("dc.net.main#id".to_owned())),
        ("a".to_owned(), Tree::Symbol(Symbol::Output(Box::new(vpc.clone())))),
        (
            "b".to_owned(),
            Tree::Symbol(Symbol::Text(vec![
                Piece::Literal("x=".to_owned()),
                Piece::Output(vpc.clone()),
                Piece::Found(image.clone()),
            ])),
        ),
        ("c".to_owned(), Tree::Symbol(Symbol::Found(Box::new(image.clone())))),
    ]));
    let json = serde_json::to_string(&tree).unwrap();
    assert_eq!(
        json,
        concat!(
            r#"{"$$ref":"dc.net.main#id","a":{"$ref":"dc.net.main#id"},"#,
            r#""b":{"$text":["x=",{"$ref":"dc.net.main#id"},{"$found":"dc.net.image#id"}]},"#,
            r#""c":{"$found":"dc.net.image#id"}}"#
        )
    );
    assert_eq!((tree.outputs(), tree.found()), (vec![&vpc; 2], vec![&image; 2]));
    assert_eq!(serde_json::from_str::<Expr>(&json).unwrap(), tree);
    assert!(serde_json::from_str::<Value>(&json).is_err(), "a known value holds no ref");
}

#[test]
fn a_key_that_stands_twice_is_refused() {
    assert!(serde_json::from_str::<Value>(r#"{"a":1,"a":2}"#).is_err());
    assert!(serde_json::from_str::<Value>("1.5").is_err());
}

#[test]
fn resolving_names_the_output_that_is_missing() {
    let tree: Expr = Tree::List(vec![Tree::Symbol(Symbol::Output(Box::new(output("dc.net.main#id"))))]);
    assert_eq!(tree.resolve(&|_| None), Err(output("dc.net.main#id")));
    assert_eq!(tree.resolve(&|_| Some("vpc-1".into())), Ok(Tree::List(vec!["vpc-1".into()])));
}
