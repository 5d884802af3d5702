//! Sums over the processes of a training run: one process, MPI, NCCL.
