//! The operations between ranks, over mpirun.
