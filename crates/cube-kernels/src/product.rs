use burn_backend::DType;
use burn_cubecl::CubeRuntime;
use burn_cubecl::kernel::matmul::{MatmulStrategy, matmul};
use burn_cubecl::tensor::CubeTensor;
use cubecl::features::TypeUsage;

/// `x · y` of matrices or of batches of them, in the kernel that autotuning found to be the fastest: sums are f32, on tensor cores
/// where the factors are half precision, and the result is `dtype`.
///
/// # Panics
/// Where the device has no kernel for these types.
pub fn product<R: CubeRuntime>(x: CubeTensor<R>, y: CubeTensor<R>, dtype: DType) -> CubeTensor<R> {
    match matmul(x, y, None, MatmulStrategy::default(), dtype) {
        Ok(product) => product,
        Err(error) => panic!("no kernel of this device multiplies these matrices: {error:?}"),
    }
}

/// bfloat16, or IEEE half precision on a device without it, as Mesa's Vulkan is.
pub fn half_precision<R: CubeRuntime>(device: &R::Device) -> DType {
    let usage = R::client(device).properties().type_usage(DType::BF16.into());
    match usage.is_superset(TypeUsage::Buffer | TypeUsage::Conversion) {
        true => DType::BF16,
        false => DType::F16,
    }
}
