#[cfg(feature = "mpi")]
use crate::MpiCollective;
#[cfg(feature = "nccl")]
use crate::NcclCollective;
use crate::{CollectiveError, Patience, agreement, launcher};

/// The ranks of a training run, seen from one of them.
#[derive(Debug)]
#[non_exhaustive]
pub enum Collective {
    /// The only process: every operation is the identity.
    Single,
    /// One of several processes that an MPI launcher started.
    #[cfg(feature = "mpi")]
    Mpi(MpiCollective),
    /// The same, each with a GPU: the gradient goes through NCCL, everything else through MPI.
    #[cfg(feature = "nccl")]
    Nccl(NcclCollective),
}

impl Collective {
    /// Finds out from the environment whether `mpirun`, `srun` or their like started this process, and joins the others.
    ///
    /// To be called once, early, and by every rank. Without a launcher, or with one that started a single process, this is
    /// [`Collective::Single`] and the MPI library is not touched.
    ///
    /// # Errors
    ///
    /// The program was built without the feature `mpi`, but several processes were started, which would all write to one
    /// output folder; or MPI does not start, or knows of another number of processes than the launcher.
    pub fn start(patience: Patience) -> Result<Self, CollectiveError> {
        let Some(launch) = launcher::launch(|name| std::env::var(name).ok()) else {
            return Ok(Self::Single);
        };
        if launch.processes <= 1 {
            return Ok(Self::Single);
        }
        join(launch, patience)
    }

    /// Lets the gradient go between GPUs from now on; this rank's is `device`. A single process stays as it is.
    ///
    /// # Errors
    ///
    /// On all ranks, if any of them misses the driver, NCCL or its GPU.
    #[cfg(feature = "nccl")]
    pub fn with_gpu(self, device: usize) -> Result<Self, CollectiveError> {
        match self {
            Self::Mpi(mpi) => NcclCollective::start(mpi, device).map(Self::Nccl),
            other => Ok(other),
        }
    }

    /// Number of this process, from 0. Rank 0 alone writes.
    #[must_use]
    pub fn rank(&self) -> usize {
        match self {
            Self::Single => 0,
            #[cfg(feature = "mpi")]
            Self::Mpi(mpi) => mpi.rank(),
            #[cfg(feature = "nccl")]
            Self::Nccl(nccl) => nccl.processes().rank(),
        }
    }

    /// Number of this process among those of its machine, from 0: which GPU it takes, where the launcher says so; else 0.
    #[must_use]
    pub fn local_rank(&self) -> usize {
        match self {
            Self::Single => 0,
            #[cfg(feature = "mpi")]
            _ => launcher::local_rank(|name| std::env::var(name).ok()).unwrap_or(0),
        }
    }

    /// Number of processes.
    #[must_use]
    pub fn world_size(&self) -> usize {
        match self {
            Self::Single => 1,
            #[cfg(feature = "mpi")]
            Self::Mpi(mpi) => mpi.world_size(),
            #[cfg(feature = "nccl")]
            Self::Nccl(nccl) => nccl.processes().world_size(),
        }
    }

