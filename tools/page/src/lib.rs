//! A contract in `OpenAPI` 3.1 as a page for people to read: one file of HTML that loads nothing and runs nothing.
//!
//! It shows what `openapi.yaml` uses of the specification; what it does not know, it leaves out.

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

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The contract is not YAML.
    #[error(transparent)]
    Unreadable(#[from] serde_saphyr::Error),
    /// Memory took no more.
    #[error(transparent)]
    Unwritable(#[from] Error),
}

/// The page of a contract.
pub fn render(contract: &str) -> Result<String, RenderError> {
    let contract = Contract::read(contract)?;
    let mut page = String::new();
    head(&mut page, &contract)?;
    index(&mut page, &contract)?;
    page.push_str("<main>\n");
    introduction(&mut page, &contract)?;
    for tag in contract.tags() {
        let name = tag.said("name");
        writeln!(
            page,
            "<h2 id=\"{}\">{}</h2>\n{}",
            anchor(name),
            text(name),
            prose(tag.said("description"))
        )?;
        for operation in contract.operations().filter(|operation| operation.tag() == name) {
            operation::section(&mut page, &contract, &operation)?;
        }
    }
    schema::sections(&mut page, &contract)?;
    page.push_str("</main>\n</html>\n");
    Ok(page)
}

fn head(page: &mut String, contract: &Contract) -> Result<(), Error> {
    let title = text(contract.info().said("title"));
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
        let name = tag.said("name");
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
    let (title, version) = (text(info.said("title")), text(info.said("version")));
    writeln!(page, "<h1>{title} <small>{version}</small></h1>")?;
    writeln!(page, "{}{}", prose(info.said("summary")), prose(info.said("description")))?;
    let note = "The examples are for a shell in which `API` is the base URL. Programs read `/openapi.yaml`.";
    writeln!(page, "{}", prose(note))
}

/// A name as a fragment of a URL.
fn anchor(name: &str) -> String {
    name.to_lowercase().replace(|letter: char| !letter.is_ascii_alphanumeric(), "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTRACT: &str = include_str!("../../../openapi.yaml");

    #[test]
    fn every_operation_and_every_schema_has_its_place_on_the_page() {
        let page = render(CONTRACT).expect("a page");
        let contract = Contract::read(CONTRACT).expect("a contract");
        let places = contract.operations().map(|operation| operation.id().to_owned());
        let places: Vec<String> =
            places.chain(contract.schemas().map(|(name, _)| format!("schema-{name}"))).collect();
        assert!(places.len() > 50, "{places:?}");
        for place in places {
            assert_eq!(page.matches(&format!(" id=\"{place}\"")).count(), 1, "{place}");
        }
    }

    #[test]
    fn every_link_leads_to_a_place_on_the_page() {
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
    fn what_the_contract_says_is_never_taken_for_markup() {
        let contract = CONTRACT.replacen("title: Once", "title: '<script>&'", 1);
        let page = render(&contract).expect("a page");
        assert!(
            page.contains("<title>&lt;script&gt;&amp;: the API</title>")
                && !page.contains("<script")
        );
    }

    #[test]
    fn what_is_no_yaml_is_no_page() {
        assert!(matches!(render("openapi: ["), Err(RenderError::Unreadable(_))));
    }
}
