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

/// Lets the length of a safetensors header fit again, so that the damage is looked at.
fn repair_length(bytes: &mut [u8]) {
    let end = bytes.iter().rposition(|byte| *byte == b'}').filter(|end| *end >= 8);
    if let Some(end) = end {
        bytes[..8].copy_from_slice(&(end as u64 - 7).to_le_bytes());
    }
}

fn replay(format: &str, least: usize, repair: fn(&mut [u8]), check: fn(&[u8]) -> bool) {
    let seeds = seeds(format);
    assert!(seeds.len() >= least, "the corpus is missing");
    let good: Vec<&Vec<u8>> = seeds.iter().filter(|seed| check(seed)).collect();
    assert!(!good.is_empty() && good.len() < seeds.len(), "{} are accepted", good.len());
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mutants = (0..MUTANTS).map(|number| {
        // Half of them from seeds that are accepted, so that not all fail at the first step.
        let seed = match number % 2 {
            0 => good[number / 2 % good.len()],
            _ => &seeds[number / 2 % seeds.len()],
        };
        let mut bytes = damage(seed, &mut random);
        if random.below(8) > 0 {
            repair(&mut bytes);
        }
        bytes
    });
    let accepted = mutants.filter(|bytes| check(bytes)).count();
    // Otherwise the damage would hardly test what comes after the header.
    assert!(accepted > MUTANTS / 200, "{accepted} of {MUTANTS} are accepted");
}

#[test]
fn gguf() {
    replay("gguf", 60, |_| (), checks::check_gguf);
}

#[test]
fn safetensors() {
    replay("safetensors", 60, repair_length, checks::check_safetensors);
}
