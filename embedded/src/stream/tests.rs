use std::{fs, io::Write, path::PathBuf};

use aws_sdk_kinesis::{
    Client,
    error::ProvideErrorMetadata,
    operation::get_records::GetRecordsOutput,
    primitives::{Blob, DateTime},
    types::ShardIteratorType,
};

use super::*;
use crate::testing::{Folder, InProcess, sdk_config, time};

/// A log with files of about two records, and at most three of them.
fn open(folder: &Folder) -> Result<Log, Error> {
    Log::open(folder, 200, 3)
}

fn append(log: &Log, seconds: i64) -> u64 {
    log.append("key", format!("data {seconds}").as_bytes(), time(seconds)).expect("appended")
}

fn sequences(log: &Log, from: u64) -> Vec<u64> {
    let page = log.read(from, usize::MAX, usize::MAX).expect("a page");
    page.records.iter().map(|record| record.sequence).collect()
}

/// Returns the files from the oldest to the newest.
fn files(folder: &Folder) -> Vec<PathBuf> {
    let entries = fs::read_dir(&**folder).expect("a folder");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.sort_unstable();
    files
}

#[test]
fn records_are_read_as_they_were_appended_also_after_a_restart() {
    let folder = Folder::new();
    let log = open(&folder).expect("a log");
    assert_eq!((sequences(&log, 1), log.end()), (vec![], 1));
    let data: &[u8] = b"\0\n\xff";
    assert_eq!(log.append("Gr\u{f6}\u{df}e \"1\"\n", data, time(1)).expect("appended"), 1);
    assert_eq!(append(&log, 2), 2);
    for log in [log, open(&folder).expect("a log")] {
        let page = log.read(1, 10, 1_000).expect("a page");
        let first = &page.records[0];
        assert_eq!((first.sequence, first.time), (1, time(1)));
        assert_eq!((first.partition_key.as_str(), &first.data[..]), ("Größe \"1\"\n", data));
        assert_eq!((page.records.len(), page.next, page.is_last), (2, 3, true));
    }
    assert_eq!(append(&open(&folder).expect("a log"), 3), 3);
}

#[test]
fn the_file_has_a_line_of_json_for_each_record() {
    let folder = Folder::new();
    append(&open(&folder).expect("a log"), 0);
    let text = fs::read_to_string(folder.join("00000000000000000001.jsonl")).expect("a file");
    let expected =
        r#"{"sequence":1,"time":"2026-11-18T11:06:40Z","partition_key":"key","data":"ZGF0YSAw"}"#;
    assert_eq!(text, format!("{expected}\n"));
}

#[test]
fn a_page_has_a_limit_of_records_and_of_bytes() {
    let folder = Folder::new();
    let log = open(&folder).expect("a log");
    for seconds in 1..=5 {
        append(&log, seconds);
    }
    let page = |from, limit, bytes| {
        let page = log.read(from, limit, bytes).expect("a page");
        let records: Vec<u64> = page.records.iter().map(|record| record.sequence).collect();
        (records, page.next, page.is_last)
    };
    assert_eq!(page(2, 2, 1_000), (vec![2, 3], 4, false));
    assert_eq!(page(4, 2, 1_000), (vec![4, 5], 6, true));
    assert_eq!(page(1, 9, 7), (vec![1, 2], 3, false));
    assert_eq!(page(1, 9, 0), (vec![1], 2, false));
    assert_eq!(page(6, 9, 9), (vec![], 6, true));
    assert_eq!(page(99, 9, 9), (vec![], 6, true));
}

#[test]
fn the_oldest_records_go_with_their_file() {
    let folder = Folder::new();
    let log = open(&folder).expect("a log");
    for sequence in 1..=20 {
        assert_eq!(append(&log, 0), sequence);
        assert!(files(&folder).len() <= 3);
    }
    assert!(files(&folder).iter().all(|file| fs::metadata(file).expect("a file").len() <= 200));
    let kept: Vec<u64> = (log.oldest()..=20).collect();
    assert!((5..=6).contains(&kept.len()), "{kept:?}");
    assert_eq!(sequences(&log, 1), kept);
    let reopened = open(&folder).expect("a log");
    assert_eq!((sequences(&reopened, 1), reopened.end()), (kept, 21));
}

#[test]
fn a_record_larger_than_a_file_has_a_file_of_its_own() {
    let folder = Folder::new();
    let log = open(&folder).expect("a log");
    append(&log, 0);
    log.append("key", &[0; 1_000], time(0)).expect("appended");
    append(&log, 0);
    assert_eq!((sequences(&log, 1), files(&folder).len()), (vec![1, 2, 3], 3));
}

