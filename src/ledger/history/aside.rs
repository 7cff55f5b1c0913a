//! Setting a damaged history aside, for whoever wants to look into it.

use std::io;
use std::path::{Path, PathBuf};

/// So many damaged ones are kept.
const KEPT: usize = 2;

/// Renames `history` to `history.damaged-N`; an absent one is aside already.
///
/// # Errors
/// When it cannot be renamed.
pub fn move_aside(dir: &Path) -> io::Result<()> {
    let mut damaged = list(dir)?;
    let next = damaged.last().map_or(1, |(n, _)| n + 1);
    match std::fs::rename(dir, name(dir, next)) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        renamed => renamed?,
    }
    while damaged.len() >= KEPT {
        // What cannot be removed takes space, nothing else.
        let _ = std::fs::remove_dir_all(damaged.remove(0).1);
    }
    Ok(())
}

fn name(dir: &Path, n: u64) -> PathBuf {
    let mut name = dir.file_name().unwrap_or_default().to_owned();
    name.push(format!(".damaged-{n}"));
    dir.with_file_name(name)
}

fn list(dir: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let prefix = format!("{}.damaged-", dir.file_name().unwrap_or_default().to_string_lossy());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir.parent().unwrap_or(dir))? {
        let path = entry?.path();
        let n = path.file_name().and_then(|f| f.to_str()?.strip_prefix(&prefix)?.parse().ok());
        found.extend(n.map(|n| (n, path)));
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_damaged_ones_are_kept() {
        let state = tempfile::tempdir().unwrap();
        let dir = state.path().join("history");
        move_aside(&dir).unwrap();
        for n in 1..5 {
            std::fs::create_dir(&dir).unwrap();
            std::fs::write(dir.join("which"), n.to_string()).unwrap();
            move_aside(&dir).unwrap();
        }
        let kept: Vec<String> =
            list(&dir).unwrap().iter().map(|(_, path)| std::fs::read_to_string(path.join("which")).unwrap()).collect();
        assert_eq!(kept, ["3", "4"]);
    }
}
