#![expect(unsafe_code, reason = "the MPI library is C; this file alone calls it")]

//! The MPI library, with messages that own their memory.
//!
//! MPI wants its calls one after another (`MPI_THREAD_SERIALIZED`): all of them go through `&mut Library`.

use std::ffi::{c_char, c_int};
use std::mem;
use std::ptr;
use std::sync::Arc;

use ::mpi::ffi;
use ::mpi::traits::{AsRaw, Equivalence};

use crate::CollectiveError;

/// The MPI library of this process, initialized; there is one.
#[derive(Debug)]
pub(super) struct Library {
    pub(super) rank: usize,
    pub(super) world_size: usize,
}

impl Library {
    /// Initializes MPI. Errors of later calls come back as codes and do not end the process.
    pub(super) fn start() -> Result<Self, CollectiveError> {
        let failed = |reason: &str| CollectiveError::Start { reason: reason.to_owned() };
        let mut initialized = 0;
        // SAFETY: may be called at any time; the pointer is to a live integer.
        unsafe { ffi::MPI_Initialized(&mut initialized) };
        if initialized != 0 {
            return Err(failed("it was initialized before"));
        }
        let mut provided = 0;
        // SAFETY: the first call of the initialization; null for the arguments of `main` is allowed since MPI-2.
        let code = unsafe {
            let wanted = ffi::RSMPI_THREAD_SERIALIZED;
            ffi::MPI_Init_thread(ptr::null_mut(), ptr::null_mut(), wanted, &mut provided)
        };
        if code != 0 {
            return Err(failed(&message_of(code)));
        }
        // SAFETY: a constant of the shim.
        if provided < unsafe { ffi::RSMPI_THREAD_SERIALIZED } {
            return Err(failed("the library has no MPI_THREAD_SERIALIZED"));
        }
        let (mut rank, mut world_size) = (0, 0);
        // SAFETY: MPI is initialized, the world communicator lives until MPI_Finalize, the pointers are to live integers.
        let codes = unsafe {
            let world = ffi::RSMPI_COMM_WORLD;
            [
                ffi::MPI_Comm_set_errhandler(world, ffi::RSMPI_ERRORS_RETURN),
                ffi::MPI_Comm_rank(world, &mut rank),
                ffi::MPI_Comm_size(world, &mut world_size),
            ]
        };
        if let Some(code) = codes.into_iter().find(|code| *code != 0) {
            return Err(failed(&message_of(code)));
        }
        match (usize::try_from(rank), usize::try_from(world_size)) {
            (Ok(rank), Ok(world_size)) if rank < world_size => Ok(Self { rank, world_size }),
            _ => Err(failed("the library gives this process no rank")),
        }
    }

    /// Begins to send. Messages of one tag to one peer arrive in order.
    pub(super) fn send<T: Equivalence>(
        &mut self,
        peer: usize,
        tag: c_int,
        data: Arc<Vec<T>>,
    ) -> Result<Outgoing<T>, String> {
        let (length, rank) = as_c_ints(data.len(), peer)?;
        let mut request = Request::none();
        // SAFETY: MPI is initialized; the vector holds `length` initialized elements of that type, nobody changes it while
        // it is shared, and `Outgoing` keeps it until MPI is done with it, or forever.
        let code = unsafe {
            ffi::MPI_Isend(
                data.as_ptr().cast(),
                length,
                T::equivalent_datatype().as_raw(),
                rank,
                tag,
                ffi::RSMPI_COMM_WORLD,
                &mut request.raw,
            )
        };
        let outgoing = Outgoing { data: Some(data), request };
        if code == 0 { Ok(outgoing) } else { Err(message_of(code)) }
    }

    /// Begins to receive exactly so many elements.
    pub(super) fn receive<T: Equivalence + Clone + Default>(
        &mut self,
        peer: usize,
        tag: c_int,
        length: usize,
    ) -> Result<Incoming<T>, String> {
        let (c_length, rank) = as_c_ints(length, peer)?;
        let mut data = vec![T::default(); length];
        let mut request = Request::none();
        // SAFETY: MPI is initialized; the vector has `length` elements of that type, and `Incoming` lets nobody touch them
        // until MPI is done, or leaks them.
        let code = unsafe {
            ffi::MPI_Irecv(
                data.as_mut_ptr().cast(),
                c_length,
                T::equivalent_datatype().as_raw(),
                rank,
                tag,
                ffi::RSMPI_COMM_WORLD,
                &mut request.raw,
            )
        };
        let incoming = Incoming { data, request };
        if code == 0 { Ok(incoming) } else { Err(message_of(code)) }
    }

