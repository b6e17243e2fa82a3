//! Whether a call that failed may have been executed.
//!
//! The SDK returns the failure of a call's last attempt. If that is a refusal, such as a throttle,
//! the call may have been executed nevertheless: by an earlier attempt without an answer. An
//! interceptor notes such attempts, and marks the response of the last one.

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{
            Intercept,
            context::{FinalizerInterceptorContextMut, FinalizerInterceptorContextRef},
            dyn_dispatch_hint,
        },
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};

/// The header that marks a response. No service sends it.
const MARK: &str = "once-doubt";

/// An interceptor of one call's attempts.
#[derive(Debug)]
pub(super) struct Attempts;

/// An attempt may have been executed.
#[derive(Debug)]
struct Doubt;

impl Storable for Doubt {
    type Storer = StoreReplace<Self>;
}

#[dyn_dispatch_hint]
impl Intercept for Attempts {
    fn name(&self) -> &'static str {
        "Attempts"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(Err(error)) = context.output_or_error() else { return Ok(()) };
        let is_refused = context.response().is_some_and(|answer| answer.status().is_client_error());
        let was_sent = error.as_connector_error().is_none_or(|error| !error.is_user());
        if was_sent && !is_refused {
            config.interceptor_state().store_put(Doubt);
        }
        Ok(())
    }

    fn modify_before_completion(
        &self,
        context: &mut FinalizerInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if config.load::<Doubt>().is_some()
            && let Some(response) = context.response_mut()
        {
            response.headers_mut().insert(MARK, "1");
        }
        Ok(())
    }
}

/// Returns whether no attempt of a call was executed, by the response of the last one.
pub(super) fn is_refused(response: &HttpResponse) -> bool {
    response.status().is_client_error() && response.headers().get(MARK).is_none()
}
