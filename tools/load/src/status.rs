//! `once status`: the health of a stack, its queues and its last minute, on one screen.

use std::error::Error;

use reqwest::Client;
use serde_json::Value;

use crate::Target;

/// The gauges that are shown, by the beginning of their names.
const SHOWN: [&str; 6] = [
    "once_dead_letters",
    "once_queue_messages",
    "once_schedule_",
    "once_settlement_jobs",
    "once_source_up",
    "once_unique_ids_last_minute",
];

/// Prints the health and the gauges of a stack, as one JSON object if `json` is set.
pub async fn status(target: &Target, json: bool) -> Result<(), Box<dyn Error>> {
    // As for a scenario: ring is the one provider of cryptography.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = Client::new();
    let get = async |path: &str| {
        let mut request = client.get(format!("{}{path}", target.url.trim_end_matches('/')));
        if let Some(token) = &target.token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await?;
        let status = response.status();
        let text = response.text().await?;
        if status.is_success() || path == "/health" {
            Ok::<_, Box<dyn Error>>(text)
        } else {
            Err(format!("{path}: {status} {text}").into())
        }
    };
    let health: Value = serde_json::from_str(&get("/health").await?)?;
    let metrics = get("/metrics").await?;
    let is_shown = |line: &&str| SHOWN.iter().any(|name| line.starts_with(name));
    // The counters of the last five minutes are for plots.
    let gauges = metrics.lines().filter(is_shown).filter(|line| !line.contains("_5m"));
    if json {
        let gauges: serde_json::Map<String, Value> = gauges
            .filter_map(|line| line.rsplit_once(' '))
            .map(|(name, value)| (name.to_owned(), value.parse::<f64>().ok().into()))
            .collect();
        println!("{}", serde_json::json!({ "health": health, "gauges": gauges }));
        return Ok(());
    }
    let text = |member: &Value| member.as_str().unwrap_or("?").to_owned();
    let mut lines = vec![format!(
        "{}: {}, up {}",
        target.url,
        text(&health["status"]),
        text(&health["uptime"])
    )];
    for (check, result) in health["checks"].as_object().into_iter().flatten() {
        lines.push(format!("  {check}: {}", text(result)));
    }
    // What is zero is as it should be, except for a source that could not be read.
    for line in gauges.filter(|line| line.starts_with("once_source_up") == line.ends_with(" 0")) {
        lines.push(format!("  {line}"));
    }
    println!("{}", lines.join("\n"));
    Ok(())
}
