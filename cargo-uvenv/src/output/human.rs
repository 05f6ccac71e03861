//! Results as sentences and tables.

use indicatif::BinaryBytes;
use uvenv_core::{
    Name,
    backend::Detection,
    environment::{Distribution, Source},
    report::{
        BackendsReport, BundleReport, DetectionReport, EnvReport, ImageLayerContent, ImageReport, KernelReport,
        KernelState, KernelsReport, LockReport, Message, NewReport, SbomReport, SyncPlanned, SyncReport, VendorReport,
    },
};

use super::text::{counted, done, help, line, lines, print, short, shown, table};

/// Prints the result.
pub(super) fn message(message: &Message) {
    match message {
        Message::LockFinished(report) => lock(report),
        Message::SyncPlanned(plan) => planned(plan),
        Message::SyncFinished(report) => sync(report),
        Message::Environment(report) => cargo_config(report),
        Message::KernelInstalled(report) => kernel("Installed", report),
        Message::KernelRemoved(report) => kernel("Removed", report),
        Message::NewFinished(report) => laid_out(report),
        Message::PromoteFinished(report) => super::promote::message(report),
        Message::VerifyFinished(report) => super::verify::message(report),
        Message::VendorFinished(report) => vendored(report),
        Message::BundleFinished(report) => bundled(report),
        Message::ImageFinished(report) => imaged(report),
        Message::SbomFinished(report) => described(report),
        Message::InitFinished(report) => super::init::finished(report),
        Message::PackageAdded(report) => super::init::package_added(report),
        // `render` prints everything else, because it has the location in the file.
        message => {
            if let Some(text) = text(message) {
                print(text.trim_end());
            }
        }
    }
}

/// Returns the tables and sentences that are the result in a message, line by line.
pub(super) fn text(message: &Message) -> Option<String> {
    match message {
        Message::Status(report) => Some(super::status::text(report)),
        Message::Backends(report) => Some(backends(report)),
        Message::BackendDetected(report) => Some(detection(report)),
        Message::Kernels(report) => Some(kernels(report)),
        Message::CheckFinished(report) => Some(super::check::text(report)),
        Message::PromoteFinished(report) => Some(super::promote::text(report)),
        Message::DiffFinished(report) => Some(super::diff::text(report)),
        Message::VerifyFinished(report) => Some(super::verify::text(report)),
        _ => None,
    }
}

fn lock(report: &LockReport) {
    let path = shown(&report.lockfile);
    let outcome = match (report.changed, report.packages.len()) {
        _ if report.dry_run => "nothing written".to_owned(),
        (false, _) => "unchanged".to_owned(),
        (true, 0) => "updated".to_owned(),
        (true, 1) => "1 package changed".to_owned(),
        (true, count) => format!("{count} packages changed"),
    };
    let label = if report.dry_run { "Checked" } else { "Locked" };
    done(label, format_args!("{} ({path}): {outcome}", report.profile));
}

fn planned(plan: &SyncPlanned) {
    let backend = plan.backend.as_ref().map_or("no backend", |backend| backend.as_str());
    let recreate = if plan.recreate { ", after recreating it" } else { "" };
    print(format_args!(
        "Would sync {} with {backend} (from {}) in {}{recreate}\n  {}",
        plan.profile,
        plan.backend_origin,
        shown(&plan.environment),
        plan.command
    ));
    for rebuild in &plan.rebuild {
        print(format_args!("  {} would be rebuilt: {}", rebuild.name, rebuild.cause));
    }
}

fn sync(report: &SyncReport) {
    let backend = match &report.backend {
        Some(backend) => format!(" with {backend} (from {})", report.backend_origin),
        None => String::new(),
    };
    let changes = if report.changed {
        format!("{} installed, {} removed", report.installed.len(), report.removed.len())
    } else {
        "up to date".to_owned()
    };
    done("Synced", format_args!("{}{backend} in {}: {changes}", report.profile, shown(&report.environment)));
    for rebuilt in &report.rebuilt {
        done("Rebuilt", format_args!("{}: {}", rebuilt.name, rebuilt.cause));
    }
    for origin in report.installed.iter().filter_map(origin) {
        done("Installed", origin);
    }
}

/// Returns the source of an internal package; uv has already reported the packages from an index.
fn origin(distribution: &Distribution) -> Option<String> {
    let Source::Git { commit, requested, .. } = &distribution.source else { return None };
    let requested = requested.as_deref().unwrap_or("HEAD");
    Some(format!("{} {} from {requested} ({})", distribution.name, distribution.version, short(commit)))
}

/// Returns ` with cu124`, or nothing.
fn with(backend: Option<&Name>) -> String {
    backend.map(|backend| format!(" with {backend}")).unwrap_or_default()
}

fn described(report: &SbomReport) {
    let file = report.file.as_deref().map(shown).unwrap_or_default();
    let backend = with(report.backend.as_ref());
    let (distributions, embedded) = (counted(report.distributions, "distribution"), counted(report.embedded, "part"));
    done(
        "Described",
        format_args!("{}{backend} in {file}: {distributions}, {embedded} linked into them", report.profile),
    );
}

fn bundled(report: &BundleReport) {
    let backend = with(report.backend.as_ref());
    done(
        "Bundled",
        format_args!(
            "{}{backend} for Python {} in {}: {} ({})",
            report.profile,
            report.pythons.join(" and "),
            shown(&report.file),
            counted(report.wheels, "wheel"),
            BinaryBytes(report.size)
        ),
    );
}

