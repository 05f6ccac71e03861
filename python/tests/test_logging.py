"""The calls log to the logger `uvenv`."""

from __future__ import annotations

import logging

import pytest

import uvenv


def test_logs_output_and_command_lines(repo: uvenv.Monorepo, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "uvenv")
    repo.sync("prod", backend="cu124")
    said = {(record.levelname, record.getMessage()) for record in caplog.records if record.name == "uvenv"}
    assert any(level == "DEBUG" and "uv sync --project" in text for level, text in said)
    assert any(level == "INFO" and text.startswith("Installed ") for level, text in said)
    assert any(level == "INFO" and "+ nvidia-cuda-runtime-cu12==12.4.127" in text for level, text in said)
    assert not any("\x1b" in text or "\r" in text for _, text in said)

    caplog.clear()
    caplog.set_level(logging.INFO, "uvenv")
    repo.sync("prod", backend="cu128")
    assert {record.levelname for record in caplog.records} == {"INFO"}


def test_logs_warnings(repo: uvenv.Monorepo, caplog: pytest.LogCaptureFixture) -> None:
    manifest = repo.root / "prod" / "pyproject.toml"
    text = manifest.read_text()
    head, tail = text.split("[tool.uv.sources]\n")
    manifest.write_text(f'{head}[tool.uv.sources]\nunused = {{ git = "https://example.com/x.git" }}\n{tail}')
    repo.lock("prod")
    (record,) = (record for record in caplog.records if record.levelno == logging.WARNING)
    assert record.name == "uvenv"
    assert record.__dict__["code"] == "unused-source"
    line = manifest.read_text().splitlines().index('unused = { git = "https://example.com/x.git" }') + 1
    assert f"{manifest}:{line}:" in record.getMessage()
    assert "help: " in record.getMessage()


def test_prints_nothing(repo: uvenv.Monorepo, capfd: pytest.CaptureFixture[str]) -> None:
    repo.sync("prod", backend="cu124")
    repo.status()
    with pytest.raises(uvenv.UvFailed):
        repo.sync("prod", backend="cu124", uv_args=["--no-such-flag"])
    assert capfd.readouterr() == ("", "")
