//! The template and the code say the same.

use std::{collections::BTreeSet, fs, time::Duration};

use once::{
    http::ROUTES,
    settlement::LEDGER_LAG,
    testing::{Template, root},
    uniques::{CLOCK_SKEW, GRACE},
};

/// Method, path and function of every HTTP event in the template.
fn template_routes(template: &Template) -> BTreeSet<(String, String, String)> {
    let functions = template.resources("AWS::Serverless::Function");
    let events = functions.flat_map(|(_, function)| {
        let folder = function["CodeUri"].as_str().expect("a folder").trim_start_matches("functions/").to_owned();
        let events = function["Events"].as_object().into_iter().flat_map(|events| events.values());
        events.filter(|event| event["Type"] == "HttpApi").map(move |event| {
            let said = |name: &str| event["Properties"][name].as_str().unwrap_or("$default").to_owned();
            (said("Method"), said("Path"), folder.clone())
        })
    });
    events.collect()
}

#[test]
fn the_routes_are_the_templates() {
    let own = ROUTES.iter().map(|route| (route.method.to_owned(), route.path.to_owned(), route.function.to_owned()));
    let fallback = ("$default".to_owned(), "$default".to_owned(), "route-unknown".to_owned());
    let own: BTreeSet<_> = own.chain([fallback]).collect();
    assert_eq!(own, template_routes(&Template::load()));
}

#[test]
fn every_function_has_its_folder_its_binary_and_its_sample_event() {
    let folders = |path: &str, ending: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(root().join(path)).expect(path);
        let names = entries.map(|entry| entry.expect(path).file_name().into_string().expect("UTF-8"));
        names.map(|name| name.trim_end_matches(ending).to_owned()).collect()
    };
    let template = Template::load();
    let functions: BTreeSet<String> = template
        .resources("AWS::Serverless::Function")
        .map(|(_, function)| {
            function["CodeUri"].as_str().expect("a folder").trim_start_matches("functions/").to_owned()
        })
        .collect();
    assert_eq!(functions, folders("functions", ""));
    assert_eq!(functions, folders("events", ".json"));
}

#[test]
fn nobody_deploys_without_a_token_or_lets_everybody_in_by_default() {
    let text = fs::read_to_string(root().join("template.yaml")).expect("the template");
    let parameter = |name: &str| {
        let (_, rest) = text.split_once(&format!("\n  {name}:\n")).expect(name);
        let own = rest.lines().take_while(|line| line.starts_with("    "));
        own.map(str::trim).find_map(|line| line.strip_prefix("Default: ")).map(str::to_owned)
    };
    assert_eq!(parameter("AccessTokenSha256"), None);
    assert_eq!(parameter("AllowAnonymous").as_deref(), Some("\"false\""));
}

#[test]
fn no_policy_grants_a_wildcard() {
    for (function, properties) in Template::load().resources("AWS::Serverless::Function") {
        let statements = properties["Policies"].as_array().into_iter().flatten();
        for statement in statements.flat_map(|policy| policy["Statement"].as_array().expect("statements")) {
            // Files have no names that the template could know; their folders it does.
            let named = statement.to_string().replace("/parts/*", "").replace("/reports/*", "");
            // AWS knows no resource for reading metrics.
            if statement["Action"] == serde_json::json!(["cloudwatch:GetMetricData", "cloudwatch:ListMetrics"]) {
                assert_eq!((function, &statement["Resource"]), ("MetricsGet", &"*".into()));
                continue;
            }
            assert!(!named.contains('*'), "{function}: {statement}");
        }
    }
}

/// How long a function may run.
fn timeout(template: &Template, function: &str) -> Duration {
    let (_, properties) = template
        .resources("AWS::Serverless::Function")
        .find(|(_, properties)| properties["CodeUri"] == format!("functions/{function}"))
        .expect(function);
    Duration::from_secs(properties["Timeout"].as_u64().expect("a time-out of its own"))
}

#[test]
fn every_accepted_id_is_recorded_before_its_minute_is_counted() {
    assert!(timeout(&Template::load(), "accept") + CLOCK_SKEW < GRACE);
}

#[test]
fn ticks_do_not_overlap() {
    for function in ["minute-close", "recover", "schedule-tick"] {
        assert!(timeout(&Template::load(), function) < Duration::from_mins(1));
    }
}

#[test]
fn every_payment_is_in_the_ledger_before_it_is_settled() {
    let template = Template::load();
    let default = Duration::from_secs(template.globals()["Function"]["Timeout"].as_u64().expect("a time-out"));
    // The functions that write the ledger have no time-out of their own.
    for (_, writer) in template.resources("AWS::Serverless::Function") {
        let policies = writer["Policies"].to_string();
        if policies.contains("LedgerTable") && policies.contains("dynamodb:PutItem") && policies.contains("OrdersTable")
        {
            assert!(writer["Timeout"].is_null(), "{writer}");
        }
    }
    assert!(default + CLOCK_SKEW <= LEDGER_LAG);
}

#[test]
fn a_message_fails_alone_is_hidden_long_enough_and_ends_in_a_dead_letter_queue() {
    let template = Template::load();
    let queue = |id: &str| template.resources("AWS::SQS::Queue").find(|(name, _)| *name == id).expect("a queue").1;
    let dead_letters: BTreeSet<&str> = template
        .resources("AWS::SQS::Queue")
        .filter_map(|(_, queue)| queue["RedrivePolicy"]["deadLetterTargetArn"].as_str()?.strip_suffix(".Arn"))
        .collect();
    let mut seen = 0;
    for (id, function) in template.resources("AWS::Serverless::Function") {
        let events = function["Events"].as_object().into_iter().flat_map(|events| events.values());
        for event in events.filter(|event| event["Type"] == "SQS") {
            let event = &event["Properties"];
            assert_eq!(event["FunctionResponseTypes"], serde_json::json!(["ReportBatchItemFailures"]), "{id}");
            let source =
                event["Queue"].as_str().and_then(|arn| arn.strip_suffix(".Arn")).expect("a queue of the template");
            let queue = queue(source);
            let hidden = queue["VisibilityTimeout"].as_u64().expect("a time");
            assert!(hidden >= 6 * function["Timeout"].as_u64().unwrap_or(15), "{id}");
            assert!(queue["RedrivePolicy"].is_object() || dead_letters.contains(source), "{id}");
            seen += 1;
        }
    }
    assert!(seen > 0);
}
