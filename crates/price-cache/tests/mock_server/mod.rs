//! A web server in a thread, for tests: it gives scripted answers and remembers what it was asked.

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// What `Content-Length` says where that is not the truth.
    length: Option<usize>,
}

impl Reply {
    /// JSON with status 200.
    pub fn json(body: &str) -> Self {
        Self::status(200, body).header("Content-Type", "application/json")
    }

    /// Any status.
    pub fn status(status: u16, body: &str) -> Self {
        Self { status, headers: Vec::new(), body: body.as_bytes().to_vec(), length: None }
    }

    /// With another header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Announces the whole body, and ends the connection after half of it.
    pub fn broken_off(mut self) -> Self {
        self.length = Some(self.body.len());
        self.body.truncate(self.body.len() / 2);
        self
    }
}

/// A request: the target (path and query) and the headers, names in lower case.
#[derive(Debug, Clone)]
pub struct Request {
    pub target: String,
    pub headers: HashMap<String, String>,
}

/// Answers by the beginning of the target; the last one of a script stands for all further ones.
type Scripts = Arc<Mutex<Vec<(String, VecDeque<Reply>)>>>;

/// The server; it ends when it is dropped.
#[derive(Debug)]
pub struct MockServer {
    address: SocketAddr,
    scripts: Scripts,
    requests: Arc<Mutex<Vec<Request>>>,
    closing: Arc<Mutex<bool>>,
    thread: Option<JoinHandle<()>>,
}

impl MockServer {
    /// Begins to listen, on a port that is free.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let scripts: Scripts = Arc::default();
        let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
        let closing: Arc<Mutex<bool>> = Arc::default();
        let thread = std::thread::spawn({
            let (scripts, requests, closing) =
                (Arc::clone(&scripts), Arc::clone(&requests), Arc::clone(&closing));
            move || {
                for stream in listener.incoming() {
                    if *closing.lock().expect("a lock") {
                        break;
                    }
                    // A client that goes away ends its own connection, not the server.
                    let _ = stream.and_then(|stream| serve(stream, &scripts, &requests));
                }
            }
        });
        Self { address, scripts, requests, closing, thread: Some(thread) }
    }

    /// Its address, as a base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers requests whose target begins so with these, in turn, the last one for ever.
    pub fn on(&self, target: &str, replies: impl IntoIterator<Item = Reply>) -> &Self {
        let mut scripts = self.scripts.lock().expect("a lock");
        scripts.retain(|(known, _)| known != target);
        scripts.push((target.to_owned(), replies.into_iter().collect()));
        self
    }

    /// The requests since the last call.
    pub fn requests(&self) -> Vec<Request> {
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
    scripts: &Scripts,
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
    let reply = {
        let mut scripts = scripts.lock().expect("a lock");
        let known = scripts.iter_mut().filter(|(known, _)| target.starts_with(known.as_str()));
        let script = known.max_by_key(|(known, _)| known.len());
        script.map(|(_, replies)| match replies.len() {
            0 => Reply::status(500, "the script has no answer"),
            1 => replies[0].clone(),
            _ => replies.pop_front().expect("it has two"),
        })
    };
    requests.lock().expect("a lock").push(Request { target, headers });
    let Reply { status, headers, body, length } =
        reply.unwrap_or_else(|| Reply::status(404, "no such path"));
    let mut head = format!("HTTP/1.1 {status} Scripted\r\nConnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &format!("Content-Length: {}\r\n\r\n", length.unwrap_or(body.len()));
    stream.write_all(head.as_bytes())?;
    stream.write_all(&body)
}
