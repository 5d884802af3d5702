use burn_flex::Flex;
use burn_ndarray::NdArray;
use causal_lm::ops::DecoderBackend;
use stage_cli::Hint;

use crate::Device;

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
    work.run::<cube_kernels::Cuda>(&cube_kernels::CudaDevice::new(index))
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
