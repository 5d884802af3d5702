use std::time::Duration;

/// What can go wrong between ranks. None of it can be tried again: the ranks no longer know of each other what they have received.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CollectiveError {
    /// Heartbeats of these ranks stopped: their process or machine is gone, stopped, or cut off.
    #[error("{operation}: lost {}: not heard of for {:.0} s", ranks_of(peers), silent.as_secs_f64())]
    PeerSilent {
        /// The lost ranks, ascending.
        peers: Vec<usize>,
        /// What this rank wanted of them.
        operation: &'static str,
        /// The longest silence among them.
        silent: Duration,
    },
    /// The MPI library reports that messages to or from a rank fail.
    #[error("{operation}: lost rank {peer}: {message}")]
    PeerUnreachable {
        /// The rank.
        peer: usize,
        /// What this rank wanted of it.
        operation: &'static str,
        /// The MPI library's words.
        message: String,
    },
    /// These ranks live, but did not come to the operation.
    #[error("{operation}: {} did not take part within {:.0} s", ranks_of(peers), waited.as_secs_f64())]
    PeerStuck {
        /// The ranks, ascending.
        peers: Vec<usize>,
        /// What this rank wanted of them.
        operation: &'static str,
        /// How long this rank waited.
        waited: Duration,
    },
    /// A rank called another operation than this one, or the same with another length or root.
    #[error("rank {rank} calls {ours}, rank {peer} calls {theirs}")]
    Mismatch {
        /// This rank.
        rank: usize,
        /// The other rank.
        peer: usize,
        /// What this rank called.
        ours: String,
        /// What the other rank called.
        theirs: String,
    },
    /// Ranks were started with different settings or data.
    #[error("{what} of {} differs from that of rank 0", ranks_of(ranks))]
    Disagreement {
        /// What was compared.
        what: String,
        /// The ranks whose value is not that of rank 0, ascending.
        ranks: Vec<usize>,
    },
    /// The root of a broadcast is no rank.
    #[error("there is no rank {root} among {world_size}")]
    NoSuchRank {
        /// The root.
        root: usize,
        /// Number of ranks.
        world_size: usize,
    },
    /// An operation after one that failed.
    #[error("an earlier operation between the ranks failed")]
    Broken,
    /// A launcher started several processes of a program that was built for one.
    #[error(
        "{variable} says that this is one of {processes} processes, but this program was built without the feature `mpi`"
    )]
    BuiltWithoutMpi {
        /// The launcher's environment variable.
        variable: &'static str,
        /// How many processes it started.
        processes: usize,
    },
    /// The MPI library does not know of the other processes that the launcher started: they belong to different installations.
    #[error(
        "{variable} says that this is one of {processes} processes, but the MPI library finds {world_size}: the launcher does not belong to this MPI library (with srun: try --mpi=pmix)"
    )]
    ForeignLauncher {
        /// The launcher's environment variable.
        variable: &'static str,
        /// How many processes it started.
        processes: usize,
        /// How many ranks MPI has.
        world_size: usize,
    },
    /// The MPI library could not be initialized, or was before.
    #[error("MPI cannot be started: {reason}")]
    Start {
        /// Why.
        reason: String,
    },
    /// A library that sums between GPUs need is missing.
    #[error("{library} cannot be loaded; sums between GPUs need the driver and NCCL")]
    LibraryMissing {
        /// The library.
        library: &'static str,
    },
    /// CUDA or NCCL reports an error.
    #[error("{call}: {message}")]
    Gpu {
        /// What was called.
        call: &'static str,
        /// The library's words.
        message: String,
    },
}

impl CollectiveError {
    /// Whether other ranks are gone or stuck, so that the run should be started again from its last checkpoint.
    #[must_use]
    pub fn is_peer_lost(&self) -> bool {
        matches!(
            self,
            Self::PeerSilent { .. } | Self::PeerUnreachable { .. } | Self::PeerStuck { .. }
        )
    }
}

fn ranks_of(ranks: &[usize]) -> String {
    let listed = ranks.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
    match ranks {
        [_] => format!("rank {listed}"),
        _ => format!("ranks {listed}"),
    }
}
