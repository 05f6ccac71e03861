//! Build scripts start no commands, so they read no files with variables.

use std::collections::BTreeMap;

use super::Session;

#[expect(clippy::unnecessary_wraps, reason = "as where files are read")]
pub(super) fn read(_: &Session, _: &[String]) -> crate::Result<BTreeMap<String, String>> {
    Ok(BTreeMap::new())
}
