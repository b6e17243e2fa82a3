//! The body of a webhook: from the request through the store to the receiver, byte for byte.

use once::{
    dynamo::{keys, text},
    schedule::ScheduledJobId,
    testing::SCHEDULES_TABLE,
};
use serde_json::json;

use crate::schedule::clockwork::{World, at, create_job};

/// Numbers that no type holds, members that are not sorted, spaces, and escapes that need not be.
const BODY: &str = r#"{ "z": 761591733749525123177, "a":1.50,"e" : [1E400, -0 ],
    "\u0061b":"\u00e4" }"#;

/// Runs a job once, and returns the body that its receiver got.
async fn sent(world: &mut World, id: ScheduledJobId) -> String {
    let instance = world.instance();
    let schedules = instance.app.schedules();
    schedules.run_now(id, None, world.now).await.expect("requested");
    world.run_until(world.now, &instance).await;
    let (_, body) = world.receiver.received().pop().expect("a webhook");
    body
}

#[tokio::test]
async fn a_body_is_shown_and_sent_as_it_was_given() {
    let mut world = World::new(at(0)).await;
    let instance = world.instance();
    let url = &world.receiver.url;
    let action = format!(r#"{{"type":"webhook","url":"{url}","body":{BODY}}}"#);
    let id =
        instance.create_scheduled_job_from(format!(r#"{{"name":"ping","action":{action}}}"#)).await;
    let job = instance.job_view(id).await.expect("a job");
    let shown = serde_json::to_string(&job).expect("JSON");
    assert!(shown.contains(&format!(r#""action":{action}"#)), "{shown}");
    assert_eq!(sent(&mut world, id).await, BODY);
}

#[tokio::test]
async fn a_body_that_an_earlier_release_stored_is_read() {
    let mut world = World::new(at(0)).await;
    let id = create_job(&world.instance(), &world.receiver, at(0)).await;
    let action = json!({"type": "webhook", "url": world.receiver.url, "body": {"n": 1.5e300}});
    let update = world.cloud.client().update_item().table_name(SCHEDULES_TABLE);
    update
        .set_key(Some(keys::scheduled_job(&id.to_string()).attributes()))
        .update_expression("SET #action = :action")
        .expression_attribute_names("#action", "action")
        .expression_attribute_values(":action", text(action.to_string()))
        .send()
        .await
        .expect("an update");
    assert_eq!(sent(&mut world, id).await, r#"{"n":1.5e+300}"#);
}
