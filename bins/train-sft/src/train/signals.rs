use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

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
