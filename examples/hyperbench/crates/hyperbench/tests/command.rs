//! Runs the command as a user does.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

fn hyperbench(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hyperbench"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn arguments_and_standard_input_give_the_same() {
    let output = hyperbench(&[], "1 2\n3 10\n");
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(output.status.success());
    assert!(text.contains("count   4\nmean    4.000000\n"), "{text}");
    assert!(
        text.contains("median  2.500000\nmax     10.000000\n"),
        "{text}"
    );
    assert_eq!(hyperbench(&["1", "2", "3", "10"], "").stdout, output.stdout);
}

#[test]
fn the_release_of_cuda_is_that_of_the_features() {
    let text = String::from_utf8(hyperbench(&["1"], "").stdout).unwrap();
    let expected = match (cfg!(feature = "cu124"), cfg!(feature = "cu128")) {
        (false, false) => "built without CUDA\n",
        (true, false) => "built for CUDA 12.4\n",
        (_, true) => "built for CUDA 12.8\n",
    };
    assert!(text.ends_with(expected), "{text}");
}

#[test]
fn what_is_no_number_is_named() {
    for (arguments, input, message) in [
        (&["1", "two"][..], "", "hyperbench: not a number: two\n"),
        (&[], "", "hyperbench: there are no numbers\n"),
        (
            &["inf"],
            "",
            "hyperbench: a number is infinite or not a number\n",
        ),
    ] {
        let output = hyperbench(arguments, input);
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(String::from_utf8(output.stderr).unwrap(), message);
    }
}
