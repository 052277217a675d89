"""All of ``site.yml`` on booted Debians, twice: centre, monitoring and a box. The benchmark measures the same."""

from pathlib import Path

import pytest

from tests.ansible import machines
from tests.benchmarks import bench_ansible
from tests.benchmarks.context import Context


@pytest.mark.timeout(1500)  # against a hang alone: a busy machine took 850 s
def test_site_yml_sets_up_centre_monitoring_and_box_and_the_second_run_changes_nothing(tmp_path: Path) -> None:
    machines.ansible("ansible-playbook")
    assert len(bench_ansible.site(Context(tmp_path))) == 2
