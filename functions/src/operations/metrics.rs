//! `GET /metrics`

use lambda_http::http::{StatusCode, header};
use once::{
    App,
    http::{self, ApiError, Reply, Request},
};

/// The media type of Prometheus's text format.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Returns the metrics of the deployment in Prometheus's text format.
pub async fn handle(app: App, request: Request) -> Result<Reply, ApiError> {
    let api = http::api_id(&request);
    let text = app.gauges().scrape(api.as_deref(), app.now()).await;
    let reply = Reply::new(StatusCode::OK, EXPOSITION, text);
    Ok(reply.header(header::CACHE_CONTROL, "no-store"))
}

#[cfg(test)]
mod tests {
    use once::testing::{Call, Cloud, Fault, Instance};

    use super::*;

    async fn get(instance: &Instance) -> String {
        let response = Call::new("GET", "/metrics").response(instance, handle).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let http::Body::Text(text) = response.into_body() else { panic!("text is not encoded") };
        text
    }

    #[tokio::test]
    async fn the_response_is_prometheus_text() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        let product = instance.create_product(7).await;
        let text = get(&instance).await;
        assert!(text.ends_with('\n'), "{text}");
        assert!(
            text.contains(&format!("\nonce_stock_units{{product=\"{product}\"}} 7\n")),
            "{text}"
        );
        assert!(text.contains("\nonce_source_up{source=\"cloudwatch\"} 1\n"), "{text}");
    }

    #[tokio::test]
    async fn a_failed_source_is_reported_and_the_response_is_still_200() {
        let cloud = Cloud::start().await;
        let instance = cloud.instance();
        instance.create_product(7).await;
        instance.transport.fail_always("GetMetricData", Fault::Throttle);
        let text = get(&instance).await;
        assert!(text.contains("\nonce_source_up{source=\"cloudwatch\"} 0\n"), "{text}");
        assert!(text.contains("\nonce_source_up{source=\"orders\"} 1\n"), "{text}");
        assert!(text.contains("\nonce_stock_units{") && !text.contains("_5m"), "{text}");
    }

    #[tokio::test]
    async fn the_sample_event_is_answered() {
        let cloud = Cloud::start().await;
        let response = Call::sample("metrics-get").response(&cloud.instance(), handle).await;
        assert_eq!(response.status(), 200);
    }
}
