//! `cargo uvenv new`: creates a complete monorepo, or nothing if there is an error.
//!
//! The new monorepo is `examples/hyperbench`, which is compiled in, so that nothing is maintained twice.

mod destination;
mod remotes;
mod template;

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;
use uvenv_core::{
    Name, Variables,
    error::Diagnostic,
    git::Git,
    report::{NewRemote, NewReport},
};

pub use self::template::Packages;
use self::{destination::Destination, template::Template};

/// What to create.
#[derive(Clone, Debug)]
pub struct Request {
    /// The path: it must not exist, or be an empty directory. Its last component is the name of the project.
    pub path: Utf8PathBuf,
    /// Whether to create git repositories for the internal packages next to it, in `PATH-remotes`.
    pub local_remotes: bool,
    /// Which internal packages to include.
    pub packages: Packages,
}

/// Why no monorepo was created.
#[derive(Debug, Error)]
pub(crate) enum NewError {
    /// The path already exists.
    #[error("`{path}` {is}")]
    DestinationExists { path: Utf8PathBuf, is: &'static str },
    /// The path does not end in a valid project name.
    #[error("`{path}` cannot name a project: {problem}")]
    InvalidName { path: Utf8PathBuf, problem: String },
    /// A file or directory could not be created.
    #[error("`{path}` could not be created: {source}")]
    NotWritable { path: Utf8PathBuf, source: io::Error },
}

/// Creates a monorepo.
///
/// Everything is created in temporary directories next to the destinations and moved into place at the end. So an error
/// leaves nothing behind.
pub fn lay_out(request: &Request, variables: &Variables) -> uvenv_core::Result<NewReport> {
    let path = camino::absolute_utf8(&request.path).map_err(not_writable(&request.path))?;
    let mut template = Template::of(request.packages);
    let project = project_name(&path, &template)?;
    template.name_project(&project);

    let root = Destination::new_or_empty(&path)?;
    // Without git, a monorepo that needs no git repository can still be created.
    let git = if request.local_remotes { Some(Git::find(variables)?) } else { Git::find(variables).ok() };
    let remotes = match &git {
        Some(git) if request.local_remotes => {
            let destination = Destination::new(&remotes_directory(&path))?;
            let remotes = remotes::make(git, &template, &destination)?;
            template.pin_to(&remotes);
            Some((destination, remotes))
        }
        _ => None,
    };
    template.write_to(root.staging())?;
    let repository = match &git {
        Some(git) if !git.is_work_tree(root.containing_directory()) => {
            git.init(root.staging())?;
            true
        }
        _ => false,
    };

    let packages = template.packages();
    let remotes = finish(root, remotes)?;
    Ok(NewReport { path, project, packages, repository, remotes })
}

/// Moves everything into place.
fn finish(root: Destination, remotes: Option<(Destination, Vec<NewRemote>)>) -> uvenv_core::Result<Vec<NewRemote>> {
    let Some((destination, remotes)) = remotes else {
        root.finish()?;
        return Ok(Vec::new());
    };
    let placed = destination.finish()?;
    root.finish().inspect_err(|_| placed.undo())?;
    Ok(remotes)
}

/// Returns `PATH-remotes`, next to `path`.
fn remotes_directory(path: &Utf8Path) -> Utf8PathBuf {
    path.with_file_name(format!("{}-remotes", path.file_name().unwrap_or_default()))
}

/// Returns the last component of `path` as a project name, with each run of invalid characters replaced by `-`.
fn project_name(path: &Utf8Path, template: &Template) -> uvenv_core::Result<Name> {
    let invalid = |problem| NewError::InvalidName { path: path.to_owned(), problem };
    let last = path.file_name().unwrap_or_default();
    let words: Vec<_> = last.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let name = Name::parse(&words.join("-"))
        .ok_or_else(|| invalid("its last component has no ASCII letter or digit".to_owned()))?;
    if template.depends_on(&name) {
        return Err(invalid(format!("`{name}` is a package that the project depends on")).into());
    }
    Ok(name)
}

fn not_writable(path: &Utf8Path) -> impl FnOnce(io::Error) -> NewError {
    let path = path.to_owned();
    move |source| NewError::NotWritable { path, source }
}

impl Diagnostic for NewError {
    fn code(&self) -> &'static str {
        match self {
            Self::DestinationExists { .. } => "destination-exists",
            Self::InvalidName { .. } => "invalid-project-name",
            Self::NotWritable { .. } => "not-writable",
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::DestinationExists { .. } => Some("choose another path, or remove what is there".to_owned()),
            Self::InvalidName { .. } => Some(
                "choose a path that ends in a name of letters, digits and hyphens, such as `my-project`".to_owned(),
            ),
            Self::NotWritable { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests;
