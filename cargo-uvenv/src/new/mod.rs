//! `cargo uvenv new`: lays out a complete monorepo, whole or not at all.
//!
//! What is laid out is `examples/hyperbench` itself, which is compiled in: nothing is written twice.

mod destination;
mod remotes;
mod template;

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;
use uvenv_core::{
    Name, Variables,
    error::{Diagnostic, Fault},
    git::{Git, GitError},
    report::{NewRemote, NewReport},
};

pub use self::template::Packages;
use self::{destination::Destination, template::Template};

/// What to lay out.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where: a path at which there is nothing, or an empty directory. Its last part names the project.
    pub path: Utf8PathBuf,
    /// Whether to make git repositories for the internal packages beside it, in `PATH-remotes`.
    pub local_remotes: bool,
    /// Which internal packages it has.
    pub packages: Packages,
}

/// Why nothing was laid out.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NewError {
    /// There is something at the path.
    #[error("`{path}` {is}")]
    DestinationExists {
        /// The path.
        path: Utf8PathBuf,
        /// What it is.
        is: &'static str,
    },
    /// The path does not end in what could name a project.
    #[error("`{path}` cannot name a project: {problem}")]
    InvalidName {
        /// The path.
        path: Utf8PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A file or directory could not be made.
    #[error("`{path}` could not be made: {source}")]
    NotWritable {
        /// The file or directory.
        path: Utf8PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// git was needed and is missing, or failed.
    #[error(transparent)]
    Git(#[from] GitError),
}

/// Lays out a monorepo.
///
/// All is made in temporary directories beside the destinations and takes its place at the end. An error, therefore,
/// leaves nothing behind.
pub fn lay_out(request: &Request, variables: &Variables) -> Result<NewReport, NewError> {
    let path = camino::absolute_utf8(&request.path).map_err(not_writable(&request.path))?;
    let mut template = Template::of(request.packages);
    let project = project_name(&path, &template)?;
    template.name_project(&project);

    let root = Destination::new_or_empty(&path)?;
    let git = Git::find(variables).ok();
    let remotes = if request.local_remotes {
        let git = git.as_ref().ok_or(GitError::NotFound)?;
        let destination = Destination::new(&remotes_directory(&path))?;
        let remotes = remotes::make(git, &template, &destination)?;
        template.pin_to(&remotes);
        Some((destination, remotes))
    } else {
        None
    };
    template.write_to(root.staging())?;
    // Without git, a monorepo that needs no git repository can still be had.
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

/// Puts all that was made into its place.
fn finish(root: Destination, remotes: Option<(Destination, Vec<NewRemote>)>) -> Result<Vec<NewRemote>, NewError> {
    let Some((destination, remotes)) = remotes else {
        root.finish()?;
        return Ok(Vec::new());
    };
    let placed = destination.finish()?;
    root.finish().inspect_err(|_| placed.undo())?;
    Ok(remotes)
}

/// `PATH-remotes`, beside `path`.
fn remotes_directory(path: &Utf8Path) -> Utf8PathBuf {
    path.with_file_name(format!("{}-remotes", path.file_name().unwrap_or_default()))
}

/// The last part of `path` as a name of a project, with a `-` for each run of what a name cannot have.
fn project_name(path: &Utf8Path, template: &Template) -> Result<Name, NewError> {
    let invalid = |problem| NewError::InvalidName { path: path.to_owned(), problem };
    let last = path.file_name().unwrap_or_default();
    let words: Vec<_> = last.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let name = Name::parse(&words.join("-"))
        .ok_or_else(|| invalid("its last part has no letter from A to Z and no digit".to_owned()))?;
    if template.depends_on(&name) {
        return Err(invalid(format!("`{name}` is a package that the project depends on")));
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
            Self::Git(error) => error.code(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::DestinationExists { .. } => Some("choose another path, or remove what is there".to_owned()),
            Self::InvalidName { .. } => Some(
                "choose a path that ends in a name of letters, digits and hyphens, such as `my-project`".to_owned(),
            ),
            Self::NotWritable { .. } => None,
            Self::Git(error) => error.help(),
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Git(error) => error.fault(),
            _ => Fault::Request,
        }
    }
}

#[cfg(test)]
mod tests;
