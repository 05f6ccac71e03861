//! The numeric half of hyperbench: statistics of measured series.
//!
//! The code is plain Rust and runs on the CPU. The features `cu124` and `cu128` record which CUDA release a build is
//! for ([`CUDA`]), as they would for kernels that are compiled by `nvcc`.

mod cuda;
mod statistics;

pub use crate::{
    cuda::{CUDA, CudaRelease},
    statistics::{NotSummarisable, Summary},
};
