use std::fs::File;
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Listens for requests to end, for as long as it lives.
#[derive(Debug)]
pub(super) struct Attention {
    signals: Signals,
    /// Whether somebody asked for the end.
    pub(super) asked_to_end: bool,
}

impl Attention {
    pub(super) fn new() -> anyhow::Result<Self> {
        let signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGCHLD]);
        Ok(Self { signals: signals.context("cannot listen for signals")?, asked_to_end: false })
    }

    /// Whether somebody asked for the end while no stage ran.
    pub(super) fn look(&mut self) -> bool {
        self.asked_to_end |= self.signals.pending().any(|signal| signal != SIGCHLD);
        self.asked_to_end
    }

    /// Runs a program to its end and passes on to it whatever request to end comes: a stage that is asked politely
    /// saves first.
    ///
    /// The program is in a process group of its own, so that Ctrl-C reaches it once, through us, and not twice.
    pub(super) fn run(
        &mut self,
        command: &mut Command,
        lock: File,
        started: impl FnOnce(u32) -> anyhow::Result<()>,
    ) -> anyhow::Result<ExitStatus> {
        apart(command);
        let mut child = command
            .stdin(Stdio::from(lock))
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        started(child.id())?;
        loop {
            // A child that ends after this look wakes the wait below.
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            for signal in self.signals.wait() {
                if signal != SIGCHLD {
                    self.asked_to_end = true;
                    ask_to_end(&child, signal);
                }
            }
        }
    }
}

fn apart(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

fn ask_to_end(child: &Child, signal: i32) {
    let signal = if signal == SIGINT { Signal::INT } else { Signal::TERM };
    // Fails where the program has ended already.
    let _ = kill_process(Pid::from_child(child), signal);
}
