//! The composition root: everything that a process holds, made once.

use std::sync::{Arc, OnceLock};

use crate::{
    access,
    aws::Aws,
    company::Companies,
    config::Config,
    operations::{Gauges, Health, MetricSources},
    orders::{OrderTokens, Orders},
    schedule::{ActionContext, Schedules},
    secret::SecretSource,
    settlement::Settlement,
    time::Timestamp,
    uniques::{Callbacks, MinuteCloser, Uniques},
    webhook::{Guard, Secrets, Webhooks},
};

/// All features and clients of a process. Cloning it clones a pointer.
#[derive(Debug, Clone)]
pub struct App {
    inner: Arc<Inner>,
    /// A fixed time, in tests.
    #[cfg(feature = "testing")]
    frozen_at: Option<Timestamp>,
}

/// The state behind the pointer. What only some functions use is made on first use, so that the
/// binaries of the others do not contain its services.
#[derive(Debug)]
struct Inner {
    orders: Orders,
    order_tokens: OnceLock<OrderTokens>,
    uniques: Uniques,
    minute_closer: OnceLock<MinuteCloser>,
    companies: OnceLock<Companies>,
    settlement: OnceLock<Settlement>,
    schedules: OnceLock<Schedules>,
    callbacks: OnceLock<Callbacks>,
    webhooks: OnceLock<Webhooks>,
    secrets: OnceLock<SecretSource<Secrets>>,
    health: OnceLock<Health>,
    sources: OnceLock<MetricSources>,
    started_at: Timestamp,
    config: Config,
    aws: Aws,
}

impl App {
    /// Makes the app with a configuration and the clients of AWS.
    #[must_use]
    pub fn new(config: Config, aws: Aws) -> Self {
        let inner = Inner {
            orders: Orders::new(aws.dynamo(), config.orders.clone()),
            order_tokens: OnceLock::new(),
            uniques: Uniques::new(aws.dynamo(), &config.uniques),
            minute_closer: OnceLock::new(),
            companies: OnceLock::new(),
            settlement: OnceLock::new(),
            schedules: OnceLock::new(),
            callbacks: OnceLock::new(),
            webhooks: OnceLock::new(),
            secrets: OnceLock::new(),
            health: OnceLock::new(),
            sources: OnceLock::new(),
            started_at: Timestamp::now(),
            config,
            aws,
        };
        Self {
            inner: Arc::new(inner),
            #[cfg(feature = "testing")]
            frozen_at: None,
        }
    }

    /// Returns products and orders.
    #[must_use]
    pub fn orders(&self) -> &Orders {
        &self.inner.orders
    }

    /// Returns the own tokens of orders.
    #[must_use]
    pub fn order_tokens(&self) -> &OrderTokens {
        let Inner { order_tokens, config, aws, .. } = &*self.inner;
        order_tokens.get_or_init(|| OrderTokens::new(aws, &config.access.order_secret_id))
    }

    /// Returns ids and their counts.
    #[must_use]
    pub fn uniques(&self) -> &Uniques {
        &self.inner.uniques
    }

    /// Returns the closer of minutes.
    #[must_use]
    pub fn minute_closer(&self) -> &MinuteCloser {
        let Inner { minute_closer, config, aws, .. } = &*self.inner;
        minute_closer.get_or_init(|| MinuteCloser::new(aws, &config.uniques))
    }

    /// Returns companies and their figures.
    #[must_use]
    pub fn companies(&self) -> &Companies {
        let Inner { companies, config, aws, .. } = &*self.inner;
        companies.get_or_init(|| Companies::new(aws, &config.companies))
    }

    /// Returns settlements.
    #[must_use]
    pub fn settlement(&self) -> &Settlement {
        let Inner { settlement, config, aws, .. } = &*self.inner;
        settlement.get_or_init(|| Settlement::new(aws, &config.settlement))
    }

    /// Returns the sender of callbacks.
    #[must_use]
    pub fn callbacks(&self) -> &Callbacks {
        let Inner { callbacks, config, aws, .. } = &*self.inner;
        callbacks.get_or_init(|| Callbacks::new(aws, &config.uniques, config.webhooks.sender(aws)))
    }

    /// Returns scheduled jobs.
    #[must_use]
    pub fn schedules(&self) -> &Schedules {
        let Inner { schedules, config, aws, .. } = &*self.inner;
        schedules.get_or_init(|| Schedules::new(aws, &config.schedules))
    }

    /// Returns what the actions of scheduled jobs use.
    #[must_use]
    pub fn action_context(&self) -> ActionContext<'_> {
        let Inner { webhooks, config, aws, .. } = &*self.inner;
        let webhooks = webhooks.get_or_init(|| config.webhooks.sender(aws));
        ActionContext { webhooks, settlement: self.settlement(), companies: self.companies() }
    }

    /// Returns the settings of access control.
    #[must_use]
    pub fn access(&self) -> &access::Settings {
        &self.inner.config.access
    }

    /// Returns the guard of webhook addresses.
    #[must_use]
    pub fn guard(&self) -> Guard {
        self.inner.config.webhooks.guard
    }

    /// Returns the webhook secrets, for verification by a receiver.
    #[must_use]
    pub fn webhook_secrets(&self) -> &SecretSource<Secrets> {
        let Inner { secrets, config, aws, .. } = &*self.inner;
        secrets.get_or_init(|| config.webhooks.secrets(aws))
    }

    /// Returns the health checks.
    #[must_use]
    pub fn health(&self) -> &Health {
        let Inner { health, started_at, config, aws, .. } = &*self.inner;
        health.get_or_init(|| {
            Health::new(aws, &config.operations, config.webhooks.secrets(aws), *started_at)
        })
    }

    /// Returns the gauges of `/metrics`.
    #[must_use]
    pub fn gauges(&self) -> Gauges<'_> {
        let Inner { sources, config, aws, .. } = &*self.inner;
        let sources = sources.get_or_init(|| MetricSources::new(aws, &config.operations));
        let (settlement, schedules) = (self.settlement(), self.schedules());
        Gauges { orders: self.orders(), uniques: self.uniques(), settlement, schedules, sources }
    }

    /// Returns the time of a request. A handler reads it once and passes it on.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        #[cfg(feature = "testing")]
        if let Some(now) = self.frozen_at {
            return now;
        }
        Timestamp::now()
    }

    /// Returns the same process at a fixed time.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Self {
        Self { frozen_at: Some(now), ..self.clone() }
    }
}
