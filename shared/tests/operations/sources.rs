//! What the code counts: every metric that is named in a source.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use once::testing::{Template, root};

/// The names in `counter!("…")` and `histogram!("…")`, of the library and of the functions, their tests left out.
pub fn counted() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in rust_files(&root().join("shared/src"))
        .into_iter()
        .chain(rust_files(&root().join("functions")))
    {
        let text = fs::read_to_string(&file).expect("a source");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for begin in ["counter!(\"", "histogram!(\""] {
            let found = code.split(begin).skip(1).filter_map(|rest| rest.split('"').next());
            names.extend(found.map(str::to_owned));
        }
    }
    assert!(names.contains("OrdersPlaced") && names.contains("ScheduleLagMs"), "{names:?}");
    names
}

/// The programs of the template's functions, as their metrics name them.
pub fn functions(template: &Template) -> BTreeSet<String> {
    template.functions().map(|function| function.program.to_owned()).collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let files = entries.flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}
