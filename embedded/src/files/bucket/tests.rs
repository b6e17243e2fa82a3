use std::io::Write;

use super::*;
use crate::{
    files::{ListedPart, MIN_PART_BYTES},
    testing::{Folder, time},
};

fn key(text: &str) -> Key {
    text.parse().expect("a key")
}

fn put(bucket: &Bucket, name: &str, content: &[u8], seconds: i64) {
    let (headers, condition) = (Headers::new(), WriteCondition::None);
    bucket.put(&key(name), content, headers, &condition, time(seconds)).expect("written");
}

fn get(bucket: &Bucket, name: &str) -> Option<Bytes> {
    let mut object = bucket.get(&key(name)).ok()?;
    let length = object.length();
    Some(object.read(0..length).expect("content"))
}

fn names(bucket: &Bucket) -> Vec<String> {
    let (objects, _) = bucket.list("", "", usize::MAX).expect("a list");
    objects.iter().map(|object| object.key.to_string()).collect()
}

/// Returns the number of files and folders, whatever they are.
fn count(folder: &Path) -> usize {
    let inner = |path: &PathBuf| if path.is_dir() { count(path) } else { 0 };
    entries(folder).expect("a folder").iter().map(|path| 1 + inner(path)).sum()
}

#[test]
fn objects_and_uploads_outlive_the_process() {
    let folder = Folder::new();
    let bucket = Bucket::open(&folder).expect("a bucket");
    put(&bucket, "a", b"content", 0);
    let id = bucket.create_upload(&key("b"), Headers::new(), time(0)).expect("an upload");
    let etag = bucket.put_part(&key("b"), &id, 1, b"part", time(0)).expect("a part");
    drop(bucket);

    let bucket = Bucket::open(&folder).expect("a bucket");
    assert_eq!(get(&bucket, "a").expect("an object"), "content");
    let parts = [ListedPart { number: 1, etag }];
    let condition = WriteCondition::None;
    bucket.complete_upload(&key("b"), &id, &parts, &condition, time(0)).expect("completed");
    assert_eq!(get(&bucket, "b").expect("an object"), "part");
}

#[test]
fn a_crash_before_the_rename_leaves_the_old_object() {
    let folder = Folder::new();
    let bucket = Bucket::open(&folder).expect("a bucket");
    put(&bucket, "a", b"old", 0);
    let head = Head { etag: String::new(), modified: time(0), headers: Headers::new() };
    let mut draft = blob::draft(&bucket.objects, &head, time(0)).expect("a draft");
    draft.file().write_all(b"new").expect("written");
    draft.sync().expect("synced");
    // A dead process removes nothing.
    std::mem::forget(draft);
    drop(bucket);

    let bucket = Bucket::open(&folder).expect("a bucket");
    assert_eq!(get(&bucket, "a").expect("an object"), "old");
    assert_eq!(names(&bucket), ["a"]);
    put(&bucket, "a", b"new", 0);
    assert_eq!(get(&bucket, "a").expect("an object"), "new");
}

#[test]
fn a_write_that_fails_leaves_the_old_object_and_no_draft() {
    let folder = Folder::new();
    let bucket = Bucket::open(&folder).expect("a bucket");
    put(&bucket, "a", b"old", 0);
    let head = Head { etag: String::new(), modified: time(0), headers: Headers::new() };
    let full = bucket.write(&key("a"), &head, &WriteCondition::None, |draft| {
        draft.file().write_all(b"new")?;
        Err(io::Error::from(io::ErrorKind::StorageFull).into())
    });
    assert_eq!(full.expect_err("a full disk").code().1, "InternalError");
    let condition = WriteCondition::Absent;
    bucket.put(&key("a"), b"new", Headers::new(), &condition, time(0)).expect_err("it exists");
    assert_eq!(get(&bucket, "a").expect("an object"), "old");
    assert_eq!(count(&bucket.objects), 1);
}

