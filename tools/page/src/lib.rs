//! Renders an `OpenAPI` 3.1 contract as one self-contained HTML page, without scripts or links to
//! other files.
//!
//! It renders the part of the specification that `openapi.yaml` uses and omits everything else.

mod contract;
mod example;
mod html;
mod operation;
mod schema;

use std::fmt::{Error, Write};

use self::{
    contract::{Contract, Node},
    html::{prose, text},
};

/// Error of [`render`].
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The contract is not YAML.
    #[error(transparent)]
    Unreadable(#[from] serde_saphyr::Error),
    /// Writing to the page failed.
    #[error(transparent)]
    Unwritable(#[from] Error),
}

/// Renders the page of a contract in YAML.
pub fn render(contract: &str) -> Result<String, RenderError> {
    let contract = Contract::read(contract)?;
    let mut page = String::new();
    head(&mut page, &contract)?;
    index(&mut page, &contract)?;
    page.push_str("<main>\n");
    introduction(&mut page, &contract)?;
    for tag in contract.tags() {
        let name = tag.str("name");
        let (anchor, title, description) =
            (anchor(name), text(name), prose(tag.str("description")));
        writeln!(page, "<h2 id=\"{anchor}\">{title}</h2>\n{description}")?;
        for operation in contract.operations().filter(|operation| operation.tag() == name) {
            operation::section(&mut page, &contract, &operation)?;
        }
    }
    schema::sections(&mut page, &contract)?;
    page.push_str("</main>\n</html>\n");
    Ok(page)
}

fn head(page: &mut String, contract: &Contract) -> Result<(), Error> {
    let title = text(contract.info().str("title"));
    let style = include_str!("style.css");
    write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}: the API</title>\n<style>\n{style}</style>\n"
    )
}

fn index(page: &mut String, contract: &Contract) -> Result<(), Error> {
    page.push_str("<nav>\n");
    for tag in contract.tags() {
        let name = tag.str("name");
        writeln!(page, "<a class=\"tag\" href=\"#{}\">{}</a>", anchor(name), text(name))?;
        for operation in contract.operations().filter(|operation| operation.tag() == name) {
            let (id, method, path) = (text(operation.id()), operation.method, text(operation.path));
            let class = method.to_lowercase();
            writeln!(page, "<a href=\"#{id}\"><b class=\"{class}\">{method}</b> {path}</a>")?;
        }
    }
    page.push_str("<a class=\"tag\" href=\"#schemas\">Schemas</a>\n</nav>\n");
    Ok(())
}

fn introduction(page: &mut String, contract: &Contract) -> Result<(), Error> {
    let info = contract.info();
    let (title, version) = (text(info.str("title")), text(info.str("version")));
    writeln!(page, "<h1>{title} <small>{version}</small></h1>")?;
    writeln!(page, "{}{}", prose(info.str("summary")), prose(info.str("description")))?;
    let note = "The examples are shell commands; set the variable `API` to the base URL. \
                The contract itself is at `/openapi.yaml`.";
    writeln!(page, "{}", prose(note))
}

/// Returns a name as a URL fragment.
fn anchor(name: &str) -> String {
    name.to_lowercase().replace(|letter: char| !letter.is_ascii_alphanumeric(), "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTRACT: &str = include_str!("../../../openapi.yaml");

    #[test]
    fn every_operation_and_every_schema_has_an_anchor() {
        let page = render(CONTRACT).expect("a page");
        let contract = Contract::read(CONTRACT).expect("a contract");
        let anchors = contract.operations().map(|operation| operation.id().to_owned());
        let anchors: Vec<String> =
            anchors.chain(contract.schemas().map(|(name, _)| format!("schema-{name}"))).collect();
        assert!(anchors.len() > 50, "{anchors:?}");
        for anchor in anchors {
            assert_eq!(page.matches(&format!(" id=\"{anchor}\"")).count(), 1, "{anchor}");
        }
    }

    #[test]
    fn every_link_leads_to_an_anchor() {
        let page = render(CONTRACT).expect("a page");
        for link in page.split("href=\"").skip(1) {
            let target = link
                .split('"')
                .next()
                .and_then(|target| target.strip_prefix('#'))
                .expect("a link inside");
            assert!(page.contains(&format!(" id=\"{target}\"")), "{target}");
        }
    }

    #[test]
    fn an_operation_says_which_token_it_requires() {
        let page = render(CONTRACT).expect("a page");
        for (id, access) in [
            ("getProduct", "Open to everybody."),
            (
                "createOrder",
                "Open to everybody, unless the deployment requires <code>bearerAuth</code> with \
                 the role admin.",
            ),
            (
                "getOrder",
                "Requires <code>orderToken</code> or <code>bearerAuth</code> with the role read.",
            ),
            ("createProduct", "Requires <code>bearerAuth</code> with the role admin."),
        ] {
            let (_, section) = page.split_once(&format!("<section id=\"{id}\">")).expect(id);
            let section = section.split("</section>").next().expect("an end");
            assert!(section.contains(&format!("<p>{access}</p>")), "{id}: {section}");
        }
    }

    #[test]
    fn texts_of_the_contract_are_escaped() {
        let contract = CONTRACT.replacen("title: Once", "title: '<script>&'", 1);
        let page = render(&contract).expect("a page");
        assert!(
            page.contains("<title>&lt;script&gt;&amp;: the API</title>")
                && !page.contains("<script")
        );
    }

    #[test]
    fn invalid_yaml_is_an_error() {
        assert!(matches!(render("openapi: ["), Err(RenderError::Unreadable(_))));
    }
}
