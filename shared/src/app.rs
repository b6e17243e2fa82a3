//! The composition root.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use uuid::Uuid;

use crate::{
    access,
    aws::Aws,
    company::Companies,
    config::Config,
    operations::{Gauges, Health, MetricSources},
    orders::Orders,
    schedule::{ActionContext, Schedules},
    settlement::Settlement,
    time::Timestamp,
    uniques::{Callbacks, MinuteCloser, Uniques},
    webhook::{Guard, SecretSource, Webhooks},
};

/// Everything that a process holds. Cloning it clones a pointer.
#[derive(Debug, Clone)]
pub struct App {
    inner: Arc<Inner>,
    /// A test's own time.
    #[cfg(feature = "testing")]
    stopped_at: Option<Timestamp>,
}

/// What only few functions use is made when it is asked for, so that the others do not carry its services.
#[derive(Debug)]
struct Inner {
    orders: Orders,
    uniques: Uniques,
    minute_closer: OnceLock<MinuteCloser>,
    companies: OnceLock<Companies>,
    settlement: OnceLock<Settlement>,
    schedules: OnceLock<Schedules>,
    callbacks: OnceLock<Callbacks>,
    webhooks: OnceLock<Webhooks>,
    secrets: OnceLock<SecretSource>,
    health: OnceLock<Health>,
    sources: OnceLock<MetricSources>,
    began: Instant,
    config: Config,
    aws: Aws,
    tokens: Tokens,
}

/// Numbers that no other process gives: a random one for the process, and a count.
#[derive(Debug)]
struct Tokens {
    first: Uuid,
    given: AtomicU64,
}

impl App {
    /// One of each, over these services.
    #[must_use]
    pub fn new(config: Config, aws: Aws) -> Self {
        let inner = Inner {
            orders: Orders::new(aws.dynamo(), config.orders.clone()),
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
            began: Instant::now(),
            config,
            aws,
            tokens: Tokens { first: Uuid::now_v7(), given: AtomicU64::new(0) },
        };
        Self {
            inner: Arc::new(inner),
            #[cfg(feature = "testing")]
            stopped_at: None,
        }
    }

    /// Products and orders.
    #[must_use]
    pub fn orders(&self) -> &Orders {
        &self.inner.orders
    }

    /// Ids and their counts.
    #[must_use]
    pub fn uniques(&self) -> &Uniques {
        &self.inner.uniques
    }

    /// What closes minutes.
    #[must_use]
    pub fn minute_closer(&self) -> &MinuteCloser {
        let Inner { minute_closer, config, aws, .. } = &*self.inner;
        minute_closer.get_or_init(|| MinuteCloser::new(aws, &config.uniques))
    }

    /// Companies and their figures.
    #[must_use]
    pub fn companies(&self) -> &Companies {
        let Inner { companies, config, aws, .. } = &*self.inner;
        companies.get_or_init(|| Companies::new(aws, &config.companies))
    }

    /// Settlements.
    #[must_use]
    pub fn settlement(&self) -> &Settlement {
        let Inner { settlement, config, aws, .. } = &*self.inner;
        settlement.get_or_init(|| Settlement::new(aws, &config.settlement))
    }

    /// What sends callbacks.
    #[must_use]
    pub fn callbacks(&self) -> &Callbacks {
        let Inner { callbacks, config, aws, .. } = &*self.inner;
        callbacks.get_or_init(|| Callbacks::new(aws, &config.uniques, config.webhooks.sender(aws)))
    }

    /// Scheduled jobs.
    #[must_use]
    pub fn schedules(&self) -> &Schedules {
        let Inner { schedules, config, aws, .. } = &*self.inner;
        schedules.get_or_init(|| Schedules::new(aws, &config.schedules))
    }

    /// What the actions of scheduled jobs reach.
    #[must_use]
    pub fn action_context(&self) -> ActionContext<'_> {
        let Inner { webhooks, config, aws, .. } = &*self.inner;
        let webhooks = webhooks.get_or_init(|| config.webhooks.sender(aws));
        ActionContext { webhooks, settlement: self.settlement(), companies: self.companies() }
    }

    /// Who may call what.
    #[must_use]
    pub fn access(&self) -> &access::Settings {
        &self.inner.config.access
    }

    /// Where webhooks may go.
    #[must_use]
    pub fn guard(&self) -> Guard {
        self.inner.config.webhooks.guard
    }

    /// What webhooks are signed with, for those who get them.
    #[must_use]
    pub fn webhook_secrets(&self) -> &SecretSource {
        let Inner { secrets, config, aws, .. } = &*self.inner;
        secrets.get_or_init(|| config.webhooks.secrets(aws))
    }

    /// Whether what everything stands on is there.
    #[must_use]
    pub fn health(&self) -> &Health {
        let Inner { health, began, config, aws, .. } = &*self.inner;
        health.get_or_init(|| {
            Health::new(aws, &config.operations, config.webhooks.secrets(aws), *began)
        })
    }

    /// What it comes to in numbers.
    #[must_use]
    pub fn gauges(&self) -> Gauges<'_> {
        let Inner { sources, config, aws, .. } = &*self.inner;
        let sources = sources.get_or_init(|| MetricSources::new(aws, &config.operations));
        let (settlement, schedules) = (self.settlement(), self.schedules());
        Gauges { orders: self.orders(), uniques: self.uniques(), settlement, schedules, sources }
    }

    /// A name that no other request has or will have. Cheaper than asking the system for randomness each time.
    #[must_use]
    pub fn token(&self) -> Uuid {
        let Tokens { first, given } = &self.inner.tokens;
        Uuid::from_u128(first.as_u128().wrapping_add(given.fetch_add(1, Ordering::Relaxed).into()))
    }

    /// The time at which a request is handled. A handler asks once and hands it on.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        #[cfg(feature = "testing")]
        if let Some(now) = self.stopped_at {
            return now;
        }
        Timestamp::now()
    }

    /// The same process at a moment of a test's choice.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Self {
        Self { stopped_at: Some(now), ..self.clone() }
    }
}