#[test]
fn one_of_many_writers_creates_an_object() {
    let folder = Folder::new();
    let bucket = Bucket::open(&folder).expect("a bucket");
    let create = || {
        let condition = WriteCondition::Absent;
        bucket.put(&key("a"), b"x", Headers::new(), &condition, time(0)).is_ok()
    };
    let created = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..16).map(|_| scope.spawn(create)).collect();
        let created = writers.into_iter().map(|writer| writer.join().expect("no panic"));
        created.filter(|created| *created).count()
    });
    assert_eq!(created, 1);
}

#[test]
fn a_reader_has_one_version_while_the_object_is_replaced() {
    let folder = Folder::new();
    let bucket = Bucket::open(&folder).expect("a bucket");
    put(&bucket, "a", b"old", 0);
    let mut object = bucket.get(&key("a")).expect("an object");
    put(&bucket, "a", b"new content", 0);
    assert_eq!(object.read(0..3).expect("content"), "old");
    bucket.delete(&key("a")).expect("deleted");
    assert_eq!(object.read(1..3).expect("content"), "ld");
}

#[test]
fn no_key_leaves_the_folder() {
    let folder = Folder::new();
    let data = folder.join("data");
    let bucket = Bucket::open(&data).expect("a bucket");
    let long = "../".repeat(341);
    for name in ["..", "../x", "../../x", "/x", "a/../../x", "..\\x", "x\0", &long] {
        put(&bucket, name, name.as_bytes(), 0);
        assert_eq!(get(&bucket, name).expect("an object"), name);
        assert_eq!(names(&bucket), [name]);
        bucket.delete(&key(name)).expect("deleted");
        assert_eq!(get(&bucket, name), None);
    }
    assert_eq!(entries(&folder).expect("a folder"), [data]);
}

#[test]
fn no_upload_id_leaves_the_folder() {
    let folder = Folder::new();
    let bucket = Bucket::open(&folder).expect("a bucket");
    let id = bucket.create_upload(&key("a"), Headers::new(), time(0)).expect("an upload");
    let outside = folder.join("manifest");
    fs::copy(bucket.uploads.join(&id).join("manifest"), outside).expect("copied");
    for id in ["..", "../uploads", &format!("./{id}"), &format!("{id}/"), "", &"0".repeat(32)] {
        for error in [
            bucket.put_part(&key("a"), id, 1, b"x", time(0)).expect_err(id),
            bucket.abort_upload(&key("a"), id, time(0)).expect_err(id),
        ] {
            assert_eq!(error.code().1, "NoSuchUpload", "{id}");
        }
    }
    let error = bucket.put_part(&key("b"), &id, 1, b"x", time(0)).expect_err("another key");
    assert_eq!(error.code().1, "NoSuchUpload");
}

#[test]
fn a_part_that_was_uploaded_again_has_its_new_etag_only() {
    let folder = Folder::new();
    let bucket = Bucket::open(&folder).expect("a bucket");
    let id = bucket.create_upload(&key("a"), Headers::new(), time(0)).expect("an upload");
    let part = |content: &[u8]| {
        let etag = bucket.put_part(&key("a"), &id, 1, content, time(0)).expect("a part");
        ListedPart { number: 1, etag }
    };
    let (old, new) = (part(b"old"), part(b"new"));
    let complete =
        |part| bucket.complete_upload(&key("a"), &id, &[part], &WriteCondition::None, time(0));
    let error = complete(old).expect_err("the part was replaced");
    assert!(matches!(error, Error::InvalidPart { number: 1 }), "{error}");
    complete(new).expect("completed");
    assert_eq!(get(&bucket, "a").expect("an object"), "new");
    assert_eq!(count(&bucket.uploads), 0, "the parts are removed");
}

