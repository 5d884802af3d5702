use std::fs;
use std::path::Path;

use crate::config::ByteSize;

/// Memory that this process may have: what the machine has, or what its control group is held to if that is less.
///
/// `None` where the system does not tell.
pub(crate) fn machine_memory() -> Option<ByteSize> {
    let read = |path: &str| fs::read_to_string(path).ok();
    let total = total(&read("/proc/meminfo")?)?;
    let group = read("/proc/self/cgroup").map(|text| group_limits(&text)).unwrap_or_default();
    let limits = group.iter().filter_map(|path| limit(&fs::read_to_string(path).ok()?));
    Some(ByteSize(limits.fold(total, u64::min)))
}

/// Bytes of the line `MemTotal` of `/proc/meminfo`.
fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// The files that may hold a limit, by `/proc/self/cgroup`: of the group and of all that it lies in, in both versions
/// of control groups.
fn group_limits(cgroup: &str) -> Vec<String> {
    let mut files = Vec::new();
    for line in cgroup.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let (root, file) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max"),
            _ if controllers.split(',').any(|one| one == "memory") => {
                ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => continue,
        };
        for group in Path::new(path).ancestors() {
            let group = group.to_string_lossy();
            files.push(format!("{root}{}/{file}", group.trim_end_matches('/')));
        }
    }
    files
}

/// Bytes of a limit's file; `max` is none.
fn limit(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says() {
        assert_eq!(total("MemFree: 1 kB\nMemTotal:       16384 kB\n"), Some(16 << 20));
        assert_eq!(total("MemTotal: much"), None);
        assert_eq!((limit("max\n"), limit("1048576\n")), (None, Some(1 << 20)));
        let files = group_limits("12:cpu,memory:/a/b\n3:cpuset:/\n0::/user.slice\ngarbage\n");
        assert_eq!(
            files,
            [
                "/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/a/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/memory.limit_in_bytes",
                "/sys/fs/cgroup/user.slice/memory.max",
                "/sys/fs/cgroup/memory.max",
            ]
        );
    }
}
