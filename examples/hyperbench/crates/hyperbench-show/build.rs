//! Prepares the environment that the program embeds, and has the linker note where its libpython is.

use uvenv_core::build_script;

fn main() -> Result<(), uvenv_core::Error> {
    build_script::Sync::new().run()?.link_libpython()
}
