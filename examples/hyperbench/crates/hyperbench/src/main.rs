//! `hyperbench [NUMBER]…`: summarises the numbers that it gets as arguments, or on standard input without any.

use std::{
    error::Error,
    io::{self, Write},
    process::ExitCode,
};

use hyperbench_kernels::{CUDA, Summary};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hyperbench: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args_os()
        .skip(1)
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    let text = if arguments.is_empty() {
        io::read_to_string(io::stdin())?
    } else {
        arguments.join(" ")
    };
    let summary = Summary::of(&numbers(&text)?)?;
    write(&mut io::stdout().lock(), &summary)?;
    Ok(())
}

fn numbers(text: &str) -> Result<Vec<f64>, String> {
    text.split_whitespace()
        .map(|word| word.parse().map_err(|_| format!("not a number: {word}")))
        .collect()
}

fn write(out: &mut impl Write, summary: &Summary) -> io::Result<()> {
    writeln!(out, "count   {}", summary.count)?;
    for (name, value) in [
        ("mean", summary.mean),
        ("stdev", summary.stdev),
        ("min", summary.minimum),
        ("median", summary.median),
        ("max", summary.maximum),
    ] {
        writeln!(out, "{name:<8}{value:.6}")?;
    }
    match CUDA {
        Some(release) => writeln!(out, "\nbuilt for CUDA {release}"),
        None => writeln!(out, "\nbuilt without CUDA"),
    }
}
