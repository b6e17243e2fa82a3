//! The contract, with the members of objects in their written order.

use std::fmt;

use indexmap::IndexMap;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, SeqAccess, Visitor},
};

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

static NULL: Node = Node::Null;

/// A value of the contract.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Node {
    /// `null`, or an absent member.
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Object(IndexMap<String, Node>),
}

impl Node {
    /// Returns a member, or `Null` if it is absent.
    pub fn get(&self, name: &str) -> &Node {
        match self {
            Self::Object(members) => members.get(name).unwrap_or(&NULL),
            _ => &NULL,
        }
    }

    /// Returns whether a member is present and not `null`.
    pub fn has(&self, name: &str) -> bool {
        *self.get(name) != Self::Null
    }

    /// Returns the text, if the value is one.
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// Returns the text of a member, or an empty text if it is absent or not a text.
    pub fn str(&self, name: &str) -> &str {
        self.get(name).text().unwrap_or_default()
    }

    /// Returns the elements of a list, or none.
    pub fn items(&self) -> impl Iterator<Item = &Node> {
        let items: &[Node] = if let Self::List(items) = self { items } else { &[] };
        items.iter()
    }

    /// Returns the members of an object, or none.
    pub fn members(&self) -> impl Iterator<Item = (&str, &Node)> {
        let members = if let Self::Object(members) = self { Some(members) } else { None };
        members.into_iter().flatten().map(|(name, value)| (name.as_str(), value))
    }

    /// Returns the value as JSON in one line.
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("text keys and finite numbers")
    }

    /// Returns the value as indented JSON.
    pub fn pretty(&self) -> String {
        serde_json::to_string_pretty(self).expect("text keys and finite numbers")
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyNode)
    }
}

struct AnyNode;

impl<'de> Visitor<'de> for AnyNode {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::UInt(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Node, A::Error> {
        let mut object = IndexMap::new();
        while let Some((name, value)) = members.next_entry()? {
            object.insert(name, value);
        }
        Ok(Node::Object(object))
    }
}

/// An `OpenAPI` contract.
#[derive(Debug)]
pub struct Contract(Node);

/// An operation of the API: a method of a path.
#[derive(Debug, Clone, Copy)]
pub struct Operation<'a> {
    /// Method, in upper case.
    pub method: &'static str,
    /// Path, like `/orders/{id}`.
    pub path: &'a str,
    /// The operation's own node.
    pub node: &'a Node,
    /// The node of its path, with what its operations share.
    shared: &'a Node,
}

impl Contract {
    /// Parses a contract in YAML.
    pub fn read(text: &str) -> Result<Self, serde_saphyr::Error> {
        serde_saphyr::from_str(text).map(Self)
    }

    pub fn info(&self) -> &Node {
        self.0.get("info")
    }

    pub fn tags(&self) -> impl Iterator<Item = &Node> {
        self.0.get("tags").items()
    }

    pub fn schemas(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.0.get("components").get("schemas").members()
    }

    /// Returns all operations, in the order of the paths.
    pub fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        self.0.get("paths").members().flat_map(|(path, shared)| {
            let nodes =
                METHODS.into_iter().map(move |method| (method, shared.get(&method.to_lowercase())));
            let present = nodes.filter(|(_, node)| **node != Node::Null);
            present.map(move |(method, node)| Operation { method, path, node, shared })
        })
    }

    /// Returns the target of a `$ref`, or the node itself if it is not a reference.
    pub fn resolve<'a>(&'a self, node: &'a Node) -> &'a Node {
        let pointer = node.str("$ref").strip_prefix("#/");
        pointer.map_or(node, |pointer| self.resolve(pointer.split('/').fold(&self.0, Node::get)))
    }

    /// Returns the description of a value where it is used, or else where it is defined.
    pub fn description<'a>(&'a self, node: &'a Node) -> &'a str {
        match node.str("description") {
            "" => self.resolve(node).str("description"),
            own => own,
        }
    }
}

impl<'a> Operation<'a> {
    pub fn id(&self) -> &'a str {
        self.node.str("operationId")
    }

    pub fn tag(&self) -> &'a str {
        self.node.get("tags").items().next().and_then(Node::text).unwrap_or_default()
    }

    /// Returns the parameters, those of the path first.
    pub fn parameters(&self, contract: &'a Contract) -> impl Iterator<Item = &'a Node> {
        let all = self.shared.get("parameters").items().chain(self.node.get("parameters").items());
        all.map(|parameter| contract.resolve(parameter))
    }
}