    /// Replaces each value by its sum over all ranks: the gradient.
    ///
    /// # Errors
    ///
    /// As every operation: a peer is lost, stuck, or calls something else; here also another length.
    #[cfg_attr(
        not(feature = "mpi"),
        expect(unused_variables, reason = "alone there is nothing to add")
    )]
    pub fn all_reduce_sum(&mut self, values: &mut [f32]) -> Result<(), CollectiveError> {
        match self {
            Self::Single => Ok(()),
            #[cfg(feature = "mpi")]
            Self::Mpi(mpi) => mpi.all_reduce_sum(values),
            #[cfg(feature = "nccl")]
            Self::Nccl(nccl) => nccl.all_reduce_sum(values),
        }
    }

    /// Replaces each value by its sum over all ranks: losses, counts.
    ///
    /// # Errors
    ///
    /// As [`Collective::all_reduce_sum`].
    #[cfg_attr(
        not(feature = "mpi"),
        expect(unused_variables, reason = "alone there is nothing to add")
    )]
    pub fn all_reduce_sum_f64(&mut self, values: &mut [f64]) -> Result<(), CollectiveError> {
        match self {
            Self::Single => Ok(()),
            #[cfg(feature = "mpi")]
            Self::Mpi(mpi) => mpi.all_reduce_sum(values),
            #[cfg(feature = "nccl")]
            Self::Nccl(nccl) => nccl.processes_mut().all_reduce_sum(values),
        }
    }

    /// Replaces the bytes of every rank by those of the rank `root`, whatever their length was.
    ///
    /// # Errors
    ///
    /// As every operation; and there is no such rank, or ranks name different ones.
    #[cfg_attr(
        not(feature = "mpi"),
        expect(unused_variables, clippy::ptr_arg, reason = "alone there is nothing to receive")
    )]
    pub fn broadcast(&mut self, bytes: &mut Vec<u8>, root: usize) -> Result<(), CollectiveError> {
        let world_size = self.world_size();
        if root >= world_size {
            return Err(CollectiveError::NoSuchRank { root, world_size });
        }
        match self {
            Self::Single => Ok(()),
            #[cfg(feature = "mpi")]
            Self::Mpi(mpi) => mpi.broadcast(bytes, root),
            #[cfg(feature = "nccl")]
            Self::Nccl(nccl) => nccl.processes_mut().broadcast(bytes, root),
        }
    }

    /// Whether any rank says yes: someone was asked to stop, someone met a NaN.
    ///
    /// # Errors
    ///
    /// As every operation.
    pub fn any(&mut self, flag: bool) -> Result<bool, CollectiveError> {
        match self {
            Self::Single => Ok(flag),
            #[cfg(feature = "mpi")]
            Self::Mpi(mpi) => mpi.any(flag),
            #[cfg(feature = "nccl")]
            Self::Nccl(nccl) => nccl.processes_mut().any(flag),
        }
    }

    /// Returns when all ranks have come here.
    ///
    /// # Errors
    ///
    /// As every operation.
    pub fn barrier(&mut self) -> Result<(), CollectiveError> {
        match self {
            Self::Single => Ok(()),
            #[cfg(feature = "mpi")]
            Self::Mpi(mpi) => mpi.barrier(),
            #[cfg(feature = "nccl")]
            Self::Nccl(nccl) => nccl.processes_mut().barrier(),
        }
    }

    /// Checks that all ranks have the same value, such as a digest of their settings or of their data.
    ///
    /// # Errors
    ///
    /// As every operation; and [`CollectiveError::Disagreement`], on all ranks, with the ranks that differ from rank 0. After
    /// that one the ranks may go on.
    pub fn agree(&mut self, what: &str, value: &[u8]) -> Result<(), CollectiveError> {
        agreement::agree(self, what, value)
    }

    /// Leaves in good order: waits for all ranks, then shuts MPI down. Without this the launcher reports a failed run.
    ///
    /// # Errors
    ///
    /// As every operation. MPI is not shut down then, since that would wait for the lost rank.
    pub fn finish(self) -> Result<(), CollectiveError> {
        match self {
            Self::Single => Ok(()),
            #[cfg(feature = "mpi")]
            Self::Mpi(mpi) => mpi.finish(),
            #[cfg(feature = "nccl")]
            Self::Nccl(nccl) => nccl.finish(),
        }
    }

    /// Ends all ranks at once, as after an error that the others cannot know of. Call it when everything is said and written.
    ///
    /// Exiting with a status other than 0 does the same wherever the launcher ends a job with its first failed process.
    pub fn abort(self, status: i32) -> ! {
        #[cfg(feature = "mpi")]
        match &self {
            Self::Single => {}
            Self::Mpi(mpi) => mpi.abort(status),
            #[cfg(feature = "nccl")]
            Self::Nccl(nccl) => nccl.processes().abort(status),
        }
        std::process::exit(status)
    }
}

#[cfg(feature = "mpi")]
fn join(launch: launcher::Launch, patience: Patience) -> Result<Collective, CollectiveError> {
    let mpi = MpiCollective::start(patience)?;
    let world_size = mpi.world_size();
    let launcher::Launch { variable, processes } = launch;
    if world_size != processes {
        return Err(CollectiveError::ForeignLauncher { variable, processes, world_size });
    }
    Ok(Collective::Mpi(mpi))
}

#[cfg(not(feature = "mpi"))]
fn join(launch: launcher::Launch, _patience: Patience) -> Result<Collective, CollectiveError> {
    let launcher::Launch { variable, processes } = launch;
    Err(CollectiveError::BuiltWithoutMpi { variable, processes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alone_everything_is_the_identity() {
        let mut alone = Collective::Single;
        assert_eq!((alone.rank(), alone.world_size()), (0, 1));
        let mut values = [1.5_f32, -0.0, f32::NAN];
        let before = values.map(f32::to_bits);
        alone.all_reduce_sum(&mut values).unwrap();
        assert_eq!(values.map(f32::to_bits), before);
        let mut losses = [0.1_f64];
        alone.all_reduce_sum_f64(&mut losses).unwrap();
        assert_eq!(losses, [0.1]);
        let mut bytes = b"adapter".to_vec();
        alone.broadcast(&mut bytes, 0).unwrap();
        assert_eq!(bytes, b"adapter");
        assert!(alone.any(true).unwrap());
        assert!(!alone.any(false).unwrap());
        alone.barrier().unwrap();
        alone.agree("configuration", b"x").unwrap();
        alone.finish().unwrap();
    }

    #[test]
    fn a_root_that_is_no_rank() {
        let error = Collective::Single.broadcast(&mut Vec::new(), 1).unwrap_err();
        assert_eq!(error.to_string(), "there is no rank 1 among 1");
    }
}
