//! Signs of life: a byte to every peer now and then.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::library::{Incoming, Library, Outgoing};
use crate::{CollectiveError, Patience};

const TAG: i32 = 1;

/// What this rank knows of the life of its peers.
#[derive(Debug)]
pub(super) struct Heartbeat {
    peers: Vec<Peer>,
    patience: Patience,
    /// When the last round was.
    last: Instant,
}

#[derive(Debug)]
struct Peer {
    rank: usize,
    heard: Instant,
    fault: Option<String>,
    incoming: Option<Incoming<u8>>,
    outgoing: Option<Outgoing<u8>>,
}

impl Heartbeat {
    pub(super) fn new(library: &Library, patience: Patience) -> Self {
        let now = Instant::now();
        let peers = (0..library.world_size)
            .filter(|rank| *rank != library.rank)
            .map(|rank| Peer { rank, heard: now, fault: None, incoming: None, outgoing: None })
            .collect();
        // A first round is due at once.
        let last = now.checked_sub(patience.between_beats()).unwrap_or(now);
        Self { peers, patience, last }
    }

    /// Sends and hears, if it is time to.
    pub(super) fn beat(&mut self, library: &mut Library) {
        let now = Instant::now();
        let since = now.duration_since(self.last);
        if since < self.patience.between_beats() {
            return;
        }
        self.last = now;
        // A process that itself stood still cannot tell who was silent meanwhile.
        let stood_still = since > self.patience.silence() / 2;
        for peer in &mut self.peers {
            if stood_still {
                peer.heard = now;
            }
            if peer.fault.is_none()
                && let Err(message) = peer.exchange(library, now)
            {
                peer.fault = Some(message);
            }
        }
    }

    /// Whether all peers live, as far as one can tell.
    pub(super) fn check(&self, operation: &'static str) -> Result<(), CollectiveError> {
        let now = Instant::now();
        if let Some((peer, message)) =
            self.peers.iter().find_map(|peer| Some((peer.rank, peer.fault.clone()?)))
        {
            return Err(CollectiveError::PeerUnreachable { peer, operation, message });
        }
        let silence = |peer: &Peer| now.duration_since(peer.heard);
        let silent: Vec<&Peer> =
            self.peers.iter().filter(|peer| silence(peer) > self.patience.silence()).collect();
        let Some(longest) = silent.iter().map(|peer| silence(peer)).max() else {
            return Ok(());
        };
        let peers = silent.iter().map(|peer| peer.rank).collect();
        Err(CollectiveError::PeerSilent { peers, operation, silent: longest })
    }

    /// Expects nothing any more.
    pub(super) fn stop(&mut self, library: &mut Library) {
        for peer in self.peers.drain(..) {
            if let Some(incoming) = peer.incoming {
                incoming.cancel(library);
            }
        }
    }

    pub(super) fn between_beats(&self) -> Duration {
        self.patience.between_beats()
    }
}

impl Peer {
    fn exchange(&mut self, library: &mut Library, now: Instant) -> Result<(), String> {
        loop {
            if let Some(incoming) = &mut self.incoming {
                if !incoming.is_done(library)? {
                    break;
                }
                self.heard = now;
            }
            self.incoming = Some(library.receive(self.rank, TAG, 1)?);
        }
        // One beat at a time: a peer that takes none must not let them pile up here.
        let left = match &mut self.outgoing {
            Some(outgoing) => outgoing.is_done(library)?,
            None => true,
        };
        if left {
            self.outgoing = Some(library.send(self.rank, TAG, Arc::new(vec![1]))?);
        }
        Ok(())
    }
}
