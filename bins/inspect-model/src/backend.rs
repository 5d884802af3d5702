use anyhow::anyhow;
use burn_flex::Flex;
use burn_ndarray::NdArray;
use causal_lm::ops::DecoderBackend;
use stage_cli::Hint;

use crate::args::DeviceArg;

/// Work on any backend.
pub(crate) trait OnBackend {
    /// What comes out.
    type Output;

    /// Does the work.
    fn run<B: DecoderBackend>(self) -> anyhow::Result<Self::Output>;
}

/// Does the work on the backend of `device`.
pub(crate) fn on_backend<W: OnBackend>(device: DeviceArg, work: W) -> anyhow::Result<W::Output> {
    match device {
        DeviceArg::Cpu => work.run::<Flex>(),
        DeviceArg::Ndarray => work.run::<NdArray>(),
        DeviceArg::Cuda => Err(anyhow!("inspect-model was built without CUDA"))
            .hint("take --device cpu; there is no build with CUDA yet"),
    }
}
