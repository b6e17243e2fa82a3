//! `template.yaml` agrees with the code.

use std::{collections::BTreeSet, fs, time::Duration};

use once::{
    access::ORDER_TOKEN,
    routes::{self, RateClass, Trigger},
    settlement::LEDGER_LAG,
    testing::{Template, root},
    uniques::CLOCK_SKEW,
};

use serde_json::Value;

use crate::assert_same;

/// The method, path and program of every HTTP event in the template.
fn template_routes(template: &Template) -> BTreeSet<(String, String, String)> {
    let events = template.functions().flat_map(|function| {
        let events = function.properties["Events"].as_object().into_iter();
        let events = events.flat_map(|events| events.values());
        events.filter(|event| event["Type"] == "HttpApi").map(move |event| {
            let property =
                |name: &str| event["Properties"][name].as_str().unwrap_or("$default").to_owned();
            (property("Method"), property("Path"), function.program.to_owned())
        })
    });
    events.collect()
}

#[test]
fn the_routes_of_the_code_and_the_template_are_the_same() {
    let own = routes::routes().map(|(route, row)| {
        (route.method.to_owned(), route.path.to_owned(), row.function.to_owned())
    });
    let fallback = routes::FALLBACK.function.to_owned();
    let own: BTreeSet<_> =
        own.chain([("$default".to_owned(), "$default".to_owned(), fallback)]).collect();
    let template = template_routes(&Template::load());
    assert_same(("shared/src/routes.rs", &own), ("template.yaml", &template));
}

#[test]
fn the_throttling_of_a_route_follows_its_rate_class() {
    let template = Template::load();
    let (_, api) = template.resources("AWS::Serverless::HttpApi").next().expect("an API");
    let limits = |class| match class {
        RateClass::Default => ("RequestsPerSecond", "RequestsBurst"),
        RateClass::Accept => ("AcceptPerSecond", "AcceptBurst"),
        RateClass::Orders => ("OrdersPerSecond", "OrdersBurst"),
    };
    let settings = api["RouteSettings"].as_object().expect("settings of routes");
    for (route, row) in routes::routes() {
        let own = settings.get(&format!("{} {}", route.method, route.path));
        let throttling = own.unwrap_or(&api["DefaultRouteSettings"]);
        let (rate, burst) = limits(row.rate);
        assert_eq!(throttling["ThrottlingRateLimit"], rate, "{route:?}");
        assert_eq!(throttling["ThrottlingBurstLimit"], burst, "{route:?}");
    }
}

#[test]
fn every_worker_has_the_trigger_that_the_table_declares() {
    let template = Template::load();
    let triggers: BTreeSet<_> = template
        .functions()
        .flat_map(|function| {
            let events = function.properties["Events"].as_object().into_iter();
            let kinds = events.flat_map(|events| events.values().map(|event| &event["Type"]));
            kinds.map(move |kind| (function.program, kind.as_str().expect("a type")))
        })
        .filter(|(_, kind)| *kind != "HttpApi")
        .map(|(program, kind)| (program.to_owned(), kind.to_owned()))
        .collect();
    let own = routes::WORKERS.iter().map(|(function, trigger)| {
        let kind = match trigger {
            Trigger::Queue => "SQS",
            Trigger::Rule => "Schedule",
        };
        ((*function).to_owned(), kind.to_owned())
    });
    let own = own.collect();
    assert_same(("template.yaml", &triggers), ("shared/src/routes.rs", &own));
}

#[test]
fn every_function_has_a_program_a_route_or_trigger_and_a_sample_event() {
    let files = |path: &str, ending: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(root().join(path)).expect(path);
        let names =
            entries.map(|entry| entry.expect(path).file_name().into_string().expect("UTF-8"));
        names.map(|name| name.trim_end_matches(ending).to_owned()).collect()
    };
    let template = Template::load();
    let functions: BTreeSet<String> =
        template.functions().map(|function| function.program.to_owned()).collect();
    let rows = routes::ENDPOINTS.iter().map(|row| row.function);
    let workers = routes::WORKERS.iter().map(|(function, _)| *function);
    let rows = rows.chain([routes::FALLBACK.function]).chain(workers).map(str::to_owned).collect();
    let map = fs::read_to_string(root().join("functions/src/lib.rs")).expect("the map");
    let map = map.split('`').filter(|name| functions.contains(*name)).map(str::to_owned).collect();
    let template_functions = ("template.yaml", &functions);
    assert_same(template_functions, ("functions/src/bin", &files("functions/src/bin", ".rs")));
    assert_same(template_functions, ("events", &files("events", ".json")));
    assert_same(template_functions, ("shared/src/routes.rs", &rows));
    assert_same(template_functions, ("functions/src/lib.rs", &map));
    for function in template.functions() {
        let kebab = function.id.chars().fold(String::new(), |name, letter| match letter {
            'A'..='Z' if !name.is_empty() => format!("{name}-{}", letter.to_ascii_lowercase()),
            _ => format!("{name}{}", letter.to_ascii_lowercase()),
        });
        assert_eq!(function.program, kebab, "metrics find a program by its logical id");
    }
}

