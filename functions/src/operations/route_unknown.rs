//! `$default`: requests that no other route matches

use once::{
    App,
    http::{ApiError, Reply, Request},
    routes,
};

/// Returns 405 if the path has other methods, otherwise 404.
pub async fn handle(_: App, request: Request) -> Result<Reply, ApiError> {
    let (method, path) = (request.method().as_str(), request.uri().path());
    Err(match routes::allowed_methods(path) {
        Some(allowed) if !allowed.split(", ").any(|one| one == method) => {
            ApiError::method_not_allowed(method, &allowed)
        }
        // Includes a known path in another spelling, like /downloads/../jobs, which the gateway
        // does not match.
        _ => ApiError::route_not_found(path),
    })
}

#[cfg(test)]
mod tests {
    use once::testing::{Call, Cloud, sample};

    use super::*;

    #[tokio::test]
    async fn a_wrong_method_is_405_with_the_allowed_methods() {
        let cloud = Cloud::start().await;
        for (method, path, allowed) in [
            ("DELETE", "/orders", "POST, GET"),
            ("PUT", "/orders/7", "GET"),
            ("GET", "/orders/7/cancel", "POST"),
            ("PATCH", "/products/1", "GET"),
        ] {
            let answer = Call::new(method, path).to(&cloud.instance(), handle).await;
            assert_eq!(
                (answer.status, answer.code(), &answer.headers["allow"]),
                (405, "METHOD_NOT_ALLOWED", &allowed.parse().expect("ascii"))
            );
        }
    }

    #[tokio::test]
    async fn an_unknown_path_is_not_found() {
        let cloud = Cloud::start().await;
        for path in [
            "/",
            "/nowhere",
            "/orders/",
            "/orders/7/refund",
            "/products/1/restock/2",
            "/downloads/../jobs",
            "/orders",
        ] {
            let answer = Call::new("GET", path).to(&cloud.instance(), handle).await;
            assert_eq!((answer.status, answer.code()), (404, "ROUTE_NOT_FOUND"), "{path}");
        }
    }

    #[tokio::test]
    async fn the_sample_event_requests_an_unknown_path() {
        let cloud = Cloud::start().await;
        let refused = handle(cloud.instance().app, sample("route-unknown"))
            .await
            .expect_err("an unknown path");
        assert_eq!(refused, ApiError::route_not_found("/nowhere"));
    }
}
