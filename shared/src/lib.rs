//! Once.

/// Serves.
pub async fn serve() -> Result<(), lambda_http::Error> {
    lambda_http::run(lambda_http::service_fn(|_r: lambda_http::Request| async {
        Ok::<_, lambda_http::Error>(lambda_http::Response::new(lambda_http::Body::from("{\"skeleton\":true}")))
    }))
    .await
}
