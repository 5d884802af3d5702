#![expect(
    unsafe_code,
    reason = "the driver is a C library; asking it who it is happens here alone"
)]

use std::fmt;
use std::path::Path;

use cubecl::config::cache::CacheConfig;
use cubecl::config::{CubeClRuntimeConfig, RuntimeConfig};
use cubecl::cuda::{CudaDevice, install};
use cudarc::driver::{result as driver, sys as driver_sys};
use cudarc::nvrtc::sys as nvrtc_sys;

/// Why there is no CUDA device to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CudaError {
    /// No libcuda: the driver is not installed.
    NoDriver,
    /// The driver does not start.
    Driver(String),
    /// No libnvrtc: kernels cannot be compiled.
    NoCompiler,
    /// The compiler writes code that this driver is too old for. Versions are `1000 · major + 10 · minor`.
    OldDriver {
        /// What the driver understands.
        driver: i32,
        /// What the compiler writes.
        compiler: i32,
    },
    /// No folder with CUDA's headers, which kernels include.
    NoHeaders,
    /// The machine has fewer devices.
    NoDevice {
        /// What was asked for.
        index: usize,
        /// How many there are.
        count: usize,
    },
}

impl fmt::Display for CudaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = |version: &i32| format!("{}.{}", version / 1000, version % 1000 / 10);
        match self {
            Self::NoDriver => write!(f, "there is no NVIDIA driver (libcuda)"),
            Self::Driver(why) => write!(f, "the NVIDIA driver does not start: {why}"),
            Self::NoCompiler => write!(f, "there is no NVRTC (libnvrtc), which compiles kernels"),
            Self::OldDriver { driver, compiler } => write!(
                f,
                "the driver knows CUDA {}, and NVRTC is of CUDA {}",
                version(driver),
                version(compiler)
            ),
            Self::NoHeaders => write!(f, "there is no folder with the headers of CUDA"),
            Self::NoDevice { index, count } => {
                write!(f, "there is no device {index}; this machine has {count}")
            }
        }
    }
}

impl std::error::Error for CudaError {}

impl CudaError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoDriver | Self::Driver(_) => {
                "install the driver of the graphics processor, and see that nvidia-smi finds it"
            }
            Self::NoCompiler => {
                "install NVRTC of CUDA 12 or 13 (libnvrtc), or add its folder to LD_LIBRARY_PATH"
            }
            Self::OldDriver { .. } => {
                "install a newer driver, or an NVRTC that is as old as the driver"
            }
            Self::NoHeaders => {
                "install CUDA's headers, and set CUDA_PATH to the folder that has include/cuda_fp16.h"
            }
            Self::NoDevice { .. } => "devices count from 0; CUDA_VISIBLE_DEVICES may hide some",
        }
    }
}

/// A CUDA device, after all that it needs was found to be there; what comes later would panic without.
///
/// # Errors
/// What is missing.
pub fn cuda_device(index: usize) -> Result<CudaDevice, CudaError> {
    // SAFETY: looks whether a library can be loaded.
    if !unsafe { driver_sys::is_culib_present() } {
        return Err(CudaError::NoDriver);
    }
    driver::init().map_err(|error| CudaError::Driver(error.to_string()))?;
    // SAFETY: as above.
    if !unsafe { nvrtc_sys::is_culib_present() } {
        return Err(CudaError::NoCompiler);
    }
    let (mut driver_version, mut major, mut minor) = (0, 0, 0);
    // SAFETY: both libraries are there, and write to the integers.
    unsafe {
        let _ = driver_sys::cuDriverGetVersion(&mut driver_version);
        let _ = nvrtc_sys::nvrtcVersion(&mut major, &mut minor);
    }
    // Kernels reach the driver as PTX, and it reads none that is newer than itself, of the same major version neither.
    let compiler = 1000 * major + 10 * minor;
    if driver_version < compiler {
        return Err(CudaError::OldDriver { driver: driver_version, compiler });
    }
    let headers = install::cuda_path().map(|path| path.join("include/cuda_fp16.h"));
    if !headers.is_some_and(|header| header.is_file()) {
        return Err(CudaError::NoHeaders);
    }
    let count =
        driver::device::get_count().map_err(|error| CudaError::Driver(error.to_string()))?;
    let count = usize::try_from(count).unwrap_or(0);
    if index >= count {
        return Err(CudaError::NoDevice { index, count });
    }
    Ok(CudaDevice::new(index))
}

/// Bytes of memory of a device that [`cuda_device`] has found.
pub fn cuda_memory(index: usize) -> Option<u64> {
    let device = driver::device::get(i32::try_from(index).ok()?).ok()?;
    // SAFETY: the driver has just named the device.
    let bytes = unsafe { driver::device::total_mem(device) }.ok()?;
    Some(bytes as u64)
}

/// Keeps compiled kernels, and which ones autotuning chose, in `folder`: a second start is quick. Where a device has been used
/// already, or a `cubecl.toml` above the working folder names a place, nothing changes.
pub fn keep_kernels(folder: &Path) {
    if CubeClRuntimeConfig::storage().lock().is_some() {
        return;
    }
    let mut config = CubeClRuntimeConfig::from_current_dir().override_from_env();
    let place = || CacheConfig::File(folder.to_owned());
    if matches!(config.autotune.cache, CacheConfig::Target) {
        config.autotune.cache = place();
    }
    config.compilation.cache.get_or_insert_with(place);
    CubeClRuntimeConfig::set(config);
}
