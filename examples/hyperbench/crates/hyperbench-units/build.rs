//! Has the Python package `print-utils`, a member of this workspace, write the table of units.

use uvenv_core::build_script;

fn main() -> Result<(), uvenv_core::Error> {
    let python = build_script::Sync::new().run()?;
    python
        .command()
        .args(["-m", "print_utils.rust"])
        .arg(python.out_dir().join("units.rs"))
        .status()?;
    // What the environment is made of is watched already; what the generator is made of, only we know.
    for module in ["quantities", "rust"] {
        println!("cargo::rerun-if-changed=../../packages/print-utils/src/print_utils/{module}.py");
    }
    Ok(())
}
