//! In place of asking the driver, where the feature `gpu-detection` is off.

use super::Detection;

/// Says that nobody asked.
pub fn detect() -> Detection {
    Detection::None { reason: "uvenv was built without the feature `gpu-detection`".to_owned() }
}