    /// Shuts MPI down. Waits for all ranks.
    pub(super) fn finalize(&mut self) -> Result<(), CollectiveError> {
        // SAFETY: MPI is initialized, and nothing is called after this one: the library is given up with it.
        let code = unsafe { ffi::MPI_Finalize() };
        if code == 0 {
            return Ok(());
        }
        Err(CollectiveError::Start { reason: format!("shutting down: {}", message_of(code)) })
    }

    /// Ends the processes of all ranks, as far as the library can reach them. May return.
    pub(super) fn abort(&mut self, status: i32) {
        // SAFETY: MPI is initialized.
        unsafe { ffi::MPI_Abort(ffi::RSMPI_COMM_WORLD, status) };
    }
}

/// A message on its way out. Dropped before it has left, it leaks its memory, which MPI may still read.
#[derive(Debug)]
pub(super) struct Outgoing<T> {
    data: Option<Arc<Vec<T>>>,
    request: Request,
}

impl<T> Outgoing<T> {
    /// Whether it has left.
    pub(super) fn is_done(&mut self, library: &mut Library) -> Result<bool, String> {
        self.request.is_done(library)
    }
}

impl<T> Drop for Outgoing<T> {
    fn drop(&mut self) {
        if !self.request.done {
            mem::forget(self.data.take());
        }
    }
}

/// A message that is expected. Dropped before it has come, it leaks its memory, to which MPI may still write.
#[derive(Debug)]
pub(super) struct Incoming<T> {
    data: Vec<T>,
    request: Request,
}

impl<T> Incoming<T> {
    /// Whether it has come.
    pub(super) fn is_done(&mut self, library: &mut Library) -> Result<bool, String> {
        self.request.is_done(library)
    }

    /// What has come; nothing before it has.
    pub(super) fn take(mut self) -> Vec<T> {
        if self.request.done { mem::take(&mut self.data) } else { Vec::new() }
    }

    /// Tells MPI that it is not expected any longer.
    pub(super) fn cancel(mut self, _library: &mut Library) {
        if !self.request.done {
            // SAFETY: the request is pending, and the library is borrowed.
            unsafe { ffi::MPI_Cancel(&mut self.request.raw) };
        }
    }
}

impl<T> Drop for Incoming<T> {
    fn drop(&mut self) {
        if !self.request.done {
            mem::forget(mem::take(&mut self.data));
        }
    }
}

#[derive(Debug)]
struct Request {
    raw: ffi::MPI_Request,
    done: bool,
}

// SAFETY: a handle of the library, not tied to the thread that made it; it is used with `&mut Library` only.
unsafe impl Send for Request {}

impl Request {
    fn none() -> Self {
        // SAFETY: a constant of the shim.
        Self { raw: unsafe { ffi::RSMPI_REQUEST_NULL }, done: false }
    }

    fn is_done(&mut self, _library: &mut Library) -> Result<bool, String> {
        if self.done {
            return Ok(true);
        }
        let mut flag = 0;
        // SAFETY: the request is pending, its memory is owned by the message around it, and the library is borrowed.
        let code = unsafe { ffi::MPI_Test(&mut self.raw, &mut flag, ffi::RSMPI_STATUS_IGNORE) };
        if code != 0 {
            return Err(message_of(code));
        }
        self.done = flag != 0;
        Ok(self.done)
    }
}

fn as_c_ints(length: usize, peer: usize) -> Result<(c_int, c_int), String> {
    match (c_int::try_from(length), c_int::try_from(peer)) {
        (Ok(length), Ok(peer)) => Ok((length, peer)),
        _ => Err(format!("{length} elements are too many for one message")),
    }
}

fn message_of(code: c_int) -> String {
    let capacity = ffi::MPI_MAX_ERROR_STRING as usize;
    let mut text = vec![0_u8; capacity + 1];
    let mut length = 0;
    // SAFETY: the buffer is longer than the longest message.
    let failed =
        unsafe { ffi::MPI_Error_string(code, text.as_mut_ptr().cast::<c_char>(), &mut length) };
    text.truncate(usize::try_from(length).unwrap_or(0));
    match String::from_utf8(text) {
        Ok(text) if failed == 0 && !text.is_empty() => text,
        _ => format!("error {code} of MPI"),
    }
}
