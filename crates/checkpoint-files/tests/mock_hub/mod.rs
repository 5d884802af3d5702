//! A web server in a thread, for tests: what it answers is a function of the request, and it remembers what it was asked.

pub(crate) mod hub;

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// A request: the target (path and query) and the headers, names in lower case.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) target: String,
    pub(crate) headers: HashMap<String, String>,
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// So many bytes of the body are sent, whatever `Content-Length` says.
    pub(crate) cut_at: Option<usize>,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, body: body.into(), ..Self::default() }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn cut_at(mut self, length: usize) -> Self {
        self.cut_at = Some(length);
        self
    }

    /// A file, or the part of it that the request asks for.
    pub(crate) fn file(request: &Request, content: &[u8]) -> Self {
        let range = request.headers.get("range").and_then(|text| text.strip_prefix("bytes="));
        let start = range.and_then(|text| text.strip_suffix('-')).map(str::parse::<usize>);
        let total = content.len();
        match start {
            None => Self::new(200, content),
            Some(Ok(start)) if start < total => Self::new(206, &content[start..])
                .header("Content-Range", format!("bytes {start}-{}/{total}", total - 1)),
            Some(_) => Self::new(416, "").header("Content-Range", format!("bytes */{total}")),
        }
    }
}

type Log = Arc<Mutex<Vec<Request>>>;

/// The server; it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct MockServer {
    address: SocketAddr,
    requests: Log,
    closing: Arc<Mutex<bool>>,
    thread: Option<JoinHandle<()>>,
}

impl MockServer {
    /// Begins to listen, on a port that is free.
    pub(crate) fn start(answer: impl Fn(&Request) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (requests, closing): (Log, Arc<Mutex<bool>>) = Default::default();
        let thread = std::thread::spawn({
            let (requests, closing) = (Arc::clone(&requests), Arc::clone(&closing));
            move || {
                for stream in listener.incoming() {
                    if *closing.lock().expect("a lock") {
                        break;
                    }
                    // A client that goes away ends its own connection, not the server.
                    let _ = stream.and_then(|stream| serve(stream, &answer, &requests));
                }
            }
        });
        Self { address, requests, closing, thread: Some(thread) }
    }

    /// Its address, as a base URL.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests since the last call.
    pub(crate) fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut *self.requests.lock().expect("a lock"))
    }
}

impl Drop for MockServer {
    fn drop(&mut self) {
        *self.closing.lock().expect("a lock") = true;
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn serve(
    mut stream: TcpStream,
    answer: &impl Fn(&Request) -> Reply,
    requests: &Mutex<Vec<Request>>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    let target = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = HashMap::new();
    for line in lines {
        let line = line?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let request = Request { target, headers };
    let Reply { status, headers, body, cut_at } = answer(&request);
    requests.lock().expect("a lock").push(request);
    let mut head = format!("HTTP/1.1 {status} Mocked\r\nConnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("Content-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes())?;
    stream.write_all(&body[..cut_at.unwrap_or(body.len()).min(body.len())])
}
