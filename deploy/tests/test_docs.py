"""The operator's page: it has every setting, and leads to everything in deploy/."""

import re

import host
import places

PAGE = (places.ROOT / "docs/operating.md").read_text()


def test_every_setting_is_on_the_operators_page():
    told = set(re.findall(r"ALERTS_[A-Z_]+", PAGE))
    assert host.settings() - told == set()


def test_every_folder_of_deploy_has_a_page_that_the_operators_page_leads_to():
    for readme in places.DEPLOY.glob("**/README.md"):
        assert f"](../{readme.relative_to(places.ROOT)})" in PAGE, readme
    folders = {path.name for path in places.DEPLOY.iterdir() if path.is_dir()} - {"tests"}
    told = set(re.findall(r"\]\(\.\./deploy/(\w+)/", PAGE))
    assert told == folders


def test_every_figure_that_the_operators_page_names_is_one_that_hosts_have(metrics):
    named = set(re.findall(r"\balerts_[a-z_]+", PAGE)) - {"alerts_engine", "alerts_server"}
    assert named - set(metrics) == set()
