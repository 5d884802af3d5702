//! Several processes, started by an MPI launcher.
//!
//! Only messages between two ranks are used, not MPI's own collectives: those may sum in any order, cannot be given up once
//! begun, and do not tell who is missing.

mod call;
mod exchange;
mod heartbeat;
mod library;
mod link;
mod sum;

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::{CollectiveError, Patience};
use call::{Call, Kind};
use exchange::{Pace, exchange};
use heartbeat::Heartbeat;
use library::Library;
use link::{Link, keep_beating, lock};
use sum::{Summed, in_rank_order, part};

/// Elements of a message. The values go in chunks of so many for each rank, which bounds the memory beside them and keeps it
/// in the cache.
const MESSAGE: usize = 1 << 17;

/// One of several processes that an MPI launcher started. [`crate::Collective`] has the operations.
#[derive(Debug)]
pub struct MpiCollective {
    link: Arc<Mutex<Link>>,
    patience: Patience,
    rank: usize,
    world_size: usize,
    broken: bool,
}

impl MpiCollective {
    pub(crate) fn start(patience: Patience) -> Result<Self, CollectiveError> {
        let library = Library::start()?;
        let (rank, world_size) = (library.rank, library.world_size);
        let heartbeat = Heartbeat::new(&library, patience);
        let link = Arc::new(Mutex::new(Link { library, heartbeat }));
        keep_beating(&link)
            .map_err(|error| CollectiveError::Start { reason: format!("no thread: {error}") })?;
        Ok(Self { link, patience, rank, world_size, broken: false })
    }

    pub(crate) fn rank(&self) -> usize {
        self.rank
    }

    pub(crate) fn world_size(&self) -> usize {
        self.world_size
    }

    /// Each rank sums its part of the values and sends the sums to all others.
    pub(crate) fn all_reduce_sum<T: Summed>(
        &mut self,
        values: &mut [T],
    ) -> Result<(), CollectiveError> {
        let call = Call { length: values.len() as u64, ..Call::new(T::KIND) };
        self.whole_or_broken(|this| {
            this.arrive(call)?;
            values.chunks_mut(MESSAGE * this.world_size).try_for_each(|chunk| this.sum_chunk(chunk))
        })
    }

    pub(crate) fn broadcast(
        &mut self,
        bytes: &mut Vec<u8>,
        root: usize,
    ) -> Result<(), CollectiveError> {
        let call =
            Call { root: root as u64, length: bytes.len() as u64, ..Call::new(Kind::Broadcast) };
        self.whole_or_broken(|this| {
            let calls = this.arrive(call)?;
            let length = calls.get(root).map_or(0, |call| call.length) as usize;
            if this.rank != root {
                bytes.clear();
            }
            for start in (0..length).step_by(MESSAGE) {
                let end = length.min(start + MESSAGE);
                let chunk = bytes.get(start..end).map(|chunk| Arc::new(chunk.to_vec()));
                let chunk = chunk.filter(|_| this.rank == root);
                let expected = |peer| if peer == root { end - start } else { 0 };
                let received =
                    this.exchange(Kind::Broadcast, Pace::Data, |_| chunk.clone(), expected)?;
                if let Some(received) = received.get(root).filter(|_| this.rank != root) {
                    bytes.extend_from_slice(received);
                }
            }
            Ok(())
        })
    }

    pub(crate) fn any(&mut self, flag: bool) -> Result<bool, CollectiveError> {
        let call = Call { flag, ..Call::new(Kind::Any) };
        self.whole_or_broken(|this| Ok(this.arrive(call)?.iter().any(|call| call.flag)))
    }

    pub(crate) fn barrier(&mut self) -> Result<(), CollectiveError> {
        self.whole_or_broken(|this| this.arrive(Call::new(Kind::Barrier)).map(drop))
    }