fn imaged(report: &ImageReport) {
    let backend = with(report.backend.as_ref());
    let size = |content| report.layers.iter().filter(|layer| layer.content == content).map(|layer| layer.size).sum();
    let [base, packages, internal] =
        [ImageLayerContent::Base, ImageLayerContent::Packages, ImageLayerContent::InternalPackages]
            .map(|content| BinaryBytes(size(content)));
    let places: Vec<_> = report.output.as_deref().map(shown).into_iter().chain(report.pushed.iter().cloned()).collect();
    done(
        "Made",
        format_args!(
            "image of {}{backend} for Python {} in {}: base {base}, packages {packages}, internal packages {internal}",
            report.profile,
            report.python,
            places.join(" and ")
        ),
    );
    done("Digest", &report.digest);
}

fn vendored(report: &VendorReport) {
    let changes = match (report.downloaded.len(), report.built.len(), report.removed.len()) {
        (0, 0, 0) => "unchanged".to_owned(),
        (downloaded, built, removed) => format!("{downloaded} downloaded, {built} built, {removed} removed"),
    };
    let backends: Vec<_> = report.locks.iter().filter_map(|lock| Some(lock.backend.as_ref()?.as_str())).collect();
    let backends = if backends.is_empty() { String::new() } else { format!(" with {}", backends.join(" and ")) };
    done(
        "Vendored",
        format_args!(
            "{}{backends} for Python {} in {}: {} ({}), {changes}",
            report.profile,
            report.pythons.join(" and "),
            shown(&report.directory),
            counted(report.wheels, "wheel"),
            BinaryBytes(report.bytes)
        ),
    );
}

/// The variables themselves are printed for the shell that reads them.
fn cargo_config(report: &EnvReport) {
    if let Some(config) = &report.cargo_config {
        let (path, version) = (shown(&config.path), &report.python.version);
        let unchanged = if config.changed { "" } else { ": unchanged" };
        done("Configured", format_args!("{path} for {} with Python {version}{unchanged}", report.profile));
    }
}

fn backends(report: &BackendsReport) -> String {
    let mut text = String::new();
    if report.profiles.iter().all(|profile| profile.backends.is_empty()) {
        line(&mut text, "No profile has backends.");
        return text;
    }
    let mut table = table(&["profile", "backend", "CUDA", "selected by"]);
    for profile in &report.profiles {
        for backend in &profile.backends {
            let cuda = backend.cuda.map_or_else(|| "-".to_owned(), |cuda| cuda.to_string());
            let selectors = [format!("--backend {}", backend.name)];
            let features = backend.features.iter().map(|feature| match feature.strip_suffix("/default") {
                Some(package) => format!("the default features of {package}"),
                None => format!("-F {feature}"),
            });
            let selectors: Vec<_> = selectors.into_iter().chain(features).collect();
            table.add_row([profile.profile.to_string(), backend.name.to_string(), cuda, selectors.join("\n")]);
        }
    }
    lines(&mut text, &table);
    if let Some(reason) = &report.features_unknown {
        line(&mut text, format_args!("The Cargo features are unknown: {reason}"));
    }
    text
}

fn detection(report: &DetectionReport) -> String {
    let mut text = String::new();
    match &report.detected {
        Detection::Driver { version, cuda, gpus } => {
            for (index, gpu) in gpus.iter().enumerate() {
                line(&mut text, format_args!("GPU {index}: {gpu}"));
            }
            line(&mut text, format_args!("NVIDIA driver {version}, CUDA up to {cuda}"));
        }
        Detection::None { reason } => line(&mut text, format_args!("No usable GPU: {reason}")),
    }
    for choice in &report.auto {
        let backend = choice.backend.as_ref().map_or("no backend", |backend| backend.as_str());
        line(&mut text, format_args!("{}: `--backend auto` chooses {backend}: {}", choice.profile, choice.explanation));
    }
    text
}

fn kernel(verb: &str, report: &KernelReport) {
    done(verb, format_args!("kernel {}, shown as `{}`, in {}", report.name, report.display_name, shown(&report.path)));
}

fn kernels(report: &KernelsReport) -> String {
    let mut text = String::new();
    if report.kernels.is_empty() {
        line(&mut text, "No kernels found.");
        return text;
    }
    let mut table = table(&["kernel", "shown as", "profile", "backend", "monorepo"]);
    for kernel in &report.kernels {
        let backend = kernel.backend.as_ref().map_or("none", |backend| backend.as_str());
        let gone = match kernel.state {
            KernelState::Ready => "",
            KernelState::NoMonorepo => " (gone)",
        };
        let root = format!("{}{gone}", shown(&kernel.root));
        table.add_row([&kernel.name, &kernel.display_name, kernel.profile.as_str(), backend, &root]);
    }
    lines(&mut text, &table);
    text
}

fn laid_out(report: &NewReport) {
    let path = shown(&report.path);
    done("Created", format_args!("`{}` in {path}: {}", report.project, report.packages.join(", ")));
    for remote in &report.remotes {
        let tags: Vec<_> = remote.tags.iter().map(|tag| format!("{} ({})", tag.name, short(&tag.commit))).collect();
        done("Created", format_args!("{} with {}", shown(&remote.path), tags.join(", ")));
    }
    if report.remotes.is_empty() {
        help("set the git URLs in staging/pyproject.toml and prod/pyproject.toml to your repositories");
    } else {
        help(format_args!("run `cd {path}`, then `cargo uvenv lock --all-profiles`"));
    }
}
