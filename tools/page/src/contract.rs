//! The contract as it is written, its members in their order.

use std::fmt;

use indexmap::IndexMap;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{MapAccess, SeqAccess, Visitor},
};

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

static NOTHING: Node = Node::Null;

/// Any value of the contract.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Node {
    /// Also what is not there.
    Null,
    Truth(bool),
    Whole(i64),
    Natural(u64),
    Real(f64),
    Text(String),
    List(Vec<Node>),
    Object(IndexMap<String, Node>),
}

impl Node {
    /// A member, or `Null`.
    pub fn get(&self, name: &str) -> &Node {
        match self {
            Self::Object(members) => members.get(name).unwrap_or(&NOTHING),
            _ => &NOTHING,
        }
    }

    pub fn has(&self, name: &str) -> bool {
        *self.get(name) != Self::Null
    }

    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The text of a member, or nothing.
    pub fn said(&self, name: &str) -> &str {
        self.get(name).text().unwrap_or_default()
    }

    /// The elements of a list.
    pub fn items(&self) -> impl Iterator<Item = &Node> {
        let items: &[Node] = if let Self::List(items) = self { items } else { &[] };
        items.iter()
    }

    /// The members of an object.
    pub fn members(&self) -> impl Iterator<Item = (&str, &Node)> {
        let members = if let Self::Object(members) = self { Some(members) } else { None };
        members.into_iter().flatten().map(|(name, value)| (name.as_str(), value))
    }

    /// As JSON in one line.
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("text keys and finite numbers")
    }

    /// As JSON, indented.
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
        Ok(Node::Truth(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Whole(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Natural(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Real(value))
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

/// The whole.
#[derive(Debug)]
pub struct Contract(Node);

/// What can be asked of the API.
#[derive(Debug, Clone, Copy)]
pub struct Operation<'a> {
    /// `GET`
    pub method: &'static str,
    /// `/orders/{id}`
    pub path: &'a str,
    /// What it says.
    pub node: &'a Node,
    /// What all operations of its path say.
    shared: &'a Node,
}

impl Contract {
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

    pub fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        self.0.get("paths").members().flat_map(|(path, shared)| {
            let said =
                METHODS.into_iter().map(move |method| (method, shared.get(&method.to_lowercase())));
            let there = said.filter(|(_, node)| **node != Node::Null);
            there.map(move |(method, node)| Operation { method, path, node, shared })
        })
    }

    /// The value that a `$ref` stands for; all others stand for themselves.
    pub fn resolve<'a>(&'a self, node: &'a Node) -> &'a Node {
        let place = node.said("$ref").strip_prefix("#/");
        place.map_or(node, |place| self.resolve(place.split('/').fold(&self.0, Node::get)))
    }

    /// What is said of a value where it is used, or else where it is defined.
    pub fn description<'a>(&'a self, node: &'a Node) -> &'a str {
        match node.said("description") {
            "" => self.resolve(node).said("description"),
            own => own,
        }
    }
}

impl<'a> Operation<'a> {
    pub fn id(&self) -> &'a str {
        self.node.said("operationId")
    }

    pub fn tag(&self) -> &'a str {
        self.node.get("tags").items().next().and_then(Node::text).unwrap_or_default()
    }

    /// Those of its path come first.
    pub fn parameters(&self, contract: &'a Contract) -> impl Iterator<Item = &'a Node> {
        let all = self.shared.get("parameters").items().chain(self.node.get("parameters").items());
        all.map(|parameter| contract.resolve(parameter))
    }
}
