use std::fmt;

/// A release of the CUDA toolkit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CudaRelease {
    /// The 12 of 12.4.
    pub major: u8,
    /// The 4 of 12.4.
    pub minor: u8,
}

/// The release that this crate is built for, by its features; `None` without any.
///
/// Features add up, so a build may have both: the newer one then holds. That the Python half cannot have both is for
/// `cargo uvenv` to say.
pub const CUDA: Option<CudaRelease> = if cfg!(feature = "cu128") {
    Some(CudaRelease {
        major: 12,
        minor: 8,
    })
} else if cfg!(feature = "cu124") {
    Some(CudaRelease {
        major: 12,
        minor: 4,
    })
} else {
    None
};

impl fmt::Display for CudaRelease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_feature_holds() {
        let release = CUDA.map(|release| release.to_string());
        let expected = match (cfg!(feature = "cu124"), cfg!(feature = "cu128")) {
            (false, false) => None,
            (true, false) => Some("12.4"),
            (_, true) => Some("12.8"),
        };
        assert_eq!(release.as_deref(), expected);
    }
}
