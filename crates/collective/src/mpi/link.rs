//! The library and the heartbeat under one lock, and the thread that keeps the heart beating while the others compute.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;

use super::heartbeat::Heartbeat;
use super::library::Library;

/// What every call of MPI goes through.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) library: Library,
    pub(super) heartbeat: Heartbeat,
}

pub(super) fn lock(link: &Mutex<Link>) -> MutexGuard<'_, Link> {
    // A link is whole between any two calls, also after a panic.
    link.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts the thread. It ends by itself when the link is dropped.
pub(super) fn keep_beating(link: &Arc<Mutex<Link>>) -> io::Result<()> {
    let between = lock(link).heartbeat.between_beats();
    let link: Weak<Mutex<Link>> = Arc::downgrade(link);
    thread::Builder::new().name("mpi-heartbeat".to_owned()).spawn(move || {
        while let Some(link) = link.upgrade() {
            {
                let Link { library, heartbeat } = &mut *lock(&link);
                heartbeat.beat(library);
            }
            drop(link);
            thread::sleep(between);
        }
    })?;
    Ok(())
}
