use std::fs;

use aws_sdk_secretsmanager::{Client, error::ProvideErrorMetadata};

use super::*;
use crate::testing::{Folder, InProcess, sdk_config, time};

const GENERATED: GeneratedSecret<'_> = GeneratedSecret { name: "webhook", length: 44 };

fn open(folder: &Folder) -> Result<Secrets, OpenError> {
    Secrets::open(&folder.join("secrets.json"), &[GENERATED], time(0))
}

fn client(secrets: &Secrets) -> Client {
    let secrets = secrets.clone();
    let client = InProcess::new(move |request| {
        let secrets = secrets.clone();
        async move { secrets.respond(request, time(5)).await }
    });
    Client::new(&sdk_config(client))
}

#[test]
fn a_secret_is_generated_once_of_letters_and_digits() {
    let folder = Folder::new();
    let value = open(&folder).expect("secrets").value("webhook").expect("a value");
    assert_eq!(value.len(), 44);
    assert!(value.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{value}");
    assert!(has_each_type(&value), "{value}");
    assert_eq!(open(&folder).expect("secrets").value("webhook"), Some(value.clone()));
    assert_ne!(open(&Folder::new()).expect("secrets").value("webhook"), Some(value));
}

#[test]
fn each_letter_and_digit_is_generated() {
    let text = random(4_096, |_| true).expect("random");
    assert_eq!(text.len(), 4_096);
    assert!(ALPHABET.iter().all(|letter| text.as_bytes().contains(letter)));
    for (text, expected) in [("aB1", true), ("abc1", false), ("AB1", false), ("aBc", false)] {
        assert_eq!(has_each_type(text), expected, "{text}");
    }
}

#[test]
fn a_new_secret_is_added_to_those_of_an_earlier_start() {
    let folder = Folder::new();
    let value = open(&folder).expect("secrets").value("webhook");
    let token = GeneratedSecret { name: "token", length: 8 };
    let path = folder.join("secrets.json");
    let secrets = Secrets::open(&path, &[GENERATED, token], time(0)).expect("secrets");
    assert_eq!(secrets.value("token").map(|token| token.len()), Some(8));
    assert_eq!(secrets.value("webhook"), value);
    let secrets = Secrets::open(&path, &[], time(0)).expect("secrets");
    assert!(secrets.value("token").is_some());
}

#[test]
fn the_file_is_for_its_owner_only() {
    let folder = Folder::new();
    open(&folder).expect("secrets");
    let path = folder.join("secrets.json");
    let mode = |path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    for mode in [0o640, 0o604, 0o620, 0o602, 0o601] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("changed");
        let error = open(&folder).expect_err("exposed");
        assert!(
            matches!(error, OpenError::Exposed { mode: found, .. } if found == mode),
            "{error}"
        );
    }
    for mode in [0o600, 0o400] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("changed");
        open(&folder).expect("secrets");
    }
}

#[test]
fn a_damaged_file_is_an_error_that_tells_no_secret() {
    let folder = Folder::new();
    open(&folder).expect("secrets");
    fs::write(folder.join("secrets.json"), "{\n\"webhook\": \"geheim\"}").expect("written");
    let error = open(&folder).expect_err("damaged");
    assert!(matches!(error, OpenError::Invalid { line: 2, .. }), "{error}");
    assert!(!format!("{error:?} {error}").contains("geheim"));
}

#[test]
fn no_secret_is_printed() {
    let folder = Folder::new();
    let secrets = open(&folder).expect("secrets");
    assert!(!format!("{secrets:?}").contains(&secrets.value("webhook").expect("a value")));
}

#[tokio::test]
async fn a_secret_is_read_by_its_name_and_by_its_arn() {
    let folder = Folder::new();
    let secrets = open(&folder).expect("secrets");
    let client = client(&secrets);
    let read = client.get_secret_value().secret_id("webhook").send().await.expect("a secret");
    assert_eq!(read.secret_string(), secrets.value("webhook").as_deref());
    assert_eq!(read.name(), Some("webhook"));
    assert_eq!(read.version_stages(), ["AWSCURRENT"]);
    assert_eq!(read.created_date().expect("a time").secs(), time(0).as_second());
    let arn = read.arn().expect("an ARN");
    let same = client.get_secret_value().secret_id(arn).send().await.expect("a secret");
    assert_eq!(same.secret_string(), read.secret_string());
}

