//! The contract, `openapi.yaml`, and the code say the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use once::{
    company::NewProfile,
    orders::{NewOrder, NewProduct, NewStock},
    routes::{self, Body},
    schedule::{NewScheduledJob, Schedule},
    settlement::Days,
    testing::root,
    uniques::MinuteCount,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

fn contract() -> Value {
    let text =
        fs::read_to_string(root().join("openapi.yaml")).expect("openapi.yaml is in the top folder");
    serde_saphyr::from_str(&text).expect("openapi.yaml is YAML")
}

/// Method and path, and what is said of each operation.
fn operations(contract: &Value) -> impl Iterator<Item = (String, &Value)> {
    let paths = contract["paths"].as_object().expect("paths").iter();
    paths.flat_map(|(path, item)| {
        let operations =
            item.as_object().expect("operations").iter().filter(|(name, _)| *name != "parameters");
        operations.map(move |(method, operation)| {
            (format!("{} {path}", method.to_uppercase()), operation)
        })
    })
}

/// The value that a `$ref` stands for; all others stand for themselves.
fn resolve<'a>(contract: &'a Value, value: &'a Value) -> &'a Value {
    value["$ref"].as_str().map_or(value, |place| {
        let found = contract.pointer(place.trim_start_matches('#'));
        resolve(contract, found.unwrap_or_else(|| panic!("{place} leads nowhere")))
    })
}

fn texts(list: &Value) -> impl Iterator<Item = String> {
    list.as_array().into_iter().flatten().map(|text| text.as_str().expect("a text").to_owned())
}

#[test]
fn the_contract_has_exactly_the_routes() {
    let contract = contract();
    let described: Vec<_> = operations(&contract).map(|(route, _)| route).collect();
    let mut routes: Vec<_> =
        routes::routes().map(|(route, _)| format!("{} {}", route.method, route.path)).collect();
    routes.sort_unstable();
    let mut sorted = described.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, routes);
    let names: BTreeSet<_> =
        operations(&contract).filter_map(|(_, said)| said["operationId"].as_str()).collect();
    assert_eq!(names.len(), described.len(), "each operation has a name of its own");
}

