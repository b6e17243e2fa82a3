//! The metrics that the code records, found in its source files.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use once::testing::{Template, root};

/// The names in `counter!("…")` and `histogram!("…")` in the library and the functions, except in
/// their tests.
pub fn recorded_metrics() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in rust_files(&root().join("shared/src"))
        .into_iter()
        .chain(rust_files(&root().join("functions")))
    {
        let text = fs::read_to_string(&file).expect("a source");
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for prefix in ["counter!(\"", "histogram!(\""] {
            let found = code.split(prefix).skip(1).filter_map(|rest| rest.split('"').next());
            names.extend(found.map(str::to_owned));
        }
    }
    assert!(names.contains("OrdersPlaced") && names.contains("ScheduleLagMs"), "{names:?}");
    names
}

/// The program names of the template's functions: the dimension `Function` of their metrics.
pub fn programs(template: &Template) -> BTreeSet<String> {
    template.functions().map(|function| function.program.to_owned()).collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let files = entries.flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}
