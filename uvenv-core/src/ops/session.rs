//! What a caller asks of all operations, and what runs programs for them.

use std::{
    cell::{OnceCell, RefCell},
    ffi::OsString,
    io::IsTerminal,
    sync::Arc,
};

use camino::{Utf8Path, Utf8PathBuf};

#[cfg(feature = "full")]
use crate::{
    manifest::Selector,
    uv::{ExportCommand, ExportedPackage},
};
use crate::{
    model::{Interrupted, Observer, Variables, redact},
    process::{Invocation, Stderr, Streamed, Terminal},
    uv::{Appearance, Fetch, LockCommand, LockVerdict, Uv, UvError, follow, locate, variables::with_urls},
};

/// What a caller asks of all its operations.
#[derive(Clone)]
pub struct Settings {
    /// The environment variables.
    pub variables: Variables,
    /// The caller's directory, as an absolute path.
    pub directory: Utf8PathBuf,
    /// Whether the network must not be used.
    pub offline: bool,
    /// How uv's output is formatted.
    pub appearance: Appearance,
    /// Whether to show the uv command lines.
    pub show_commands: bool,
    /// Variables that child processes see differently from this process; `None` removes one.
    pub child_variables: Vec<(String, Option<OsString>)>,
    /// The observer that follows the operations instead of the terminal.
    pub observer: Option<Arc<dyn Observer>>,
    /// A uv that was installed together with the caller, if there is one.
    pub companion_uv: Option<Utf8PathBuf>,
}

impl Settings {
    /// Returns the settings of a caller in `directory`, with nothing else said.
    pub fn new(variables: Variables, directory: Utf8PathBuf, offline: bool) -> Self {
        Self {
            variables,
            directory,
            offline,
            appearance: Appearance::default(),
            show_commands: false,
            child_variables: Vec::new(),
            observer: None,
            companion_uv: None,
        }
    }

    /// Returns the observer of the operations; without one, the user at the terminal.
    pub(crate) fn observer(&self) -> &dyn Observer {
        match &self.observer {
            Some(observer) => &**observer,
            None if self.appearance.quiet => &Terminal { quiet: true },
            None => &Terminal { quiet: false },
        }
    }

    /// Returns where uv's stderr goes. An observer receives it, if there is one. Otherwise it goes directly to the
    /// terminal, with progress bars, unless URLs with credentials are involved, because uv and git may print them.
    pub(super) fn stderr(&self, texts: &[&str]) -> Stderr {
        if let Some(observer) = &self.observer {
            return if observer.shows() { Stderr::Relay } else { Stderr::Follow };
        }
        let has_secrets = texts.iter().any(|text| redact(text) != **text);
        let index_has_secrets =
            with_urls().filter_map(|name| self.variables.get(name)).any(|text| redact(text) != text);
        if std::io::stderr().is_terminal() && !has_secrets && !index_has_secrets {
            Stderr::Inherit
        } else {
            Stderr::Tee
        }
    }

    /// Returns the variables that child processes see.
    pub(crate) fn child_view(&self) -> Variables {
        self.variables.with(&self.child_variables)
    }

    /// Returns `invocation` with the variables that child processes see.
    pub(crate) fn child(&self, invocation: Invocation) -> Invocation {
        self.child_variables.iter().fold(invocation.seeing(&self.variables), |invocation, (name, value)| match value {
            Some(value) => invocation.env(name, value),
            None => invocation.env_remove(name),
        })
    }

    /// Returns who is told what the user has asked for with `show_commands`, even with `--quiet`.
    fn requested(&self) -> &dyn Observer {
        self.observer.as_deref().unwrap_or(&Terminal { quiet: false })
    }

    /// Explains why something is done, if the user has asked for such messages.
    pub(super) fn explain(&self, why: &str) {
        if self.show_commands {
            self.requested().say(why);
        }
    }
}

/// Runs programs as the settings say, and keeps what is found out once.
pub struct Session {
    /// What was asked.
    pub settings: Settings,
    uv: OnceCell<Uv>,
    warnings: RefCell<Vec<crate::Error>>,
}

