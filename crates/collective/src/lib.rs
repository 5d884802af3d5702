//! Sums over the processes of a training run: one process, MPI, NCCL.
//!
//! Data-parallel training needs one all-reduce a step, over the flat gradient, and a few tiny exchanges beside it. Every
//! operation of [`Collective`] is called by all ranks, in the same order; a rank that calls another one gets an error, and so
//! do those that wait for it. In a single process every operation is the identity.
//!
//! # Sums
//!
//! An element is summed by one rank, in the order of the ranks, in f64, is rounded once, and goes to all others. So all ranks have the
//! same bits, and the same inputs give the same bits in every run, whatever algorithm the MPI library would choose. (Sums between
//! GPUs are NCCL's: the same bits on all ranks, in an order of its own.)
//!
//! # Lost peers
//!
//! Ranks send each other heartbeats from a thread of their own, thus also while they compute. An operation that waits returns
//! [`CollectiveError::PeerSilent`] once a peer has not been heard of for [`Patience`]`::silence`; a peer that is slow is waited for.
//! After any error the collective is of no further use: the process says what it has to say, and leaves with
//! [`Collective::abort`] or by exiting with a status other than 0, which makes the launcher end the other ranks. Dropping a
//! collective never waits for anyone.
//!
//! # Features
//!
//! `mpi`: processes and nodes. Building needs `mpicc` and libclang. `nccl`: gradients between GPUs, over `mpi`. Building needs no
//! CUDA; its libraries are loaded when they are used.

mod agreement;
mod collective;
mod error;
mod launcher;
#[cfg(feature = "mpi")]
mod mpi;
#[cfg(feature = "nccl")]
mod nccl;
mod patience;

pub use collective::Collective;
pub use error::CollectiveError;
pub use patience::Patience;

#[cfg(feature = "mpi")]
pub use crate::mpi::MpiCollective;
#[cfg(feature = "nccl")]
pub use crate::nccl::NcclCollective;
