//! A client that sends bytes as they are.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

/// A connection to a server.
pub struct Client {
    stream: BufReader<TcpStream>,
}

/// A response as it came over the connection.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// The lines of the head, with names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Client {
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("connects");
        Self { stream: BufReader::new(stream) }
    }

    /// Sends bytes. A server that has closed its end is no failure.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    /// Sends a request without a body and returns its answer.
    pub async fn get(&mut self, target: &str) -> Answer {
        self.send(format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await;
        self.answer().await
    }

    /// Sends a whole request and returns its answer.
    pub async fn call(&mut self, request: &str) -> Answer {
        self.send(request).await;
        self.answer().await
    }

    /// Reads an answer with its body.
    pub async fn answer(&mut self) -> Answer {
        let mut answer = self.head().await;
        let length =
            answer.header("content-length").map_or(0, |len| len.parse().expect("a length"));
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await.expect("the whole body");
        answer.body = String::from_utf8_lossy(&body).into_owned();
        answer
    }

    /// Reads an answer that has no body, whatever its length says.
    pub async fn head(&mut self) -> Answer {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.stream.read_u8().await.expect("the whole head"));
        }
        let head = String::from_utf8(head).expect("text");
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status");
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(": ").expect("a header");
            (name.to_ascii_lowercase(), value.to_owned())
        });
        Answer {
            status: status.parse().expect("a status"),
            headers: headers.collect(),
            body: String::new(),
        }
    }

    /// Waits until the server closes the connection, and returns what it sent until then.
    pub async fn rest(&mut self) -> String {
        let mut rest = Vec::new();
        let _ = self.stream.read_to_end(&mut rest).await; // A reset is an end too.
        String::from_utf8_lossy(&rest).into_owned()
    }
}

impl Answer {
    /// Returns the only header of a name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.all(name);
        let value = values.next();
        assert_eq!(values.next(), None, "{name} is doubled");
        value
    }

    /// Returns the headers of a name.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(given, _)| given == name).map(|(_, value)| &**value)
    }

    /// Asserts that this is the gateway's own answer.
    #[track_caller]
    pub fn assert_gateway(&self, status: u16, message: &str) {
        let body = format!(r#"{{"message":"{message}"}}"#);
        assert_eq!((self.status, &*self.body), (status, &*body));
        assert_eq!(self.header("content-type"), Some("application/json"));
        assert!(self.header("apigw-requestid").is_some());
    }
}
