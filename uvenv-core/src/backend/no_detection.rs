//! Replaces the driver query when the feature `gpu-detection` is off.

use super::Detection;

/// Reports that the driver was not queried.
pub fn detect() -> Detection {
    Detection::None { reason: "uvenv was built without the feature `gpu-detection`".to_owned() }
}