#[test]
fn a_program_is_one_call_with_its_own_name() {
    for function in Template::load().functions() {
        let path = root().join(format!("functions/src/bin/{}.rs", function.program));
        let text =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let calls = text.lines().filter(|line| line.starts_with("    ")).count();
        assert_eq!(calls, 1, "{}", path.display());
        assert!(text.contains("(env!(\"CARGO_BIN_NAME\"), "), "{}", path.display());
    }
}

#[test]
fn a_deployment_has_no_token_by_default_and_requires_that_of_admins() {
    let template = Template::load();
    for (name, default) in [("AdminTokenSha256", Value::Null), ("ReadTokenSha256", "".into())] {
        let parameter = &template.parameters()[name];
        assert_eq!((&parameter["Default"], &parameter["NoEcho"]), (&default, &true.into()));
    }
}

#[test]
fn only_the_functions_of_single_orders_may_read_the_secret_of_their_tokens() {
    let template = Template::load();
    let may_read = |properties: &Value| properties["Policies"].to_string().contains("OrderSecret");
    let readers: Vec<_> = template.functions().filter(|found| may_read(found.properties)).collect();
    let programs: BTreeSet<_> = readers.iter().map(|found| found.program).collect();
    assert_eq!(programs, ["order-cancel", "order-create", "order-get"].into());
    for reader in readers {
        let id = &reader.properties["Environment"]["Variables"]["ORDER_SECRET_ID"];
        assert_eq!(id, "OrderSecret.Id", "{}", reader.program);
    }
}

#[test]
fn pages_of_other_origins_may_send_the_token_of_an_order() {
    let template = Template::load();
    let (_, api) = template.resources("AWS::Serverless::HttpApi").next().expect("an API");
    let allowed = api["CorsConfiguration"]["AllowHeaders"].as_array().expect("headers");
    assert!(allowed.contains(&ORDER_TOKEN.into()), "{allowed:?}");
}

#[test]
fn no_policy_grants_a_wildcard() {
    for (function, properties) in Template::load().resources("AWS::Serverless::Function") {
        let statements = properties["Policies"].as_array().into_iter().flatten();
        for statement in
            statements.flat_map(|policy| policy["Statement"].as_array().expect("statements"))
        {
            // The template cannot know the names of files, only their folders.
            let named = statement.to_string().replace("/parts/*", "").replace("/reports/*", "");
            // AWS has no resources for reading metrics.
            if statement["Action"]
                == serde_json::json!(["cloudwatch:GetMetricData", "cloudwatch:ListMetrics"])
            {
                assert_eq!((function, &statement["Resource"]), ("MetricsGet", &"*".into()));
                continue;
            }
            assert!(!named.contains('*'), "{function}: {statement}");
        }
    }
}

/// The timeout of a function that has its own.
fn timeout(template: &Template, function: &str) -> Duration {
    let found = template.functions().find(|found| found.program == function).expect(function);
    Duration::from_secs(found.properties["Timeout"].as_u64().expect("a timeout"))
}

#[test]
fn ticks_do_not_overlap() {
    for function in ["minute-close", "settlement-recover", "schedule-tick"] {
        assert!(timeout(&Template::load(), function) < Duration::from_mins(1));
    }
}

#[test]
fn every_payment_is_in_the_ledger_before_it_is_settled() {
    let template = Template::load();
    let default =
        Duration::from_secs(template.globals()["Function"]["Timeout"].as_u64().expect("a timeout"));
    // The functions that write the ledger have the default timeout.
    for (_, writer) in template.resources("AWS::Serverless::Function") {
        let policies = writer["Policies"].to_string();
        if policies.contains("LedgerTable")
            && policies.contains("dynamodb:PutItem")
            && policies.contains("OrdersTable")
        {
            assert!(writer["Timeout"].is_null(), "{writer}");
        }
    }
    assert!(default + 2 * CLOCK_SKEW < LEDGER_LAG);
}

#[test]
fn a_message_fails_alone_has_a_sufficient_visibility_timeout_and_a_dead_letter_queue() {
    let template = Template::load();
    let queue = |id: &str| {
        template.resources("AWS::SQS::Queue").find(|(name, _)| *name == id).expect("a queue").1
    };
    let dead_letters: BTreeSet<&str> = template
        .resources("AWS::SQS::Queue")
        .filter_map(|(_, queue)| {
            queue["RedrivePolicy"]["deadLetterTargetArn"].as_str()?.strip_suffix(".Arn")
        })
        .collect();
    let mut checked = 0;
    for (id, function) in template.resources("AWS::Serverless::Function") {
        let events = function["Events"].as_object().into_iter().flat_map(|events| events.values());
        for event in events.filter(|event| event["Type"] == "SQS") {
            let event = &event["Properties"];
            assert_eq!(
                event["FunctionResponseTypes"],
                serde_json::json!(["ReportBatchItemFailures"]),
                "{id}"
            );
            let source = event["Queue"]
                .as_str()
                .and_then(|arn| arn.strip_suffix(".Arn"))
                .expect("a queue of the template");
            let queue = queue(source);
            let visibility_timeout = queue["VisibilityTimeout"].as_u64().expect("a time");
            assert!(visibility_timeout >= 6 * function["Timeout"].as_u64().unwrap_or(15), "{id}");
            assert!(queue["RedrivePolicy"].is_object() || dead_letters.contains(source), "{id}");
            checked += 1;
        }
    }
    assert!(checked > 0);
}
