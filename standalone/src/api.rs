//! The functions behind the front.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use lambda_http::{Body, Request, Response};
use once::{
    App,
    http::{self, Handler},
    invocation::Invocation,
    routes::{self, Endpoint},
};
use tokio::time::timeout;

use crate::front::{Functions, InvokeError};

/// The functions of the API, by name.
pub(crate) struct ApiFunctions {
    app: App,
    functions: HashMap<&'static str, ApiFunction>,
}

/// A function of the API.
struct ApiFunction {
    endpoint: &'static Endpoint,
    handler: Handler,
    timeout: Duration,
}

impl ApiFunctions {
    pub(crate) fn new(app: App) -> Self {
        Self { app, functions: HashMap::new() }
    }

    /// Adds a function.
    ///
    /// # Errors
    /// [`once::routes`] has no endpoint with this name.
    pub(crate) fn add(
        &mut self,
        name: &'static str,
        handler: Handler,
        timeout: Duration,
    ) -> Result<(), routes::UnknownFunction> {
        let endpoint = routes::endpoint_of(name)?;
        self.functions.insert(name, ApiFunction { endpoint, handler, timeout });
        Ok(())
    }
}

impl Functions for ApiFunctions {
    fn invoke(
        &self,
        function: &'static str,
        request: Request,
    ) -> BoxFuture<'static, Result<Response<Body>, InvokeError>> {
        let Some(ApiFunction { endpoint, handler, timeout: limit }) = self.functions.get(function)
        else {
            return Box::pin(async move {
                Err(InvokeError::Failed(routes::UnknownFunction(function).into()))
            });
        };
        let (endpoint, app, limit) = (*endpoint, self.app.clone(), *limit);
        let handler = Arc::clone(handler);
        Box::pin(async move {
            let invocation = Invocation::starting(limit);
            let response = http::handle(endpoint, &app, invocation, request, &*handler);
            timeout(limit, response).await.map_err(|_| InvokeError::TimedOut(limit))
        })
    }
}
