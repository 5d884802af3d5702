use std::path::Path;

use anyhow::bail;
use clap::Args;

use crate::process::{cargo, run as execute};

/// Mesa's Vulkan in software, as distributions install it.
const DRIVERS: [&str; 2] =
    ["/usr/share/vulkan/icd.d/lvp_icd.x86_64.json", "/usr/share/vulkan/icd.d/lvp_icd.json"];

/// The packages whose tests there are.
const PACKAGES: [&str; 4] = ["cube-kernels", "lora-linear", "causal-lm", "lora-train"];

/// Options of `cargo xtask test-kernels`.
#[derive(Debug, Default, Args)]
pub(crate) struct TestKernelsArgs {
    /// Test on the first graphics processor of NVIDIA, not on Vulkan in software
    #[arg(long)]
    cuda: bool,
}

/// The kernels of graphics processors against sums in f64, then whole models against transformers and PEFT.
pub(crate) fn run(args: &TestKernelsArgs) -> anyhow::Result<()> {
    let driver = software_vulkan();
    let feature = match (args.cuda, driver) {
        (true, _) => "cuda",
        (false, Some(_)) => "vulkan",
        (false, None) => bail!(
            "there is no Vulkan in software; on Debian, install mesa-vulkan-drivers and libvulkan1"
        ),
    };
    // The same packages and features each time: one build.
    let features = PACKAGES.map(|package| format!("{package}/{feature}")).join(",");
    let test = |tests: &[&str]| {
        let mut command = cargo(&["test", "--locked", "--features", &features]);
        command.args(PACKAGES.into_iter().flat_map(|package| ["-p", package])).args(tests);
        // Which of several products is quickest does not matter here.
        command.env("CUBECL_AUTOTUNE_LEVEL", "minimal");
        if let Some(driver) = driver {
            command.env("VK_DRIVER_FILES", driver).env("VK_ICD_FILENAMES", driver);
        }
        execute(&mut command)
    };
    test(&["--test", "kernels"])?;
    test(&["--test", "frozen", "--test", "reference", "--test", "gradients", "--", "gpu"])?;
    // Whole runs take too long in software.
    if args.cuda { test(&["--test", "sft_reference", "--", "gpu"]) } else { Ok(()) }
}

/// Where Vulkan in software is described, if it is installed.
pub(crate) fn software_vulkan() -> Option<&'static str> {
    DRIVERS.into_iter().find(|path| Path::new(path).is_file())
}