#[test]
fn an_upload_whose_condition_fails_goes_on() {
    let folder = Folder::new();
    let bucket = Bucket::open(&folder).expect("a bucket");
    put(&bucket, "a", b"old", 0);
    let id = bucket.create_upload(&key("a"), Headers::new(), time(0)).expect("an upload");
    let large = vec![b'x'; usize::try_from(MIN_PART_BYTES).expect("small")];
    let put_part = |number, content: &[u8]| {
        let etag = bucket.put_part(&key("a"), &id, number, content, time(0)).expect("a part");
        ListedPart { number, etag }
    };
    let parts = [put_part(1, &large), put_part(3, b"end")];
    let complete = |condition| bucket.complete_upload(&key("a"), &id, &parts, &condition, time(0));
    let error = complete(WriteCondition::Absent).expect_err("it exists");
    assert!(matches!(error, Error::PreconditionFailed), "{error}");
    assert_eq!(get(&bucket, "a").expect("an object"), "old");
    let etag = complete(WriteCondition::None).expect("completed");
    assert_eq!(etag, bucket.get(&key("a")).expect("an object").etag());
    assert_eq!(get(&bucket, "a").expect("an object"), [&large[..], b"end"].concat());
}

#[test]
fn a_list_has_the_keys_of_a_prefix_in_order() {
    let folder = Folder::new();
    let bucket = Bucket::open(&folder).expect("a bucket");
    let long = "x".repeat(1_000);
    for name in ["b/2", "a", "b/10", "b", "B", &long, "c"] {
        put(&bucket, name, name.as_bytes(), 0);
    }
    let list = |prefix: &str, after: &str, limit| {
        let (objects, has_more) = bucket.list(prefix, after, limit).expect("a list");
        (objects.iter().map(|object| object.key.to_string()).collect::<Vec<_>>(), has_more)
    };
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let all = ["B", "a", "b", "b/10", "b/2", "c", &long];
    assert_eq!(list("", "", 10), (names(&all), false));
    assert_eq!(list("b", "", 10), (names(&["b", "b/10", "b/2"]), false));
    assert_eq!(list("b", "", 2), (names(&["b", "b/10"]), true));
    assert_eq!(list("b", "b/10", 2), (names(&["b/2"]), false));
    assert_eq!(list("d", "", 1), (vec![], false));
    let (objects, _) = bucket.list("b/10", "", 1).expect("a list");
    assert_eq!((objects[0].length, objects[0].modified), (4, time(0)));
}

#[test]
fn objects_of_a_prefix_expire() {
    let folder = Folder::new();
    let bucket = Bucket::open(&folder).expect("a bucket");
    for (name, seconds) in [("parts/old", 0), ("parts/new", 10), ("reports/old", 0)] {
        put(&bucket, name, b"x", seconds);
    }
    assert_eq!(bucket.expire("parts/", time(10)).expect("expired"), 1);
    assert_eq!(names(&bucket), ["parts/new", "reports/old"]);
}

#[test]
fn leftovers_are_removed_by_their_age() {
    let folder = Folder::new();
    let bucket = Bucket::open(&folder).expect("a bucket");
    let long = key(&"x".repeat(1_000));
    put(&bucket, long.as_str(), b"x", 0);
    let deep = bucket.path(&long);
    let mut uploads = Vec::new();
    for seconds in [0, 10] {
        for folder in [&bucket.objects, deep.parent().expect("a folder")] {
            std::mem::forget(Draft::create(folder, time(seconds)).expect("a draft"));
        }
        let unfinished = disk::draft_path(&bucket.uploads, time(seconds));
        fs::create_dir(&unfinished).expect("a folder");
        std::mem::forget(Draft::create(&unfinished, time(seconds)).expect("a draft"));
        let id = bucket.create_upload(&key("a"), Headers::new(), time(seconds)).expect("created");
        bucket.put_part(&key("a"), &id, 1, b"x", time(seconds)).expect("a part");
        uploads.push(id);
    }
    let before = (count(&bucket.objects), count(&bucket.uploads));
    bucket.remove_leftovers(time(0)).expect("nothing to remove");
    assert_eq!((count(&bucket.objects), count(&bucket.uploads)), before);
    bucket.remove_leftovers(time(10)).expect("removed");
    assert_eq!(count(&bucket.objects), before.0 - 2);
    assert_eq!(count(&bucket.uploads), before.1 / 2);
    bucket.put_part(&key("a"), &uploads[0], 1, b"x", time(10)).expect_err("removed");
    bucket.put_part(&key("a"), &uploads[1], 1, b"x", time(10)).expect("not yet removed");
    assert_eq!(names(&bucket), [long.as_str()]);
}
