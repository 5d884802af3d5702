use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;

use anyhow::Context;
use lora_train::checkpoint::newest;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::Signals;

use super::INTERRUPTED;

/// Lets the first Ctrl-C, or the first request to end, set `stop`; the second one ends the process at once.
pub(super) fn listen(stop: &Arc<AtomicBool>) -> anyhow::Result<()> {
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal must not find the flag that it sets itself.
        flag::register_conditional_shutdown(signal, i32::from(INTERRUPTED), Arc::clone(stop))
            .and_then(|_| flag::register(signal, Arc::clone(stop)))
            .context("cannot listen for signals")?;
    }
    Ok(())
}

/// Says at once where a run of several processes can go on, when it is asked to end: a launcher that has lost one of them
/// leaves the others a second or two, and they may be waiting for the lost one.
pub(super) fn say_where_to_go_on(rank: usize, out: &Path) -> anyhow::Result<()> {
    let mut signals = Signals::new([SIGTERM]).context("cannot listen for signals")?;
    let out = out.to_owned();
    thread::spawn(move || {
        for _ in signals.forever() {
            match newest(&out).ok().and_then(|newest| newest.found) {
                Some(found) => {
                    tracing::warn!(
                        "process {rank} is asked to end; if it cannot save any more, go on with --resume {}",
                        found.path.display()
                    );
                }
                None => {
                    tracing::warn!("process {rank} is asked to end before the first checkpoint");
                }
            }
        }
    });
    Ok(())
}
