//! Each misuse fails to compile, with the message that is pinned beside it.

#[test]
fn misuses_do_not_compile() {
    trybuild::TestCases::new().compile_fail("cases/*.rs");
}
