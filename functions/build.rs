//! Renders openapi.yaml as the HTML page that `openapi-get` serves at `/docs`.

use std::{env, error::Error, fs, path::PathBuf};

const CONTRACT: &str = "../openapi.yaml";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={CONTRACT}");
    let page = page::render(&fs::read_to_string(CONTRACT)?)?;
    let folder = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    Ok(fs::write(folder.join("page.html"), page)?)
}
