use std::fmt;
use std::str::FromStr;

use causal_lm::estimate::Place;
use serde::{Deserialize, Serialize};

use crate::ComputeKind;

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
    /// A graphics processor, by its number; without one the first, or of several processes on a machine one each.
    Cuda(Option<usize>),
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
    /// The device failed while it worked, as a rule for want of memory.
    #[cfg(feature = "cuda")]
    #[error("{device} failed: {reason}")]
    Failed {
        /// Where the work was done.
        device: Device,
        /// What it says.
        reason: String,
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
            Self::Failed { .. } => "where it has no more memory, take fewer or shorter rows at a time (`train-sft --dry-run` says what \
                would fit); checkpoints and answers that were saved stay, and the same command goes on from them"
                .to_owned(),
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
            Self::Auto => Ok(automatic(0)),
            Self::Cuda(index) => {
                let index = index.unwrap_or(0);
                cuda(index).map(|()| Self::Cuda(Some(index)))
            }
        }
    }

    /// Bytes of memory that the device has of its own; `None` for processors, which share the machine's.
    pub fn memory(self) -> Option<u64> {
        match self {
            Self::Cuda(index) => cuda_memory(index.unwrap_or(0)),
            Self::Auto | Self::Cpu | Self::Ndarray => None,
        }
    }

    /// Where an estimate of memory has the work done.
    pub fn place(self, compute: ComputeKind) -> Place {
        match self {
            Self::Cuda(_) => Place::Graphics { half: compute == ComputeKind::Bf16 },
            Self::Auto | Self::Cpu | Self::Ndarray => Place::Processor,
        }
    }

    /// What `auto` and `cuda` stand for in one of several processes on a machine, by its rank there.
    pub fn of_rank(self, local_rank: usize) -> Self {
        match self {
            Self::Auto => automatic(local_rank),
            Self::Cuda(None) => Self::Cuda(Some(local_rank)),
            other => other,
        }
    }
}

#[cfg(not(feature = "cuda"))]
fn automatic(_: usize) -> Device {
    Device::Cpu
}

/// A graphics processor; with a warning the processor where there is none.
#[cfg(feature = "cuda")]
fn automatic(index: usize) -> Device {
    match cuda(index) {
        Ok(()) => Device::Cuda(Some(index)),
        Err(error) => {
            tracing::warn!("{error}; the processor does the work");
            Device::Cpu
        }
    }
}

#[cfg(not(feature = "cuda"))]
fn cuda_memory(_: usize) -> Option<u64> {
    None
}

#[cfg(feature = "cuda")]
fn cuda_memory(index: usize) -> Option<u64> {
    cube_kernels::cuda_memory(index)
}

#[cfg(not(feature = "cuda"))]
fn cuda(index: usize) -> Result<(), DeviceError> {
    Err(DeviceError::WithoutCuda { device: Device::Cuda(Some(index)) })
}

#[cfg(feature = "cuda")]
fn cuda(index: usize) -> Result<(), DeviceError> {
    let found = cube_kernels::cuda_device(index).map(drop);
    found.map_err(|source| DeviceError::Cuda { device: Device::Cuda(Some(index)), source })
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
            "cuda" => Ok(Self::Cuda(None)),
            _ => {
                let number = text.strip_prefix("cuda:").ok_or_else(unknown)?;
                number.parse().map(|number| Self::Cuda(Some(number))).map_err(|_| unknown())
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
            Self::Cuda(None) => f.write_str("cuda"),
            Self::Cuda(Some(number)) => write!(f, "cuda:{number}"),
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
        for text in ["auto", "cpu", "ndarray", "cuda", "cuda:0", "cuda:3"] {
            assert_eq!(
                text.parse::<Device>().map(|device| device.to_string()),
                Ok(text.to_owned())
            );
        }
        assert_eq!("cuda".parse::<Device>().map(|device| device.of_rank(2)), "cuda:2".parse());
        assert_eq!("cuda:1".parse::<Device>().map(|device| device.of_rank(2)), "cuda:1".parse());
        assert_eq!(Device::Cpu.of_rank(2), Device::Cpu);
        for text in ["", "gpu", "cuda:", "cuda:x", "cuda:-1", "CPU"] {
            assert!(text.parse::<Device>().unwrap_err().contains("is no device"), "{text}");
        }
    }
}
