//! Each number is what it says, wherever it comes from.

#![expect(clippy::float_cmp, reason = "numbers that a float holds exactly")]

use std::{collections::BTreeSet, time::Duration};

use once::{
    testing::{Cloud, Fault, Meter},
    time::Minute,
};

use crate::scraped::{invocations, lively, measure, new_instance, now, scrape, values};

/// The sources.
const SOURCES: [&str; 7] =
    ["orders", "uniques", "settlements", "schedules", "queues", "cloudwatch", "functions"];

#[tokio::test]
async fn the_tables_tell_stock_counts_jobs_and_what_is_due() {
    let (_cloud, instance) = lively().await;
    let told = values(&scrape(&instance).await);
    for (series, value) in [
        ("once_stock_units{product=\"1\"}", 97.0),
        ("once_unique_ids_last_minute", 0.0),
        // The minute before noon ended 30 s ago.
        ("once_unique_ids_last_minute_age_seconds", 30.0),
        ("once_settlement_jobs{state=\"QUEUED\"}", 1.0),
        ("once_settlement_jobs{state=\"FAILED\"}", 0.0),
        ("once_settlement_jobs_live{state=\"QUEUED\"}", 1.0),
        ("once_settlement_jobs_live{state=\"RUNNING\"}", 0.0),
        ("once_schedule_jobs_due", 3.0),
        ("once_schedule_jobs_overdue", 2.0),
        ("once_schedule_oldest_due_seconds", 90.0),
    ] {
        assert_eq!(told.get(series), Some(&value), "{series} in {told:#?}");
    }
    assert_eq!(told[&format!("once_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"))], 1.0);
    assert!(
        !told.contains_key("once_settlement_jobs_live{state=\"COMPLETED\"}"),
        "that is no live state"
    );
}

#[tokio::test]
async fn the_queues_tell_how_deep_they_are() {
    let (_cloud, instance) = lively().await;
    let told = values(&scrape(&instance).await);
    let company =
        |state| told[&format!("once_queue_messages{{queue=\"company\",state=\"{state}\"}}")];
    assert_eq!((company("visible"), company("in_flight"), company("delayed")), (5.0, 4.0, 1.0));
    // The job that was asked for waits for its plan.
    assert_eq!(told["once_queue_messages{queue=\"settlement-plan\",state=\"visible\"}"], 1.0);
    assert_eq!(told["once_dead_letters{queue=\"callback\"}"], 2.0);
    assert_eq!(told["once_dead_letters{queue=\"schedule\"}"], 0.0);
}

#[tokio::test]
async fn cloudwatch_tells_the_five_minutes_that_ended_a_minute_ago() {
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    let placed = Meter::new("Once", "OrdersPlaced", &["Function=order-create"]);
    measure(&cloud, &placed, 3.0);
    cloud.services().measure(placed, Minute::of(now()).plus(-6), 4.0);
    measure(&cloud, &Meter::new("Once", "ScheduleLagMs", &["Function=schedule-run"]), 250.0);
    measure(&cloud, &Meter::new("AWS/ApiGateway", "5xx", &["ApiId=api"]), 2.0);
    measure(&cloud, &Meter::new("AWS/Lambda", "ConcurrentExecutions", &[]), 12.0);
    let told = values(&scrape(&instance).await);
    assert_eq!(told["once_orders_placed_5m"], 7.0, "the first and the last minute of the window");
    assert_eq!(told["once_schedule_lag_seconds_5m{stat=\"p99\"}"], 0.25);
    assert_eq!(told["once_api_server_errors_5m"], 2.0);
    assert_eq!(told["once_account_lambda_concurrency_5m"], 12.0);
    assert_eq!(told["once_orders_cancelled_5m"], 0.0, "nothing was counted");
    assert!(
        !told.contains_key("once_api_latency_seconds_5m{stat=\"p99\"}"),
        "nothing was measured"
    );
}

#[tokio::test]
async fn lambda_tells_of_each_function_in_the_last_five_minutes_by_the_clock() {
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    // It is half a minute after noon. The minute before it is not settled, so the window is from 11:50 to 11:55.
    let measure = |meter: Meter, values: [(i64, f64); 2]| {
        for (minutes, value) in values {
            cloud.services().measure(meter.clone(), Minute::of(now()).plus(minutes), value);
        }
    };
    let lambda =
        |metric, function| Meter::new("AWS/Lambda", metric, &[&format!("FunctionName={function}")]);
    let (order, before) = ("once-OrderCreate-1a2B3c4D", "once-OrderCreate-0000");
    measure(invocations(order), [(-10, 3.0), (-6, 4.0)]);
    measure(invocations(order), [(-11, 7e7), (-5, 7e7)]);
    // It was deployed under another name before, in the same window.
    measure(invocations(before), [(-10, 1.0), (-9, 1.0)]);
    measure(lambda("Duration", order), [(-8, 40.0), (-7, 250.0)]);
    measure(lambda("ConcurrentExecutions", order), [(-8, 40.0), (-7, 12.0)]);
    measure(Meter::new("Once", "ColdStarts", &["Function=order-create"]), [(-8, 2.0), (-7, 1.0)]);
    measure(invocations("once-SettlementBatch-5e6F"), [(-8, 9.0), (-7, 0.0)]);
    measure(invocations("twice-OrderCreate-1a2B"), [(-8, 7e7), (-7, 7e7)]);
    let version = ["FunctionName=once-OrderGet-1a2B", "Resource=once-OrderGet-1a2B:live"];
    measure(Meter::new("AWS/Lambda", "Invocations", &version), [(-8, 7e7), (-7, 7e7)]);

    let text = scrape(&instance).await;
    let mut told = values(&text);
    told.retain(|series, _| series.starts_with("once_function_"));
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
        assert_eq!(told.remove(&series), Some(value), "{series} in {text}");
    }
    assert!(told.is_empty(), "{told:?}");
}

