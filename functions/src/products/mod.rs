//! Handlers of products.

pub mod create;
pub mod get;
pub mod list;
pub mod restock;

/// Checks that the tests of several handlers share.
#[cfg(test)]
mod checks {
    use once::{
        App,
        http::{ApiError, Reply, Request},
        testing::{Call, Cloud},
    };

    use crate::orders::checks::assert_invalid_ids;

    /// Asserts that a handler rejects invalid ids of products, and reports a missing product as not
    /// found.
    pub async fn assert_product_ids<H, F>(call: impl Fn(&str) -> Call, handler: H)
    where
        H: Fn(App, Request) -> F + Copy,
        F: Future<Output = Result<Reply, ApiError>>,
    {
        let cloud = Cloud::start().await;
        let answer = call("9").to(&cloud.instance(), handler).await;
        assert_eq!((answer.status, answer.code()), (404, "PRODUCT_NOT_FOUND"));
        let invalid = ["x", "0", "-1", "+1", "1.0", "99999999999"];
        assert_invalid_ids(&invalid, call, handler).await;
    }
}
