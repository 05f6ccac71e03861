//! Queries the NVIDIA driver through NVML, the library that comes with it.

use nvml_wrapper::{Nvml, cuda_driver_version_major, cuda_driver_version_minor, error::NvmlError};

use super::{CudaVersion, Detection};

/// Returns this machine's driver, the newest CUDA release that it can run, and its GPUs.
pub fn detect() -> Detection {
    match ask() {
        Ok(found) => found,
        Err(error) => Detection::None { reason: reason(&error) },
    }
}

fn ask() -> Result<Detection, NvmlError> {
    let nvml = Nvml::init()?;
    let cuda = nvml.sys_cuda_driver_version()?;
    let version = |part: i32| u32::try_from(part).unwrap_or(0);
    let gpus = (0..nvml.device_count()?).map(|index| nvml.device_by_index(index)?.name());
    let gpus: Vec<String> = gpus.collect::<Result<_, _>>()?;
    if gpus.is_empty() {
        return Ok(Detection::None { reason: "the NVIDIA driver finds no GPU".to_owned() });
    }
    Ok(Detection::Driver {
        version: nvml.sys_driver_version()?,
        cuda: CudaVersion {
            major: version(cuda_driver_version_major(cuda)),
            minor: version(cuda_driver_version_minor(cuda)),
        },
        gpus,
    })
}

fn reason(error: &NvmlError) -> String {
    match error {
        NvmlError::LibloadingError(_) | NvmlError::LibraryNotFound => "no NVIDIA driver is installed".to_owned(),
        NvmlError::DriverNotLoaded => "the NVIDIA driver is not loaded".to_owned(),
        error => format!("the NVIDIA driver failed: {error}"),
    }
}
