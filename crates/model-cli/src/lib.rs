//! What stages that run a model share, on top of `stage-cli`: the values of their settings for device and precision, the
//! backend of a device, and loading with a bar.

mod backend;
mod device;
mod load;
mod precision;

pub use backend::{OnBackend, on_backend};
pub use device::{Device, DeviceError};
pub use load::load_model;
pub use precision::{CacheKind, ComputeKind, QuantizationKind, WeightDtype};
