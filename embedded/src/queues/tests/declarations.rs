use super::*;
use crate::queues::queue::check;

fn refusal(queues: &[Queue]) -> String {
    check(queues).expect_err("refused").to_string()
}

#[test]
fn declarations_are_checked_together() {
    check(&[work(), dead()]).expect("a queue and its dead-letter queue");
    assert_eq!(refusal(&[work()]), "queue `work`: dead-letter queue `dead` is missing");
    assert_eq!(refusal(&[dead(), dead()]), "queue `dead`: is declared twice");
    let chain = Queue { redrive: work().redrive, ..dead() };
    assert_eq!(
        refusal(&[work(), chain]),
        "queue `work`: dead-letter queue `dead` must have no redrive policy"
    );
}

#[test]
fn settings_are_those_that_sqs_allows() {
    let queue = || Queue::new("q");
    let with_max = |max_receive_count| {
        let dead_letter_queue = "dead".to_owned();
        Queue { redrive: Some(RedrivePolicy { dead_letter_queue, max_receive_count }), ..queue() }
    };
    for allowed in [
        Queue { visibility_timeout_s: 0, delay_s: 0, retention_s: 60, ..with_max(1) },
        Queue {
            visibility_timeout_s: 43_200,
            delay_s: 900,
            retention_s: 1_209_600,
            ..with_max(1_000)
        },
        Queue::new("x".repeat(80)),
        Queue::new("Az-0_9"),
    ] {
        check(&[allowed, dead()]).expect("allowed");
    }
    for refused in [
        Queue { visibility_timeout_s: 43_201, ..queue() },
        Queue { delay_s: 901, ..queue() },
        Queue { retention_s: 59, ..queue() },
        Queue { retention_s: 1_209_601, ..queue() },
        with_max(0),
        with_max(1_001),
        Queue::new(""),
        Queue::new("x".repeat(81)),
        Queue::new("orders.fifo"),
        Queue::new("a/b"),
    ] {
        check(&[refused, dead()]).expect_err("refused");
    }
    assert_eq!(
        refusal(&[Queue { delay_s: 901, ..queue() }]),
        "queue `q`: DelaySeconds: must be between 0 and 900"
    );
}
