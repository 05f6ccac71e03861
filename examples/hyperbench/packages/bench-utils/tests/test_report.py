import json
import tempfile
import unittest
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from bench_utils.report import cuda_runtime, internal_packages, report

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Report(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.site = Path(directory.name)

    def install(
        self,
        name: str,
        version: str,
        *,
        internal: bool = True,
        origin: dict[str, Any] | None = None,
    ) -> None:
        info = self.site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        classifier = "Classifier: Private :: Do Not Upload\n" if internal else ""
        metadata = f"Metadata-Version: 2.3\nName: {name}\nVersion: {version}\n{classifier}"
        (info / "METADATA").write_text(metadata, encoding="utf-8")
        if origin is not None:
            (info / "direct_url.json").write_text(json.dumps(origin), encoding="utf-8")

    def installed(self) -> list[Distribution]:
        return list(distributions(path=[str(self.site)]))

    def source(self, origin: dict[str, Any] | None) -> tuple[str, str]:
        self.install("a", "1", origin=origin)
        (package,) = internal_packages(self.installed())
        return package.source, package.commit

    def test_a_tag_and_its_commit(self) -> None:
        git = {"vcs": "git", "commit_id": COMMIT, "requested_revision": "v0.1.2"}
        origin = {"url": "https://user:secret@git.example.com/a.git", "vcs_info": git}
        self.assertEqual(self.source(origin), ("git v0.1.2", COMMIT))
        self.assertNotIn("secret", report(self.installed()))

    def test_the_default_branch(self) -> None:
        git = {"vcs": "git", "commit_id": COMMIT}
        origin = {"url": "https://git.example.com/a.git", "vcs_info": git}
        self.assertEqual(self.source(origin), ("git", COMMIT))

    def test_a_workspace_member(self) -> None:
        member = self.site / "with space"
        origin = {"url": member.as_uri(), "dir_info": {"editable": True}}
        self.assertEqual(self.source(origin), (f"editable {member}", ""))

    def test_a_package_from_an_index(self) -> None:
        self.assertEqual(self.source(None), ("index", ""))

    def test_other_peoples_packages_are_left_out(self) -> None:
        self.install("ours-b", "0.1.2.dev0")
        self.install("ours-a", "0.1.2")
        self.install("theirs", "3.0", internal=False)
        self.assertEqual(
            [(package.name, package.version) for package in internal_packages(self.installed())],
            [("ours-a", "0.1.2"), ("ours-b", "0.1.2.dev0")],
        )

    def test_the_cuda_runtime(self) -> None:
        self.assertEqual(cuda_runtime(self.installed()), "none")
        self.install("nvidia-cuda-runtime-cu12", "12.4.127", internal=False)
        self.assertEqual(cuda_runtime(self.installed()), "12.4.127")
        self.assertTrue(report(self.installed()).endswith("\nCUDA runtime: 12.4.127"))


if __name__ == "__main__":
    unittest.main()