impl Session {
    /// Creates a session that has found nothing out yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings, uv: OnceCell::new(), warnings: RefCell::default() }
    }

    /// Returns a session for an operation that runs at the same time, on another thread and with its own observer.
    #[must_use]
    pub fn beside(&self, observer: Arc<dyn Observer>) -> Self {
        let settings = Settings { observer: Some(observer), ..self.settings.clone() };
        Self { uv: self.uv.clone(), ..Self::new(settings) }
    }

    /// Returns the uv of this session. It is searched for once, and downloaded if it is missing and downloads are
    /// allowed.
    pub(super) fn uv(&self) -> crate::Result<&Uv> {
        let fetch = if self.settings.offline { Fetch::Offline } else { Fetch::Allowed };
        self.uv_with(fetch)
    }

    pub(super) fn uv_with(&self, fetch: Fetch) -> crate::Result<&Uv> {
        if let Some(uv) = self.uv.get() {
            return Ok(uv);
        }
        let uv =
            locate(&self.settings.variables, self.settings.companion_uv.as_deref(), fetch, self.settings.observer())?;
        Ok(self.uv.get_or_init(|| uv))
    }

    /// Asks uv whether the lockfile of `project` satisfies its manifest, and why not.
    pub(super) fn lock_verdict(&self, uv: &Uv, project: &Utf8Path, offline: bool) -> LockVerdict {
        let command = LockCommand { project: project.to_owned(), check: true, offline, ..LockCommand::default() };
        let appearance = Appearance { verbose: 1, color: Some("never"), ..Appearance::default() };
        match self.stream(&command.invocation(uv, &appearance), Stderr::Capture) {
            Ok(streamed) => LockVerdict::of(&streamed, offline),
            Err(error) => LockVerdict::Unknown(error.to_string()),
        }
    }

    /// Asks uv without the network first, because that is faster, and with it if uv cannot tell.
    pub(super) fn final_lock_verdict(&self, uv: &Uv, project: &Utf8Path) -> LockVerdict {
        match self.lock_verdict(uv, project, true) {
            LockVerdict::Unknown(_) if !self.settings.offline => self.lock_verdict(uv, project, false),
            verdict => verdict,
        }
    }

    /// Asks the uv that is installed, which may not use the network, whether the lockfile of `context` satisfies its
    /// manifest.
    #[cfg(feature = "full")]
    pub(super) fn offline_verdict(&self, context: &crate::monorepo::ProfileContext<'_>) -> LockVerdict {
        match self.uv_with(Fetch::Never) {
            Ok(uv) => self.lock_verdict(uv, &context.paths.directory, true),
            Err(error) => LockVerdict::Unknown(error.to_string()),
        }
    }

    /// Returns what the lockfile of `project` has for `selector`, or without any; `None` if uv cannot tell.
    #[cfg(feature = "full")]
    pub(super) fn exported(
        &self,
        uv: &Uv,
        project: &Utf8Path,
        selector: Option<&Selector>,
    ) -> Option<Vec<ExportedPackage>> {
        let command = ExportCommand { project: project.to_owned(), on: selector.cloned() };
        let invocation = self.settings.child(command.invocation(uv));
        if self.settings.show_commands {
            self.settings.requested().runs(&invocation.to_string());
        }
        let captured = invocation.capture().ok()?;
        captured.status.success().then(|| ExportedPackage::read(&captured.stdout))
    }

    /// Returns a session with other variables, for operations that are a part of this one.
    #[cfg(feature = "full")]
    pub(super) fn with_variables(&self, changes: &[(String, Option<OsString>)]) -> Self {
        let child_variables = self.settings.child_variables.iter().chain(changes).cloned().collect();
        let variables = self.settings.variables.with(changes);
        let settings = Settings { variables, child_variables, ..self.settings.clone() };
        Self { uv: self.uv.clone(), ..Self::new(settings) }
    }

    /// Returns a session for another thread.
    #[cfg(feature = "full")]
    pub(super) fn for_thread(&self) -> Self {
        Self { uv: self.uv.clone(), ..Self::new(self.settings.clone()) }
    }

    /// Returns how commits of remotes are kept in `directory`, uvenv's cache.
    #[cfg(feature = "full")]
    pub(super) fn contents<'a>(&'a self, directory: &'a Utf8Path) -> crate::git::ContentCache<'a> {
        let Settings { variables, .. } = &self.settings;
        let limit = crate::uv::variables::http_timeout(variables);
        crate::git::ContentCache { directory, limit, variables, observer: self.settings.observer() }
    }

    /// Returns the warnings of the operations so far. Each is returned once.
    pub fn take_warnings(&self) -> Vec<crate::Error> {
        self.warnings.take()
    }

    pub(super) fn warn<W: Into<crate::Error>>(&self, warnings: impl IntoIterator<Item = W>) {
        self.warnings.borrow_mut().extend(warnings.into_iter().map(Into::into));
    }

    /// Runs uv.
    pub(super) fn stream(&self, invocation: &Invocation, stderr: Stderr) -> crate::Result<Streamed> {
        let invocation = &self.settings.child(invocation.clone());
        if self.settings.show_commands {
            self.settings.requested().runs(&invocation.to_string());
        }
        let streamed = match &self.settings.observer {
            Some(observer) => {
                Interrupted::check(&**observer)?;
                follow(invocation, &**observer, matches!(stderr, Stderr::Follow | Stderr::Relay))
            }
            None => invocation.stream(stderr),
        };
        let not_started = |source| UvError::NotStarted { command: invocation.to_string(), source };
        let streamed = streamed.map_err(not_started)?;
        if streamed.interrupted {
            return Err(Interrupted.into());
        }
        Ok(streamed)
    }
}
