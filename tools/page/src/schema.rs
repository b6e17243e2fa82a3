//! Schemas: a brief description of each, and a table of its members.

use std::fmt::{Error, Write};

use crate::{
    Contract, Node,
    html::{line, prose, text},
};

/// Returns the name of a referenced schema.
fn name(schema: &Node) -> Option<&str> {
    schema.str("$ref").strip_prefix("#/components/schemas/")
}

/// Describes a schema briefly, with links to other schemas: `integer, 1 to 100`.
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
    let parts = [kind(schema), values(schema), bounds(schema)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

fn kind(schema: &Node) -> String {
    let kind = match schema.get("type") {
        Node::List(kinds) => kinds.iter().filter_map(Node::text).collect::<Vec<_>>().join(" or "),
        kind => kind.text().unwrap_or_default().to_owned(),
    };
    match schema.str("format") {
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
    let value = |name: &str| schema.has(name).then(|| plain(schema.get(name)));
    let mut parts = Vec::new();
    match (value("minimum"), value("maximum")) {
        (Some(least), Some(most)) => parts.push(format!("{least} to {most}")),
        (Some(least), None) => parts.push(format!("at least {least}")),
        (None, Some(most)) => parts.push(format!("at most {most}")),
        (None, None) => {}
    }
    match (value("minLength"), value("maxLength")) {
        (Some(least), Some(most)) => parts.push(format!("{least} to {most} characters")),
        (None, Some(most)) => parts.push(format!("at most {most} characters")),
        _ => {}
    }
    parts.extend(value("maxItems").map(|most| format!("at most {most} items")));
    parts.extend(value("pattern").map(|pattern| format!("<code>{}</code>", text(&pattern))));
    parts.extend(
        value("default").map(|default| format!("<code>{}</code> if omitted", text(&default))),
    );
    parts.join(", ")
}

/// Returns a value as JSON, but a text without quotes.
fn plain(value: &Node) -> String {
    value.text().map_or_else(|| value.json(), str::to_owned)
}

/// Writes the members of an object, and those of unnamed objects in it.
pub fn members(page: &mut String, contract: &Contract, schema: &Node) -> Result<(), Error> {
    if !schema.has("properties") {
        return Ok(());
    }
    let required: Vec<&str> = schema.get("required").items().filter_map(Node::text).collect();
    page.push_str("<table>\n");
    for (name, member) in schema.get("properties").members() {
        if *member == Node::Bool(false) {
            writeln!(page, "<tr><td><code>{name}</code><td><td>must be absent")?;
            continue;
        }
        let optional = if required.contains(&name) { "" } else { " <small>optional</small>" };
        let (brief, description) = (brief(member), line(contract.description(member)));
        write!(page, "<tr><td><code>{name}</code>{optional}<td>{brief}<td>{description}")?;
        for inside in inline(member) {
            members(page, contract, inside)?;
        }
        page.push('\n');
    }
    page.push_str("</table>\n");
    Ok(())
}

/// Returns the unnamed objects in a member.
fn inline(member: &Node) -> impl Iterator<Item = &Node> {
    let parts = [member, member.get("items")].into_iter();
    parts.chain(member.get("oneOf").items()).filter(|part| part.has("properties"))
}

/// Writes the sections of all named schemas.
pub fn sections(page: &mut String, contract: &Contract) -> Result<(), Error> {
    page.push_str("<h2 id=\"schemas\">Schemas</h2>\n");
    for (name, schema) in contract.schemas() {
        writeln!(page, "<section id=\"schema-{name}\">\n<h3>{name}</h3>")?;
        writeln!(page, "<p>{}</p>\n{}", brief(schema), prose(schema.str("description")))?;
        members(page, contract, schema)?;
        page.push_str("</section>\n");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(yaml: &str) -> String {
        brief(&serde_saphyr::from_str(yaml).expect("YAML"))
    }

    #[test]
    fn a_schema_is_described_briefly() {
        for (yaml, description) in [
            (
                "{type: integer, minimum: 1, maximum: 100, default: 20}",
                "integer, 1 to 100, <code>20</code> if omitted",
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
            assert_eq!(described(yaml), description, "{yaml}");
        }
    }
}
