use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Where a model runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Device {
    /// A graphics processor where there is one, else the processor.
    #[default]
    Auto,
    /// The processor, with its own kernels.
    Cpu,
    /// The processor, with the reference backend: slow.
    Ndarray,
    /// A graphics processor, by its number.
    Cuda(usize),
}

/// Why a device cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// The feature `cuda` is off.
    #[error("{device} cannot be had: this program was built without CUDA")]
    WithoutCuda {
        /// What was asked for.
        device: Device,
    },
    /// The machine lacks something.
    #[cfg(feature = "cuda")]
    #[error("{device} cannot be had: {source}")]
    Cuda {
        /// What was asked for.
        device: Device,
        /// What is missing.
        source: cube_kernels::CudaError,
    },
}

impl DeviceError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::WithoutCuda { .. } => {
                "take cpu, or build with `cargo build --release --features cuda`".to_owned()
            }
            #[cfg(feature = "cuda")]
            Self::Cuda { source, .. } => format!("{}; or take cpu", source.hint()),
        }
    }
}

impl Device {
    /// The device itself, or what `auto` stands for on this machine.
    ///
    /// # Errors
    /// A device that this build or this machine does not have.
    pub fn available(self) -> Result<Self, DeviceError> {
        match self {
            Self::Cpu | Self::Ndarray => Ok(self),
            Self::Auto => Ok(automatic()),
            Self::Cuda(index) => cuda(index).map(|()| self),
        }
    }
}

#[cfg(not(feature = "cuda"))]
fn automatic() -> Device {
    Device::Cpu
}

/// The first graphics processor; with a warning the processor where there is none.
#[cfg(feature = "cuda")]
fn automatic() -> Device {
    match cuda(0) {
        Ok(()) => Device::Cuda(0),
        Err(error) => {
            tracing::warn!("{error}; the processor does the work");
            Device::Cpu
        }
    }
}

#[cfg(not(feature = "cuda"))]
fn cuda(index: usize) -> Result<(), DeviceError> {
    Err(DeviceError::WithoutCuda { device: Device::Cuda(index) })
}

#[cfg(feature = "cuda")]
fn cuda(index: usize) -> Result<(), DeviceError> {
    let found = cube_kernels::cuda_device(index).map(drop);
    found.map_err(|source| DeviceError::Cuda { device: Device::Cuda(index), source })
}

impl FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown =
            || format!("`{text}` is no device; there are auto, cpu, ndarray, cuda and cuda:N");
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "ndarray" => Ok(Self::Ndarray),
            "cuda" => Ok(Self::Cuda(0)),
            _ => {
                let number = text.strip_prefix("cuda:").ok_or_else(unknown)?;
                number.parse().map(Self::Cuda).map_err(|_| unknown())
            }
        }
    }
}

impl TryFrom<String> for Device {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Ndarray => f.write_str("ndarray"),
            Self::Cuda(0) => f.write_str("cuda"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

impl From<Device> for String {
    fn from(device: Device) -> Self {
        device.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices() {
        for text in ["auto", "cpu", "ndarray", "cuda", "cuda:3"] {
            assert_eq!(
                text.parse::<Device>().map(|device| device.to_string()),
                Ok(text.to_owned())
            );
        }
        assert_eq!("cuda:0".parse(), Ok(Device::Cuda(0)));
        for text in ["", "gpu", "cuda:", "cuda:x", "cuda:-1", "CPU"] {
            assert!(text.parse::<Device>().unwrap_err().contains("is no device"), "{text}");
        }
    }
}
