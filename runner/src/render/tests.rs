//! How things look.

use provision_core::value::{Expr, OutputRef, Symbol, Tree};

use super::plan::expr;

#[test]
fn unknown_values_say_where_they_come_from() {
    let output = OutputRef { resource: "dc.net.main".parse().unwrap(), output: "id".to_owned() };
    let value: Expr = Tree::List(vec![Tree::Symbol(Symbol::Output(output)), "x".into()]);
    assert_eq!(expr(&value), r#"[(known after apply: id of dc.net.main), "x"]"#);
}