#[tokio::test]
async fn more_numbers_than_a_call_may_ask_for_are_asked_for_in_two() {
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    for number in 0..80 {
        let letter = |n: u32| char::from_digit(10 + n, 36).expect("a letter");
        let name = format!("once-F{}{}-x", letter(number % 26), letter(number / 26));
        cloud.services().measure(invocations(&name), Minute::of(now()).plus(-7), f64::from(number));
    }
    let told = values(&scrape(&instance).await);
    let counted =
        told.iter().filter(|(series, _)| series.starts_with("once_function_invocations_5m"));
    let counts: Vec<f64> = counted.map(|(_, value)| *value).collect();
    assert_eq!((counts.len(), counts.iter().sum::<f64>()), (80, 3_160.0));
    assert_eq!(
        instance
            .transport
            .take_sent()
            .iter()
            .filter(|sent| sent.operation == "GetMetricData")
            .count(),
        3
    );
}

#[tokio::test]
async fn without_a_stack_nothing_is_told_of_its_functions() {
    let cloud = Cloud::start().await;
    cloud.services().measure(invocations("once-OrderCreate-1a2B"), Minute::of(now()).plus(-7), 1.0);
    let instance = cloud.instance().at(now());
    assert!(!scrape(&instance).await.contains("once_function_"));
    assert!(
        instance.transport.take_sent().iter().all(|sent| sent.operation != "ListMetrics"),
        "it costs nothing"
    );
}

#[tokio::test]
async fn without_an_api_nothing_is_told_of_one() {
    let (_cloud, instance) = lively().await;
    let text = instance.app.gauges().scrape(None, now()).await;
    assert!(text.contains("once_orders_placed_5m") && !text.contains("once_api_"), "{text}");
}

#[tokio::test]
async fn an_empty_deployment_has_no_minute_and_no_product() {
    let cloud = Cloud::start().await;
    let told = values(&scrape(&cloud.instance().at(now())).await);
    for source in SOURCES {
        assert_eq!(told[&format!("once_source_up{{source=\"{source}\"}}")], 1.0, "{source}");
    }
    assert_eq!(
        (told["once_schedule_jobs_due"], told["once_schedule_oldest_due_seconds"]),
        (0.0, 0.0)
    );
    for absent in ["once_stock_units", "once_unique_ids_last_minute", "once_dead_letters"] {
        assert!(!told.keys().any(|series| series.starts_with(absent)), "{absent}");
    }
}

#[tokio::test]
async fn a_source_that_fails_takes_its_own_numbers_with_it_and_no_others() {
    let (cloud, instance) = lively().await;
    let names = |text: &str| -> BTreeSet<String> {
        values(text)
            .keys()
            .map(|series| series.split('{').next().unwrap_or_default().to_owned())
            .collect()
    };
    let all = names(&scrape(&instance).await);
    for (operation, down, gone) in [
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
        // What CloudWatch has told once, the instance remembers for the minute.
        let instance = new_instance(&cloud);
        instance.transport.fail_always(operation, Fault::Refuse);
        let text = scrape(&instance).await;
        let told = values(&text);
        for source in SOURCES {
            let up = told[&format!("once_source_up{{source=\"{source}\"}}")];
            assert_eq!(up, if down.contains(&source) { 0.0 } else { 1.0 }, "{operation}: {source}");
        }
        let is_gone =
            |name: &String| gone.iter().any(|part| name.starts_with(part) || name.ends_with(part));
        let expected: BTreeSet<String> =
            all.iter().filter(|name| !is_gone(name)).cloned().collect();
        assert_eq!(names(&text), expected, "{operation}");
        assert!(expected.len() < all.len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_does_not_answer_is_not_waited_for() {
    let cloud = Cloud::start().await;
    let instance = new_instance(&cloud);
    instance.transport.fail_always("GetMetricData", Fault::Delay(Duration::from_hours(1)));
    let began = tokio::time::Instant::now();
    let told = values(&scrape(&instance).await);
    assert!(began.elapsed() <= Duration::from_secs(6), "{:?}", began.elapsed());
    assert_eq!(told["once_source_up{source=\"cloudwatch\"}"], 0.0);
    assert_eq!(told["once_source_up{source=\"functions\"}"], 1.0, "nothing has run");
}
