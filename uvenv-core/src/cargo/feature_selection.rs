//! The options with which cargo selects packages and features.

/// The selection of packages and features on a command line, with the same meaning as in Cargo.
#[derive(Clone, Debug, Default)]
pub struct FeatureSelection {
    /// `-p`: packages by name or `name@version`; empty for Cargo's default members.
    pub packages: Vec<String>,
    /// `--workspace`.
    pub workspace: bool,
    /// `--exclude`.
    pub exclude: Vec<String>,
    /// `-F`, `--features`: `name` or `package/name`, separated by commas or spaces.
    pub features: Vec<String>,
    /// `--all-features`.
    pub all_features: bool,
    /// `--no-default-features`.
    pub no_default_features: bool,
}

impl FeatureSelection {
    /// Returns the flag that explicitly enables features, if there is one.
    pub fn explicit_flag(&self) -> Option<&'static str> {
        if self.all_features {
            Some("--all-features")
        } else if self.feature_names().next().is_some() {
            Some("--features")
        } else {
            None
        }
    }

    /// Returns the names in `features`, each on its own.
    pub fn feature_names(&self) -> impl Iterator<Item = &str> {
        self.features.iter().flat_map(|list| list.split([',', ' '])).filter(|name| !name.is_empty())
    }
}
