use burn_flex::Flex;
use burn_ndarray::NdArray;
use causal_lm::ops::DecoderBackend;
use stage_cli::Hint;

use crate::Device;
#[cfg(feature = "cuda")]
use crate::DeviceError;

/// Work on any backend.
pub trait OnBackend {
    /// What comes out.
    type Output;

    /// Does the work.
    ///
    /// # Errors
    /// The work's own.
    fn run<B: DecoderBackend>(self, device: &B::Device) -> anyhow::Result<Self::Output>;
}

/// Does the work on the backend of `device`.
///
/// # Errors
/// A device that this build or this machine does not have ([`Device::available`]); the work's own.
pub fn on_backend<W: OnBackend>(device: Device, work: W) -> anyhow::Result<W::Output> {
    match device.available() {
        Ok(Device::Ndarray) => work.run::<NdArray>(&Default::default()),
        Ok(Device::Auto | Device::Cpu) => work.run::<Flex>(&Default::default()),
        Ok(Device::Cuda(index)) => on_cuda(index.unwrap_or(0), work),
        Err(error) => {
            let hint = error.hint();
            Err(error).hint(hint)
        }
    }
}

#[cfg(feature = "cuda")]
fn on_cuda<W: OnBackend>(index: usize, work: W) -> anyhow::Result<W::Output> {
    if let Some(folder) = kernel_folder() {
        cube_kernels::keep_kernels(&folder);
    }
    let device = cube_kernels::CudaDevice::new(index);
    match failure_of_the_device(|| work.run::<cube_kernels::Cuda>(&device)) {
        Ok(done) => done,
        Err(reason) => {
            let error = DeviceError::Failed { device: Device::Cuda(Some(index)), reason };
            let hint = error.hint();
            Err(error).hint(hint)
        }
    }
}

/// Does the work; `Err` with the reason where the device failed meanwhile. CubeCL panics on a thread of its own then, as a rule for
/// want of memory, and everything that waits for that thread panics after it.
#[cfg(feature = "cuda")]
fn failure_of_the_device<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind, set_hook, take_hook};
    use std::sync::{Arc, Mutex};

    /// What CubeCL's threads are called.
    const DEVICE_THREAD: &str = "DSD";

    let failure = Arc::new(Mutex::new(None::<String>));
    let first = Arc::clone(&failure);
    let usual = Arc::new(take_hook());
    let as_usual = Arc::clone(&usual);
    set_hook(Box::new(move |panic| {
        let Ok(mut first) = first.lock() else { return };
        let thread = std::thread::current();
        let of_device = thread.name().is_some_and(|name| name.starts_with(DEVICE_THREAD));
        if of_device && first.is_none() {
            let said = panic.payload_as_str().and_then(|said| said.lines().next());
            *first = Some(said.unwrap_or("it does not say why").to_owned());
        }
        // What follows from the first says nothing new.
        if first.is_none() {
            as_usual(panic);
        }
    }));
    let done = catch_unwind(AssertUnwindSafe(work));
    set_hook(Box::new(move |panic| usual(panic)));
    let failure = failure.lock().ok().and_then(|mut failure| failure.take());
    match (done, failure) {
        (Ok(done), _) => Ok(done),
        (Err(_), Some(reason)) => Err(reason),
        (Err(panic), None) => resume_unwind(panic),
    }
}

#[cfg(not(feature = "cuda"))]
fn on_cuda<W: OnBackend>(_: usize, _: W) -> anyhow::Result<W::Output> {
    unreachable!("a build without CUDA has no such device")
}

/// Where the user's caches are.
#[cfg(feature = "cuda")]
fn kernel_folder() -> Option<std::path::PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(std::path::PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| std::path::Path::new(&home).join(".cache"));
    Some(cache.or_else(home)?.join("thesisforge/kernels"))
}
