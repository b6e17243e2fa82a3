//! The contract, `openapi.yaml`, agrees with the code.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use once::{
    access::{Access, ORDER_TOKEN, Role},
    company::{CompanyId, NewProfile},
    json::{self, FromJson},
    orders::{NewOrder, NewProduct, NewStock},
    routes::{self, Body},
    schedule::{NewScheduledJob, Schedule},
    settlement::Days,
    testing::root,
    uniques::MinuteCount,
    validated::Text,
};
use regex_lite::Regex;
use serde_json::{Map, Value, json};

use crate::assert_same;

fn contract() -> Value {
    let text = fs::read_to_string(root().join("openapi.yaml"))
        .expect("openapi.yaml is in the root folder");
    serde_saphyr::from_str(&text).expect("openapi.yaml is YAML")
}

/// All operations, by method and path.
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

/// The value that a `$ref` refers to; other values unchanged.
fn resolve<'a>(contract: &'a Value, value: &'a Value) -> &'a Value {
    value["$ref"].as_str().map_or(value, |reference| {
        let found = contract.pointer(reference.trim_start_matches('#'));
        resolve(contract, found.unwrap_or_else(|| panic!("{reference} does not exist")))
    })
}

fn texts(list: &Value) -> impl Iterator<Item = String> {
    list.as_array().into_iter().flatten().map(|text| text.as_str().expect("a text").to_owned())
}

#[test]
fn the_contract_describes_all_routes_and_no_others() {
    let contract = contract();
    let described: BTreeSet<_> = operations(&contract).map(|(route, _)| route).collect();
    let routes: BTreeSet<_> =
        routes::routes().map(|(route, _)| format!("{} {}", route.method, route.path)).collect();
    assert_same(("openapi.yaml", &described), ("shared/src/routes.rs", &routes));
    let ids: BTreeSet<_> = operations(&contract)
        .filter_map(|(_, operation)| operation["operationId"].as_str())
        .collect();
    assert_eq!(ids.len(), described.len(), "each operation has its own id");
}

