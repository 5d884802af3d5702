#![expect(
    unsafe_code,
    reason = "NCCL's handle may move between threads, which the compiler cannot know"
)]

//! The gradient between GPUs. Everything else goes over MPI, as without them.

use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use cudarc::driver::{CudaContext, CudaSlice, CudaStream, DevicePtrMut, DriverError};
use cudarc::nccl::result::NcclError;
use cudarc::nccl::safe::{Comm, Id, ReduceOp};

use crate::{CollectiveError, MpiCollective};

const ID_BYTES: usize = 128;

/// One of several processes, each with a GPU of its own. [`crate::Collective`] has the operations.
pub struct NcclCollective {
    processes: MpiCollective,
    stream: Arc<CudaStream>,
    // Never dropped: ending it waits for the peers, and cudarc's `drop` panics where NCCL reports an error.
    ranks: ManuallyDrop<Comm>,
    /// Room on the GPU for values of the host.
    room: ManuallyDrop<Option<CudaSlice<f32>>>,
}

// SAFETY: NCCL lets any thread use a communicator, one at a time, which `&mut self` sees to; the rest is `Send` by itself.
unsafe impl Send for NcclCollective {}

impl std::fmt::Debug for NcclCollective {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NcclCollective").field("processes", &self.processes).finish_non_exhaustive()
    }
}

impl NcclCollective {
    /// Joins the GPUs: this rank's is `device`, counted as CUDA counts those that it shows to this process.
    pub(crate) fn start(
        mut processes: MpiCollective,
        device: usize,
    ) -> Result<Self, CollectiveError> {
        // All ranks learn of a rank without a GPU before they wait for it inside NCCL.
        let gpu = open(device);
        let failed = processes.any(gpu.is_err())?;
        let stream = gpu?;
        if failed {
            let message = "another rank cannot use its GPU".to_owned();
            return Err(CollectiveError::Gpu { call: "start", message });
        }
        let id = if processes.rank() == 0 {
            Some(Id::new().map_err(nccl("ncclGetUniqueId")))
        } else {
            None
        };
        let mut bytes = match &id {
            Some(Ok(id)) => id.internal().iter().map(|byte| byte.cast_unsigned()).collect(),
            _ => Vec::new(),
        };
        processes.broadcast(&mut bytes, 0)?;
        if let Some(Err(error)) = id {
            return Err(error);
        }
        let id = <[u8; ID_BYTES]>::try_from(bytes).map_err(|_| CollectiveError::Gpu {
            call: "ncclGetUniqueId",
            message: "failed on rank 0".to_owned(),
        })?;
        let id = Id::uninit(id.map(|byte| byte.cast_signed()));
        let (rank, world_size) = (processes.rank(), processes.world_size());
        let ranks = Comm::from_rank(Arc::clone(&stream), rank, world_size, id)
            .map_err(nccl("ncclCommInitRank"))?;
        let ranks = ManuallyDrop::new(ranks);
        Ok(Self { processes, stream, ranks, room: ManuallyDrop::new(None) })
    }

    pub(crate) fn processes(&self) -> &MpiCollective {
        &self.processes
    }

    pub(crate) fn processes_mut(&mut self) -> &mut MpiCollective {
        &mut self.processes
    }

    /// Values of the host, by way of the GPU.
    pub(crate) fn all_reduce_sum(&mut self, values: &mut [f32]) -> Result<(), CollectiveError> {
        if values.is_empty() {
            return self.processes.meet_for_sum(0);
        }
        let mut room = match self.room.take() {
            Some(room) if room.len() == values.len() => room,
            _ => self.stream.alloc_zeros(values.len()).map_err(cuda("cuMemAlloc"))?,
        };
        self.stream.memcpy_htod(&*values, &mut room).map_err(cuda("cuMemcpyHtoD"))?;
        // After an error the GPU may still write to it: it is given up, not freed.
        let mut room = ManuallyDrop::new(room);
        self.all_reduce_sum_on_device(&mut *room)?;
        self.stream.memcpy_dtoh(&*room, values).map_err(cuda("cuMemcpyDtoH"))?;
        self.stream.synchronize().map_err(cuda("cuStreamSynchronize"))?;
        *self.room = Some(ManuallyDrop::into_inner(room));
        Ok(())
    }

    /// Replaces each value on the GPU by its sum over all ranks, in an order that NCCL chooses, and waits for it.
    ///
    /// # Errors
    ///
    /// As [`crate::Collective::all_reduce_sum`]; and what CUDA and NCCL report. The buffer must not be freed after an error: the
    /// GPU may still write to it.
    pub fn all_reduce_sum_on_device(
        &mut self,
        values: &mut impl DevicePtrMut<f32>,
    ) -> Result<(), CollectiveError> {
        self.processes.meet_for_sum(values.len())?;
        self.stream.context().bind_to_thread().map_err(cuda("cuCtxSetCurrent"))?;
        self.ranks.all_reduce_in_place(values, &ReduceOp::Sum).map_err(nccl("ncclAllReduce"))?;
        self.wait()
    }

    /// As `synchronize`, but a lost peer ends it.
    fn wait(&self) -> Result<(), CollectiveError> {
        let done = self.stream.record_event(None).map_err(cuda("cuEventRecord"))?;
        let began = Instant::now();
        while !done.try_is_complete().map_err(cuda("cuEventQuery"))? {
            self.processes.check_peers()?;
            if began.elapsed() > Duration::from_millis(20) {
                thread::sleep(Duration::from_micros(100));
            } else {
                thread::yield_now();
            }
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<(), CollectiveError> {
        self.processes.finish()
    }
}

/// The GPU's stream, if there are a GPU and the libraries. cudarc panics in calls of a library that is missing.
fn open(device: usize) -> Result<Arc<CudaStream>, CollectiveError> {
    // SAFETY: opens a library of the system, whose initializers run, as they do on its first use.
    if !unsafe { cudarc::driver::sys::is_culib_present() } {
        return Err(CollectiveError::LibraryMissing { library: "the CUDA driver (libcuda.so)" });
    }
    // SAFETY: as above.
    if !unsafe { cudarc::nccl::sys::is_culib_present() } {
        return Err(CollectiveError::LibraryMissing {
            library: "NCCL (libnccl.so, or a link of that name to libnccl.so.2)",
        });
    }
    CudaContext::new(device).and_then(|context| context.new_stream()).map_err(|error| {
        let message = format!("GPU {device}: {error}");
        CollectiveError::Gpu { call: "cuDevicePrimaryCtxRetain", message }
    })
}

fn cuda(call: &'static str) -> impl Fn(DriverError) -> CollectiveError {
    move |error| CollectiveError::Gpu { call, message: error.to_string() }
}

fn nccl(call: &'static str) -> impl Fn(NcclError) -> CollectiveError {
    move |NcclError(code)| CollectiveError::Gpu { call, message: format!("{code:?}") }
}
