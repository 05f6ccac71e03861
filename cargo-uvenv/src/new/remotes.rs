//! Git repositories for the internal packages, each with a tagged dev release and a tagged stable release.

use camino::Utf8Path;
use uvenv_core::{
    git::{BareRepository, Git, file_url},
    report::{NewRemote, NewTag},
};

use super::{destination::Destination, template::Template};

/// Creates a repository for each internal package.
pub(super) fn make(git: &Git, template: &Template, destination: &Destination) -> uvenv_core::Result<Vec<NewRemote>> {
    // The work trees are created next to the repositories, where there is space and where they are always removed.
    let trees = Destination::new(&destination.staging().join("trees"))?;
    let make_one = |package: String| {
        let name = format!("{package}.git");
        let repository = git.create_bare(&destination.staging().join(&name))?;
        let tree = trees.staging().join(&package);
        let tags = release(&repository, template, &package, &tree)?;
        let path = destination.place_of(&name);
        Ok(NewRemote { url: file_url(&path), package, path, tags })
    };
    template.pinned().into_iter().map(make_one).collect()
}

/// Commits and tags the versions of `package`.
fn release(
    repository: &BareRepository,
    template: &Template,
    package: &str,
    tree: &Utf8Path,
) -> uvenv_core::Result<Vec<NewTag>> {
    let publish = |version: String| -> uvenv_core::Result<NewTag> {
        template.write_package(package, &version, tree)?;
        let commit = repository.commit_all(tree, &format!("{package} {version}"))?;
        let name = format!("v{version}");
        repository.tag(&name)?;
        Ok(NewTag { name, commit })
    };
    let stable = template.version(package);
    [format!("{stable}.dev0"), stable].into_iter().map(publish).collect()
}
