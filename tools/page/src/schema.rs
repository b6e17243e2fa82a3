//! Schemas: each in a few words, and its members in a table.

use std::fmt::{Error, Write};

use crate::{
    Contract, Node,
    html::{line, prose, text},
};

/// Where a schema of its own is on the page, if it is one.
fn name(schema: &Node) -> Option<&str> {
    schema.said("$ref").strip_prefix("#/components/schemas/")
}

/// In a few words, with links: `integer, 1 to 100`.
pub fn brief(schema: &Node) -> String {
    if let Some(name) = name(schema) {
        return format!("<a href=\"#schema-{name}\">{name}</a>");
    }
    if schema.has("items") {
        return format!("array of {}", brief(schema.get("items")));
    }
    let kinds = ["oneOf", "anyOf"].iter().find(|kind| schema.has(kind));
    if let Some(kind) = kinds {
        return schema.get(kind).items().map(brief).collect::<Vec<_>>().join(" or ");
    }
    if schema.has("allOf") {
        let named = schema.get("allOf").items().filter(|part| name(part).is_some());
        return named.map(brief).collect::<Vec<_>>().join(" and ");
    }
    let words = [kind(schema), values(schema), bounds(schema)];
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", ")
}

fn kind(schema: &Node) -> String {
    let kind = match schema.get("type") {
        Node::List(kinds) => kinds.iter().filter_map(Node::text).collect::<Vec<_>>().join(" or "),
        kind => kind.text().unwrap_or_default().to_owned(),
    };
    match schema.said("format") {
        "" => kind,
        format => text(&format!("{kind} ({format})")),
    }
}

fn values(schema: &Node) -> String {
    let constant = Some(schema.get("const")).filter(|_| schema.has("const"));
    let values = constant.into_iter().chain(schema.get("enum").items());
    values
        .map(|value| format!("<code>{}</code>", text(&plain(value))))
        .collect::<Vec<_>>()
        .join(" ")
}

fn bounds(schema: &Node) -> String {
    let said = |name: &str| schema.has(name).then(|| plain(schema.get(name)));
    let mut words = Vec::new();
    match (said("minimum"), said("maximum")) {
        (Some(least), Some(most)) => words.push(format!("{least} to {most}")),
        (Some(least), None) => words.push(format!("at least {least}")),
        (None, Some(most)) => words.push(format!("at most {most}")),
        (None, None) => {}
    }
    match (said("minLength"), said("maxLength")) {
        (Some(least), Some(most)) => words.push(format!("{least} to {most} characters")),
        (None, Some(most)) => words.push(format!("at most {most} characters")),
        _ => {}
    }
    words.extend(said("maxItems").map(|most| format!("at most {most} items")));
    words.extend(said("pattern").map(|pattern| format!("<code>{}</code>", text(&pattern))));
    words.extend(
        said("default").map(|default| format!("<code>{}</code> if left out", text(&default))),
    );
    words.join(", ")
}

/// Texts without their quotes.
fn plain(value: &Node) -> String {
    value.text().map_or_else(|| value.json(), str::to_owned)
}

/// The members of an object, with those of objects in it.
pub fn members(page: &mut String, contract: &Contract, schema: &Node) -> Result<(), Error> {
    if !schema.has("properties") {
        return Ok(());
    }
    let required: Vec<&str> = schema.get("required").items().filter_map(Node::text).collect();
    page.push_str("<table>\n");
    for (name, member) in schema.get("properties").members() {
        if *member == Node::Truth(false) {
            writeln!(page, "<tr><td><code>{name}</code><td><td>must not be there")?;
            continue;
        }
        let need = if required.contains(&name) { "" } else { " <small>optional</small>" };
        let (brief, description) = (brief(member), line(contract.description(member)));
        write!(page, "<tr><td><code>{name}</code>{need}<td>{brief}<td>{description}")?;
        for inside in inline(member) {
            members(page, contract, inside)?;
        }
        page.push('\n');
    }
    page.push_str("</table>\n");
    Ok(())
}

/// The objects in a member that have no name of their own.
fn inline(member: &Node) -> impl Iterator<Item = &Node> {
    let parts = [member, member.get("items")].into_iter();
    parts.chain(member.get("oneOf").items()).filter(|part| part.has("properties"))
}

/// All schemas that have a name.
pub fn sections(page: &mut String, contract: &Contract) -> Result<(), Error> {
    page.push_str("<h2 id=\"schemas\">Schemas</h2>\n");
    for (name, schema) in contract.schemas() {
        writeln!(page, "<section id=\"schema-{name}\">\n<h3>{name}</h3>")?;
        writeln!(page, "<p>{}</p>\n{}", brief(schema), prose(schema.said("description")))?;
        members(page, contract, schema)?;
        page.push_str("</section>\n");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(yaml: &str) -> String {
        brief(&serde_saphyr::from_str(yaml).expect("YAML"))
    }

    #[test]
    fn a_schema_is_said_in_a_few_words() {
        for (yaml, words) in [
            (
                "{type: integer, minimum: 1, maximum: 100, default: 20}",
                "integer, 1 to 100, <code>20</code> if left out",
            ),
            ("{type: [string, 'null']}", "string or null"),
            ("{type: string, format: uuid}", "string (uuid)"),
            ("{type: string, enum: [a, b]}", "string, <code>a</code> <code>b</code>"),
            (
                "{type: string, pattern: '^<$', maxLength: 3}",
                "string, at most 3 characters, <code>^&lt;$</code>",
            ),
            ("{$ref: '#/components/schemas/Order'}", "<a href=\"#schema-Order\">Order</a>"),
            ("{type: array, items: {type: boolean}}", "array of boolean"),
            ("{oneOf: [{type: number}, {type: 'null'}]}", "number or null"),
        ] {
            assert_eq!(said(yaml), words, "{yaml}");
        }
    }
}
