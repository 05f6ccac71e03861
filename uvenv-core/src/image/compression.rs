//! Compression of layers, on all cores.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    mem,
    str::FromStr,
};

use flate2::{bufread::MultiGzDecoder, write::GzEncoder};
use oci_spec::image::MediaType;

use crate::fs::parallel;

/// How much is compressed at once, in bytes. Each block is compressed alone, so that the number of cores makes no difference.
const BLOCK: usize = 4 << 20;

/// The level of zstd, which its own command line has too.
const ZSTD_LEVEL: i32 = 3;

/// How layers are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// What everything reads that reads images.
    #[default]
    Gzip,
    /// Smaller, and faster to unpack. containerd, CRI-O, podman and Docker read it, older programs do not.
    Zstd,
}

impl Compression {
    /// Both, by the names that they have on the command line.
    pub const NAMES: [&str; 2] = ["gzip", "zstd"];

    pub(super) fn media_type(self) -> MediaType {
        match self {
            Self::Gzip => MediaType::ImageLayerGzip,
            Self::Zstd => MediaType::ImageLayerZstd,
        }
    }

    /// Compresses a block. Both formats allow what is compressed to be a sequence: gzip of members ([RFC 1952]), zstd of
    /// frames ([RFC 8878]).
    ///
    /// [RFC 1952]: https://www.rfc-editor.org/rfc/rfc1952#section-2.2
    /// [RFC 8878]: https://www.rfc-editor.org/rfc/rfc8878#section-3
    fn block(self, block: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(block)?;
                encoder.finish()
            }
            Self::Zstd => zstd::bulk::compress(block, ZSTD_LEVEL),
        }
    }
}

impl FromStr for Compression {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "gzip" => Ok(Self::Gzip),
            "zstd" => Ok(Self::Zstd),
            _ => Err(format!("`{text}` is not one of `gzip` and `zstd`")),
        }
    }
}

/// Compresses what is written to it.
pub(super) struct Compressor<W> {
    to: W,
    compression: Compression,
    full: Vec<Vec<u8>>,
    block: Vec<u8>,
}

impl<W: Write> Compressor<W> {
    pub(super) fn new(to: W, compression: Compression) -> Self {
        Self { to, compression, full: Vec::new(), block: Vec::new() }
    }

    /// Writes what is left, and returns what was written to.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.full.push(mem::take(&mut self.block));
        self.write_full()?;
        Ok(self.to)
    }

    fn write_full(&mut self) -> io::Result<()> {
        let compression = self.compression;
        let compress = |blocks: &mut [Vec<u8>]| blocks.iter().map(|block| compression.block(block)).collect::<Vec<_>>();
        for compressed in parallel::par_chunks(&mut self.full, 1, compress).into_iter().flatten() {
            self.to.write_all(&compressed?)?;
        }
        self.full.clear();
        Ok(())
    }
}

impl<W: Write> Write for Compressor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = bytes.len().min(BLOCK - self.block.len());
        self.block.extend_from_slice(&bytes[..length]);
        if self.block.len() == BLOCK {
            self.full.push(mem::take(&mut self.block));
            if self.full.len() == 2 * parallel::cores() {
                self.write_full()?;
            }
        }
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns what was compressed, or `reader` itself if it is not compressed.
pub(super) fn decompressed<'r>(reader: impl Read + 'r) -> io::Result<Box<dyn Read + 'r>> {
    let mut reader = BufReader::with_capacity(1 << 17, reader);
    let start = reader.fill_buf()?;
    Ok(match start {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(reader)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::Decoder::with_buffer(reader)?),
        [0xfd, b'7', b'z', b'X', b'Z', ..] | [b'B', b'Z', b'h', ..] => {
            return Err(io::Error::other("it is compressed, and neither with gzip nor with zstd"));
        }
        _ => Box::new(reader),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compresses_in_blocks_and_back() {
        let text: Vec<u8> = (0..=250).cycle().flat_map(|byte| [byte; 100]).take(3 * BLOCK + 7).collect();
        for compression in [Compression::Gzip, Compression::Zstd] {
            for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, text.len()] {
                let mut compressor = Compressor::new(Vec::new(), compression);
                // In pieces of an odd size.
                text[..length].chunks(1021).for_each(|piece| compressor.write_all(piece).unwrap());
                let compressed = compressor.finish().unwrap();
                let mut back = Vec::new();
                decompressed(&*compressed).unwrap().read_to_end(&mut back).unwrap();
                assert!(back == text[..length], "{compression:?} {length}");
            }
        }
    }

    #[test]
    fn reads_what_is_not_compressed() {
        let mut back = String::new();
        decompressed(&b"plain"[..]).unwrap().read_to_string(&mut back).unwrap();
        assert_eq!(back, "plain");
        assert!(decompressed(&b"\xfd7zXZ\0"[..]).is_err());
    }
}