#[tokio::test]
async fn a_secret_has_its_current_and_its_previous_version() {
    let folder = Folder::new();
    let secrets = open(&folder).expect("secrets");
    let generated = secrets.value("webhook").expect("a value");
    let client = client(&secrets);
    let mut ids = Vec::new();
    for value in ["second", "third"] {
        let put = client.put_secret_value().secret_id("webhook").secret_string(value);
        let put = put.send().await.expect("stored");
        assert_eq!(put.version_stages(), ["AWSCURRENT"]);
        ids.push(put.version_id.expect("an id"));
    }
    let reopened = open(&folder).expect("secrets");
    assert_eq!(reopened.value("webhook").as_deref(), Some("third"));
    for client in [client, self::client(&reopened)] {
        let get = || client.get_secret_value().secret_id("webhook");
        let previous = get().version_stage("AWSPREVIOUS").send().await.expect("a version");
        assert_eq!(previous.secret_string(), Some("second"));
        let previous = get().version_id(&ids[0]).send().await.expect("a version");
        assert_eq!(previous.version_stages(), ["AWSPREVIOUS"]);
        let get = get().version_id(&ids[0]).version_stage("AWSCURRENT");
        let error = get.send().await.expect_err("not the current one").into_service_error();
        assert!(error.is_resource_not_found_exception());
        let described = client.describe_secret().secret_id("webhook").send().await.expect("one");
        let stages = described.version_ids_to_stages().expect("versions");
        assert_eq!(stages[&ids[1]], ["AWSCURRENT"]);
        assert_eq!(stages[&ids[0]], ["AWSPREVIOUS"]);
        assert_eq!(stages.len(), 2);
        assert_eq!(described.last_changed_date().expect("a time").secs(), time(5).as_second());
    }
    let text = fs::read_to_string(folder.join("secrets.json")).expect("a file");
    assert!(!text.contains(&generated), "the version before the previous one is forgotten");
}

#[tokio::test]
async fn a_repeated_change_changes_nothing() {
    let folder = Folder::new();
    let secrets = open(&folder).expect("secrets");
    let generated = secrets.value("webhook").expect("a value");
    let client = client(&secrets);
    let token = "0199a3c4-5e6f-7a8b-9c0d-1e2f3a4b5c6d";
    let put = |value: &str| {
        let put = client.put_secret_value().secret_id("webhook").client_request_token(token);
        put.secret_string(value).send()
    };
    for _ in 0..2 {
        assert_eq!(put("second").await.expect("stored").version_id(), Some(token));
    }
    let get = client.get_secret_value().secret_id("webhook").version_stage("AWSPREVIOUS");
    let previous = get.send().await.expect("a version");
    assert_eq!(previous.secret_string(), Some(generated.as_str()));
    let error = put("third").await.expect_err("the token was used").into_service_error();
    assert!(error.is_resource_exists_exception());
    assert_eq!(secrets.value("webhook").as_deref(), Some("second"));
}

#[tokio::test]
async fn a_change_that_is_not_on_the_disk_did_not_happen() {
    let folder = Folder::new();
    let secrets = open(&folder).expect("secrets");
    let value = secrets.value("webhook");
    let client = client(&secrets);
    let (data, moved) = (folder.join("secrets.json"), folder.join("moved"));
    fs::rename(&data, moved).expect("moved");
    fs::create_dir(&data).expect("a folder in the way");
    let put = client.put_secret_value().secret_id("webhook").secret_string("second");
    let error = put.send().await.expect_err("the disk failed").into_service_error();
    assert!(error.is_internal_service_error());
    assert_eq!(secrets.value("webhook"), value);
}

#[tokio::test]
async fn what_does_not_exist_or_is_not_implemented_is_refused_by_name() {
    let folder = Folder::new();
    let client = client(&open(&folder).expect("secrets"));
    let error = client.get_secret_value().secret_id("other").send().await.expect_err("no secret");
    assert!(error.into_service_error().is_resource_not_found_exception());
    let put = client.put_secret_value().secret_id("other").secret_string("x");
    let error = put.send().await.expect_err("no secret");
    assert!(error.into_service_error().is_resource_not_found_exception());
    let error = client.list_secrets().send().await.expect_err("refused");
    assert_eq!(error.code(), Some("UnknownOperationException"));
    assert_eq!(error.message(), Some("ListSecrets is not implemented"));
    let put = client.put_secret_value().secret_id("webhook").secret_string("x");
    let error = put.version_stages("OTHER").send().await.expect_err("refused");
    assert_eq!(error.code(), Some("InvalidParameterException"));
    assert!(error.message().is_some_and(|message| message.contains("VersionStages")));
    for value in ["", &"x".repeat(MAX_VALUE_BYTES + 1)] {
        let put = client.put_secret_value().secret_id("webhook").secret_string(value);
        let error = put.send().await.expect_err("too short or too long");
        assert_eq!(error.code(), Some("InvalidParameterException"));
    }
}