#[test]
fn a_torn_last_line_is_cut_off() {
    let last =
        r#"{"sequence":2,"time":"2026-11-18T11:06:40Z","partition_key":"key","data":"ZGF0YSAw"}"#;
    let zeros = "\0".repeat(90);
    let torn = ["{", &last[..last.len() - 1], last, "\n", "x\n", &zeros, &format!("{zeros}\n")];
    for torn in torn {
        let folder = Folder::new();
        append(&open(&folder).expect("a log"), 0);
        let mut file = fs::OpenOptions::new().append(true).open(&files(&folder)[0]).expect("one");
        file.write_all(torn.as_bytes()).expect("written");
        let log = open(&folder).expect("a log");
        assert_eq!(sequences(&log, 1), [1], "{torn:?}");
        assert_eq!(append(&log, 1), 2);
        let page = open(&folder).expect("a log").read(2, 1, 1).expect("a page");
        assert_eq!(page.records[0].data, b"data 1", "{torn:?}");
    }
}

#[test]
fn a_file_without_records_is_left_by_a_crash_and_used() {
    let folder = Folder::new();
    let log = open(&folder).expect("a log");
    append(&log, 0);
    fs::write(folder.join("00000000000000000002.jsonl"), "").expect("written");
    let log = open(&folder).expect("a log");
    assert_eq!((append(&log, 1), sequences(&log, 1)), (2, vec![1, 2]));
}

