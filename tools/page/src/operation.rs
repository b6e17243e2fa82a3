//! The section of an operation: its parameters, body, example calls and responses.

use std::fmt::{Error, Write};

use crate::{
    Contract, Node,
    contract::Operation,
    example,
    html::{line, prose, text},
    schema,
};

pub fn section(
    page: &mut String,
    contract: &Contract,
    operation: &Operation<'_>,
) -> Result<(), Error> {
    let (id, method, path) = (text(operation.id()), operation.method, text(operation.path));
    let (class, summary) = (method.to_lowercase(), line(operation.node.str("summary")));
    writeln!(
        page,
        "<section id=\"{id}\">\n\
         <h3><b class=\"{class}\">{method}</b> {path} <a href=\"#{id}\">#</a></h3>"
    )?;
    writeln!(page, "<p>{summary}.</p>\n{}", prose(operation.node.str("description")))?;
    security(page, operation.node)?;
    parameters(page, contract, operation)?;
    body(page, contract, operation.node)?;
    for call in example::calls(contract, operation) {
        writeln!(page, "<pre>{}</pre>", text(&call))?;
    }
    responses(page, contract, operation.node)?;
    page.push_str("</section>\n");
    Ok(())
}

fn security(page: &mut String, operation: &Node) -> Result<(), Error> {
    let requirements = || operation.get("security").items();
    let schemes: Vec<_> = requirements()
        .flat_map(Node::members)
        .map(|(scheme, roles)| {
            let roles = roles.items().filter_map(Node::text).map(text);
            let roles: Vec<_> = roles.map(|role| format!(" with the role {role}")).collect();
            format!("<code>{}</code>{}", text(scheme), roles.concat())
        })
        .collect();
    // The empty requirement: none is needed.
    let is_optional = requirements().any(|requirement| requirement.members().next().is_none());
    if schemes.is_empty() {
        return writeln!(page, "<p>Open to everybody.</p>");
    }
    let start =
        if is_optional { "Open to everybody, unless the deployment requires" } else { "Requires" };
    writeln!(page, "<p>{start} {}.</p>", schemes.join(" or "))
}

fn parameters(
    page: &mut String,
    contract: &Contract,
    operation: &Operation<'_>,
) -> Result<(), Error> {
    page.push_str("<h4>Parameters</h4>\n<table>\n");
    for parameter in operation.parameters(contract) {
        let (name, location) = (text(parameter.str("name")), parameter.str("in"));
        let optional = if *parameter.get("required") == Node::Bool(true) {
            ""
        } else {
            " <small>optional</small>"
        };
        let (brief, description) =
            (schema::brief(parameter.get("schema")), line(parameter.str("description")));
        writeln!(
            page,
            "<tr><td><code>{name}</code>{optional}<td>{location}<td>{brief}<td>{description}"
        )?;
    }
    page.push_str("</table>\n");
    Ok(())
}

fn body(page: &mut String, contract: &Contract, operation: &Node) -> Result<(), Error> {
    let Some((kind, media)) = example::content(contract, operation.get("requestBody")) else {
        return Ok(());
    };
    let schema = media.get("schema");
    writeln!(page, "<h4>Body</h4>\n<p>{}, <code>{kind}</code></p>", schema::brief(schema))?;
    schema::members(page, contract, contract.resolve(schema))
}

fn responses(page: &mut String, contract: &Contract, operation: &Node) -> Result<(), Error> {
    page.push_str("<h4>Responses</h4>\n<table>\n");
    for (status, node) in operation.get("responses").members() {
        let response = contract.resolve(node);
        write!(page, "<tr><td><b>{status}</b><td>{}<td>", line(response.str("description")))?;
        headers(page, contract, response)?;
        page.push_str("<td>");
        if let Some((kind, media)) = example::content(contract, response) {
            write!(page, "{} <code>{kind}</code>", schema::brief(media.get("schema")))?;
            for (name, value) in example::values(media) {
                let example = value.text().map_or_else(|| value.pretty(), str::to_owned);
                let title = if name.is_empty() { "Example" } else { name };
                write!(
                    page,
                    "<details><summary>{title}</summary><pre>{}</pre></details>",
                    text(&example)
                )?;
            }
        }
        page.push('\n');
    }
    page.push_str("</table>\n");
    Ok(())
}

/// Writes the headers of a response, except `X-Request-Id`, which every response has.
fn headers(page: &mut String, contract: &Contract, response: &Node) -> Result<(), Error> {
    for (name, header) in
        response.get("headers").members().filter(|(name, _)| *name != "X-Request-Id")
    {
        let description = text(&contract.description(header).replace('`', ""));
        write!(page, "<code title=\"{description}\">{name}</code> ")?;
    }
    Ok(())
}