    /// Returns when all ranks have come to sum so many values by other means.
    #[cfg(feature = "nccl")]
    pub(crate) fn meet_for_sum(&mut self, length: usize) -> Result<(), CollectiveError> {
        let call = Call { length: length as u64, ..Call::new(Kind::Sum) };
        self.whole_or_broken(|this| this.arrive(call).map(drop))
    }

    /// Whether all peers live, for one who waits for them by other means.
    #[cfg(feature = "nccl")]
    pub(crate) fn check_peers(&self) -> Result<(), CollectiveError> {
        lock(&self.link).heartbeat.check(Kind::Sum.name())
    }

    pub(crate) fn finish(mut self) -> Result<(), CollectiveError> {
        self.barrier()?;
        let Link { library, heartbeat } = &mut *lock(&self.link);
        heartbeat.stop(library);
        library.finalize()
    }

    /// Rank 0 at once, the others a little later: what ranks have to say is said by rank 0, which this would cut short.
    pub(crate) fn abort(&self, status: i32) {
        if self.rank != 0 {
            thread::sleep(Duration::from_secs(2));
        }
        lock(&self.link).library.abort(status);
    }

    /// Tells all ranks what this one calls, and returns, by rank, what they call. All of them are there then.
    fn arrive(&self, call: Call) -> Result<Vec<Call>, CollectiveError> {
        let encoded = Arc::new(call.encode());
        let received = self.exchange(
            call.kind,
            Pace::Peers,
            |_| Some(Arc::clone(&encoded)),
            |_| Call::ENCODED,
        )?;
        let mut calls = Vec::with_capacity(received.len());
        for (peer, numbers) in received.iter().enumerate() {
            let theirs = if peer == self.rank { call } else { Call::decode(numbers) };
            if !call.agrees_with(&theirs) {
                let (ours, theirs) = (call.to_string(), theirs.to_string());
                return Err(CollectiveError::Mismatch { rank: self.rank, peer, ours, theirs });
            }
            calls.push(theirs);
        }
        Ok(calls)
    }

    fn sum_chunk<T: Summed>(&self, values: &mut [T]) -> Result<(), CollectiveError> {
        let length = values.len();
        let part = |rank| part(length, rank, self.world_size);
        let expected = part(self.rank).len();
        let to_send = |values: &[T]| (!values.is_empty()).then(|| Arc::new(values.to_vec()));

        let addends = self.exchange(
            T::KIND,
            Pace::Data,
            |peer| values.get(part(peer)).and_then(to_send),
            |_| expected,
        )?;
        let mut addends: Vec<&[T]> = addends.iter().map(Vec::as_slice).collect();
        if let (Some(slot), Some(own)) = (addends.get_mut(self.rank), values.get(part(self.rank))) {
            *slot = own;
        }
        let sums = in_rank_order(&addends);

        let sums = to_send(&sums);
        let received =
            self.exchange(T::KIND, Pace::Data, |_| sums.clone(), |peer| part(peer).len())?;
        for (rank, received) in received.iter().enumerate() {
            let from =
                if rank == self.rank { sums.as_deref().unwrap_or(received) } else { received };
            if let Some(slots) = values.get_mut(part(rank)) {
                slots.copy_from_slice(from);
            }
        }
        Ok(())
    }

    fn exchange<T: ::mpi::traits::Equivalence + Clone + Default>(
        &self,
        kind: Kind,
        pace: Pace,
        outgoing: impl Fn(usize) -> Option<Arc<Vec<T>>>,
        expected: impl Fn(usize) -> usize,
    ) -> Result<Vec<Vec<T>>, CollectiveError> {
        exchange(&self.link, self.patience, (kind.name(), pace), outgoing, expected)
    }

    /// After an error the ranks no longer know what the next message is; none is sent.
    fn whole_or_broken<R>(
        &mut self,
        operation: impl FnOnce(&Self) -> Result<R, CollectiveError>,
    ) -> Result<R, CollectiveError> {
        if self.broken {
            return Err(CollectiveError::Broken);
        }
        let result = operation(self);
        self.broken = result.is_err();
        result
    }
}
