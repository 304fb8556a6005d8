//! The wasm build of `jose` and `core`, and the proof that it asks its host for nothing.
//!
//! A library archive hides what it would import until something links it, and a linker drops what nobody calls. So
//! each crate is linked as a module of its own with dead code kept: every function that is not generic is in it, and
//! whatever one of them would take from the host (a clock, randomness, a C function) stands in the import section.

use anyhow::{Context, Result, bail};

use crate::run::{cargo, run, target_dir};

/// The target: no operating system behind it, so a hidden clock or generator cannot even be linked.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Below this a module is not the whole crate, and the proof would be empty.
const LEAST_MODULE: usize = 10_000;

/// Builds both crates for wasm and refuses any import.
pub(crate) fn check() -> Result<()> {
    for package in ["misario-jose", "misario-core"] {
        let module = link(package)?;
        let imports = imports(&module).with_context(|| format!("the wasm module of {package}"))?;
        if !imports.is_empty() {
            bail!("the wasm module of {package} takes from its host: {}", imports.join(", "));
        }
        println!("{package}: {} KB of wasm (everything kept), no imports", module.len() / 1024);
    }
    Ok(())
}

fn link(package: &str) -> Result<Vec<u8>> {
    let mut build = cargo(&["rustc", "--quiet", "--package", package, "--lib", "--target", TARGET]);
    build.args(["--crate-type", "cdylib", "--", "-C", "link-dead-code", "-C", "link-arg=--no-gc-sections"]);
    // Symbols of the standard library's archive that nothing defines become imports, as they would in a product.
    run(&mut build)?;
    let file = target_dir().join(TARGET).join("debug").join(package.replace('-', "_") + ".wasm");
    let module = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
    if module.len() < LEAST_MODULE {
        bail!("the wasm module of {package} has {} octets: dead code was not kept", module.len());
    }
    Ok(module)
}

/// The imports of a wasm module, each as `module.field`.
///
/// WebAssembly Core Specification 5.5: eight octets of magic and version, then sections of (id, size, content); the
/// import section has id 2 and is a vector of (module name, field name, description).
fn imports(module: &[u8]) -> Result<Vec<String>> {
    let mut rest = Reader(module.strip_prefix(b"\0asm\x01\0\0\0").context("not a wasm module")?);
    while !rest.0.is_empty() {
        let id = rest.byte()?;
        let size = rest.number()?;
        let content = rest.take(size)?;
        if id == 2 {
            return Reader(content).import_section();
        }
    }
    Ok(Vec::new())
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn import_section(&mut self) -> Result<Vec<String>> {
        let count = self.number()?;
        let mut found = Vec::new();
        for _ in 0..count {
            found.push(format!("{}.{}", self.name()?, self.name()?));
            self.skip_description()?;
        }
        Ok(found)
    }

    fn skip_description(&mut self) -> Result<()> {
        match self.byte()? {
            // function: type index
            0 => {
                self.number()?;
            }
            // table: element type, limits
            1 => {
                self.byte()?;
                self.skip_limits()?;
            }
            // memory: limits
            2 => self.skip_limits()?,
            // global: value type, mutability
            3 => {
                self.take(2)?;
            }
            other => bail!("import of unknown kind {other}"),
        }
        Ok(())
    }

    fn skip_limits(&mut self) -> Result<()> {
        let has_most = self.byte()? & 1 == 1;
        self.number()?;
        if has_most {
            self.number()?;
        }
        Ok(())
    }

    fn name(&mut self) -> Result<&'a str> {
        let length = self.number()?;
        std::str::from_utf8(self.take(length)?).context("a name that is not UTF-8")
    }

    /// An unsigned LEB128 number of at most 32 bits.
    fn number(&mut self) -> Result<usize> {
        let mut value = 0_usize;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.byte()?;
            value |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        bail!("a number longer than 32 bits")
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length).context("cut short")?;
        self.0 = rest;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::imports;

    const HEADER: &[u8] = b"\0asm\x01\0\0\0";

    fn module(sections: &[&[u8]]) -> Vec<u8> {
        [&[HEADER], sections].concat().concat()
    }

    #[test]
    fn a_module_without_import_section_imports_nothing() {
        let bytes = module(&[&[1, 1, 0]]);
        assert_eq!(imports(&bytes).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn every_kind_of_import_is_listed_with_its_module() {
        let section: &[u8] = b"\x02\x2a\x04\
            \x03env\x05clock\x00\x81\x01\
            \x03env\x01m\x02\x01\x01\x02\
            \x03env\x01t\x01\x70\x00\x01\
            \x02js\x01g\x03\x7f\x01";
        let mut section = section.to_vec();
        section[1] = u8::try_from(section.len() - 2).unwrap();
        let bytes = module(&[&[1, 1, 0], &section]);
        assert_eq!(imports(&bytes).unwrap(), ["env.clock", "env.m", "env.t", "js.g"]);
    }

    #[test]
    fn a_module_cut_short_is_an_error_and_not_an_empty_list() {
        let bytes = module(&[b"\x02\x09\x01\x03env"]);
        assert!(imports(&bytes).is_err());
    }
}
