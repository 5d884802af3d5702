use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt as layer};

use crate::progress::Bars;

/// The log files of a run: `logs/RUN_ID.log` as text and `logs/RUN_ID.jsonl` as objects.
///
/// A stage logs before it knows where it writes, so lines wait in memory until
/// [`Logs::attach`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Logs {
    text: Sink,
    json: Sink,
}

impl Logs {
    /// Installs the process's log subscriber: standard error down to `level`, files down to debug.
    pub(crate) fn install(&self, bars: &Bars, level: LevelFilter) {
        let console = layer::layer()
            .with_writer(Console(bars.clone()))
            .event_format(PlainFormat)
            .with_ansi(false)
            .with_filter(level);
        let text = layer::layer()
            .with_writer(self.text.clone())
            .with_ansi(false)
            .with_target(true)
            .with_filter(LevelFilter::DEBUG);
        let json =
            layer::layer().json().with_writer(self.json.clone()).with_filter(LevelFilter::DEBUG);
        // A second stage in the same process (a test) keeps the first one's subscriber.
        let _ = tracing_subscriber::registry().with(console).with(text).with(json).try_init();
    }

    /// Writes what was logged so far, and all that follows, to files under `folder`.
    pub(crate) fn attach(&self, folder: &Path, run_id: &str) -> anyhow::Result<()> {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        for (sink, extension) in [(&self.text, "log"), (&self.json, "jsonl")] {
            let path = folder.join(format!("{run_id}.{extension}"));
            let file = File::create(&path);
            let written = file.and_then(|file| sink.attach(file));
            written.with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }
}

/// Where one log goes: into memory first, then into a file.
#[derive(Debug, Clone, Default)]
struct Sink(Arc<Mutex<SinkState>>);

#[derive(Debug, Default)]
struct SinkState {
    waiting: Vec<u8>,
    file: Option<File>,
}

impl Sink {
    fn attach(&self, mut file: File) -> io::Result<()> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&std::mem::take(&mut state.waiting))?;
        state.file = Some(file);
        Ok(())
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut state.file {
            Some(file) => file.write_all(bytes)?,
            None => state.waiting.extend_from_slice(bytes),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Sink {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Standard error, with the progress bars out of the way while a line is printed.
#[derive(Clone)]
struct Console(Bars);

impl Write for Console {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.suspend(|| io::stderr().write_all(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Console {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Lines for a person: the message alone, with the level in front where it is a warning or worse.
struct PlainFormat;

impl<S, N> FormatEvent<S, N> for PlainFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        match *event.metadata().level() {
            Level::ERROR => writer.write_str("error: ")?,
            Level::WARN => writer.write_str("warning: ")?,
            Level::INFO => {}
            Level::DEBUG => writer.write_str("debug: ")?,
            Level::TRACE => writer.write_str("trace: ")?,
        }
        context.format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}
