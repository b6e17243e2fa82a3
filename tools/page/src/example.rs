//! Examples: calls of an operation as shell commands, and values of bodies.

use crate::{Contract, Node, contract::Operation};

/// Returns the values of `example` or `examples` with their names; a single example has an empty
/// name.
pub fn values(node: &Node) -> Vec<(&str, &Node)> {
    if node.has("example") {
        return vec![("", node.get("example"))];
    }
    node.get("examples").members().map(|(name, example)| (name, example.get("value"))).collect()
}

/// Returns the media type of a body, and the node with its schema and examples.
pub fn content<'a>(contract: &'a Contract, body: &'a Node) -> Option<(&'a str, &'a Node)> {
    contract.resolve(body).get("content").members().next()
}

/// Returns a call for each example of the request body, or one call without a body.
pub fn calls(contract: &Contract, operation: &Operation<'_>) -> Vec<String> {
    let bodies =
        content(contract, operation.node.get("requestBody")).map(|(_, media)| values(media));
    match bodies {
        Some(bodies) => {
            bodies.into_iter().map(|(_, body)| call(contract, operation, Some(body))).collect()
        }
        None => vec![call(contract, operation, None)],
    }
}

fn call(contract: &Contract, operation: &Operation<'_>, body: Option<&Node>) -> String {
    let mut path = operation.path.to_owned();
    let (mut query, mut headers) = (Vec::new(), Vec::new());
    for parameter in operation.parameters(contract).filter(|parameter| parameter.has("example")) {
        let (name, value) = (parameter.str("name"), parameter.get("example"));
        let value = value.text().map_or_else(|| value.json(), str::to_owned);
        match parameter.str("in") {
            "path" => path = path.replace(&format!("{{{name}}}"), &value),
            "query" => query.push(format!("{name}={value}")),
            // A request id is optional and only for finding the request in the log.
            _ if name == "X-Request-Id" => {}
            _ => headers.push(format!(" -H {}", quoted(&format!("{name}: {value}")))),
        }
    }
    let query = if query.is_empty() { query.join("") } else { format!("?{}", query.join("&")) };
    let method = match (operation.method, body) {
        ("GET", _) | ("POST", Some(_)) => String::new(),
        (method, _) => format!(" -X {method}"),
    };
    let body = body.map(|body| format!(" -d {}", quoted(&body.json()))).unwrap_or_default();
    format!("curl -s{method} \"$API{path}{query}\"{}{body}", headers.concat())
}

/// Quotes a text as one word of a shell command.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTRACT: &str = "
paths:
  /orders/{id}:
    parameters:
      - { name: id, in: path, example: 7 }
      - { name: X-Request-Id, in: header, example: mine-1 }
    get:
      parameters:
        - { name: limit, in: query, example: 20 }
        - { name: If-None-Match, in: header, example: '\"a\"' }
    put:
      requestBody:
        content:
          application/json:
            examples: { one: { value: { n: 1 } }, other: { value: { of: it's } } }
    post: {}
";

    #[test]
    fn a_call_is_a_shell_command() {
        let contract = Contract::read(CONTRACT).expect("YAML");
        let lines: Vec<_> =
            contract.operations().flat_map(|operation| calls(&contract, &operation)).collect();
        assert_eq!(
            lines,
            [
                r#"curl -s "$API/orders/7?limit=20" -H 'If-None-Match: "a"'"#,
                r#"curl -s -X POST "$API/orders/7""#,
                r#"curl -s -X PUT "$API/orders/7" -d '{"n":1}'"#,
                r#"curl -s -X PUT "$API/orders/7" -d '{"of":"it'\''s"}'"#,
            ]
        );
    }
}
