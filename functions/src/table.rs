//! The table of functions: the handler of each, for a process that serves all of them.
//!
//! A program in `src/bin/` does not use it: it would contain every other function.

use once::{
    http::{self, Handler},
    worker::{self, MessageHandler, Tick},
};

use crate::{company, operations, orders, products, schedule, settlement, uniques};

/// The handler of a function, by what invokes it.
pub enum Function {
    /// Requests of the API.
    Api(Handler),
    /// A rule of EventBridge.
    Rule(Tick),
    /// Messages of a queue.
    Queue(MessageHandler),
}

macro_rules! table {
    ($($kind:ident { $($name:literal => $handler:path,)* })*) => {
        /// Returns the function with the name of a row of [`once::routes`].
        #[must_use]
        pub fn function(name: &str) -> Option<Function> {
            match name {
                $($($name => Some(table!(@$kind $handler)),)*)*
                _ => None,
            }
        }
    };
    (@api $handler:path) => { Function::Api(http::erase($handler)) };
    (@rule $handler:path) => { Function::Rule(worker::erase_tick($handler)) };
    (@queue $handler:path) => { Function::Queue(worker::erase_message_handler($handler)) };
}

table! {
    api {
        "accept" => uniques::accept::handle,
        "callback-test" => uniques::callback_test::handle,
        "company-figures" => company::figures::handle,
        "company-get" => company::get::handle,
        "company-put" => company::put::handle,
        "count-list" => uniques::count_list::handle,
        "health" => operations::health::handle,
        "metrics-get" => operations::metrics::handle,
        "openapi-get" => operations::openapi::handle,
        "order-cancel" => orders::cancel::handle,
        "order-create" => orders::create::handle,
        "order-get" => orders::get::handle,
        "order-list" => orders::list::handle,
        "product-create" => products::create::handle,
        "product-get" => products::get::handle,
        "product-list" => products::list::handle,
        "product-restock" => products::restock::handle,
        "route-unknown" => operations::route_unknown::handle,
        "schedule-delete" => schedule::schedule_delete::handle,
        "schedule-get" => schedule::schedule_get::handle,
        "schedule-preview" => schedule::preview::handle,
        "schedule-put" => schedule::schedule_put::handle,
        "scheduled-job-create" => schedule::job_create::handle,
        "scheduled-job-delete" => schedule::job_delete::handle,
        "scheduled-job-get" => schedule::job_get::handle,
        "scheduled-job-list" => schedule::job_list::handle,
        "scheduled-job-pause" => schedule::job_pause::handle,
        "scheduled-job-put" => schedule::job_put::handle,
        "scheduled-job-resume" => schedule::job_resume::handle,
        "scheduled-job-run" => schedule::job_run::handle,
        "scheduled-job-run-list" => schedule::job_run_list::handle,
        "settlement-cancel" => settlement::cancel::handle,
        "settlement-create" => settlement::create::handle,
        "settlement-download" => settlement::download::handle,
        "settlement-get" => settlement::get::handle,
        "settlement-list" => settlement::list::handle,
        "settlement-retry" => settlement::retry::handle,
    }
    queue {
        "callback-send" => uniques::callback_send::handle,
        "company-compute" => company::compute::handle,
        "schedule-run" => schedule::run::handle,
        "settlement-batch" => settlement::batch::handle,
        "settlement-dead-letter" => settlement::dead_letter::handle,
        "settlement-finish" => settlement::finish::handle,
        "settlement-plan" => settlement::plan::handle,
    }
    rule {
        "minute-close" => uniques::minute_close::handle,
        "schedule-tick" => schedule::tick::handle,
        "settlement-recover" => settlement::recover::handle,
    }
}

#[cfg(test)]
mod tests {
    use once::routes::{ENDPOINTS, FALLBACK, Trigger, WORKERS};

    use super::*;

    #[test]
    fn each_row_of_the_routes_has_its_handler_here() {
        for row in ENDPOINTS.iter().chain([&FALLBACK]) {
            assert!(matches!(function(row.function), Some(Function::Api(_))), "{}", row.function);
        }
        for (name, trigger) in WORKERS {
            let fits = match function(name) {
                Some(Function::Queue(_)) => *trigger == Trigger::Queue,
                Some(Function::Rule(_)) => *trigger == Trigger::Rule,
                _ => false,
            };
            assert!(fits, "{name}");
        }
        assert!(function("order-craete").is_none());
    }
}
