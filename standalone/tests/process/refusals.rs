//! What the process refuses at its start: it ends with an error that names the cause.

use std::{fs, net::TcpListener};

use crate::{
    folder::Folder,
    program::{Once, refusal, serve, serve_at, serve_data},
};

#[tokio::test]
async fn a_second_process_on_the_same_data_is_refused_and_disturbs_nothing() {
    let folder = Folder::new();
    let once = Once::start(&folder, []);
    let env = fs::read_to_string(once.env()).expect("variables");
    let pid = fs::read_to_string(folder.path("data/pid")).expect("a number");
    let message = refusal(&mut serve_data(&folder, []));
    assert!(message.contains("once.db"), "{message}");
    assert!(message.contains("open already, in this process or in another one"), "{message}");
    assert_eq!(fs::read_to_string(once.env()).expect("variables"), env);
    assert_eq!(fs::read_to_string(folder.path("data/pid")).expect("a number"), pid);
    once.api().get("/health").await;
    once.stop();
}

#[test]
fn a_port_in_use_is_named() {
    let other = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = other.local_addr().expect("bound");
    let port = address.port().to_string();
    let api = refusal(&mut serve_at(&port, ["--memory"]));
    let services = refusal(&mut serve(["--memory", "--aws-port", &port]));
    for message in [api, services] {
        assert!(message.contains(&format!("cannot listen on {address}")), "{message}");
    }
}

#[test]
fn an_invalid_parameter_is_named() {
    for (parameter, named) in [
        ("LogLvel=debug", "LogLvel"),
        ("OrdersBurst=0", "OrdersBurst"),
        ("OrdersBurst=1000001", "OrdersBurst"),
        ("OrdersBurst=many", "OrdersBurst"),
        ("LogLevel=loud", "LogLevel"),
        ("CountStreamName=a b", "CountStreamName"),
        ("OrdersNeedToken=maybe", "OrdersNeedToken"),
        ("AdminTokenSha256=token", "AdminTokenSha256"),
    ] {
        let message = refusal(&mut serve(["--memory", "--parameter", parameter]));
        assert!(message.contains(named), "{parameter}: {message}");
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = Folder::new();
    fs::write(folder.path("file"), "").expect("written");
    let path = folder.path("file/data");
    let path = path.to_str().expect("text");
    let message = refusal(&mut serve(["--data", path]));
    assert!(message.contains(path), "{message}");
}
