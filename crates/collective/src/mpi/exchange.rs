//! A message from every rank to every other one, with an end in any case.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ::mpi::traits::Equivalence;

use super::library::{Incoming, Outgoing};
use super::link::{Link, lock};
use crate::{CollectiveError, Patience};

const TAG: i32 = 2;

/// How the wait is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// For peers, which may still compute: sleep between looks, 1 ms at most.
    Peers,
    /// For data of peers that are all there: look again at once, and let other threads run in between.
    Data,
}

/// Sends `outgoing(peer)` to every peer that it gives something for, receives `expected(peer)` elements from each, and returns
/// those by rank. Of this rank, and of those of which nothing is expected, there are none.
pub(super) fn exchange<T: Equivalence + Clone + Default>(
    link: &Mutex<Link>,
    patience: Patience,
    (operation, pace): (&'static str, Pace),
    outgoing: impl Fn(usize) -> Option<Arc<Vec<T>>>,
    expected: impl Fn(usize) -> usize,
) -> Result<Vec<Vec<T>>, CollectiveError> {
    let mut pending = begin(link, operation, outgoing, expected)?;
    let began = Instant::now();
    let mut pause = Pause { pace, began };
    loop {
        {
            let Link { library, heartbeat } = &mut *lock(link);
            let mut moved = false;
            for peer in &mut pending.peers {
                let before = peer.is_done();
                peer.test(library).map_err(|message| CollectiveError::PeerUnreachable {
                    peer: peer.rank,
                    operation,
                    message,
                })?;
                moved |= peer.is_done() != before;
            }
            if pending.peers.iter().all(Messages::is_done) {
                break;
            }
            heartbeat.beat(library);
            heartbeat.check(operation)?;
            if moved {
                pause.began = Instant::now();
            }
        }
        let waited = began.elapsed();
        if waited > patience.stall {
            let absent = pending.peers.iter().filter(|peer| !peer.is_done());
            let peers = absent.map(|peer| peer.rank).collect();
            return Err(CollectiveError::PeerStuck { peers, operation, waited });
        }
        pause.rest();
    }
    Ok(pending.received())
}

struct Pending<T> {
    world_size: usize,
    peers: Vec<Messages<T>>,
}

/// To and from one peer.
struct Messages<T> {
    rank: usize,
    outgoing: Option<Outgoing<T>>,
    incoming: Option<Incoming<T>>,
    done: bool,
}

fn begin<T: Equivalence + Clone + Default>(
    link: &Mutex<Link>,
    operation: &'static str,
    outgoing: impl Fn(usize) -> Option<Arc<Vec<T>>>,
    expected: impl Fn(usize) -> usize,
) -> Result<Pending<T>, CollectiveError> {
    let library = &mut lock(link).library;
    let (own, world_size) = (library.rank, library.world_size);
    let mut peers = Vec::with_capacity(world_size);
    // Each rank begins with its successor, so that not all of them send to the same one at first.
    for rank in (own + 1..world_size).chain(0..own) {
        let unreachable =
            |message| CollectiveError::PeerUnreachable { peer: rank, operation, message };
        let incoming = match expected(rank) {
            0 => None,
            length => Some(library.receive(rank, TAG, length).map_err(unreachable)?),
        };
        let outgoing = match outgoing(rank) {
            None => None,
            Some(data) => Some(library.send(rank, TAG, data).map_err(unreachable)?),
        };
        peers.push(Messages { rank, outgoing, incoming, done: false });
    }
    Ok(Pending { world_size, peers })
}

impl<T> Pending<T> {
    fn received(self) -> Vec<Vec<T>> {
        let mut by_rank: Vec<Vec<T>> = (0..self.world_size).map(|_| Vec::new()).collect();
        for peer in self.peers {
            if let (Some(slot), Some(incoming)) = (by_rank.get_mut(peer.rank), peer.incoming) {
                *slot = incoming.take();
            }
        }
        by_rank
    }
}

impl<T> Messages<T> {
    fn is_done(&self) -> bool {
        self.done
    }

    fn test(&mut self, library: &mut super::library::Library) -> Result<(), String> {
        let sent = match &mut self.outgoing {
            Some(outgoing) => outgoing.is_done(library)?,
            None => true,
        };
        let come = match &mut self.incoming {
            Some(incoming) => incoming.is_done(library)?,
            None => true,
        };
        self.done = sent && come;
        Ok(())
    }
}

/// Rests between looks: short ones first, since most waits are.
struct Pause {
    pace: Pace,
    /// When something last moved.
    began: Instant,
}

impl Pause {
    fn rest(&self) {
        let idle = self.began.elapsed();
        let (eager, longest) = match self.pace {
            Pace::Peers => (Duration::from_micros(100), Duration::from_millis(1)),
            Pace::Data => (Duration::from_millis(20), Duration::from_micros(100)),
        };
        if idle < eager {
            thread::yield_now();
        } else {
            thread::sleep((idle / 8).min(longest));
        }
    }
}
