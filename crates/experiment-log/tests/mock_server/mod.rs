//! A web server in a thread: it gives answers in turn and remembers what it was asked.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// What it was asked.
#[derive(Debug)]
pub(crate) struct Request {
    /// Method and target.
    pub(crate) line: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: String,
}

#[derive(Debug, Default)]
struct State {
    answers: VecDeque<(u16, String)>,
    requests: Vec<Request>,
    closing: bool,
}

/// The server; it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct MockServer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    thread: Option<JoinHandle<()>>,
}

impl MockServer {
    /// Begins to listen, on a port that is free.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state: Arc<Mutex<State>> = Arc::default();
        let thread = std::thread::spawn({
            let state = Arc::clone(&state);
            move || {
                for stream in listener.incoming() {
                    if state.lock().expect("a lock").closing {
                        break;
                    }
                    // A client that goes away ends its own connection, not the server.
                    let _ = stream.and_then(|stream| serve(stream, &state));
                }
            }
        });
        Self { address, state, thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next answers: status and body.
    pub(crate) fn answer<'a>(&self, answers: impl IntoIterator<Item = (u16, &'a str)>) {
        let mut state = self.state.lock().expect("a lock");
        assert!(state.answers.is_empty(), "answers that nobody asked for: {:?}", state.answers);
        state.answers.extend(answers.into_iter().map(|(status, body)| (status, body.to_owned())));
    }

    /// The requests since the last call.
    pub(crate) fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.state.lock().expect("a lock").requests)
    }
}

impl Drop for MockServer {
    fn drop(&mut self) {
        self.state.lock().expect("a lock").closing = true;
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut head = Vec::new();
    for line in reader.by_ref().lines() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        head.push(line);
    }
    let header = |name: &str| {
        let found = head.iter().filter_map(|line| line.split_once(": "));
        let mut found = found.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.to_owned())
    };
    let length = header("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let request = Request {
        line: head.first().map(|line| line.replace(" HTTP/1.1", "")).unwrap_or_default(),
        authorization: header("authorization"),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let (status, body) = {
        let mut state = state.lock().expect("a lock");
        state.requests.push(request);
        state.answers.pop_front().unwrap_or((500, "no answer is left".to_owned()))
    };
    write!(
        stream,
        "HTTP/1.1 {status} Scripted\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}
