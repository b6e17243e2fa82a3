//! `once redrive`: dead letters go back to the queues that they came from.

use std::{env, error::Error};

use aws_sdk_sqs::types::QueueAttributeName;
use clap::{Args, ValueEnum};
use once::aws::{Aws, ServiceError};

/// The options of `once redrive`.
#[derive(Debug, Args)]
pub struct Redrive {
    /// Dead-letter queue whose messages are moved
    queue: DeadLetterQueue,
    /// Messages to move each second at most, on AWS; one process moves all at once
    #[arg(long, value_parser = clap::value_parser!(i32).range(1..=500))]
    per_second: Option<i32>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DeadLetterQueue {
    Callback,
    Company,
    Schedule,
    Settlement,
}

impl DeadLetterQueue {
    /// Returns the variable with the URL of the queue.
    fn variable(self) -> &'static str {
        match self {
            Self::Callback => "CALLBACK_DEAD_LETTER_QUEUE_URL",
            Self::Company => "COMPANY_DEAD_LETTER_QUEUE_URL",
            Self::Schedule => "SCHEDULE_DEAD_LETTER_QUEUE_URL",
            Self::Settlement => "SETTLEMENT_DEAD_LETTER_QUEUE_URL",
        }
    }
}

impl Redrive {
    /// Starts the move at the stack of the environment.
    ///
    /// # Errors
    /// A variable is missing, or the stack refuses.
    pub async fn run(self) -> Result<(), Box<dyn Error>> {
        let variable = self.queue.variable();
        let url = env::var(variable).map_err(|_| {
            format!("environment variable {variable} is not set: read the file `env` of the stack")
        })?;
        let queues = Aws::from_env().sqs();
        let attributes = queues
            .get_queue_attributes()
            .queue_url(url)
            .attribute_names(QueueAttributeName::QueueArn)
            .attribute_names(QueueAttributeName::ApproximateNumberOfMessages)
            .send()
            .await
            .map_err(ServiceError::from)?;
        let attribute = |name| attributes.attributes()?.get(&name);
        let arn = attribute(QueueAttributeName::QueueArn).ok_or("the queue has no ARN")?;
        let messages = attribute(QueueAttributeName::ApproximateNumberOfMessages);
        queues
            .start_message_move_task()
            .source_arn(arn)
            .set_max_number_of_messages_per_second(self.per_second)
            .send()
            .await
            .map_err(ServiceError::from)?;
        println!("{} dead letters go back to their queues", messages.map_or("?", String::as_str));
        Ok(())
    }
}
