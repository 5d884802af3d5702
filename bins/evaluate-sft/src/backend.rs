use burn_flex::Flex;
use burn_ndarray::NdArray;
use causal_lm::ops::DecoderBackend;

use crate::config::Device;

/// Work on any backend.
pub(crate) trait OnBackend {
    /// What comes out.
    type Output;

    /// Does the work.
    fn run<B: DecoderBackend>(self) -> anyhow::Result<Self::Output>;
}

/// Does the work on the backend of `device`.
pub(crate) fn on_backend<W: OnBackend>(device: Device, work: W) -> anyhow::Result<W::Output> {
    match device {
        Device::Cpu => work.run::<Flex>(),
        Device::Ndarray => work.run::<NdArray>(),
    }
}
