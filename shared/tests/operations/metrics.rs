//! Each metric has the value of its source, and is absent if its source fails.

#![expect(clippy::float_cmp, reason = "values that a float represents exactly")]

use std::{collections::BTreeSet, time::Duration};

use once::{
    testing::{Cloud, Fault, MetricId},
    time::Minute,
};

use crate::operations::fixtures::{
    deployment, invocations, new_instance, now, put_window_metric, scrape, values,
};

const SOURCES: [&str; 7] =
    ["orders", "uniques", "settlements", "schedules", "queues", "cloudwatch", "functions"];

#[tokio::test]
async fn stock_counts_settlements_and_due_jobs_come_from_the_tables() {
    let (_cloud, instance) = deployment().await;
    let values = values(&scrape(&instance).await);
    for (series, value) in [
        ("once_stock_units{product=\"1\"}", 97.0),
        ("once_unique_ids_last_minute", 0.0),
        // The last minute before noon ended 30 s ago.
        ("once_unique_ids_last_minute_age_seconds", 30.0),
        ("once_settlement_jobs{state=\"QUEUED\"}", 1.0),
        ("once_settlement_jobs{state=\"FAILED\"}", 0.0),
        ("once_settlement_jobs_live{state=\"QUEUED\"}", 1.0),
        ("once_settlement_jobs_live{state=\"RUNNING\"}", 0.0),
        ("once_schedule_jobs_due", 3.0),
        ("once_schedule_jobs_overdue", 2.0),
        ("once_schedule_oldest_due_seconds", 90.0),
    ] {
        assert_eq!(values.get(series), Some(&value), "{series} in {values:#?}");
    }
    let build = format!("once_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"));
    assert_eq!(values[&build], 1.0);
    assert!(
        !values.contains_key("once_settlement_jobs_live{state=\"COMPLETED\"}"),
        "not a live state"
    );
}

#[tokio::test]
async fn depths_come_from_the_queues() {
    let (_cloud, instance) = deployment().await;
    let values = values(&scrape(&instance).await);
    let company =
        |state| values[&format!("once_queue_messages{{queue=\"company\",state=\"{state}\"}}")];
    assert_eq!((company("visible"), company("in_flight"), company("delayed")), (5.0, 4.0, 1.0));
    // The message that plans the settlement.
    assert_eq!(values["once_queue_messages{queue=\"settlement-plan\",state=\"visible\"}"], 1.0);
    assert_eq!(values["once_dead_letters{queue=\"callback\"}"], 2.0);
    assert_eq!(values["once_dead_letters{queue=\"schedule\"}"], 0.0);
}

#[tokio::test]
async fn a_window_is_the_five_minutes_that_ended_one_minute_before_the_current_one() {
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    let placed = MetricId::new("Once", "OrdersPlaced", &["Function=order-create"]);
    put_window_metric(&cloud, &placed, 3.0);
    cloud.services().put_metric(placed, Minute::of(now()).plus(-6), 4.0);
    let lag = MetricId::new("Once", "ScheduleLagMs", &["Function=schedule-run"]);
    put_window_metric(&cloud, &lag, 250.0);
    put_window_metric(&cloud, &MetricId::new("AWS/ApiGateway", "5xx", &["ApiId=api"]), 2.0);
    put_window_metric(&cloud, &MetricId::new("AWS/Lambda", "ConcurrentExecutions", &[]), 12.0);
    let values = values(&scrape(&instance).await);
    assert_eq!(values["once_orders_placed_5m"], 7.0, "the first and the last minute of the window");
    assert_eq!(values["once_schedule_lag_seconds_5m{stat=\"p99\"}"], 0.25);
    assert_eq!(values["once_api_server_errors_5m"], 2.0);
    assert_eq!(values["once_account_lambda_concurrency_5m"], 12.0);
    assert_eq!(values["once_orders_cancelled_5m"], 0.0, "nothing was counted");
    assert!(
        !values.contains_key("once_api_latency_seconds_5m{stat=\"p99\"}"),
        "nothing was measured"
    );
}

