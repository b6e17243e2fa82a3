//! An HTTP/1.1 client without anything that would take time from the process it measures.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A connection that is kept alive.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// # Panics
    /// If the process does not accept it.
    pub async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        Self { stream, buffer: Vec::with_capacity(4_096) }
    }

    /// Sends a request and returns the status of its response, when all of it has arrived.
    ///
    /// # Panics
    /// If the connection ends.
    pub async fn send(&mut self, request: &str) -> u16 {
        self.stream.write_all(request.as_bytes()).await.expect("a request is sent");
        self.buffer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await.expect("a response");
            assert!(read > 0, "the connection ended");
            if let Some((status, length)) = response(&self.buffer)
                && self.buffer.len() >= length
            {
                return status;
            }
        }
    }

    /// Returns the body of the last response.
    pub fn body(&self) -> &[u8] {
        head(&self.buffer).map_or(&[], |head| &self.buffer[head..])
    }
}

/// Returns the status and the length of a response, once its head is complete.
fn response(bytes: &[u8]) -> Option<(u16, usize)> {
    let end = head(bytes)?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let status = head.get(9..12)?.parse().ok()?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    Some((status, end + length.map_or(0, |length| length.parse().expect("a length"))))
}

fn head(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|position| position + 4)
}