#[test]
fn a_route_has_the_parameters_and_the_body_that_the_contract_describes() {
    let contract = contract();
    let operations: BTreeMap<_, _> = operations(&contract).collect();
    for (route, row) in routes::routes() {
        let name = format!("{} {}", route.method, route.path);
        let operation = operations.get(&name);
        let operation = operation.unwrap_or_else(|| panic!("openapi.yaml lacks {name}"));
        let of_path = contract["paths"][route.path]["parameters"].as_array();
        let parameters = operation["parameters"].as_array().into_iter().chain(of_path).flatten();
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

/// The security requirements of an operation, as the contract writes them.
fn security(access: Access) -> Value {
    let bearer = |role: Role| json!({"bearerAuth": [role.to_string()]});
    match access {
        Access::Open => json!([]),
        Access::OpenUnless(switch) => json!([{}, bearer(switch.role())]),
        Access::Operator(role) => json!([bearer(role)]),
        Access::OrderOr(role) => json!([{"orderToken": []}, bearer(role)]),
    }
}

#[test]
fn an_operation_requires_the_token_that_its_row_requires() {
    let contract = contract();
    let operations: BTreeMap<_, _> = operations(&contract).collect();
    for (route, row) in routes::routes() {
        let operation = operations[&format!("{} {}", route.method, route.path)];
        assert_eq!(operation["security"], security(row.access), "{route:?}");
        let is_documented = |status: &str| operation["responses"][status].is_object();
        let security = security(row.access).to_string();
        let expected = security.contains("admin") || security.contains("orderToken");
        assert!(is_documented("401"), "{route:?}: a token that is sent may be unknown");
        assert_eq!(is_documented("403"), expected, "{route:?}: a token may not be enough");
    }
    let schemes = &contract["components"]["securitySchemes"];
    let name = schemes["orderToken"]["name"].as_str().map(str::to_lowercase);
    assert_eq!(name.as_deref(), Some(ORDER_TOKEN));
}

#[test]
fn every_reference_exists() {
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

/// The error codes with their statuses in the table of `http/error.rs`, and the codes in its code.
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
fn error_codes_are_the_same_in_code_table_and_contract() {
    let (table, named) = codes();
    let table: BTreeSet<_> = table.into_keys().collect();
    assert_same(("the table of http/error.rs", &table), ("the code of http/error.rs", &named));
    let contract = texts(&contract()["components"]["schemas"]["ErrorCode"]["enum"]).collect();
    assert_same(("http/error.rs", &table), ("openapi.yaml's ErrorCode", &contract));
}

#[test]
fn every_error_response_has_the_codes_of_its_status() {
    let (contract, (table, _)) = (contract(), codes());
    let mut documented = BTreeSet::new();
    for (route, operation) in operations(&contract) {
        for (status, response) in operation["responses"].as_object().expect("responses") {
            let response = resolve(&contract, response);
            let schema = &response["content"]["application/problem+json"]["schema"];
            let parts = schema["allOf"].as_array();
            let Some(properties) = parts.map(|parts| &parts[1]["properties"]) else { continue };
            assert_eq!(properties["status"]["const"].to_string(), *status, "{route}");
            let code = &properties["error"]["properties"]["code"];
            let codes: Vec<_> = code["const"]
                .as_str()
                .map(str::to_owned)
                .into_iter()
                .chain(texts(&code["enum"]))
                .collect();
            assert!(!codes.is_empty(), "{route} {status}");
            let description = response["description"].as_str().expect("a description");
            for code in codes {
                assert_eq!(table.get(&code), Some(status), "{route} {code}");
                assert!(description.contains(&format!("`{code}`")), "{route}: {description}");
                documented.insert(code);
            }
        }
    }
    // Codes of requests without a route, and of the operation whose errors are plain text.
    let others = ["ROUTE_NOT_FOUND", "METHOD_NOT_ALLOWED", "DUPLICATE_ID", "NOT_RECORDED"]
        .map(str::to_owned);
    documented.extend(others);
    assert_eq!(documented, table.into_keys().collect());
}

fn assert_parses<T: FromJson>(body: &Value) {
    if let Err(error) = json::parse::<T>(&body.to_string()) {
        panic!("{body}: {error}");
    }
}

#[test]
fn every_example_of_a_body_is_accepted() {
    let contract = contract();
    let mut checked = 0;
    for (route, operation) in operations(&contract) {
        let media = &operation["requestBody"]["content"]["application/json"];
        let examples = media["examples"]
            .as_object()
            .into_iter()
            .flat_map(Map::values)
            .map(|example| &example["value"]);
        for body in media.get("example").into_iter().chain(examples) {
            match route.as_str() {
                "POST /products" => assert_parses::<NewProduct>(body),
                "POST /products/{id}/restock" => assert_parses::<NewStock>(body),
                "POST /orders" => assert_parses::<NewOrder>(body),
                "PUT /companies/{id}" => assert_parses::<NewProfile>(body),
                "POST /jobs/settlement" => assert_parses::<Days>(body),
                "POST /scheduler/jobs" | "PUT /scheduler/jobs/{id}" => {
                    assert_parses::<NewScheduledJob>(body);
                }
                "PUT /scheduler/jobs/{id}/schedule" => assert_parses::<Schedule>(body),
                "POST /scheduler/preview" => assert_parses::<Schedule>(&body["schedule"]),
                "POST /test" if body.get("minute").is_some() => assert_parses::<MinuteCount>(body),
                "POST /test" => assert!(body.is_object()),
                other => panic!("{other}: no type for its body"),
            }
            checked += 1;
        }
    }
    assert!(checked > 10, "{checked}");
}

#[test]
fn every_request_body_has_an_example() {
    for (route, operation) in operations(&contract()) {
        let media = &operation["requestBody"]["content"]["application/json"];
        assert!(
            media.is_null() || media["example"].is_object() || media["examples"].is_object(),
            "{route}"
        );
    }
}

/// The pattern of a schema, by its path below `components/schemas`.
fn pattern(contract: &Value, path: &str) -> Regex {
    let pattern = contract.pointer(&format!("/components/schemas/{path}/pattern"));
    Regex::new(pattern.and_then(Value::as_str).expect(path)).expect(path)
}

#[test]
fn a_text_needs_the_same_visible_character_in_code_and_contract() {
    let contract = contract();
    let visible = pattern(&contract, "NewProduct/properties/name");
    for path in ["NewOrder/properties/buyer_id", "NewScheduledJob/properties/name"] {
        assert_eq!(pattern(&contract, path).as_str(), visible.as_str(), "{path}");
    }
    // A pattern can name no characters beyond these so that every language reads it.
    for text in ('\0'..='\u{ffff}').map(String::from) {
        let accepted = Text::<1>::try_from(text.clone()).is_ok();
        assert_eq!(visible.is_match(&text), accepted, "{text:?}");
    }
}

#[test]
fn the_ids_of_merchants_are_the_same_in_code_and_contract() {
    let merchant_id = pattern(&contract(), "MerchantId");
    let mut texts = vec![String::new()];
    for _ in 0..4 {
        let longer =
            texts.iter().flat_map(|text| ".a-/ ".chars().map(move |c| format!("{text}{c}")));
        texts = longer.chain(texts.iter().cloned()).collect();
    }
    for text in texts {
        let accepted = text.parse::<CompanyId>().is_ok();
        assert_eq!(merchant_id.is_match(&text), accepted, "{text:?}");
    }
}