#[tokio::test]
async fn metrics_of_a_function_describe_the_last_five_minutes_by_the_clock() {
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    // It is half a minute after noon. The last minute before noon may be incomplete, so the window
    // is from 11:50 to 11:55.
    let put = |metric: MetricId, values: [(i64, f64); 2]| {
        for (minutes, value) in values {
            cloud.services().put_metric(metric.clone(), Minute::of(now()).plus(minutes), value);
        }
    };
    let lambda = |metric, function| {
        MetricId::new("AWS/Lambda", metric, &[&format!("FunctionName={function}")])
    };
    let (order, previous) = ("once-OrderCreate-1a2B3c4D", "once-OrderCreate-0000");
    put(invocations(order), [(-10, 3.0), (-6, 4.0)]);
    put(invocations(order), [(-11, 7e7), (-5, 7e7)]);
    // The same function was deployed under another name earlier in the window.
    put(invocations(previous), [(-10, 1.0), (-9, 1.0)]);
    put(lambda("Duration", order), [(-8, 40.0), (-7, 250.0)]);
    put(lambda("ConcurrentExecutions", order), [(-8, 40.0), (-7, 12.0)]);
    put(MetricId::new("Once", "ColdStarts", &["Function=order-create"]), [(-8, 2.0), (-7, 1.0)]);
    put(invocations("once-SettlementBatch-5e6F"), [(-8, 9.0), (-7, 0.0)]);
    put(invocations("twice-OrderCreate-1a2B"), [(-8, 7e7), (-7, 7e7)]);
    let version = ["FunctionName=once-OrderGet-1a2B", "Resource=once-OrderGet-1a2B:live"];
    put(MetricId::new("AWS/Lambda", "Invocations", &version), [(-8, 7e7), (-7, 7e7)]);

    let text = scrape(&instance).await;
    let mut values = values(&text);
    values.retain(|series, _| series.starts_with("once_function_"));
    let order = "function=\"order-create\",route=\"POST /orders\"";
    for (series, value) in [
        (format!("once_function_invocations_5m{{{order}}}"), 9.0),
        (format!("once_function_errors_5m{{{order}}}"), 0.0),
        (format!("once_function_throttles_5m{{{order}}}"), 0.0),
        (format!("once_function_duration_seconds_5m{{{order},stat=\"p50\"}}"), 0.25),
        (format!("once_function_duration_seconds_5m{{{order},stat=\"p99\"}}"), 0.25),
        (format!("once_function_concurrency_5m{{{order}}}"), 40.0),
        (format!("once_function_cold_starts_5m{{{order}}}"), 3.0),
        ("once_function_invocations_5m{function=\"settlement-batch\"}".to_owned(), 9.0),
        ("once_function_errors_5m{function=\"settlement-batch\"}".to_owned(), 0.0),
        ("once_function_throttles_5m{function=\"settlement-batch\"}".to_owned(), 0.0),
        ("once_function_cold_starts_5m{function=\"settlement-batch\"}".to_owned(), 0.0),
    ] {
        assert_eq!(values.remove(&series), Some(value), "{series} in {text}");
    }
    assert!(values.is_empty(), "{values:?}");
}

#[tokio::test]
async fn more_queries_than_the_limit_of_a_call_are_sent_in_several_calls() {
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    for number in 0..80 {
        let letter = |n: u32| char::from_digit(10 + n, 36).expect("a letter");
        let name = format!("once-F{}{}-x", letter(number % 26), letter(number / 26));
        let minute = Minute::of(now()).plus(-7);
        cloud.services().put_metric(invocations(&name), minute, f64::from(number));
    }
    let values = values(&scrape(&instance).await);
    let invocations =
        values.iter().filter(|(series, _)| series.starts_with("once_function_invocations_5m"));
    let counts: Vec<f64> = invocations.map(|(_, value)| *value).collect();
    assert_eq!((counts.len(), counts.iter().sum::<f64>()), (80, 3_160.0));
    let calls = instance.transport.take_calls();
    assert_eq!(calls.iter().filter(|call| call.operation == "GetMetricData").count(), 3);
}

