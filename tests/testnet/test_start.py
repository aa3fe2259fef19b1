"""Start-up check: a package of the same name from elsewhere is named."""

import subprocess
import sys
from pathlib import Path

import pytest

from testnet.errors import UsageError
from testnet.start import PACKAGES, check_packages


def test_our_own_packages_pass() -> None:
    check_packages()


@pytest.mark.parametrize("name", PACKAGES)
def test_a_shadowing_package_is_named_with_its_path(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))

    with pytest.raises(
        UsageError, match=rf"another package named '{name}' shadows ours: Python finds {tmp_path}/{name}"
    ):
        check_packages()


def test_a_folder_without_a_package_does_not_shadow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "substrate").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))

    check_packages()


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])

    with pytest.raises(UsageError, match="the package substrate is missing beside"):
        check_packages(tmp_path)


def test_the_command_line_says_it_in_one_line_and_exits_with_2(tmp_path: Path) -> None:
    (tmp_path / "xcm").mkdir()
    (tmp_path / "xcm" / "__init__.py").touch()
    code = f"import sys; sys.path[:0] = [{str(tmp_path)!r}]; from testnet.cli import main; main()"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr.startswith("testnet: another package named 'xcm' shadows ours")
    assert done.stderr.count("\n") == 1
