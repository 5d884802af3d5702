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
    fn run<B: DecoderBackend>(self) -> anyhow::Result<Self::Output>;
}

/// Does the work on the backend of `device`.
///
/// # Errors
/// A device that this build or this machine does not have ([`Device::available`]); the work's own.
pub fn on_backend<W: OnBackend>(device: Device, work: W) -> anyhow::Result<W::Output> {
    match device.available() {
        Ok(Device::Ndarray) => work.run::<NdArray>(),
        Ok(Device::Auto | Device::Cpu | Device::Cuda(_)) => work.run::<Flex>(),
        Err(error) => Err(error).hint(error.hint()),
    }
}