#[tokio::test]
async fn without_a_stack_there_are_no_metrics_of_functions() {
    let cloud = Cloud::start().await;
    let order = invocations("once-OrderCreate-1a2B");
    cloud.services().put_metric(order, Minute::of(now()).plus(-7), 1.0);
    let instance = cloud.instance().at(now());
    assert!(!scrape(&instance).await.contains("once_function_"));
    assert!(
        instance.transport.take_calls().iter().all(|call| call.operation != "ListMetrics"),
        "it costs nothing"
    );
}

#[tokio::test]
async fn without_an_api_there_are_no_metrics_of_the_api() {
    let (_cloud, instance) = deployment().await;
    let text = instance.app.gauges().scrape(None, now()).await;
    assert!(text.contains("once_orders_placed_5m") && !text.contains("once_api_"), "{text}");
}

#[tokio::test]
async fn an_empty_deployment_has_no_minute_and_no_product() {
    let cloud = Cloud::start().await;
    let values = values(&scrape(&cloud.instance().at(now())).await);
    for source in SOURCES {
        assert_eq!(values[&format!("once_source_up{{source=\"{source}\"}}")], 1.0, "{source}");
    }
    assert_eq!(
        (values["once_schedule_jobs_due"], values["once_schedule_oldest_due_seconds"]),
        (0.0, 0.0)
    );
    for absent in ["once_stock_units", "once_unique_ids_last_minute", "once_dead_letters"] {
        assert!(!values.keys().any(|series| series.starts_with(absent)), "{absent}");
    }
}

#[tokio::test]
async fn if_a_source_fails_its_own_metrics_are_absent_and_no_others() {
    let (cloud, instance) = deployment().await;
    let names = |text: &str| -> BTreeSet<String> {
        values(text)
            .keys()
            .map(|series| series.split('{').next().unwrap_or_default().to_owned())
            .collect()
    };
    let all = names(&scrape(&instance).await);
    for (operation, failed, absent) in [
        ("GetQueueAttributes", vec!["queues"], vec!["once_queue_messages", "once_dead_letters"]),
        ("GetMetricData", vec!["cloudwatch", "functions"], vec!["_5m"]),
        ("ListMetrics", vec!["functions"], vec!["once_function_"]),
        (
            "Query",
            vec!["orders", "uniques", "settlements", "schedules"],
            vec![
                "once_stock_units",
                "once_unique_ids_last",
                "once_settlement_jobs",
                "once_schedule_jobs",
                "once_schedule_oldest",
            ],
        ),
    ] {
        // A new instance each time: an instance caches the metrics of CloudWatch.
        let instance = new_instance(&cloud);
        instance.transport.fail_always(operation, Fault::Refuse);
        let text = scrape(&instance).await;
        let values = values(&text);
        for source in SOURCES {
            let up = values[&format!("once_source_up{{source=\"{source}\"}}")];
            let expected = if failed.contains(&source) { 0.0 } else { 1.0 };
            assert_eq!(up, expected, "{operation}: {source}");
        }
        let is_absent = |name: &String| {
            absent.iter().any(|part| name.starts_with(part) || name.ends_with(part))
        };
        let expected: BTreeSet<String> =
            all.iter().filter(|name| !is_absent(name)).cloned().collect();
        assert_eq!(names(&text), expected, "{operation}");
        assert!(expected.len() < all.len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_does_not_respond_fails_at_its_deadline() {
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    instance.transport.fail_always("GetMetricData", Fault::Delay(Duration::from_hours(1)));
    let started = tokio::time::Instant::now();
    let values = values(&scrape(&instance).await);
    assert!(started.elapsed() <= Duration::from_secs(6), "{:?}", started.elapsed());
    assert_eq!(values["once_source_up{source=\"cloudwatch\"}"], 0.0);
    assert_eq!(values["once_source_up{source=\"functions\"}"], 1.0, "no function has run");
}
