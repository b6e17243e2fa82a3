//! Queues.

use serde::{Deserialize, de::IgnoredAny};

use super::{
    TemplateError, document::Resource, place::Place, scalar::Number, scope::Scope,
    stack::read_properties,
};
use crate::queues::{Queue, RedrivePolicy};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Properties {
    visibility_timeout: Option<Number>,
    delay_seconds: Option<Number>,
    message_retention_period: Option<Number>,
    redrive_policy: Option<Redrive>,
    #[serde(rename = "SqsManagedSseEnabled")]
    _encryption: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Redrive {
    /// The logical id of the dead-letter queue.
    dead_letter_target_arn: String,
    max_receive_count: Number,
}

/// Reads a queue. Its name is its logical id.
pub(super) fn read(
    id: &str,
    resource: &Resource,
    scope: &Scope<'_>,
    place: &Place<'_>,
) -> Result<Queue, TemplateError> {
    let properties: Properties = read_properties(resource, &scope.with_logical_ids(), place)?;
    let defaults = Queue::new(id);
    let or = |setting: Option<Number>, default| setting.map_or(default, |Number(value)| value);
    Ok(Queue {
        visibility_timeout_s: or(properties.visibility_timeout, defaults.visibility_timeout_s),
        delay_s: or(properties.delay_seconds, defaults.delay_s),
        retention_s: or(properties.message_retention_period, defaults.retention_s),
        redrive: properties.redrive_policy.map(|redrive| {
            let Redrive { dead_letter_target_arn, max_receive_count: Number(count) } = redrive;
            RedrivePolicy { dead_letter_queue: dead_letter_target_arn, max_receive_count: count }
        }),
        ..defaults
    })
}
