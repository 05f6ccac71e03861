//! Paths without detours.

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

/// Returns `path` without `.` and `..`. Links are not followed.
pub(crate) fn normal(path: &Utf8Path) -> Utf8PathBuf {
    path.components().fold(Utf8PathBuf::new(), |mut normal, component| {
        match component {
            Utf8Component::ParentDir => drop(normal.pop()),
            Utf8Component::CurDir => {}
            component => normal.push(component),
        }
        normal
    })
}
