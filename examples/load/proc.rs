//! What the kernel knows of a process (proc(5)).

use super::Failed;
use std::path::PathBuf;
use std::time::Duration;

/// `USER_HZ`: 100 on every Linux.
const TICK: Duration = Duration::from_millis(10);

/// User and system time of all its threads, also of those that have ended.
pub fn cpu(pid: &str) -> Result<Duration, Failed> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name, in brackets, may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
    let field =
        |i: usize| fields.get(i).and_then(|text| text.parse::<u32>().ok()).ok_or("/proc/PID/stat is not as known");
    Ok(TICK * (field(11)? + field(12)?))
}

/// `VmRSS`
pub fn memory_kib(pid: &str) -> Result<u64, Failed> {
    status(PathBuf::from(format!("/proc/{pid}/status")), "VmRSS:")
}

/// How often its threads have gone to sleep, and so woken up.
pub fn wakes(pid: &str) -> Result<u64, Failed> {
    let mut sum = 0;
    for thread in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread may end meanwhile.
        sum += status(thread?.path().join("status"), "voluntary_ctxt_switches:").unwrap_or_default();
    }
    Ok(sum)
}

fn status(file: PathBuf, name: &str) -> Result<u64, Failed> {
    let text = std::fs::read_to_string(&file)?;
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok());
    value.ok_or_else(|| format!("{} has no {name}", file.display()).into())
}