#[test]
fn a_route_takes_the_parameters_and_the_body_that_the_contract_describes() {
    let contract = contract();
    let operations: BTreeMap<_, _> = operations(&contract).collect();
    for (route, row) in routes::routes() {
        let operation = operations[&format!("{} {}", route.method, route.path)];
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let query = parameters
            .map(|parameter| resolve(&contract, parameter))
            .filter(|parameter| parameter["in"] == "query")
            .map(|parameter| parameter["name"].as_str().expect("a name"));
        assert_eq!(
            query.collect::<BTreeSet<_>>(),
            row.query.iter().copied().collect(),
            "{route:?}"
        );
        assert_eq!(operation["requestBody"].is_object(), row.body == Body::Json, "{route:?}");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn follow(contract: &Value, value: &Value) {
        resolve(contract, value);
        value.as_array().into_iter().flatten().for_each(|item| follow(contract, item));
        value
            .as_object()
            .into_iter()
            .flat_map(Map::values)
            .for_each(|member| follow(contract, member));
    }
    let contract = contract();
    follow(&contract, &contract);
}

/// The codes of failures with their statuses, as the table in `http/error.rs` has them, and those that its code names.
fn codes() -> (BTreeMap<String, String>, BTreeSet<String>) {
    let text = fs::read_to_string(root().join("shared/src/http/error.rs")).expect("http/error.rs");
    let (code, _tests) = text.split_once("#[cfg(test)]").expect("tests below the code");
    let rows = code.lines().filter_map(|line| line.strip_prefix("//! | ")?.split_once(" | "));
    let rows = rows.filter(|(status, _)| status.parse::<u16>().is_ok());
    let table = rows.flat_map(|(status, rest)| {
        let names = rest.split(" | ").next().unwrap_or_default().split(", ");
        names.map(move |name| (name.trim_matches('`').to_owned(), status.to_owned()))
    });
    let is_code = |text: &&str| {
        text.len() > 3 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
    };
    let named = code.split('"').filter(is_code).map(str::to_owned);
    (table.collect(), named.collect())
}

#[test]
fn the_codes_of_failures_are_the_tables() {
    let (table, named) = codes();
    let table: BTreeSet<_> = table.into_keys().collect();
    assert_eq!(table, named, "the table and the code of http/error.rs");
    assert_eq!(table, texts(&contract()["components"]["schemas"]["ErrorCode"]["enum"]).collect());
}

#[test]
fn every_failure_has_the_codes_of_its_status() {
    let (contract, (table, _)) = (contract(), codes());
    let mut seen = BTreeSet::new();
    for (route, operation) in operations(&contract) {
        for (status, answer) in operation["responses"].as_object().expect("answers") {
            let answer = resolve(&contract, answer);
            let parts = answer["content"]["application/problem+json"]["schema"]["allOf"].as_array();
            let Some(said) = parts.map(|parts| &parts[1]["properties"]) else { continue };
            assert_eq!(said["status"]["const"].to_string(), *status, "{route}");
            let code = &said["error"]["properties"]["code"];
            let codes: Vec<_> = code["const"]
                .as_str()
                .map(str::to_owned)
                .into_iter()
                .chain(texts(&code["enum"]))
                .collect();
            assert!(!codes.is_empty(), "{route} {status}");
            let described = answer["description"].as_str().expect("a description");
            for code in codes {
                assert_eq!(table.get(&code), Some(status), "{route} {code}");
                assert!(described.contains(&format!("`{code}`")), "{route}: {described}");
                seen.insert(code);
            }
        }
    }
    // Those of no operation, and those of the one that answers in one word.
    let apart = ["ROUTE_NOT_FOUND", "METHOD_NOT_ALLOWED", "DUPLICATE_ID", "NOT_RECORDED"]
        .map(str::to_owned);
    assert_eq!(seen.into_iter().chain(apart).collect::<BTreeSet<_>>(), table.into_keys().collect());
}

fn reads<T: DeserializeOwned>(body: &Value) {
    if let Err(error) = T::deserialize(body) {
        panic!("{body}: {error}");
    }
}

#[test]
fn every_example_of_a_body_is_accepted() {
    let contract = contract();
    let mut seen = 0;
    for (route, operation) in operations(&contract) {
        let media = &operation["requestBody"]["content"]["application/json"];
        let several = media["examples"]
            .as_object()
            .into_iter()
            .flat_map(Map::values)
            .map(|example| &example["value"]);
        for body in media.get("example").into_iter().chain(several) {
            match route.as_str() {
                "POST /products" => reads::<NewProduct>(body),
                "POST /products/{id}/restock" => reads::<NewStock>(body),
                "POST /orders" => reads::<NewOrder>(body),
                "PUT /companies/{id}" => reads::<NewProfile>(body),
                "POST /jobs/settlement" => reads::<Days>(body),
                "POST /scheduler/jobs" | "PUT /scheduler/jobs/{id}" => {
                    reads::<NewScheduledJob>(body);
                }
                "PUT /scheduler/jobs/{id}/schedule" => reads::<Schedule>(body),
                "POST /scheduler/preview" => reads::<Schedule>(&body["schedule"]),
                "POST /test" if body.get("minute").is_some() => reads::<MinuteCount>(body),
                "POST /test" => assert!(body.is_object()),
                other => panic!("{other} has a body that is not looked at here"),
            }
            seen += 1;
        }
    }
    assert!(seen > 10, "{seen}");
}

#[test]
fn whatever_may_be_sent_has_an_example() {
    for (route, operation) in operations(&contract()) {
        let media = &operation["requestBody"]["content"]["application/json"];
        assert!(
            media.is_null() || media["example"].is_object() || media["examples"].is_object(),
            "{route}"
        );
    }
}
