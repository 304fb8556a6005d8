//! Misuse that must not compile, and use beside it that does.

#[test]
fn misuse_does_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/misuse/paved_path.rs");
    cases.compile_fail("tests/misuse/no_*.rs");
}
