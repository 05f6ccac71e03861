//! Hashes that are the same on every machine and in every version of uvenv, to name files and to identify content.

use std::hash::Hasher as _;

use rustc_stable_hash::{FromStableHash, SipHasher128Hash, hashers::StableSipHasher128};

/// Returns the 128-bit hash of `bytes`, in hexadecimal.
pub(crate) fn digest(bytes: &[u8]) -> String {
    struct Digest(String);
    impl FromStableHash for Digest {
        type Hash = SipHasher128Hash;

        fn from(SipHasher128Hash([first, second]): SipHasher128Hash) -> Self {
            Self(format!("{first:016x}{second:016x}"))
        }
    }
    let mut hasher = StableSipHasher128::new();
    hasher.write(bytes);
    hasher.finish::<Digest>().0
}

/// Returns the 64-bit hash of `numbers`, for values that are often compared and stored by the thousands.
pub(crate) fn number(numbers: &[u64]) -> u64 {
    struct Number(u64);
    impl FromStableHash for Number {
        type Hash = SipHasher128Hash;

        fn from(SipHasher128Hash([first, _]): SipHasher128Hash) -> Self {
            Self(first)
        }
    }
    let mut hasher = StableSipHasher128::new();
    for number in numbers {
        hasher.write_u64(*number);
    }
    hasher.finish::<Number>().0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_is_stable() {
        assert_eq!(digest(b""), "2134935d61d9b40db91c5ed031fb3303");
        assert_eq!(digest(b"uvenv"), "beb05cfd6be9b61b8ea2f83bc7fadc16");
    }
}
