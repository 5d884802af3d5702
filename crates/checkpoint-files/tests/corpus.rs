//! The fuzz targets' seeds, and what they found, replayed on every test run; then the seeds with random damage.

mod checks;

use std::fs;
use std::path::Path;

/// Mutants of all seeds of a format together.
const MUTANTS: usize = 100_000;

fn seeds(format: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/fuzz").join(format);
    let entries = fs::read_dir(folder).expect("the corpus");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort_unstable();
    paths.iter().map(|path| fs::read(path).expect("a seed")).collect()
}

/// Marsaglia's xorshift64 (2003).
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n.max(1) as u64) as usize
    }
}

/// Numbers at which counts and offsets go wrong.
const EDGES: [u64; 8] = [0, 1, 255, 1 << 31, (1 << 32) - 1, 1 << 62, i64::MAX as u64, u64::MAX];

/// A seed with one to four faults: another byte, an edge for a number, bytes gone, bytes twice, or an early end.
fn damage(seed: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        let end = (at + 1 + random.below(16)).min(bytes.len());
        match random.below(6) {
            0 | 1 if at < bytes.len() => bytes[at] = random.below(256) as u8,
            2 => {
                let number = EDGES[random.below(EDGES.len())].to_le_bytes();
                let width = (bytes.len() - at).min([4, 8][random.below(2)]);
                bytes[at..at + width].copy_from_slice(&number[..width]);
            }
            3 => drop(bytes.drain(at..end)),
            4 => {
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            _ => bytes.truncate(at),
        }
    }
    bytes
}

fn replay(format: &str, least: usize, check: fn(&[u8])) {
    let seeds = seeds(format);
    assert!(seeds.len() >= least, "the corpus is missing");
    seeds.iter().for_each(|seed| check(seed));
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for number in 0..MUTANTS {
        check(&damage(&seeds[number % seeds.len()], &mut random));
    }
}

#[test]
fn gguf() {
    replay("gguf", 5, checks::check_gguf);
}

#[test]
fn safetensors() {
    replay("safetensors", 10, checks::check_safetensors);
}
