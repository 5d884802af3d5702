//! Pages that are handed back no longer count as the process's memory.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::BTreeMap;
use std::fs;

use checkpoint_files::{Checkpoint, StoredDtype, TensorSource, write_safetensors};

/// Bytes of mapped files in memory.
fn resident_files() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssFile:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}

#[test]
fn released_pages_leave_the_resident_set() {
    const SIZE: usize = 32 << 20;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let tensor = TensorSource::written("t", StoredDtype::Bf16, [SIZE / 2], |out| {
        (0..SIZE >> 20).try_for_each(|i| out.write_all(&vec![i as u8; 1 << 20]))
    });
    write_safetensors(&path, [tensor], &BTreeMap::new()).unwrap();
    let checkpoint = Checkpoint::open(&path).unwrap();
    let before = resident_files();
    let view = checkpoint.get("t").unwrap();
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
    let first = sum(view.bytes);
    // The kernel's counters are exact only to some pages.
    assert!(resident_files() > before + SIZE / 8 * 7, "the tensor is not in memory");
    checkpoint.release(&view);
    assert!(resident_files() < before + SIZE / 8, "the tensor is still in memory");
    assert_eq!(sum(view.bytes), first);

    // Row by row, no more than some rows are ever there.
    checkpoint.release(&view);
    let mut most = 0;
    for start in (0..SIZE / 2).step_by(1 << 20) {
        let rows = view.rows(start..start + (1 << 20)).unwrap();
        let _ = sum(rows.bytes);
        most = most.max(resident_files());
        checkpoint.release(&rows);
    }
    assert!(most < before + SIZE / 4, "{most} after {before}");
}