#[test]
fn damage_before_the_last_line_is_an_error_that_names_the_line() {
    let folder = Folder::new();
    let log = open(&folder).expect("a log");
    for _ in 0..6 {
        append(&log, 0);
    }
    let oldest = files(&folder)[0].clone();
    let text = fs::read_to_string(&oldest).expect("a file");
    let line_of = |error: Error| match error {
        Error::Corrupt { path, line } => (path, line),
        Error::Disk(error) => panic!("{error}"),
    };
    fs::write(&oldest, text.replacen("\"key\"", "\"key", 1)).expect("written");
    assert_eq!(line_of(open(&folder).expect_err("damaged")), (oldest.clone(), 1));
    assert_eq!(line_of(log.read(1, 9, 9).expect_err("damaged")), (oldest.clone(), 1));
    // A file of the middle has no last line to cut off.
    fs::write(&oldest, &text[..text.len() - 1]).expect("written");
    assert_eq!(line_of(open(&folder).expect_err("a gap")), (files(&folder)[1].clone(), 1));
    fs::write(&oldest, &text).expect("written");
    assert_eq!(sequences(&open(&folder).expect("a log"), 1), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_failed_append_leaves_the_log_as_it_was() {
    let folder = Folder::new();
    let log = open(&folder).expect("a log");
    append(&log, 0);
    let (file, moved) = (files(&folder)[0].clone(), folder.join("moved"));
    fs::rename(&file, &moved).expect("moved");
    log.append("key", b"lost", time(1)).expect_err("the disk failed");
    fs::rename(&moved, &file).expect("moved");
    // What the failed append may have written.
    fs::OpenOptions::new()
        .append(true)
        .open(&file)
        .and_then(|mut file| file.write_all(&[b'x'; 500]))
        .expect("written");
    assert_eq!(sequences(&log, 1), [1]);
    assert_eq!((append(&log, 2), sequences(&log, 1)), (2, vec![1, 2]));
    assert_eq!(sequences(&open(&folder).expect("a log"), 1), [1, 2]);
}

#[test]
fn the_first_record_of_a_time_is_found() {
    let folder = Folder::new();
    let log = open(&folder).expect("a log");
    for seconds in [10, 20, 20, 30] {
        append(&log, seconds);
    }
    for (seconds, sequence) in [(0, 1), (10, 1), (11, 2), (20, 2), (21, 4), (31, 5)] {
        assert_eq!(log.first_at(time(seconds)).expect("a number"), sequence, "{seconds}");
    }
}

/// The real client of the SDK, at `time(100)`.
fn client(folder: &Folder) -> Client {
    let settings = Settings { name: "counts".to_owned(), max_file_bytes: 200, max_files: 3 };
    let stream = Stream::open(folder, settings).expect("a stream");
    let client = InProcess::new(move |request| {
        let stream = stream.clone();
        async move { stream.respond(request, time(100)).await }
    });
    Client::new(&sdk_config(client))
}

async fn put(client: &Client, data: &str) -> String {
    let put = client.put_record().stream_name("counts").partition_key("key");
    put.data(Blob::new(data)).send().await.expect("put").sequence_number
}

async fn read(client: &Client, iterator: &str, limit: i32) -> GetRecordsOutput {
    client.get_records().shard_iterator(iterator).limit(limit).send().await.expect("records")
}

fn data(page: &GetRecordsOutput) -> Vec<&str> {
    let data = page.records.iter().map(|record| record.data.as_ref());
    data.map(|data| std::str::from_utf8(data).expect("text")).collect()
}

#[tokio::test]
async fn a_consumer_reads_all_records_of_the_only_shard() {
    let folder = Folder::new();
    append(&open(&folder).expect("a log"), 0);
    let client = client(&folder);
    assert_eq!(put(&client, "second").await, "2");
    assert_eq!(put(&client, "third").await, "3");
    let shards = client.list_shards().stream_name("counts").send().await.expect("shards");
    let [shard] = shards.shards() else { panic!("{shards:?}") };
    let iterator = |kind: ShardIteratorType| {
        let get = client.get_shard_iterator().stream_name("counts").shard_id(&shard.shard_id);
        get.shard_iterator_type(kind)
    };
    let first = iterator(ShardIteratorType::TrimHorizon).send().await.expect("an iterator");
    let page = read(&client, &first.shard_iterator.expect("one"), 2).await;
    assert_eq!(data(&page), ["data 0", "second"]);
    let record = &page.records[1];
    assert_eq!((record.partition_key(), record.sequence_number()), (Some("key"), "2"));
    assert_eq!(record.approximate_arrival_timestamp.expect("a time").secs(), time(100).as_second());
    assert_eq!(page.millis_behind_latest, Some(1), "not at the end");
    let next = read(&client, &page.next_shard_iterator.expect("an iterator"), 2).await;
    assert_eq!((data(&next), next.millis_behind_latest), (vec!["third"], Some(0)));
    let page = read(&client, "1", 1).await;
    assert_eq!(page.millis_behind_latest, Some(100_000));

    let at = |seconds| DateTime::from_secs(time(seconds).as_second());
    let millis = DateTime::from_millis(time(100).as_millisecond() + 1);
    for (iterator, expected) in [
        (iterator(ShardIteratorType::Latest), &[][..]),
        (
            iterator(ShardIteratorType::AtSequenceNumber).starting_sequence_number("2"),
            &["second", "third"],
        ),
        (
            iterator(ShardIteratorType::AfterSequenceNumber).starting_sequence_number("2"),
            &["third"],
        ),
        (iterator(ShardIteratorType::AtTimestamp).timestamp(at(1)), &["second", "third"]),
        (iterator(ShardIteratorType::AtTimestamp).timestamp(at(100)), &["second", "third"]),
        (iterator(ShardIteratorType::AtTimestamp).timestamp(millis), &[]),
    ] {
        let iterator = iterator.send().await.expect("an iterator").shard_iterator.expect("one");
        assert_eq!(data(&read(&client, &iterator, 10).await), expected);
    }
}

#[tokio::test]
async fn a_record_has_a_key_and_a_limited_size() {
    let folder = Folder::new();
    let client = client(&folder);
    let put = |key: &str, bytes: usize| {
        let put = client.put_record().stream_name("counts").partition_key(key);
        put.data(Blob::new(vec![0; bytes])).send()
    };
    let limit = 1_024 * 1_024 - 1;
    put("k", limit).await.expect("the limit");
    put(&"\u{f6}".repeat(256), 0).await.expect("the limit");
    for (key, bytes) in [("", 0), (&*"k".repeat(257), 0), ("k", limit + 1)] {
        let error = put(key, bytes).await.expect_err("over the limit").into_service_error();
        assert!(error.is_invalid_argument_exception(), "{error}");
    }
}

#[tokio::test]
async fn what_does_not_exist_or_is_not_implemented_is_refused_by_name() {
    let folder = Folder::new();
    let client = client(&folder);
    let put = || client.put_record().partition_key("key").data(Blob::new("x"));
    let error = put().stream_name("other").send().await.expect_err("no stream");
    assert!(error.into_service_error().is_resource_not_found_exception());
    let error = put().stream_name("counts").explicit_hash_key("1").send().await.expect_err("hash");
    assert!(error.message().is_some_and(|text| text.contains("ExplicitHashKey")), "{error:?}");
    let error = client.list_streams().send().await.expect_err("refused");
    assert_eq!(error.code(), Some("UnknownOperationException"));
    assert_eq!(error.message(), Some("ListStreams is not implemented"));
    let get = client.get_shard_iterator().stream_name("counts").shard_id("shardId-000000000001");
    let get = get.shard_iterator_type(ShardIteratorType::Latest).send().await;
    assert!(get.expect_err("no shard").into_service_error().is_resource_not_found_exception());
    let error = client.get_records().shard_iterator("x").send().await.expect_err("no iterator");
    assert!(error.into_service_error().is_invalid_argument_exception());
    let error = client.get_records().shard_iterator("1").limit(10_001).send().await;
    assert!(error.expect_err("too many").into_service_error().is_invalid_argument_exception());
    let arn = "arn:aws:kinesis:local:000000000000:stream/counts";
    put().stream_arn(arn).send().await.expect("by its ARN");
}
