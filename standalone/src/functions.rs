//! The functions of the template, by what invokes them.

use std::{sync::Arc, thread};

use embedded::{
    Services,
    template::{self, Event, Stack},
};
use functions::table::{Function, function};
use once::{
    App,
    routes::{ENDPOINTS, FALLBACK, WORKERS},
};

use crate::{api::ApiFunctions, rules::Rule, worker::Worker};

/// The memory, in MB, that gives a function a full processor on Lambda.
const FULL_PROCESSOR_MB: u32 = 1_769;

/// The expression of rules that run each minute.
const EACH_MINUTE: &str = "cron(* * * * ? *)";

/// All functions, each with its time-out and its event source.
pub(crate) struct Functions {
    pub(crate) api: ApiFunctions,
    pub(crate) workers: Vec<Worker>,
    pub(crate) rules: Vec<Rule>,
}

/// A function that this process cannot run as the template says.
#[derive(Debug, thiserror::Error)]
#[error("template.yaml: {program}: {reason}")]
pub(crate) struct UnsupportedFunction {
    program: String,
    reason: String,
}

impl Functions {
    /// Finds the handlers of the template's functions.
    pub(crate) fn new(
        stack: &Stack,
        app: &App,
        services: &Services,
    ) -> Result<Self, UnsupportedFunction> {
        let mut functions =
            Self { api: ApiFunctions::new(app.clone()), workers: Vec::new(), rules: Vec::new() };
        let declared = |name| stack.functions.iter().find(|declared| declared.program == name);
        let endpoints = ENDPOINTS.iter().chain([&FALLBACK]).map(|row| row.function);
        for name in endpoints.chain(WORKERS.iter().map(|(name, _)| *name)) {
            let unsupported = |reason: String| UnsupportedFunction { program: name.into(), reason };
            let declared = declared(name).ok_or_else(|| unsupported("is missing".to_owned()))?;
            functions.add(name, declared, app, services).map_err(unsupported)?;
        }
        Ok(functions)
    }

    fn add(
        &mut self,
        name: &'static str,
        declared: &template::Function,
        app: &App,
        services: &Services,
    ) -> Result<(), String> {
        let timeout = declared.timeout;
        match function(name).ok_or("has no handler")? {
            Function::Api(handler) => {
                self.api.add(name, handler, timeout).map_err(|error| error.to_string())?;
            }
            Function::Rule(tick) => {
                let expression = declared.events.iter().find_map(|event| match event {
                    Event::Schedule { expression } => Some(expression.as_str()),
                    _ => None,
                });
                if expression != Some(EACH_MINUTE) {
                    return Err(format!("its rule must be {EACH_MINUTE}, not {expression:?}"));
                }
                self.rules.push(Rule { function: name, tick, timeout });
            }
            Function::Queue(handler) => {
                let queue = declared.events.iter().find_map(|event| match event {
                    Event::Queue { queue, batch_size, max_concurrency, .. } => {
                        Some((queue.clone(), *batch_size, *max_concurrency))
                    }
                    _ => None,
                });
                let (queue, batch_size, max_concurrency) = queue.ok_or("has no queue")?;
                self.workers.push(Worker {
                    app: app.clone(),
                    queues: Arc::clone(&services.queues),
                    function: name,
                    handler,
                    queue,
                    batch_size,
                    concurrency: concurrency(max_concurrency, declared.memory_mb),
                    timeout,
                });
            }
        }
        Ok(())
    }
}

/// Returns the number of invocations of a worker at a time: that of Lambda. Of a worker that has a
/// full processor there, at most the number of processors here.
fn concurrency(max_concurrency: Option<u32>, memory_mb: u32) -> usize {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let most = max_concurrency.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    if memory_mb >= FULL_PROCESSOR_MB { most.min(processors) } else { most.min(1_000) }
}
